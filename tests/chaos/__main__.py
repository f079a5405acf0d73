"""`make chaos N=2000 KILLS=20 SEED=1`: a run, its table on stdout, its report in `.chaos/report.json`, exit 1 on any finding."""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.chaos.report import table, write
from tests.chaos.run import Plan, run

REPORT = Path(".chaos/report.json")


def main() -> int:
    """0 when nothing was lost, nothing doubled and every recount agrees."""
    arguments = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    arguments.add_argument("--inquiries", type=int, default=2000)
    arguments.add_argument("--kills", type=int, default=20)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--settle-s", type=float, default=240.0)
    arguments.add_argument("--keep", action="store_true", help="keep the folder even of a clean run")
    given = arguments.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the stack is stopped, whoever ends the run
    folder = Path(tempfile.mkdtemp(prefix="chorus-chaos-"))
    figures = run(Plan(given.inquiries, given.kills, given.seed, given.settle_s), folder)
    write(REPORT, figures)
    for one in (*figures["findings"], *figures["excused"], *figures["oddities"]):
        print(one)
    print(table(figures))
    if figures["findings"] or given.keep:
        print(f"The logs and the data of this run are in {folder}.", file=sys.stderr)
        return 1 if figures["findings"] else 0
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
