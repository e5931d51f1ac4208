"""The recorded traffic that comes with the demo: what clients said to a real server, and what it answered.

A line of the files is `{offset_ms, command, observed, after, origin, server}`. `offset_ms` is when the answer came
(of an event: when it happened), and the lines are in that order. `observed` is the answer, null where none was
given. `after` names commands whose answers the client had seen before it spoke.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from importlib.resources import files
from typing import Any

from messages.fields import JsonObject

SMALL = "recorded_small.jsonl.gz"
FULL = "recorded_full.jsonl.gz"


@dataclass(frozen=True)
class Recorded:
    """One command as it was recorded. `observed` is None where no answer was given."""

    offset_s: float
    command: JsonObject
    observed: Mapping[str, Any] | None
    after: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return str(self.command["id"])

    @property
    def type(self) -> str:
        return str(self.command["type"])

    @property
    def data(self) -> JsonObject:
        data: JsonObject = self.command["data"]
        return data

    @property
    def source(self) -> str:
        return str(self.command["source"])

    @property
    def proposed(self) -> JsonObject:
        """The state that the command proposes; empty if it proposes none."""
        return self.data.get("state") or {}

    @property
    def run_id(self) -> str | None:
        """The run that the command is about, as far as the command itself says."""
        kind = self.type.partition(".")[0]
        if kind not in ("flow_run", "task_run"):
            return None
        found = self.data.get("id" if self.type.endswith(".create") else f"{kind}_id")
        return None if found is None else str(found)


@dataclass(frozen=True)
class Recording:
    """All of a file, in its order."""

    commands: tuple[Recorded, ...] = field(repr=False)

    @cached_property
    def began(self) -> datetime:
        """The moment at which offsets begin. An answer comes no earlier than its command: the latest fits all."""
        return max(_asked(each) - timedelta(seconds=each.offset_s) for each in self.commands)

    @cached_property
    def seconds(self) -> float:
        """How long the recording is."""
        return self.commands[-1].offset_s

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The clients that speak, in the order in which they begin."""
        return tuple(dict.fromkeys(each.source for each in self.commands))


def load(*, full: bool) -> Recording:
    """The small recording, or the full one."""
    packed = files("workers.demo").joinpath("data", FULL if full else SMALL).read_bytes()
    return Recording(tuple(read(gzip.decompress(packed).decode())))


def read(text: str) -> Iterator[Recorded]:
    """The commands in the lines of a recording."""
    for line in text.splitlines():
        row = json.loads(line)
        yield Recorded(
            offset_s=row["offset_ms"] / 1000,
            command=row["command"],
            observed=row["observed"],
            after=tuple(row.get("after", ())),
        )


def _asked(each: Recorded) -> datetime:
    return datetime.fromisoformat(each.command["time"])
