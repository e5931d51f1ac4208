"""The tables, and the file with everything in it."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Figure, told
from benchmarks.goals import Line, summary

RESULTS = Path(__file__).with_name("results")
# Where there is no terminal: wide enough that nothing is cut off.
_PLAIN_WIDTH = 150


def console() -> Console:
    """Colours in a terminal, plain text elsewhere."""
    found = Console()
    return found if found.is_terminal else Console(width=_PLAIN_WIDTH, color_system=None)


def show_part(out: Console, name: str, figures: Sequence[Figure]) -> None:
    """What one part measured."""
    table = _table(out, name)
    table.add_column("figure")
    for heading in ("median", "lowest", "highest"):
        table.add_column(heading, justify="right")
    table.add_column("unit")
    for figure in figures:
        values = (figure.median, figure.lowest, figure.highest)
        table.add_row(figure.name, *map(told, values), figure.unit)
    out.print(table)


def _table(out: Console, title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.ROUNDED if out.is_terminal else box.MARKDOWN)


def show_summary(out: Console, figures: Mapping[str, Figure]) -> None:
    """The goals, and how far they are reached."""
    lines = summary(figures)
    if not lines:
        return
    table = _table(out, "summary")
    table.add_column("figure")
    for heading in ("goal", "measured", ""):
        table.add_column(heading, justify="right")
    table.add_column("reference")
    table.add_column("times better", justify="right")
    for line in lines:
        table.add_row(*_cells(line))
    out.print(table)


def _cells(line: Line) -> tuple[str, ...]:
    goal = line.goal
    sign = "<=" if goal.at_most else ">="
    reference = "" if line.reference is None else f"{line.reference_name}: {told(line.reference)}"
    return (
        goal.title,
        f"{sign} {told(goal.wanted)} {goal.unit}".strip(),
        told(line.value),
        "reached" if goal.reached(line.value) else "MISSED",
        reference,
        "" if line.ratio is None else told(line.ratio),
    )


def write(path: Path | None, figures: Mapping[str, Figure], options: Mapping[str, Any]) -> Path:
    """Everything as JSON; answers where it is."""
    moment = datetime.now(UTC)
    path = path or RESULTS / f"{moment:%Y%m%dT%H%M%SZ}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = summary(figures)
    content = {
        "measured": moment.isoformat(),
        "machine": {
            "cores": os.cpu_count(),
            "system": platform.system(),
            "python": platform.python_version(),
        },
        "options": dict(options),
        "figures": [figure.as_json() for figure in figures.values()],
        "summary": [
            {
                "figure": line.goal.title,
                "goal": asdict(line.goal)["wanted"],
                "at_most": line.goal.at_most,
                "value": line.value,
                "reached": line.goal.reached(line.value),
                "reference": line.reference,
                "times_better": line.ratio,
            }
            for line in lines
        ],
    }
    path.write_text(json.dumps(content, indent=2) + "\n")
    return path
