"""What the fault matrix found, as figures: read from the results that `make faults` leaves in docs/faults."""

import json
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure

RESULTS = Path(__file__).parents[1] / "docs" / "faults"
_KILLED = "1 defaults"


def survived(folder: Path = RESULTS) -> list[Figure]:
    """How soon the commands of a killed worker were answered, and what all faults together cost."""
    # A file for each row of the matrix, by its number; the others are of another form.
    rows = [json.loads(path.read_text()) for path in sorted(folder.glob("[0-9]*.json"))]
    killed = (row["recovery_s"]["max"] for row in rows if row["row"] == _KILLED)
    figures = [Figure("recovery after kill -9 of a worker: longest", "s", (longest,)) for longest in killed]
    if rows:
        figures.append(_number("injections", sum(sum(row["injections"].values()) for row in rows)))
        figures.append(_number("commands lost", _sum(rows, "lost")))
        figures.append(_number("commands applied twice", _sum(rows, "applied_twice")))
    return figures


def _sum(rows: list[dict[str, Any]], name: str) -> int:
    return sum(row[name] for row in rows)


def _number(what: str, number: int) -> Figure:
    return Figure(f"faults: {what}", "", (float(number),))
