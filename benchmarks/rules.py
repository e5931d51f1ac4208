"""Part `rules`: decisions a second of the pure core, in this process alone."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from benchmarks.figures import Figure, across_runs
from benchmarks.session import Session
from messages.ids import uuid7
from messages.runs import FlowRun, FlowRunPolicy, TaskRun, TaskRunPolicy
from messages.states import State, StateType
from workers.now import now
from workers.orchestration.decide import decide_flow_run, decide_task_run
from workers.orchestration.facts import DeploymentFacts, FlowFacts, LimitFacts, Orders, TaskFacts

Decide = Callable[[], Any]

# From, to: what an agent and an engine say of a run, some of it refused.
_FLOW_STEPS = (
    (None, "SCHEDULED"),
    ("SCHEDULED", "PENDING"),
    ("PENDING", "RUNNING"),
    ("RUNNING", "COMPLETED"),
    ("RUNNING", "FAILED"),
    ("RUNNING", "PAUSED"),
    ("RUNNING", "CANCELLING"),
    ("CANCELLING", "CANCELLED"),
    ("COMPLETED", "RUNNING"),
    ("PENDING", "PENDING"),
)
_TASK_STEPS = (
    (None, "PENDING"),
    ("PENDING", "RUNNING"),
    ("RUNNING", "COMPLETED"),
    ("RUNNING", "FAILED"),
    ("COMPLETED", "RUNNING"),
    ("PENDING", "COMPLETED"),
)
_PER_CLOCK = 50


def rules(session: Session) -> list[Figure]:
    """Flow runs, task runs, and both in turn."""
    moment = now()
    flows = [_flow_step(before, after, moment) for before, after in _FLOW_STEPS]
    tasks = [_task_step(before, after, moment) for before, after in _TASK_STEPS]
    seconds = min(2.0, session.seconds)
    return across_runs(
        [
            Figure("rules: flow runs", "decisions/s", (_rate(flows, seconds),)),
            Figure("rules: task runs", "decisions/s", (_rate(tasks, seconds),)),
            Figure("rules", "decisions/s", (_rate([*flows, *tasks], seconds),)),
        ]
        for _ in range(session.runs)
    )


def _rate(steps: list[Decide], seconds: float) -> float:
    """Decisions a second of CPU time: what else runs on the machine is left out."""
    done, begun = 0, time.thread_time()
    while (spent := time.thread_time() - begun) < seconds:
        for _ in range(_PER_CLOCK):
            for step in steps:
                step()
        done += _PER_CLOCK * len(steps)
    return done / spent


def _flow_step(before: str | None, after: str, moment: datetime) -> Decide:
    limit = LimitFacts(id=uuid7(), name="deployment", limit=10, taken=3)
    facts = FlowFacts(deployment=DeploymentFacts(id=uuid7(), limit=limit))
    run = FlowRun(
        id=uuid7(),
        created=moment,
        updated=moment,
        name="benchmark",
        flow_id=uuid7(),
        deployment_id=uuid7(),
        empirical_policy=FlowRunPolicy(retries=2, retry_delay=30),
        run_count=1,
    )
    run = replace(run, state=None if before is None else _state(before, moment))
    proposed = _state(after, moment)
    orders = Orders()
    return lambda: decide_flow_run(run, proposed, facts, orders, now=moment, new_id=uuid7)


def _task_step(before: str | None, after: str, moment: datetime) -> Decide:
    flow_run = FlowRun(id=uuid7(), created=moment, updated=moment, name="benchmark", flow_id=uuid7())
    flow_run = replace(flow_run, state=_state("RUNNING", moment), state_type=StateType.RUNNING)
    limit = LimitFacts(id=uuid7(), name="database", limit=10, taken=3)
    facts = TaskFacts(flow_run=flow_run, tag_limits=(limit,))
    run = TaskRun(
        id=uuid7(),
        created=moment,
        updated=moment,
        name="benchmark",
        flow_run_id=flow_run.id,
        task_key="load",
        dynamic_key="0",
        tags=["database"],
        empirical_policy=TaskRunPolicy(retries=2, retry_delay=30),
        run_count=1,
    )
    run = replace(run, state=None if before is None else _state(before, moment))
    proposed = _state(after, moment)
    orders = Orders()
    return lambda: decide_task_run(run, proposed, facts, orders, now=moment, new_id=uuid7)


def _state(state_type: str, moment: datetime) -> State:
    kind = StateType(state_type)
    return State(id=uuid7(), type=kind, name=kind.default_name, timestamp=moment)
