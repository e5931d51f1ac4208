"""A space of its own in a database that many sequences share: ids and names that nobody else has.

Commands are applied here, and what they left is read back in symbols, so that two spaces can be compared.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from messages.ids import uuid7
from messages.registry import COMMANDS
from messages.wire import decode
from store import driver
from store.transaction import Connection, Engine, transaction
from tests.properties.commands import NOW, REPEAT, Command
from workers.pipeline.admit import admit_envelope
from workers.pipeline.apply import Applied, Applier
from workers.world.world import World

_SYMBOL = re.compile(r"<([a-z]+(?: [a-z]+)* \d+)>")
_TICK = timedelta(microseconds=10)
_NEW_EVENTS = "SELECT id, entries FROM outbox WHERE id > %(last)s ORDER BY id"
_LAST_EVENT = "SELECT coalesce(max(id), 0) FROM outbox"
_RUNS = "SELECT * FROM {run} WHERE id = ANY(CAST(%(ids)s AS uuid[]))"
_STATES = """
SELECT s.{run}_id AS run_id, s.id, s.type, s.name, a.data FROM {run}_state s
LEFT JOIN artifact a ON a.id = s.result_artifact_id
WHERE s.{run}_id = ANY(CAST(%(ids)s AS uuid[])) ORDER BY s.timestamp
"""
_HOLDERS = """
SELECT l.name, s.holder_kind, coalesce(s.flow_run_id, s.task_run_id) AS holder, s.slots, s.expires_at
FROM concurrency_slot s JOIN concurrency_limit l ON l.id = s.limit_id
WHERE position(%(ns)s IN l.name) > 0 OR l.name = ANY(CAST(%(names)s AS text[]))
"""
_LIMITS = """
SELECT name, "limit", active, denied_slots FROM concurrency_limit
WHERE position(%(ns)s IN name) > 0 OR name = ANY(CAST(%(names)s AS text[]))
"""
_DEPLOYMENTS = """
SELECT id, concurrency_limit_id IS NULL AS unlimited, concurrency_options FROM deployment
WHERE id = ANY(CAST(%(ids)s AS uuid[]))
"""
_CACHED = "SELECT cache_key FROM task_run_cache WHERE position(%(ns)s IN cache_key) > 0 ORDER BY cache_key"
# Of these it is only compared whether they are there.
_TIMES = (
    *("start_time", "end_time", "expected_start_time", "next_scheduled_start_time", "state_timestamp"),
    *("resting_start", "resting_expected_start"),
)
_LEFT_OUT = ("created", "updated", "total_run_time", "state_id", "flow_id", "work_queue_id")


@dataclass
class Space:
    """Where one sequence is applied, batch after batch."""

    engine: Engine
    ns: str = field(default_factory=lambda: f"n{uuid4().hex}")
    time: datetime = NOW
    events: list[dict[str, Any]] = field(default_factory=list)
    #: results as they came, in symbols; and how often each command was answered
    results: list[dict[str, Any]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    _last_event: int = -1

    def clock(self) -> datetime:
        """Never the same time twice."""
        self.time += _TICK
        return self.time

    def apply(self, batch: Sequence[Command]) -> None:
        """Applies a batch; each of its commands is answered exactly once."""
        envelopes = [self._envelope(command) for command in batch]
        if self._last_event < 0:
            with transaction(self.engine) as connection:
                self._last_event = driver.scalar(connection, _LAST_EVENT)
        applier = Applier(self.engine, self._world)
        applied = applier.apply([admit_envelope(each, b"", COMMANDS, self.time) for each in envelopes])
        self._take_results(applied, envelopes)
        with transaction(self.engine) as connection:
            self._take_events(connection)

    def _world(self) -> World:
        return World(clock=self.clock, new_id=uuid7, dice=lambda: 0.5)

    def _envelope(self, command: Command) -> dict[str, Any]:
        kind, data = command
        if kind == REPEAT:
            again: dict[str, Any] = self.sent[data["of"] % len(self.sent)]
            self.sent.append(again)
            return again
        envelope = {
            "specversion": "1.0",
            "id": str(self.id_of(f"command {len(self.sent)}")),
            "source": "tests",
            "type": kind,
            "replyto": "tests",
            "data": self.rendered(data),
        }
        self.sent.append(envelope)
        return envelope

    def _take_results(self, applied: Applied, envelopes: list[dict[str, Any]]) -> None:
        told = [decode(reply.envelope) for reply in applied.replies]
        asked = Counter(each["id"] for each in envelopes)
        assert Counter(each["causationid"] for each in told) == asked, (
            "every command is answered exactly once"
        )
        waiting: dict[str, list[dict[str, Any]]] = {}
        for each in told:
            waiting.setdefault(each["causationid"], []).append(each["data"])
        for answers in waiting.values():
            answers.sort(key=lambda it: it["replayed"])
        self.results += [waiting[each["id"]].pop(0) for each in envelopes]

    def _take_events(self, connection: Connection) -> None:
        for row in driver.records(connection, _NEW_EVENTS, {"last": self._last_event}):
            self._last_event = row["id"]
            self.events += [envelope for _, envelope in json.loads(row["entries"])]

    def id_of(self, symbol: str) -> UUID:
        return uuid5(UUID(self.ns[1:]), symbol)

    def rendered(self, data: dict[str, Any]) -> dict[str, Any]:
        """Values in place of symbols."""
        text = json.dumps(data).replace("<ns>", self.ns)
        made: dict[str, Any] = json.loads(_SYMBOL.sub(lambda match: str(self.id_of(match[1])), text))
        return made

    def symbols(self, value: Any) -> Any:
        """Symbols in place of values."""
        text = json.dumps(value, default=str, sort_keys=True).replace(self.ns, "<ns>")
        for kind, number in (("flow run", 3), ("task run", 4), ("deployment", 2), ("transition", 2)):
            for each in range(number):
                text = text.replace(str(self.id_of(f"{kind} {each}")), f"<{kind} {each}>")
        return json.loads(text)

    def ids(self, kind: str) -> dict[str, str]:
        """The statements' parameter for all runs, or deployments, of this space."""
        return {"ids": "{" + ",".join(str(self.id_of(f"{kind} {number}")) for number in range(4)) + "}"}

    @property
    def limits(self) -> dict[str, str]:
        """The statements' parameter for all limits of this space."""
        names = [f"deployment:{self.id_of(f'deployment {number}')}" for number in range(2)]
        return {"ns": self.ns, "names": "{" + ",".join(names) + "}"}


