"""The Docker image: installed without the local stack, without package tools, with an unprivileged user."""

import re
import subprocess
import sys
import tomllib

from tests.compose.file import REPOSITORY

DOCKERFILE = (REPOSITORY / "deploy" / "Dockerfile").read_text("utf-8")


def test_the_image_installs_the_product_without_the_local_stack() -> None:
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    (local,) = re.findall(r"-m pip install (.*'\.\[local\]')", makefile)
    (image,) = re.findall(r"^RUN \S*python -m pip install (.*)$", DOCKERFILE, re.MULTILINE)
    assert image.split() == [word for word in local.replace("'.[local]'", ".").split() if word != "-e"]


def test_the_image_has_no_package_tools_and_an_unprivileged_user() -> None:
    build, final = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    assert build.split()[0] == final.split()[0]
    assert not re.search(r"apt-get|gcc|build-essential|pip install|COPY (?!--from=build)", final)
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\n.*/healthz", final, re.MULTILINE)
    assert "CHORUS_LOG=json" in final
    ignored = (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines()
    assert ignored[1] == "*"
    assert "deploy/secrets" in ignored


def test_services_and_command_start_without_the_local_stacks_packages() -> None:
    pyproject = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    packages = {re.split(r"[^a-z0-9]", one)[0] for one in pyproject["project"]["optional-dependencies"]["local"]}
    absent = (packages - {"secantusdb"}) | {"secantus"}
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({sorted(absent)!r}))\n"
        "import deploy.cli.main, deploy.kafka_admin.provisioning, deploy.replica_set\n"
        "import services.intake.app, services.router.app, services.notifier.app, services.scorer.app\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
