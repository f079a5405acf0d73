"""Forked processes are like started ones: their own environment, folder, input, output, signals and exit status."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forks import forks
from tests.patience import PATIENCE_S, until

SCRIPT = "import os, sys; print(os.environ['WHO'], os.getcwd(), sys.argv[1:], sys.stdin.read()); sys.exit('no')"


def test_a_forked_program_sees_and_says_what_a_started_one_does(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    words, env = (str(script), "一", "two"), {"WHO": "林听雨", "PYTHONUTF8": "1"}
    forked = forks().run(words, env, tmp_path, PATIENCE_S, "typed")
    started = subprocess.run(
        [sys.executable, *words], env=env, cwd=tmp_path, input="typed", capture_output=True, text=True, check=False
    )
    assert (forked.returncode, forked.stdout, forked.stderr) == (1, started.stdout, started.stderr)
    assert started.stderr == "no\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_forked_program_dies_by_its_signal_alone(tmp_path: Path, number: signal.Signals) -> None:
    script = tmp_path / "script.py"
    script.write_text("import pathlib, time; pathlib.Path('there').touch(); time.sleep(600)")
    first, second = (forks().start((str(script),), os.environ, tmp_path) for _ in range(2))
    until((tmp_path / "there").exists, "it did not start")
    first.send_signal(number)
    assert first.wait(PATIENCE_S) == -number
    assert second.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(0.01)
    second.kill()
    assert second.wait(PATIENCE_S) == -signal.SIGKILL
