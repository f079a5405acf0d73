"""Installs Docker Compose and Docker Engine from packages: `python -m tests.compose.packages`.

Debian 12 has no recent Compose, so it comes from Debian 13, with a separate apt configuration that does not change the
machine's packages. The mirror is that of the machine's apt.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.compose import tool

RELEASE = "trixie"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
ENGINE = ("docker.io", "iptables", "debootstrap")
ENGINE_PROGRAMS = ("dockerd", "iptables", "debootstrap")
COMPOSE_PACKAGES = ("docker-compose-v2", "docker-compose")
PLUGINS = ("usr/libexec/docker/cli-plugins", "usr/lib/docker/cli-plugins")
# Debian's folders for administration programs, which a user's PATH may lack.
PATH = os.pathsep.join(("/usr/sbin", "/usr/bin", "/sbin", "/bin", os.environ.get("PATH", "")))


class NotInstalled(Exception):
    """A package cannot be installed; the message says why."""


@dataclass(frozen=True)
class Mirror:
    """The Debian mirror and release of the machine's apt."""

    address: str
    release: str


def mirror() -> Mirror:
    """The first Debian repository in the machine's apt configuration."""
    form = "$(REPO_URI)|$(RELEASE)|$(ORIGIN)"
    for line in _run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).splitlines():
        address, release, origin = line.split("|")
        if origin == "Debian" and "-" not in release:
            return Mirror(address, release)
    raise NotInstalled("apt's settings name no Debian mirror, or `apt-get update` was never run")


def install_compose() -> Path:
    """Unpack Compose into the cache folder as a plugin of the Docker client; returns its path."""
    target = tool.kept()
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parents[2]) as work:
        package = _downloaded(Path(work))
        _run(["dpkg", "-x", str(package), work])
        plugin = next((one for name in PLUGINS if (one := Path(work) / name / target.name).is_file()), None)
        if plugin is None:
            raise NotInstalled(f"the package {package.name!r} has no plugin for the Docker client")
        os.replace(plugin, target)
    return target


def install_engine() -> None:
    """Install Docker Engine and the other packages of `make compose-test`. Needs root."""
    if all(shutil.which(one, path=PATH) for one in ENGINE_PROGRAMS):
        return
    if os.geteuid() != 0:
        raise NotInstalled(f"installing {', '.join(ENGINE)} needs root")
    install = ["apt-get", "-qq", "install", "-y", "--no-install-recommends", *ENGINE]
    try:
        _run(install)
    except NotInstalled:
        # The package lists are missing or outdated.
        _run(["apt-get", "-qq", "update"])
        _run(install)


def updated() -> None:
    """Run `apt-get update` if it has never run."""
    if not _run(["apt-cache", "madison", *ENGINE]).strip() and os.geteuid() == 0:
        _run(["apt-get", "-qq", "update"])


def _downloaded(work: Path) -> Path:
    """Download the package of Compose, from this machine's release if recent enough, else from Debian 13."""
    if not shutil.which("apt-get", path=PATH):
        raise NotInstalled("this machine has no apt")
    updated()
    for name in COMPOSE_PACKAGES:
        told = re.search(r"\|\s*(\d+)\.(\d+)", _run(["apt-cache", "madison", name]))
        if told and tuple(map(int, told.groups())) >= tool.LEAST:
            return _download(work, name, [])
    return _download(work, "docker-compose", _apart(work / "apt"))


def _apart(root: Path) -> list[str]:
    """Options for a separate apt configuration with the release that has Compose."""
    found = mirror()
    for folder in ("lists/partial", "cache/archives/partial"):
        (root / folder).mkdir(parents=True)
    (root / "sources.list").write_text(f"deb [signed-by={KEYS}] {found.address} {RELEASE} main\n")
    (root / "status").touch()
    places = {
        "Dir::Etc::sourcelist": root / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": root / "lists",
        "Dir::State::status": root / "status",
        "Dir::Cache": root / "cache",
        "APT::Sandbox::User": "",
    }
    options = [word for name, value in places.items() for word in ("-o", f"{name}={value}")]
    _run(["apt-get", *options, "-qq", "update"])
    return options


def _download(work: Path, name: str, options: Sequence[str]) -> Path:
    _run(["apt-get", *options, "-qq", "-o", "APT::Sandbox::User=", "download", name], cwd=work)
    return next(work.glob(f"{name}_*.deb"))


def _run(command: Sequence[str], cwd: Path | None = None) -> str:
    env = {**os.environ, "PATH": PATH, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=True
        )
    except FileNotFoundError as error:
        raise NotInstalled(f"this machine has no {command[0]!r}") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or error.stdout.strip()).splitlines()[-1:]
        raise NotInstalled(f"`{' '.join(command[:2])} …` ended with status {error.returncode}: {last}") from error
    return done.stdout


def main() -> int:
    """Unpack Compose; without it the tests that need it are skipped, and the exit status is still 0."""
    if tool.found() is None:
        try:
            print(f"compose: installed in {str(install_compose())!r}")
        except (NotInstalled, OSError) as error:
            print(f"compose: not installed, {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