@dataclass
class Left:
    """What a sequence has left in the database."""

    runs: dict[str, dict[str, Any]]
    states: dict[str, list[dict[str, Any]]]
    holders: list[dict[str, Any]]
    limits: dict[str, dict[str, Any]]
    others: list[Any]


def left_in(space: Space) -> Left:
    """Everything, with the database's own ids."""
    runs: dict[str, dict[str, Any]] = {}
    states: dict[str, list[dict[str, Any]]] = {}
    with transaction(space.engine) as connection:
        for table, kind in (("flow_run", "flow run"), ("task_run", "task run")):
            ids = space.ids(kind)
            for row in driver.records(connection, _RUNS.format(run=table), ids):
                runs[str(row["id"])] = row
            for row in driver.records(connection, _STATES.format(run=table), ids):
                states.setdefault(str(row["run_id"]), []).append(row)
        holders = driver.records(connection, _HOLDERS, space.limits)
        limits = {row["name"]: row for row in driver.records(connection, _LIMITS, space.limits)}
        others = [
            driver.records(connection, _DEPLOYMENTS, space.ids("deployment")),
            driver.records(connection, _CACHED, {"ns": space.ns}),
        ]
    return Left(runs, states, holders, limits, others)


def story_of(space: Space) -> dict[str, Any]:
    """What a sequence came to, in symbols and without times: the same however it was cut into batches."""
    left = left_in(space)
    story = {
        "results": [_short(result) for result in space.results],
        "runs": {ident: _timeless(run) for ident, run in left.runs.items()},
        "states": {ident: [_plain(each) for each in states] for ident, states in left.states.items()},
        "holders": sorted((_timeless(each) for each in left.holders), key=str),
        "limits": left.limits,
        "others": left.others,
        "events": _by_run(space.events),
    }
    made: dict[str, Any] = space.symbols(story)
    made["holders"].sort(key=str)
    made["others"][0].sort(key=str)
    return made


def _short(result: dict[str, Any]) -> list[Any]:
    state, run, error = result.get("state") or {}, result.get("run") or {}, result["error"] or {}
    return [
        *(result["command"]["type"], result["status"], result["replayed"], error.get("code")),
        *(state.get("type"), state.get("name"), state.get("data"), run.get("version"), run.get("run_count")),
        *(result.get(name) for name in ("created", "deleted", "updated", "released", "mismatch")),
    ]


def _timeless(row: dict[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in row.items() if name not in _LEFT_OUT}
    for name in (*_TIMES, "expires_at"):
        if name in made:
            made[name] = made[name] is not None
    policy = made.get("empirical_policy")
    if policy and "pause_keys" in policy:
        # A pause without a key of its own gets one at random.
        keys = [key if key in ("p", "q") else "random" for key in policy["pause_keys"]]
        made["empirical_policy"] = {**policy, "pause_keys": sorted(keys)}
    return made


def _plain(state: dict[str, Any]) -> list[Any]:
    return [state["type"], state["name"], state["data"]]


def _by_run(events: Iterable[dict[str, Any]]) -> dict[str, list[Any]]:
    told: dict[str, list[Any]] = {}
    for event in events:
        data = event["data"]
        what = [event["type"], event.get("sequence"), data.get("intended"), data.get("status")]
        told.setdefault(event["subject"], []).append(what)
    return told
