"""`make compose-test INSTALL=1`: runs docker-compose.yml on a container engine, from installation to upgrade."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.failure import Failure
from deploy.local.jars import cache
from tests.compose import images, stamp
from tests.compose.engine import Engine, engine
from tests.compose.packages import NotInstalled
from tests.compose.screen import say, seconds
from tests.compose.stack import VERSION, Broken, Stack
from tests.compose.steps import Steps

LOG_LINES = 200


@dataclass
class Result:
    """The duration of each step, and the errors of failed steps."""

    took_s: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def table(self) -> str:
        """One line for each step."""
        lines = [
            f"{'FAILED' if name in self.failed else 'ok':>8} {took:5.0f} s  {name}"
            for name, took in self.took_s.items()
        ]
        return "\n".join(lines)


def main() -> int:
    """Returns 0 when every step passed or the run was skipped, 1 when a step failed or no engine can be installed."""
    arguments = argparse.ArgumentParser(prog="make compose-test", description=__doc__)
    arguments.add_argument("--if-changed", action="store_true", help="skip the run if it has passed with these files")
    arguments.add_argument("--stay", action="store_true", help="leave the system running until Ctrl-C, after the steps")
    given = arguments.parse_args()
    if given.if_changed and stamp.passed():
        print(f"compose-test skipped: it has passed on this machine with these files ({', '.join(stamp.COVERED)}).")
        return 0
    install = os.environ.get("INSTALL", "") not in ("", "0")
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGTERM unwinds like Ctrl-C, so that everything is stopped
        signal.signal(number, signal.default_int_handler)
    work = Path(tempfile.mkdtemp(prefix="chorus-compose-"))
    try:
        return run(install, work, given.stay)
    except NotInstalled as error:
        if install:
            print(f"compose-test: not possible here, {error}", file=sys.stderr)
            return 1
        print(f"compose-test skipped: {error}.")
        return 0
    except KeyboardInterrupt:
        print("compose-test: ended before its end", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(work, ignore_errors=True)


def run(install: bool, work: Path, stay: bool) -> int:
    """Run every step on an engine; the last line is the summary."""
    with engine(install, work) as found:
        say(
            f"Docker Engine {found.version}, {'installed from packages, with its own socket' if found.own else 'at hand'}"
        )
        made = images.made(found, work)
        for one in made.standins:
            say(f"stand-in made of packages, not the real image: {one}")
        if made.without:
            say(f"left out, because there is no image: {', '.join(made.without)}")
        with started(found, made, work / "chorus") as stack:
            result = walk(stack)
            if stay:
                say(
                    f"runs in {str(stack.folder)!r} until Ctrl-C; DOCKER_HOST={found.environment.get('DOCKER_HOST', '')}"
                )
                signal.pause()
    print(result.table())
    images_used = "with stand-ins" if made.standins else "with the real images"
    if result.failed:
        print(
            f"compose-test: {len(result.failed)} of {len(result.took_s)} steps failed in {seconds():.0f} s, {images_used}"
        )
        return 1
    stamp.keep()
    print(f"compose-test: all {len(result.took_s)} steps passed in {seconds():.0f} s, {images_used}")
    return 0


def walk(stack: Stack) -> Result:
    """Run the steps; if the installation fails, the others are skipped."""
    result = Result()
    for number, (name, step) in enumerate(Steps(stack).all().items()):
        began = time.monotonic()
        try:
            step()
        except (Broken, Failure, OSError, ValueError, KeyError) as error:
            result.failed[name] = str(error)
        result.took_s[name] = time.monotonic() - began
        say(f"{name}: " + (f"FAILED, {result.failed[name]}" if name in result.failed else "ok"))
        if name in result.failed:
            _keep_logs(stack)
            if number < 2:
                break
    return result


def _keep_logs(stack: Stack) -> None:
    file = cache() / "compose-test.log"
    with suppress(Broken):
        file.write_text(stack.type(f"docker compose logs --no-color --tail {LOG_LINES} 2>&1"))
        say(f"the last lines of every part are in {str(file)!r}")


@contextmanager
def started(found: Engine, made: images.Images, folder: Path) -> Iterator[Stack]:
    """The folder of a stack; its containers are removed at the end."""
    stack = Stack(found, made, folder)
    stack.lay()
    stack.end()  # left by a killed run
    try:
        yield stack
    finally:
        before = [signal.signal(one, signal.SIG_IGN) for one in (signal.SIGINT, signal.SIGTERM)]
        stack.end()
        with suppress(Broken):
            stack.type(f"docker image rm --force chorus:{VERSION} chorus:{VERSION}-next")
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main())
