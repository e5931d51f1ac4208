"""`python -m benchmarks.page FILE [FILE ...]`: writes measured figures into docs/performance.md.

Each FILE is what `python -m benchmarks --json FILE` wrote; of a figure that stands in several, the last one counts.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, told
from benchmarks.goals import GOALS, Line, summary
from benchmarks.scaling import DELAYS_MS, PROCESSES, VARIANTS
from benchmarks.survived import survived

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
_BEGIN, _END = "<!-- figures -->\n", "<!-- /figures -->\n"
# Costs and scaling have tables of their own; of round trips p50 and p99 say enough.
_LEFT_OUT = re.compile(r": CPU of |p90$|max$|ms away")
_PROCESSES = ("worker", "PostgreSQL", "Valkey", "relay", "clock", "producer", "reader")


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("file", nargs="+", type=Path)
    sessions = [json.loads(path.read_text()) for path in parser.parse_args(arguments).file]
    before, _, rest = PAGE.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    PAGE.write_text(f"{before}{_BEGIN}{tables(sessions, survived())}{_END}{after}")
    return 0


def tables(sessions: Iterable[dict[str, Any]], found_elsewhere: Iterable[Figure] = ()) -> str:
    """The goals and what was reached, and what each process costs; with a word on where that was.

    What was `found_elsewhere` stands among the goals. Of a session with large tables only what has a goal is told:
    docs/performance.md has a table of its questions.
    """
    figures = {each.name: each for each in found_elsewhere}
    others: dict[str, Figure] = {}
    where = ""
    for session in sessions:
        measured = [Figure(each["name"], each["unit"], tuple(each["values"])) for each in session["figures"]]
        figures |= {each.name: each for each in measured}
        if "workers" in session["options"]:
            where = _where(session)
            others |= {each.name: each for each in measured}
    return f"{where}\n\n{_goals(summary(figures), figures)}\n{_costs(figures)}\n{_scaling(figures)}{_others(others)}"


def _where(session: dict[str, Any]) -> str:
    machine, workers = session["machine"], session["options"]["workers"]
    return (
        f"Measured {session['measured'][:10]} on {machine['cores']} cores, Python {machine['python']}, "
        f"worker processes: {workers}."
    )


def _goals(lines: Iterable[Line], figures: dict[str, Figure]) -> str:
    rows = [
        "| what | goal | reached | spread | | reference | times better |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for line in lines:
        goal = line.goal
        sign = "at most" if goal.at_most else "at least"
        reference = "" if line.reference is None else f"{line.reference_name}: {told(line.reference)}"
        cells = (
            goal.title,
            f"{sign} {told(goal.wanted)} {goal.unit}".strip(),
            told(line.value),
            "" if goal.share_of else _spread(figures[goal.figure]),
            "yes" if goal.reached(line.value) else "no",
            reference,
            "" if line.ratio is None else told(line.ratio),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _costs(figures: dict[str, Figure]) -> str:
    rows = ["| CPU for one command, microseconds | single | bulk |", "| --- | --- | --- |"]
    for process in _PROCESSES:
        values = [figures.get(f"{part}: CPU of {process}") for part in ("single", "bulk")]
        if any(values):
            cells = ("" if value is None else told(value.median) for value in values)
            rows.append(f"| {process} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _scaling(figures: dict[str, Figure]) -> str:
    """Commands a second by the distance of the database and the number of processes, and the cores kept busy."""
    numbers = [f"{count} process{'es' if count > 1 else ''}" for count in PROCESSES]
    rows = [f"| commands/s (cores in use) | {' | '.join(numbers)} |", "| --- |" + " --- |" * len(numbers)]
    for delay_ms, variant in product(DELAYS_MS, VARIANTS):
        name = f"{delay_ms} ms away, {variant}"
        rates = [figures.get(f"{name}, {number}") for number in numbers]
        cores = [figures.get(f"{name}, {number}: cores in use") for number in numbers]
        cells = [
            f"{told(rate.median)} ({told(used.median)})"
            for rate, used in zip(rates, cores, strict=True)
            if rate and used
        ]
        if len(cells) == len(numbers):
            rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n\n" if len(rows) > 2 else ""


def _others(figures: dict[str, Figure]) -> str:
    """What has no goal, except what stands in a table of its own."""
    with_goals = {goal.figure for goal in GOALS}
    rows = ["| what else was measured | median | spread | |", "| --- | --- | --- | --- |"]
    for each in figures.values():
        if each.name not in with_goals and not _LEFT_OUT.search(each.name):
            rows.append(f"| {each.name} | {told(each.median)} | {_spread(each)} | {each.unit} |")
    return "\n".join(rows) + "\n"


def _spread(figure: Figure) -> str:
    """The lowest and the highest, if it was measured more than once."""
    return "" if len(figure.values) == 1 else f"{told(figure.lowest)} to {told(figure.highest)}"


if __name__ == "__main__":
    sys.exit(main())
