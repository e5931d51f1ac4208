"""Sequences of commands, as hypothesis makes them up: about a few runs, deployments and limits, so that they meet.

Names are symbols: `<flow run 0>` stands for an id, `<ns>` for a prefix. `space` puts values in their place, so
that one sequence can be applied several times in one database.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TYPES = (
    *("SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING"),
    *("COMPLETED", "FAILED", "CRASHED", "CANCELLED"),
)
Command = tuple[str, dict[str, Any]]
TAGS = ["<ns>a", "<ns>b"]
LIMITS = ["tag:<ns>a", "tag:<ns>b", "<ns>global", "deployment:<deployment 0>"]
#: of an earlier command that is sent again; its number is `data["of"]`
REPEAT = "repeat"

flow_runs = st.sampled_from([f"<flow run {number}>" for number in range(3)])
task_runs = st.sampled_from([f"<task run {number}>" for number in (0, 1, 2, 0, 1, 2, 3)])
deployments = st.sampled_from(["<deployment 0>", "<deployment 1>"])


def often(value: Any, *others: Any, times: int = 4) -> st.SearchStrategy[Any]:
    """Mostly one value, now and then one of the others."""
    return st.sampled_from([value] * times * len(others) + list(others))


def at(*hours: float) -> list[str]:
    """Far enough from now that a little earlier or later makes no difference."""
    return [(NOW + timedelta(hours=each)).isoformat() for each in hours]


def filled(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these members; those that are `...` are left out."""
    return st.fixed_dictionaries(fields).map(
        lambda made: {name: value for name, value in made.items() if value is not ...}
    )


details = filled(
    scheduled_time=often(..., *at(-1, 1), times=3),
    pause_timeout=often(..., *at(-1, 1)),
    pause_reschedule=often(..., True),
    pause_key=often(..., "p", "q"),
    transition_id=often(..., "<transition 0>", "<transition 1>"),
    cache_key=often(..., "<ns>k", times=2),
    cache_expiration=often(..., *at(-1, 1)),
    refresh_cache=often(..., True),
    deferred=often(..., True),
    retriable=often(..., False),
)
states = filled(
    type=st.sampled_from([*TYPES, "RUNNING", "RUNNING", "RUNNING", "PENDING", "FAILED"]),
    name=often(..., "Late", "Resuming", "AwaitingRetry", "Mine"),
    data=often(..., 7, "text", {"type": "unpersisted"}, {"artifact_key": "key", "rows": 3}, times=2),
    message=often(..., "said"),
    timestamp=often(..., *at(-2, -2, 2)),
    state_details=often(..., {}, times=1).flatmap(lambda it: st.just(it) if it is ... else details),
)
set_state = {
    "state": states,
    "force": often(..., True, times=6),
    "policy": often(..., "minimal", "late", "unknown", times=3),
    "if_version": often(..., 2, 3, times=10),
    "client_version": often(..., "3.0.0", "3.1.0"),
    "orchestration_parameters": often(..., {"api-version": "0.8.2"}, {"api-version": "0.8.3"}),
}
maybe_a_state = st.one_of(st.just(...), states)
CREATE_FLOW_RUN = filled(
    id=flow_runs,
    flow_name=st.just("<ns>flow"),
    name=st.just("a"),
    deployment_id=st.one_of(st.just(...), deployments),
    idempotency_key=often(..., "once"),
    parent_task_run_id=st.one_of(st.just(...), st.just(...), task_runs),
    empirical_policy=often({"retries": 1}, {"retries": 0}, ..., times=1),
    infrastructure_pid=often(..., "pid"),
    auto_scheduled=often(..., True),
    state=maybe_a_state,
)
CREATE_TASK_RUN = filled(
    id=task_runs,
    flow_run_id=st.one_of(flow_runs, flow_runs, st.just(...)),
    name=st.just("a"),
    task_key=st.just("<ns>task"),
    dynamic_key=st.sampled_from(["0", "1", "2", "3"]),
    tags=st.lists(st.sampled_from(TAGS), max_size=2),
    empirical_policy=often({"retries": 1, "retry_delay": 60}, ..., times=1),
    state=maybe_a_state,
)
UPSERT_DEPLOYMENT = st.sampled_from([0, 1]).flatmap(
    lambda number: filled(
        id=st.just(f"<deployment {number}>"),
        name=st.just(f"deployment {number}"),
        flow_name=st.just("<ns>flow"),
        concurrency_limit=often(1, 2, 0, None, ..., times=1),
        concurrency_options=often(..., {"collision_strategy": "CANCEL_NEW"}),
    )
)
UPSERT_LIMIT = filled(
    name=st.sampled_from(LIMITS), limit=st.sampled_from([0, 1, 1, 2, 3]), active=often(..., False)
)
ACQUIRE = filled(
    names=st.lists(st.sampled_from(LIMITS), min_size=1, max_size=2),
    slots=st.sampled_from([1, 2]),
    lease_seconds=often(..., 1_800, times=1),
)
RELEASE = filled(
    names=st.lists(st.sampled_from(LIMITS), min_size=1, max_size=2), slots=st.sampled_from([1, 2])
)


