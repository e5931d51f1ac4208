"""Rows for tests, and the asking of queries as their senders see it: JSON in, JSON out."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import insert

from messages.catalog import Deployment, Flow, NotificationPolicy, WorkPool, WorkQueue
from messages.fields import Id
from messages.ids import uuid7
from messages.registry import QUERIES
from messages.runs import FlowRun, TaskRun
from messages.states import StateType
from store.catalog import DEPLOYMENTS, FLOWS, NOTIFICATION_POLICIES, WORK_POOLS, WORK_QUEUES
from store.runs import FLOW_RUNS, TASK_RUNS
from store.tables.limits import concurrency_limit, concurrency_slot
from store.tables.runs import artifact
from store.transaction import Connection
from workers.queries.answer import answer
from workers.queries.asked import Limits

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


class World:
    """What is in the database. Everything happens at noon unless a test says otherwise."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._made = 0
        self._flow: Flow | None = None

    def _stamps(self) -> dict[str, Any]:
        return {"id": uuid7(), "created": NOON, "updated": NOON}

    def _name(self) -> str:
        self._made += 1
        return f"name-{self._made:04}"

    def flow(self, **values: Any) -> Flow:
        flow = Flow(**{**self._stamps(), "name": self._name(), **values})
        FLOWS.insert(self.connection, [flow])
        return flow

    def the_flow(self) -> Flow:
        """The flow of all runs for which the test names no other."""
        self._flow = self._flow or self.flow(name="the flow")
        return self._flow

    def deployment(self, **values: Any) -> Deployment:
        if "flow_id" not in values:
            values["flow_id"] = self.the_flow().id
        deployment = Deployment(**{**self._stamps(), "name": self._name(), **values})
        DEPLOYMENTS.insert(self.connection, [deployment])
        return deployment

    def queue(self, pool: str = "pool", name: str = "queue") -> WorkQueue:
        work_pool = WorkPool(**self._stamps(), name=pool)
        WORK_POOLS.insert(self.connection, [work_pool])
        queue = WorkQueue(**self._stamps(), name=name, work_pool_id=work_pool.id, work_pool_name=pool)
        WORK_QUEUES.insert(self.connection, [queue])
        return queue

    def policy(self, **values: Any) -> NotificationPolicy:
        policy = NotificationPolicy(**{**self._stamps(), "notify": "team", **values})
        NOTIFICATION_POLICIES.insert(self.connection, [policy])
        return policy

    def flow_run(self, state: StateType | None = None, **values: Any) -> FlowRun:
        """A flow run. With a state: as that, since noon, with one state in its history."""
        if "flow_id" not in values:
            values["flow_id"] = self.the_flow().id
        run = FlowRun(**{**self._stamps(), "name": self._name(), **_in_state(state), **values})
        FLOW_RUNS.insert(self.connection, [run])
        if run.state_id is not None:
            self.state(run, id=run.state_id, type=run.state_type, name=run.state_name)
        return run

    def task_run(self, flow_run: FlowRun | None, state: StateType | None = None, **values: Any) -> TaskRun:
        run = self.a_task_run(flow_run, state, **values)
        TASK_RUNS.insert(self.connection, [run])
        if run.state_id is not None:
            self.state(run, id=run.state_id, type=run.state_type, name=run.state_name)
        return run

    def a_task_run(self, flow_run: FlowRun | None, state: StateType | None = None, **values: Any) -> TaskRun:
        """A task run that is not in the database."""
        name = self._name()
        given = {"name": name, "task_key": name, "dynamic_key": "0", **_in_state(state), **values}
        return TaskRun(**{**self._stamps(), "flow_run_id": flow_run and flow_run.id, **given})

    def subflow_run(self, wrapper: TaskRun, state: StateType | None = None, **values: Any) -> FlowRun:
        return self.flow_run(state, parent_task_run_id=wrapper.id, **values)

    def state(self, run: FlowRun | TaskRun, **values: Any) -> Id:
        """One state of a run's history; the run itself stays as it is."""
        store, key = (FLOW_RUNS, "flow_run_id") if isinstance(run, FlowRun) else (TASK_RUNS, "task_run_id")
        row: dict[str, Any] = {"id": uuid7(), key: run.id, "timestamp": NOON, "state_details": {}, **values}
        store.insert_states(self.connection, [row])
        state_id: Id = row["id"]
        return state_id

    def artifact(self, flow_run: FlowRun, task_run: TaskRun | None = None, **values: Any) -> Id:
        row = {
            **self._stamps(),
            "flow_run_id": flow_run.id,
            "task_run_id": task_run and task_run.id,
            **values,
        }
        self.connection.execute(insert(artifact), row)
        artifact_id: Id = row["id"]
        return artifact_id

    def limit(self, name: str, **values: Any) -> Id:
        row = {**self._stamps(), "name": name, "limit": 3, **values}
        self.connection.execute(insert(concurrency_limit), row)
        limit_id: Id = row["id"]
        return limit_id

    def lease(self, limit_id: Id, slots: int, expires_at: datetime | None = None) -> None:
        row = {"id": uuid7(), "limit_id": limit_id, "holder_kind": "lease", "lease_id": uuid7()}
        times = {"acquired_at": NOON, "expires_at": expires_at}
        self.connection.execute(insert(concurrency_slot), {**row, **times, "slots": slots})

    def ask(self, query_type: str, limits: Limits | None = None, now: datetime = NOON, /, **data: Any) -> Any:
        """The `data` of the result, as JSON."""
        valid = QUERIES[query_type].model_validate(from_json(to_json(data)))
        outcome = answer(self.connection, query_type, valid, limits or Limits(), now=now)
        return from_json(to_json(outcome.data("a-command", query_type)))

    def names(self, query_type: str, **data: Any) -> list[str]:
        """The names of the runs in a list: in its order if the test asks for one, else sorted."""
        listed = [run["name"] for run in self.ask(query_type, **data)["items"]]
        counted = self.ask(query_type.replace("list", "count"), **_filters(data))["count"]
        assert counted >= len(listed)
        return listed if "sort" in data else sorted(listed)


def inputs(*runs: TaskRun | FlowRun) -> list[dict[str, str]]:
    """What `task_inputs` holds under one key."""
    return [
        {"input_type": "task_run" if isinstance(run, TaskRun) else "flow_run", "id": str(run.id)}
        for run in runs
    ]


def _in_state(state: StateType | None) -> dict[str, Any]:
    if state is None:
        return {}
    known = {"state_type": state, "state_name": state.default_name, "state_timestamp": NOON}
    return {"state_id": uuid7(), "expected_start_time": NOON, **known}


def _filters(data: dict[str, Any]) -> dict[str, Any]:
    paging = ("sort", "offset", "limit", "after", "columns")
    return {name: value for name, value in data.items() if name not in paging}
