"""`make chaos N=2000 KILLS=20 SEED=1`: prints a table, writes `.chaos/report.json`, exits with 1 on any finding."""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.chaos.report import table, write
from tests.chaos.run import Plan, run

SETTLE_S, SETTLE_EACH_S = 180.0, 0.1
REPORT = Path(".chaos/report.json")


def main() -> int:
    """Returns 0 when all messages were accepted and answered, and the audit has no findings."""
    arguments = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    arguments.add_argument("--inquiries", type=int, default=2000)
    arguments.add_argument("--kills", type=int, default=20)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--settle-s", type=float, help="at most so long afterwards; else by the number")
    arguments.add_argument("--keep", action="store_true", help="keep the folder even of a clean run")
    given = arguments.parse_args()
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # SIGTERM unwinds like Ctrl-C, so that the stack is stopped
    folder = Path(tempfile.mkdtemp(prefix="chorus-chaos-"))
    figures = run(
        Plan(given.inquiries, given.kills, given.seed, given.settle_s or SETTLE_S + given.inquiries * SETTLE_EACH_S),
        folder,
    )
    write(REPORT, figures)
    for one in (*figures["findings"], *figures["excused"], *figures["oddities"]):
        print(one)
    print(table(figures))
    clean = not figures["findings"] and not figures["oddities"] and figures["accepted"] == figures["sent"]
    if clean and not given.keep:
        shutil.rmtree(folder)
    else:
        print(f"The logs and the data of this run are in {folder}.", file=sys.stderr)
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
