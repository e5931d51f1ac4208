"""What a row of the matrix is."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle, islice

from tests.faults.stage import Plan, Stage

#: Strikes so many times; the stage has been under load for a moment.
Strike = Callable[[Stage, int], None]


@dataclass(frozen=True)
class Row:
    """One kind of fault, and what it is put into."""

    name: str
    #: what is done, for the page of results
    fault: str
    strike: Strike
    #: rows of one group can share a stage, where few injections are made
    group: str
    plan: Plan = field(default_factory=Plan)
    #: injections in the full run, and in the short one (0: the full run alone)
    many: int = 30
    few: int = 2
    #: why it cannot be tried here, or None
    hindrance: Callable[[], str | None] = lambda: None
    #: what the reader should know beside the figures
    remark: str = ""


def round_robin(kinds: tuple[str, ...], number: int) -> list[str]:
    """So many, each kind in turn."""
    return list(islice(cycle(kinds), number))


def without_root(*programs: str) -> str | None:
    """What keeps rows from being tried that change the machine around the processes."""
    if os.geteuid() != 0:
        return "needs root"
    missing = [each for each in programs if shutil.which(each) is None]
    return f"needs {', '.join(missing)}" if missing else None
