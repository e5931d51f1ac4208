"""The recorded cases, and which of them are replayed."""

import json
import lzma
import os
from functools import cache
from pathlib import Path
from typing import Any

Case = dict[str, Any]
FILE = Path(__file__).parent / "data" / "cases.jsonl.xz"
EVERY = 8


@cache
def cases() -> tuple[Case, ...]:
    """All of them."""
    with lzma.open(FILE, "rt", encoding="utf-8") as lines:
        return tuple(json.loads(line) for line in lines)


@cache
def areas() -> tuple[str, ...]:
    """The names of all areas."""
    return tuple(sorted({case["area"] for case in cases()}))


def chosen(area: str) -> list[Case]:
    """The cases of an area that are to be replayed: all, or a fair sample that is always the same."""
    mine = [case for case in cases() if case["area"] == area]
    return mine if os.environ.get("INTERLOCK_PARITY") == "all" else mine[::EVERY]


def named(*idents: str) -> list[Case]:
    """The cases with these ids."""
    return [case for case in cases() if case["id"] in idents]
