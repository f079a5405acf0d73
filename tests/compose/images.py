"""The images of a run: pulled from a registry, or else built from Debian packages as stand-ins."""

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from deploy.local import jars
from tests.compose import packages
from tests.compose.engine import Engine
from tests.compose.file import CONTAINERS, REPOSITORY, filled
from tests.compose.packages import NotInstalled
from tests.compose.screen import say

STANDINS = Path(__file__).with_name("standins")
NAME = "chorus-standin"
# The image that each stand-in replaces.
FOR = {
    "kafka": "apache/kafka",
    "store": "mongo",
    "haproxy": "haproxy",
    "prometheus": "prom/prometheus",
    "alertmanager": "prom/alertmanager",
}
PYTHON = re.findall(r"^FROM (python:\S+)$", (REPOSITORY / "deploy" / "Dockerfile").read_text("utf-8"), re.MULTILINE)[-1]
BASE_PACKAGES = "python3,python3-venv,ca-certificates,netbase,tzdata"
PULL_S, SLOW_PULL_S = 20, 600
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass
class Images:
    """The image of each container, and the containers without one."""

    of: dict[str, str] = field(default_factory=dict)
    python: str = PYTHON
    standins: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    mail: str = f"{NAME}/mail"


def made(engine: Engine, work: Path) -> Images:
    """Pull all images; without a registry build stand-ins."""
    wanted = sorted({filled(part["image"]) for part in CONTAINERS.values() if not part["image"].startswith("chorus:")})
    reached = _pulled(engine, PYTHON, PULL_S) and all(_pulled(engine, one, SLOW_PULL_S) for one in wanted)
    images = Images()
    if not reached:
        images.python = f"{NAME}/python"
        images.standins = [f"{PYTHON} (Debian 13)"]
        for name, part in CONTAINERS.items():
            image = filled(part["image"])
            standin = next((key for key, real in FOR.items() if image.startswith(f"{real}:")), None)
            if standin is not None:
                images.of[name] = f"{NAME}/{standin}"
                images.standins += [image] if image not in images.standins else []
            elif image in wanted:
                images.without.append(name)
    _build(engine, work, [] if reached else ["python", *FOR], images.python)
    return images


def _pulled(engine: Engine, image: str, limit_s: int) -> bool:
    if _run(engine, ["docker", "image", "inspect", image]).returncode == 0:
        return True
    try:
        return _run(engine, ["docker", "pull", "-q", image], limit_s).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _build(engine: Engine, work: Path, standins: list[str], python: str) -> None:
    contexts = work / "images"
    shutil.copytree(STANDINS, contexts)
    if standins:
        _have_debian(engine, work)
        shutil.copytree(jars.download(), contexts / "kafka" / "jars")
        shutil.copyfile(AUTHORITIES, contexts / "python" / AUTHORITIES.name)
        _compose_build(engine, contexts, ["python"])
    else:
        for file in contexts.glob("*/Dockerfile"):
            file.write_text(file.read_text("utf-8").replace(f"FROM {NAME}/python", f"FROM {python}"))
    _compose_build(engine, contexts, [*(one for one in standins if one != "python"), "mail"])


def _compose_build(engine: Engine, contexts: Path, names: list[str]) -> None:
    """Build these images in parallel."""
    lines = (REPOSITORY / "pyproject.toml").read_text("utf-8")
    args = {"SECANTUSDB": re.findall(r'"(secantusdb==\S+)"', lines)[0]}
    services = {
        one: {"image": f"{NAME}/{one}", "build": {"context": f"./{one}"} | ({"args": args} if one == "store" else {})}
        for one in names
    }
    file = contexts / "images.yml"
    file.write_text(yaml.safe_dump({"name": NAME, "services": services}))
    done = _run(engine, ["docker", "compose", "-f", str(file), "--progress", "plain", "build", *names])
    if done.returncode != 0:
        raise NotInstalled("images cannot be built:\n" + "\n".join((done.stdout + done.stderr).splitlines()[-30:]))


def _have_debian(engine: Engine, work: Path) -> None:
    """Build an image of Debian 13 with Python by debootstrap."""
    if _run(engine, ["docker", "image", "inspect", f"{NAME}/debian"]).returncode == 0:
        return
    say("no registry of images can be reached: debootstrap makes Debian 13, from packages")
    root = work / "debian"
    address = packages.mirror().address
    command = ["debootstrap", "--variant=minbase", f"--include={BASE_PACKAGES}", packages.RELEASE, str(root), address]
    done = _run(engine, command)
    if done.returncode != 0:
        raise NotInstalled(f"debootstrap ended with status {done.returncode}: {done.stdout.splitlines()[-3:]}")
    parts = [f"--exclude=./{one}/*" for one in ("proc", "sys", "dev", "var/cache/apt", "var/lib/apt/lists")]
    with subprocess.Popen(
        ["tar", "-C", str(root), "--numeric-owner", *parts, "-c", "."], stdout=subprocess.PIPE
    ) as tar:
        subprocess.run(
            ["docker", "import", "-", f"{NAME}/debian"], env=dict(engine.environment), stdin=tar.stdout, check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
    shutil.rmtree(root)


def _run(engine: Engine, command: list[str], limit_s: int | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=dict(engine.environment), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=limit_s, check=False,
    )  # fmt: skip
