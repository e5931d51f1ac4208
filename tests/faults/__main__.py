"""`python -m tests.faults [--rows 1,2] [--jobs 3]`: the matrix; one file of results a row, then docs/faults.md.

A row that was run before is run again only if it is named. `--one ROW` runs one row in this process.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from tests.faults import report
from tests.faults.matrix import ROWS, number_of, play, row_named, run_folder
from tests.faults.row import Row

RESULTS = Path(__file__).parents[2] / "docs" / "faults"
#: those that take longest begin first
STOCK = "stock"
LONG = (STOCK, "8", "26", "14", "13", "1 defaults", "12", "7 none", "5")


def run_one(name: str, number: int | None, seed: int) -> dict[str, Any]:
    """A row in this process: PostgreSQL ends with the thread that starts it."""
    row = row_named(name)
    why_not = row.hindrance()
    if why_not is not None:
        return {"row": name, "not_tried": why_not}
    with run_folder() as folder:
        found = play([(row, number or row.many)], folder, seed)
    return {"row": name, "fault": row.fault, "remark": row.remark, **found}


def file_of(name: str) -> Path:
    """Where the results of a row are."""
    return RESULTS / f"{name.replace(' ', '-').replace(',', '')}.json"


def run_in_a_process(name: str, arguments: argparse.Namespace) -> None:
    if name == STOCK:
        subprocess.run([sys.executable, "-m", "tests.faults.stock", "busy"], check=False)
        return
    argv = [sys.executable, "-m", "tests.faults", "--one", name]
    if arguments.injections:
        argv += ["--injections", str(arguments.injections)]
    began = time.monotonic()
    log = RESULTS / f"{file_of(name).stem}.log"
    with log.open("w") as file:
        status = subprocess.run(argv, stdout=file, stderr=file, check=False).returncode
    found = json.loads(file_of(name).read_text()) if status == 0 else {"violations": [f"see {log}"]}
    if status == 0:
        log.unlink()
    bad = found.get("violations")
    print(f"{name:18} {time.monotonic() - began:6.0f} s  {'VIOLATIONS' if bad else 'ok'}", flush=True)
    for each in bad or ():
        print(f"    {each[:600]}", flush=True)


def run_lanes(names: list[str], arguments: argparse.Namespace) -> None:
    waiting: Queue[str] = Queue()
    for name in sorted(names, key=lambda each: LONG.index(each) if each in LONG else len(LONG)):
        waiting.put(name)

    def lane() -> None:
        while True:
            try:
                run_in_a_process(waiting.get_nowait(), arguments)
            except Empty:
                return

    lanes = [threading.Thread(target=lane) for _ in range(arguments.jobs)]
    for each in lanes:
        each.start()
    for each in lanes:
        each.join()


def wanted(given: str | None) -> list[str]:
    """The rows named, or all that have no results yet. `7` stands for all rows of that number."""
    rows: list[Row] = sorted(ROWS, key=number_of)
    if given is None:
        names = [each.name for each in rows] + [STOCK]
        return [each for each in names if not file_of(each).exists()]
    names = [each.strip() for each in given.split(",") if each.strip()]
    found = [each.name for each in rows if each.name in names or str(number_of(each)[0]) in names]
    found += [STOCK] * (STOCK in names)
    if not found:
        raise SystemExit(f"no such rows; there are {', '.join(each.name for each in rows)}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", help="names or numbers, with commas between them; default: those without results"
    )
    parser.add_argument("--jobs", type=int, default=3, help="rows at a time")
    parser.add_argument("--injections", type=int, help="instead of each row's own number")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--one", help="run this row here")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    if arguments.one:
        seed = random.randrange(2**32) if arguments.seed is None else arguments.seed
        found = run_one(arguments.one, arguments.injections, seed)
        unfinished = file_of(arguments.one).with_suffix(f".{os.getpid()}")
        unfinished.write_text(json.dumps(found, indent=1) + "\n")
        unfinished.rename(file_of(arguments.one))
        return 0
    names = wanted(arguments.rows)
    run_lanes(names, arguments)
    if STOCK in names:
        # Here it is quiet again: that part measures how long an answer takes.
        subprocess.run([sys.executable, "-m", "tests.faults.stock", "idle"], check=False)
    return report.write(RESULTS)


if __name__ == "__main__":
    sys.exit(main())
