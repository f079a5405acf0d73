"""A data folder with another format is refused with an error that names `--fresh`; other folders are not touched."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.failure import FAILED, Failure
from deploy.local import folder as folders
from deploy.local.folder import LAYOUT, Folder
from deploy.local.logfile import LogFile


def a_folder(path: Path) -> Folder:
    """A data folder as `chorus up` creates it."""
    with folders.claimed(path) as folder:
        folders.settle(folder)
        folder.secret("operator-token")
        (folder.store / "data").write_text("decisions")
        (path / "chorus-local-router.lock").touch()
    return folder


def refused(folder: Folder) -> str:
    with pytest.raises(Failure) as failure, folders.claimed(folder.path):
        folders.settle(folder)
    assert failure.value.code == FAILED
    assert "\n" not in failure.value.sentence
    return failure.value.sentence


def without_marker(path: Path) -> Folder:
    folder = a_folder(path)
    folder.marker.unlink()
    return folder


def of_the_former_layout(path: Path) -> Folder:
    folder = a_folder(path)
    folder.marker.write_text(json.dumps({"layout": LAYOUT - 1, "secure": False}))
    return folder


Former = Callable[[Path], Folder]
FORMER = [without_marker, of_the_former_layout]


def test_the_layout_number_is_newer_than_that_of_facts_with_free_text(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "data")
    assert LAYOUT == 3
    assert json.loads(folder.marker.read_text())["layout"] == 3


@pytest.mark.parametrize("former", FORMER)
def test_data_with_another_format_is_refused_and_unchanged(tmp_path: Path, former: Former) -> None:
    folder = former(tmp_path / "data")
    said = refused(folder)
    assert str(folder.path) in said
    assert "`chorus up --fresh`" in said
    assert (folder.store / "data").read_text() == "decisions"


@pytest.mark.parametrize("former", FORMER)
def test_fresh_asks_for_confirmation_and_creates_the_current_format(tmp_path: Path, former: Former) -> None:
    folder = former(tmp_path / "data")
    assert folders.has_data(folder)
    with folders.claimed(folder.path):
        folders.empty(folder)
        folders.settle(folder)
    assert json.loads(folder.marker.read_text())["layout"] == LAYOUT
    assert not (folder.store / "data").exists()


@pytest.mark.parametrize("former", FORMER)
def test_chorus_up_reports_the_format_and_exits(tmp_path: Path, former: Former) -> None:
    folder = former(tmp_path / "data")
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHORUS_")}
    command = [sys.executable, "-m", "deploy.cli.main", "up", "--data", str(folder.path)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == FAILED
    [sentence] = done.stderr.splitlines()
    assert sentence.startswith("chorus: ")
    assert str(folder.path) in sentence
    assert "--fresh" in sentence


@pytest.mark.parametrize("names", [("mail", "logs"), ("kafka",), ("kafka", "store", "thesis.tex")])
def test_a_similar_folder_without_data_is_refused_as_foreign(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).mkdir()
    said = refused(Folder(tmp_path))
    assert "did not make" in said
    assert "--fresh" not in said


def test_an_interrupted_deletion_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = a_folder(tmp_path / "data")

    def interrupted(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr("shutil.rmtree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            folders.empty(folder)
    assert folder.marker.exists()
    folders.empty(folder)
    assert [entry.name for entry in folder.path.iterdir()] == [folders.LOCK]


# Who may read it


def others_may(path: Path) -> list[str]:
    """What anybody but the owner may do something with."""
    return [str(one) for one in (path, *path.rglob("*")) if not one.is_symlink() and one.stat().st_mode & 0o077]


def test_a_new_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    with folders.claimed(tmp_path / "data") as folder:
        folders.settle(folder)
        folder.stack.write_text("{}")
        LogFile(folder.logs / "intake.log").close()
        subprocess.run(["touch", folder.store / "made-by-a-process"], check=True)
    assert others_may(folder.path) == []
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert (folder.store / "made-by-a-process").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_others_could_read_is_tightened_at_the_start(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "data")
    outside = tmp_path / "outside"
    outside.write_text("somebody else's")
    outside.chmod(0o644)
    (folder.store / "link").symlink_to(outside)
    for one in (folder.path, *folder.path.rglob("*")):
        if not one.is_symlink():
            one.chmod(0o755 if one.is_dir() else 0o644)
    with folders.claimed(folder.path):
        folders.settle(folder)
    assert others_may(folder.path) == []
    assert outside.stat().st_mode & 0o777 == 0o644


def test_afterwards_the_process_makes_files_as_before(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        a_folder(tmp_path / "data")
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
