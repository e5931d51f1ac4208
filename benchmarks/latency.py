"""Parts `roundtrip`, `loaded` and `events`: how long one command takes, and how late its event comes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import redis

from benchmarks.figures import Figure, across_runs, latencies
from benchmarks.flood import flowing
from benchmarks.roundtrip_client import Caller
from benchmarks.session import Session
from benchmarks.stack import Stack
from benchmarks.workload import STAGES, Workload, create, envelope, set_state
from messages.ids import uuid7

CALLS = 500
_WARM_UP = 50
_SHARE_OF_MAXIMUM = 0.5
_NEARLY_FULL = 0.9
_ROUND = STAGES[1:]


def roundtrip(session: Session) -> list[Figure]:
    """One command at a time on the idle system; then the same with a query."""
    return across_runs(_idle(session) for _ in range(session.runs))


def loaded(session: Session) -> list[Figure]:
    """One command at a time while others keep the system at half of what it can do; then at nine tenths."""
    most = session.maximum()
    return across_runs(
        _under_load(session, most * share, label)
        for _ in range(session.runs)
        for share, label in ((_SHARE_OF_MAXIMUM, "loaded"), (_NEARLY_FULL, "nearly full"))
    )


def events(session: Session) -> list[Figure]:
    """By how much an event comes after its result: by the ids of the stream entries, which are Redis' time."""
    rate = session.maximum() * _SHARE_OF_MAXIMUM
    return across_runs([*_lags_idle(session), *_lags_loaded(session, rate)] for _ in range(session.runs))


def _idle(session: Session) -> list[Figure]:
    calls = _calls(session)
    with calling(session.stack) as (caller, name):
        commands = [timed(caller, each) for each in commands_of_some_runs(caller, name, calls + _WARM_UP)]
        run_id = uuid7()
        caller.call(create(run_id, 0, name))
        query = {"id": str(run_id)}
        queries = [timed(caller, envelope("flow_run.read", query, name)) for _ in range(calls + _WARM_UP)]
    return [
        *latencies("round trip of set_state, idle:", commands[_WARM_UP:]),
        *latencies("round trip of a query, idle:", queries[_WARM_UP:]),
    ]


def _under_load(session: Session, rate: float, label: str) -> list[Figure]:
    stack, samples = session.stack, []
    seconds = max(2.0, session.enough(rate) / rate)
    workload = Workload(int(rate * seconds), "loaded", session.window)
    with calling(stack) as (caller, name), flowing(stack, workload, rate):
        end = time.monotonic() + seconds * 0.9
        while time.monotonic() < end:
            samples += [timed(caller, each) for each in commands_of_some_runs(caller, name, len(_ROUND))]
    load = Figure(f"load, {label}", "commands/s", (rate,))
    return [load, *latencies(f"round trip of set_state, {label}:", samples)]


def _lags_idle(session: Session) -> list[Figure]:
    calls = _calls(session)
    with calling(session.stack) as (caller, name):
        since = _last_event(session.stack)
        for each in commands_of_some_runs(caller, name, calls):
            timed(caller, each)
        time.sleep(0.5)
        return _lags(session.stack, f"{session.stack.namespace}:replies:{name}", since, "idle")


def _lags_loaded(session: Session, rate: float) -> list[Figure]:
    stack = session.stack
    since = _last_event(stack)
    workload = Workload(min(80_000, session.enough(rate)), "events", session.window)
    with flowing(stack, workload, rate) as flow:
        flow.wait()
        return _lags(stack, flow.stream, since, "loaded")


def _lags(stack: Stack, replies: str, since: bytes, label: str) -> list[Figure]:
    with stack.redis() as client:
        results = dict(_moments(client, replies, b"-"))
        seconds = [
            (moment - results[cause]) / 1000
            for cause, moment in _moments(client, f"{stack.namespace}:events", b"(" + since)
            if cause in results
        ]
    return latencies(f"event after its result, {label}:", seconds)


def _moments(client: redis.Redis, stream: str, since: bytes) -> Iterator[tuple[bytes, int]]:
    """(id of the command, when the entry was added in ms) for each entry of a stream."""
    while True:
        entries: Any = client.xrange(stream, min=since, max="+", count=5_000)
        for entry_id, fields in entries:
            yield _cause(fields[b"event"]), int(entry_id.split(b"-")[0])
        if not entries:
            return
        since = b"(" + entries[-1][0]


def _cause(event: bytes) -> bytes:
    mark = b'"causationid":"'
    begin = event.find(mark) + len(mark)
    return event[begin : begin + 36]


def _last_event(stack: Stack) -> bytes:
    with stack.redis() as client:
        entries: Any = client.xrevrange(f"{stack.namespace}:events", count=1)
    return bytes(entries[0][0]) if entries else b"0-0"


def _calls(session: Session) -> int:
    return min(session.commands, CALLS) if session.commands else CALLS


def commands_of_some_runs(caller: Caller, name: str, number: int) -> Iterator[dict[str, Any]]:
    """Transitions of a few runs; making the runs is not part of what is measured."""
    run_id = uuid7()
    for count in range(number):
        if count % len(_ROUND) == 0:
            run_id = new_run(caller, name)
        yield set_state(run_id, _ROUND[count % len(_ROUND)], name)


def new_run(caller: Caller, name: str) -> UUID:
    """Makes a run, and answers its id."""
    run_id = uuid7()
    caller.call(create(run_id, 0, name))
    return run_id


def timed(caller: Caller, message: dict[str, Any]) -> float:
    """The seconds of one round trip. Raises RuntimeError if the answer is not a good one."""
    result, seconds = caller.timed(message)
    good = b'"status":"OK"' if message["type"] == "flow_run.read" else b'"status":"ACCEPT"'
    if result is None or good not in result:
        raise RuntimeError(f"no good answer to {message['type']}: {result!r}")
    return seconds


@contextmanager
def calling(stack: Stack) -> Iterator[tuple[Caller, str]]:
    """A caller with a reply stream of its own, and the stream's name."""
    name = f"calls-{uuid4().hex[:8]}"
    with stack.redis() as client:
        yield Caller(client, stack.namespace, name), name
        client.delete(f"{stack.namespace}:replies:{name}")
