"""Flow runs and task runs: locked, loaded, written, in whole sets. Never decides, only reads and writes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import Connection, Table, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Uuid

from messages.evolve import made
from messages.fields import Id, JsonObject
from messages.runs import FlowRun, FlowRunPolicy, TaskRun, TaskRunPolicy
from messages.states import State, StateDetails, StateType
from store import driver
from store.driver import Asked
from store.recordset import NO_IDS, ids_parameter, insert_rows, rows_parameter, sql, update_rows
from store.tables.runs import artifact, flow_run, flow_run_state, task_run, task_run_state

R = TypeVar("R", FlowRun, TaskRun)

#: What a transition changes: all other columns stay as they are.
PROGRESS = (
    "version",
    "updated",
    "run_count",
    "start_time",
    "end_time",
    "expected_start_time",
    "next_scheduled_start_time",
    "total_run_time",
    "state_id",
    "state_type",
    "state_name",
    "state_timestamp",
    "empirical_policy",
)
_POLICY = "empirical_policy"
_TYPES: dict[str | None, StateType | None] = {None: None, **{each.value: each for each in StateType}}
#: the runs, and the states that they have; None: nothing was asked for
AskedRuns: TypeAlias = tuple[Asked, Asked] | None
_IDS = bindparam("ids", type_=ARRAY(Uuid))


def state_from_row(row: Mapping[str, Any]) -> State:
    """A state from its columns and its artifact's data."""
    return State(
        id=row["id"],
        type=StateType(row["type"]),
        name=row["name"],
        timestamp=row["timestamp"],
        message=row["message"],
        data=row["data"],
        state_details=StateDetails.model_validate(row["state_details"]),
    )


