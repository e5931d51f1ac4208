"""`python -m benchmarks [PART ...]`: starts a stack of its own, measures, prints tables, writes a JSON file."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import (
    commands,
    fill,
    floor,
    hot,
    latency,
    plain,
    prefect,
    report,
    rules,
    scaling,
    tables,
    upkeep,
)
from benchmarks.figures import Figure
from benchmarks.session import Session, without_crash
from benchmarks.stack import running_stack

Part = Callable[[Session], list[Figure]]

# In the order in which they run: what others compare themselves with comes first.
PARTS: dict[str, Part] = {
    "rules": rules.rules,
    "floor": floor.floor,
    "plain": plain.plain,
    "single": commands.single,
    "bulk": commands.bulk,
    "idle": upkeep.idle,
    "roundtrip": latency.roundtrip,
    "loaded": latency.loaded,
    "events": latency.events,
    "hot": hot.hot,
    "memory": upkeep.memory,
    "scaling": scaling.scaling,
    "prefect": prefect.prefect,
}
_ON_REQUEST = {"prefect"}
# With options of their own.
_OTHERS: dict[str, Callable[[Sequence[str]], int]] = {"fill": fill.main, "tables": tables.main}
_SETTING = "a setting of the measured processes, such as WORKER_THREADS=1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers the exit code: 1 if a part could not be measured."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words and words[0] in _OTHERS:
        return _OTHERS[words[0]](words[1:])
    options = _options(words)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    wanted = [name for name in PARTS if name in (options.part or PARTS.keys() - _left_out())]
    out, failures = report.console(), list[str]()
    with running_stack(options.workers, dict(each.split("=", 1) for each in options.set)) as stack:
        session = Session(stack, options.runs, options.seconds, options.commands, options.window)
        for name in wanted:
            with without_crash(name, failures):
                figures = PARTS[name](session)
                session.measured.update({figure.name: figure for figure in figures})
                report.show_part(out, name, figures)
        complaints = stack.said("worker") + stack.said("relay")
    report.show_summary(out, session.measured)
    if session.measured:
        settings = {name: value for name, value in vars(options).items() if name != "json"}
        out.print(f"written to {report.write(options.json, session.measured, settings)}")
    for failure in filter(None, (*failures, complaints)):
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def _left_out() -> set[str]:
    return set() if prefect.is_named() else _ON_REQUEST


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"no such part: {name}")
    return name


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "part", nargs="*", type=_part, metavar="PART", help=f"of: {', '.join(PARTS)} (default: all)"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="about so long for each run (default 10)")
    parser.add_argument("--commands", type=int, help="so many commands for each run, however long they take")
    parser.add_argument("--runs", type=int, default=3, help="runs of each part (default 3)")
    parser.add_argument("--workers", type=int, default=1, help="worker processes (default 1)")
    parser.add_argument("--window", type=int, default=2_000, help="most commands unanswered (default 2000)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=_SETTING)
    parser.add_argument("--json", type=Path, help="where to write the figures (default benchmarks/results/)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
