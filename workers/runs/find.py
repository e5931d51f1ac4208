"""Runs as people name them: by an id, by the beginning of one that no other run has, or by a name."""

from collections.abc import Sequence
from typing import NamedTuple

from messages.fields import Id
from store.reads.abbreviations import beginning_with
from store.reads.run_details import named
from store.transaction import Connection

SHOWN = 5
FLOW_RUN, TASK_RUN = "flow_run", "task_run"


class Which(NamedTuple):
    """A run that exists: `kind` is flow_run or task_run."""

    kind: str
    id: Id


class NotOne(Exception):
    """Raised where what was given is no run's, or that of several."""

    def __init__(self, given: str, found: Sequence[Which]) -> None:
        if not found:
            super().__init__(f"there is no run {given!r}; `interlock runs list` shows the newest")
        else:
            some = "".join(f"\n  {each.kind.replace('_', ' ')} {each.id}" for each in found[:SHOWN])
            more = "\n  and others" if len(found) > SHOWN else ""
            super().__init__(f"{given!r} may be any of these, name one by its id:{some}{more}")


def find_run(connection: Connection, given: str) -> Which:
    """The one run that is meant.

    Raises:
        NotOne: there is none, or there are several.
    """
    found = [
        Which(kind, each) for kind in _KINDS for each in beginning_with(connection, kind, given, SHOWN + 1)
    ]
    if not found:
        found = [Which(kind, each) for kind in _KINDS for each in named(connection, kind, given, SHOWN + 1)]
    if len(found) != 1:
        raise NotOne(given, found)
    return found[0]


def find_flow_run(connection: Connection, given: str) -> Id:
    """The one flow run that is meant. Raises as `find_run` does."""
    which = find_run(connection, given)
    if which.kind != FLOW_RUN:
        raise NotOne(given, [])
    return which.id


_KINDS = (FLOW_RUN, TASK_RUN)
