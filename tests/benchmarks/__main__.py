"""`make bench`: runs every section, prints tables and writes tests/benchmarks/results/."""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from confluent_kafka import KafkaException

from deploy.failure import Failure
from deploy.local.city import city_folder, read_city
from tests.benchmarks import machine
from tests.benchmarks.place import place
from tests.benchmarks.report import Result
from tests.benchmarks.sections import Bench, Measure, Section, core, departments, flow, intake, latency, storage

SECTIONS: dict[str, Measure] = {
    "core": core.measure,
    "latency": latency.measure,
    "intake": intake.measure,
    "flow": flow.measure,
    "departments": departments.measure,
    "storage": storage.measure,
}


def main() -> int:
    """Returns 0 when every contender has done the same job."""
    given = _arguments()
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # SIGTERM unwinds like Ctrl-C, so that everything is stopped
    folder = Path(tempfile.mkdtemp(prefix="chorus-bench-"))
    began = time.monotonic()

    def say(words: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {words}", file=sys.stderr, flush=True)

    with place(folder) as here:
        bench = Bench(here, read_city(city_folder()), given.rounds, given.size, given.seed, given.quick, say)
        sections = {name: _measured(name, bench) for name in given.only}
        result = Result(machine.machine(), machine.versions(here.mongodb), here.store_name, sections)
    result.write("latest" if len(given.only) == len(SECTIONS) and not given.quick else "partial")
    print(result.markdown())
    if all(section.figures for section in sections.values()):
        shutil.rmtree(folder)
    else:
        print(f"Not all could be measured; the logs are in {folder}/logs.", file=sys.stderr)
    return int(any("NOT THE SAME" in one for section in sections.values() for one in section.sentences))


def _measured(name: str, bench: Bench) -> Section:
    """Run a section; an error is reported and does not stop the others."""
    bench.say(f"{name}: begins")
    try:
        return SECTIONS[name](bench)
    except (RuntimeError, ValueError, KafkaException, Failure) as error:
        bench.say(f"{name}: broke off: {error!r}")
        return Section(sentences=[f"Not measured: {name}: {str(error)[:500]}"])


def _arguments() -> argparse.Namespace:
    words = argparse.ArgumentParser(prog="make bench", description=__doc__)
    words.add_argument("--rounds", type=int, help="how often each is measured (5)")
    words.add_argument("--size", type=int, help="records of one run of a fast contender (20000)")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--only", action="append", choices=SECTIONS, help="a section; may be given several times")
    words.add_argument(
        "--quick", action="store_true", help="one round of a fifth: shows that it works, measures nothing"
    )
    given = words.parse_args()
    given.rounds = given.rounds or (1 if given.quick else 5)
    given.size = given.size or (4_000 if given.quick else 20_000)
    given.only = given.only or list(SECTIONS)
    return given


if __name__ == "__main__":
    sys.exit(main())