def _of(kind: str, data: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Command]:
    return st.tuples(st.just(kind), data)


COMMON = (
    _of("flow_run.set_state", filled(flow_run_id=flow_runs, **set_state)),
    _of("task_run.set_state", filled(task_run_id=task_runs, **set_state)),
)
RARE = (
    _of("flow_run.create", CREATE_FLOW_RUN),
    _of("task_run.create", CREATE_TASK_RUN),
    _of("deployment.upsert", UPSERT_DEPLOYMENT),
    _of("deployment.delete", filled(deployment_id=deployments)),
    _of("concurrency_limit.upsert", UPSERT_LIMIT),
    _of("concurrency_limit.acquire", ACQUIRE),
    _of("concurrency_limit.release", RELEASE),
    _of("concurrency_limit.delete", filled(name=st.sampled_from(LIMITS))),
    _of(
        "flow_run.update", filled(flow_run_id=flow_runs, infrastructure_pid=st.just("p"), tags=st.just(["t"]))
    ),
    _of("flow_run.set_labels", filled(flow_run_id=flow_runs, labels=st.sampled_from([{"a": 1}, {"b": 2}]))),
    _of("flow_run.delete", filled(flow_run_id=flow_runs)),
    _of("task_run.update", filled(task_run_id=task_runs, name=st.just("b"))),
    _of("task_run.delete", filled(task_run_id=task_runs)),
    _of(REPEAT, filled(of=st.integers(0, 30))),
)
# Two thirds are transitions; the rest is there to get in their way.
commands: st.SearchStrategy[Command] = st.sampled_from([*COMMON * 18, *RARE]).flatmap(lambda it: it)


def _a_flow_run(number: int, **fields: Any) -> Command:
    data = {"id": f"<flow run {number}>", "name": "a", "flow_name": "<ns>flow", **fields}
    return "flow_run.create", data


def _a_task_run(number: int, **fields: Any) -> Command:
    keys = {"task_key": "<ns>task", "dynamic_key": str(number)}
    return "task_run.create", {"id": f"<task run {number}>", "name": "a", **keys, **fields}


#: what every sequence begins with, so that the others find something
SETTING: tuple[Command, ...] = (
    ("concurrency_limit.upsert", {"name": "tag:<ns>a", "limit": 1}),
    ("concurrency_limit.upsert", {"name": "<ns>global", "limit": 2}),
    (
        "deployment.upsert",
        {"id": "<deployment 0>", "name": "deployment 0", "flow_name": "<ns>flow", "concurrency_limit": 1},
    ),
    _a_flow_run(0, deployment_id="<deployment 0>", state={"type": "RUNNING"}),
    _a_flow_run(1, deployment_id="<deployment 0>", state={"type": "SCHEDULED"}),
    _a_task_run(0, flow_run_id="<flow run 0>", tags=TAGS[:1]),
    _a_task_run(1, flow_run_id="<flow run 0>", tags=TAGS),
    _a_task_run(2, flow_run_id="<flow run 1>", tags=TAGS[:1]),
    _a_flow_run(2, parent_task_run_id="<task run 0>"),
)

#: and then: one flow run and one task run hold slots that others want
HOLDERS: tuple[Command, ...] = (
    ("flow_run.set_state", {"flow_run_id": "<flow run 1>", "state": {"type": "PENDING"}}),
    ("task_run.set_state", {"task_run_id": "<task run 0>", "state": {"type": "RUNNING"}}),
)


def sequences(most: int) -> st.SearchStrategy[list[Command]]:
    """The setting, and up to so many commands more, but at least half as many."""
    return st.lists(commands, min_size=most // 2, max_size=most).map(lambda more: [*SETTING, *HOLDERS, *more])


def cut(sequence: list[Command], sizes: list[int]) -> list[list[Command]]:
    """The sequence in batches of these sizes; the last size goes on until the end."""
    batches, rest = [], sequence
    for size in sizes:
        batches.append(rest[:size])
        rest = rest[size:]
    last = sizes[-1] if sizes else len(sequence)
    batches += [rest[start : start + last] for start in range(0, len(rest), last)]
    return [batch for batch in batches if batch]
