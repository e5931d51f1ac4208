"""Part `hot`: everybody wants the same run, or the same slot; and what that costs others."""

import time
from typing import Any
from uuid import uuid4

from benchmarks.figures import Figure, across_runs, latencies
from benchmarks.latency import calling, commands_of_some_runs, new_run, timed
from benchmarks.session import Session
from benchmarks.workload import FLOWS, create, envelope, set_state
from messages.enqueue import enqueue
from messages.ids import uuid7

PRODUCERS = 64
RUNS_ON_A_SLOT = 1_000
_ON_ONE_RUN = 4_000
_ANSWERED_WITHIN_S = 120.0

Envelopes = list[dict[str, Any]]


def hot(session: Session) -> list[Figure]:
    """64 producers on one run; then 1,000 runs that want the only slot of their deployment."""
    return across_runs(
        [
            *_answered(session, "one run", _on_one_run(session)),
            *_answered(session, "one slot", _on_one_slot(session)),
        ]
        for _ in range(session.runs)
    )


def _on_one_run(session: Session) -> Envelopes:
    with calling(session.stack) as (caller, name):
        run_id = new_run(caller, name)
    commands = [set_state(run_id, "RUNNING", "") for _ in range(session.commands or _ON_ONE_RUN)]
    for number, each in enumerate(commands):
        each["source"] = f"producer-{number % PRODUCERS}"
        each["data"]["force"] = True
    return commands


def _on_one_slot(session: Session) -> Envelopes:
    runs = [uuid7() for _ in range(session.commands or RUNS_ON_A_SLOT)]
    deployment = {"name": uuid4().hex, "flow_name": FLOWS[0], "concurrency_limit": 1}
    with calling(session.stack) as (caller, name):
        caller.call(envelope("deployment.upsert", {**deployment, "id": (ident := str(uuid7()))}, name))
        for run_id in runs:
            making = create(run_id, 0, name)
            making["data"] |= {"deployment_id": ident, "flow_name": FLOWS[0]}
            del making["replyto"]
            enqueue(session.stack.redis(), session.stack.namespace, [making])
        new_run(caller, name)  # when it is answered, those before it are there
    return [set_state(run_id, "PENDING", "") for run_id in runs]


def _answered(session: Session, what: str, commands: Envelopes) -> list[Figure]:
    """All at once; and one command at a time on other runs, until all are answered."""
    stack, name, beside = session.stack, f"hot-{uuid4().hex[:8]}", []
    replies = f"{stack.namespace}:replies:{name}"
    with stack.redis() as client, calling(stack) as (caller, others):
        begun = time.monotonic()
        enqueue(client, stack.namespace, ({**each, "replyto": name} for each in commands))
        while client.xlen(replies) < len(commands):
            beside += [timed(caller, each) for each in commands_of_some_runs(caller, others, 3)]
            if time.monotonic() - begun > _ANSWERED_WITHIN_S:
                raise RuntimeError(f"{what}: {client.xlen(replies)} of {len(commands)} were answered")
        seconds = time.monotonic() - begun
        client.delete(replies)
    return [
        Figure(f"hot: {what}", "commands/s", (len(commands) / seconds,)),
        *latencies(f"round trip of another run beside {what}:", beside),
    ]