class RunStore(Generic[R]):
    """The statements of one kind of run."""

    def __init__(
        self, table: Table, states: Table, value: type[R], policy: type[FlowRunPolicy] | type[TaskRunPolicy]
    ) -> None:
        self.table, self.states = table, states
        self._value: type[R] = value
        self._policy = policy
        self._run_id = states.c[f"{table.name}_id"]
        columns = [table.c[each.name] for each in fields(value) if each.name != "state"]
        self._names = [each.name for each in columns]
        mine = select(*columns).where(table.c.id == func.any(_IDS)).order_by(table.c.id)
        # Not FOR UPDATE: that would also hold up rows that only refer to this one (see docs/decisions).
        self._lock = sql(mine.with_for_update(key_share=True))
        self._lock_to_delete = sql(mine.with_for_update())
        self._read = sql(mine)
        self._insert = insert_rows(table)
        self._progress = ("id", *(name for name in self._progress_columns() if name != _POLICY))
        self._update_progress = update_rows(table, self._progress_columns(), or_as_before=[_POLICY])
        self._update_all = update_rows(table, [name for name in self._names if name not in ("id", "created")])
        self._delete = sql(delete(table).where(table.c.id == func.any(_IDS)))
        self._insert_states = insert_rows(states)
        of_these = select(table.c.state_id).where(table.c.id == func.any(_IDS)).scalar_subquery()
        self._states_of = sql(self._states_query().where(states.c.id == func.any(func.array(of_these))))
        self._current_states = sql(self._states_query().where(states.c.id == func.any(_IDS)))
        self._history = sql(
            self._states_query().where(self._run_id == bindparam("run_id")).order_by(states.c.timestamp)
        )

        self._near = f"""
SELECT s.{table.name}_id, s.timestamp FROM {states.name} s
JOIN json_to_recordset(CAST(%(rows)s AS json)) AS k(run_id uuid, moment timestamptz)
  ON s.{table.name}_id = k.run_id AND s.timestamp >= k.moment AND s.timestamp < k.moment + interval '1 second'
"""

    def _progress_columns(self) -> Sequence[str]:
        return (*PROGRESS, "flow_run_run_count") if self.table is task_run else PROGRESS

    def _states_query(self) -> Any:
        states = self.states.c
        return select(
            states.id,
            self._run_id.label("run_id"),
            states.type,
            states.name,
            states.timestamp,
            states.message,
            states.state_details,
            artifact.c.data,
        ).select_from(self.states.outerjoin(artifact, artifact.c.id == states.result_artifact_id))

    def lock(self, connection: Connection, ids: Iterable[Id], *, to_delete: bool = False) -> dict[Id, R]:
        """The runs that exist, locked in the order of their ids until the transaction ends, with their states."""
        return self.locked(self.ask_lock(connection, ids, to_delete=to_delete))

    def ask_lock(self, connection: Connection, ids: Iterable[Id], *, to_delete: bool = False) -> AskedRuns:
        """Sends what `lock` asks."""
        wanted = {"ids": ids_parameter(ids)}
        if wanted["ids"] == NO_IDS:
            return None
        statement = self._lock_to_delete if to_delete else self._lock
        # Two statements: a join would show an older state than the row that a lock has waited for.
        return driver.ask(connection, statement, wanted), driver.ask_by_name(
            connection, self._states_of, wanted
        )

    def locked(self, asked: AskedRuns) -> dict[Id, R]:
        """The runs that `ask_lock` has locked."""
        if asked is None:
            return {}
        runs, states = asked
        found = [dict(zip(self._names, row, strict=True)) for row in runs.rows()]
        current = {row["id"]: state_from_row(row) for row in states.rows()}
        return {values["id"]: self._from_row(values, current) for values in found}

    def read(self, connection: Connection, ids: Iterable[Id]) -> dict[Id, R]:
        """The runs that exist, as last committed, with their states."""
        wanted = ids_parameter(ids)
        if wanted == NO_IDS:
            return {}
        rows = driver.rows(connection, self._read, {"ids": wanted})
        found = [dict(zip(self._names, row, strict=True)) for row in rows]
        # By their ids, not by the runs': these rows are not locked, and may have moved on.
        state_ids = [values["state_id"] for values in found if values["state_id"] is not None]
        states = self.states_with(connection, state_ids) if state_ids else {}
        return {values["id"]: self._from_row(values, states) for values in found}

    def read_columns(
        self, connection: Connection, ids: Iterable[Id], columns: Sequence[str]
    ) -> dict[Id, JsonObject]:
        """Of the runs that exist: their ids and these columns, as last committed; `state` is one of them."""
        wanted = {"id", *columns, *(["state_id"] if "state" in columns else [])}
        names = [name for name in self._names if name in wanted]
        statement = (
            f"SELECT {', '.join(names)} FROM {self.table.name} WHERE id = ANY(CAST(%(ids)s AS uuid[]))"
        )
        rows = driver.rows(connection, statement, {"ids": ids_parameter(ids)})
        found = [dict(zip(names, row, strict=True)) for row in rows]
        if "empirical_policy" in columns:
            for values in found:
                values["empirical_policy"] = self._policy.model_validate(values["empirical_policy"])
        if "state" in columns:
            states = self.states_with(connection, {values["state_id"] for values in found} - {None})
            for values in found:
                values["state"] = states.get(values["state_id"])
        return {values["id"]: {name: values[name] for name in ("id", *columns)} for values in found}

    def _from_row(self, values: dict[str, Any], states: Mapping[Id, State]) -> R:
        values["empirical_policy"] = self._policy.model_validate(values["empirical_policy"])
        values["state_type"] = _TYPES[values["state_type"]]
        values["state"] = states.get(values["state_id"])
        return made(self._value, values)

    def states_with(self, connection: Connection, state_ids: Iterable[Id]) -> dict[Id, State]:
        """The states that exist, with their data."""
        ids = {"ids": ids_parameter(state_ids)}
        rows = driver.records(connection, self._current_states, ids)
        return {row["id"]: state_from_row(row) for row in rows}

    def timestamps(
        self, connection: Connection, moments: Iterable[tuple[Id, datetime]]
    ) -> list[tuple[Id, datetime]]:
        """Times of older states near these (run id, time): they are unique within a run."""
        rows = rows_parameter({"run_id": run_id, "moment": moment} for run_id, moment in moments)
        return [(row[0], row[1]) for row in driver.rows(connection, self._near, rows)]

    def insert(self, connection: Connection, runs: Iterable[R]) -> None:
        """New runs. Raises the driver's IntegrityError when an id or a unique key is taken."""
        driver.execute(connection, self._insert, rows_parameter(map(_row, runs)))

    def update_progress(self, connection: Connection, runs: Iterable[tuple[R, R]]) -> None:
        """What transitions change, of locked runs: as they were, and as they are now."""
        driver.execute(
            connection, self._update_progress, rows_parameter(self._moved(old, new) for old, new in runs)
        )

    def _moved(self, old: R, new: R) -> dict[str, Any]:
        values = new.__dict__
        row = {name: values[name] for name in self._progress}
        # It hardly ever changes, and is dear to write and to read.
        if new.empirical_policy is not old.empirical_policy:
            row[_POLICY] = new.empirical_policy
        return row

    def update_all(self, connection: Connection, runs: Iterable[R]) -> None:
        """Every column of locked runs."""
        driver.execute(connection, self._update_all, rows_parameter(map(_row, runs)))

    def delete(self, connection: Connection, ids: Iterable[Id]) -> None:
        """Deletes runs; their states, slots and task runs go with them."""
        driver.execute(connection, self._delete, {"ids": ids_parameter(ids)})

    def insert_states(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """States of the history, as rows."""
        driver.execute(connection, self._insert_states, rows_parameter(rows))

    def history(self, connection: Connection, run_id: Id) -> list[State]:
        """All states of a run, oldest first."""
        rows = driver.records(connection, self._history, {"run_id": run_id})
        return [state_from_row(row) for row in rows]


def _row(run: FlowRun | TaskRun) -> dict[str, Any]:
    row = dict(run.__dict__)
    del row["state"]
    return row


FLOW_RUNS = RunStore(flow_run, flow_run_state, FlowRun, FlowRunPolicy)
TASK_RUNS = RunStore(task_run, task_run_state, TaskRun, TaskRunPolicy)

_BY_IDEMPOTENCY_KEY = """
SELECT r.id FROM flow_run r
JOIN json_to_recordset(CAST(%(rows)s AS json)) AS k(flow_id uuid, key text)
  ON r.flow_id = k.flow_id AND r.idempotency_key = k.key
"""
_BY_TASK_KEYS = """
SELECT r.id FROM task_run r
JOIN json_to_recordset(CAST(%(rows)s AS json)) AS k(flow_run_id uuid, task_key text, dynamic_key text)
  ON r.task_key = k.task_key AND r.dynamic_key = k.dynamic_key
 AND (r.flow_run_id = k.flow_run_id OR (r.flow_run_id IS NULL AND k.flow_run_id IS NULL))
"""
# With those that are to be locked anyway: all in one order.
_LOCK_TASK_RUNS_OF = """
SELECT id, flow_run_id, version FROM task_run
WHERE flow_run_id = ANY(CAST(%(flow_runs)s AS uuid[])) OR id = ANY(CAST(%(ids)s AS uuid[]))
ORDER BY id FOR UPDATE
"""
_FAILED_TASK_RUNS = """
SELECT id FROM task_run WHERE flow_run_id = ANY(CAST(%(ids)s AS uuid[])) AND state_type = 'FAILED'
"""


def with_idempotency_keys(connection: Connection, keys: Iterable[tuple[Id, str]]) -> list[Id]:
    """The flow runs that have one of these (flow id, idempotency key)."""
    rows = [{"flow_id": flow_id, "key": key} for flow_id, key in keys]
    return driver.scalars(connection, _BY_IDEMPOTENCY_KEY, rows_parameter(rows))


def with_task_keys(connection: Connection, keys: Iterable[tuple[Id | None, str, str]]) -> list[Id]:
    """The task runs that have one of these (flow run id, task key, dynamic key)."""
    rows = [{"flow_run_id": run, "task_key": task, "dynamic_key": dynamic} for run, task, dynamic in keys]
    return driver.scalars(connection, _BY_TASK_KEYS, rows_parameter(rows))


def lock_task_runs_of(
    connection: Connection, flow_run_ids: Iterable[Id], others: Iterable[Id]
) -> list[tuple[Id, Id | None, int]]:
    """All task runs of these flow runs, and others, locked to be deleted: id, flow run, version."""
    wanted = {"flow_runs": ids_parameter(flow_run_ids), "ids": ids_parameter(others)}
    return [(row[0], row[1], row[2]) for row in driver.rows(connection, _LOCK_TASK_RUNS_OF, wanted)]


def failed_task_runs(connection: Connection, flow_run_ids: Iterable[Id]) -> list[Id]:
    """The FAILED task runs of these flow runs."""
    return driver.scalars(connection, _FAILED_TASK_RUNS, {"ids": ids_parameter(flow_run_ids)})
