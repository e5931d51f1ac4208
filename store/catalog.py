"""Flows, deployments, work pools and queues, notification policies, artifacts."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from messages.catalog import (
    Artifact,
    ConcurrencyOptions,
    Deployment,
    Flow,
    NotificationPolicy,
    WorkPool,
    WorkQueue,
)
from messages.fields import Id
from store import driver
from store.driver import Asked
from store.recordset import ids_parameter, insert_rows, rows_parameter, sql, texts_parameter
from store.rows import RowStore
from store.tables.catalog import deployment, flow, notification_policy, work_pool, work_queue
from store.tables.limits import concurrency_limit
from store.tables.runs import artifact, task_run_cache


def _deployment(row: Mapping[str, Any]) -> Deployment:
    values: dict[str, Any] = dict(row)
    options = values["concurrency_options"]
    values["concurrency_options"] = None if options is None else ConcurrencyOptions.model_validate(options)
    return Deployment(**values)


_deployments = select(deployment, concurrency_limit.c.limit.label("concurrency_limit")).select_from(
    deployment.outerjoin(concurrency_limit, concurrency_limit.c.id == deployment.c.concurrency_limit_id)
)
_queues = select(work_queue, work_pool.c.name.label("work_pool_name")).join_from(work_queue, work_pool)

FLOWS = RowStore(flow, select(flow), lambda row: Flow(**row))
DEPLOYMENTS = RowStore(deployment, _deployments, _deployment)
WORK_POOLS = RowStore(work_pool, select(work_pool), lambda row: WorkPool(**row))
WORK_QUEUES = RowStore(work_queue, _queues, lambda row: WorkQueue(**row))
NOTIFICATION_POLICIES = RowStore(
    notification_policy, select(notification_policy), lambda row: NotificationPolicy(**row)
)
ARTIFACTS = RowStore(artifact, select(artifact), lambda row: Artifact(**row))

_NAMES = "SELECT value FROM json_array_elements_text(CAST(%(names)s AS json))"
_FLOWS_NAMED = f"SELECT id FROM flow WHERE name IN ({_NAMES})"
_FLOWS_OF = f"""
SELECT * FROM flow WHERE id = ANY(ARRAY(
  SELECT id FROM flow WHERE name IN ({_NAMES})
  UNION ALL SELECT unnest(CAST(%(ids)s AS uuid[]))
  UNION ALL SELECT flow_id FROM flow_run WHERE id = ANY(CAST(%(flow_runs)s AS uuid[]))))
ORDER BY id
"""
_POOLS_NAMED = f"SELECT id FROM work_pool WHERE name IN ({_NAMES})"
_QUEUES_OF_POOLS_NAMED = f"""
SELECT q.id FROM work_queue q JOIN work_pool p ON p.id = q.work_pool_id WHERE p.name IN ({_NAMES})
"""
_DEPLOYMENTS_NAMED = """
SELECT d.id FROM deployment d
JOIN json_to_recordset(CAST(%(rows)s AS json)) AS k(flow_id uuid, name text)
  ON d.flow_id = k.flow_id AND d.name = k.name
"""
_NOT_STARTED = """
SELECT id FROM flow_run
WHERE deployment_id = ANY(CAST(%(ids)s AS uuid[])) AND resting_type = 'SCHEDULED' AND run_count = 0
"""
_ACTIVE_POLICIES = sql(select(notification_policy).where(notification_policy.c.is_active).order_by("id"))
_CACHE_INSERT = insert_rows(task_run_cache)
_CACHED = """
SELECT DISTINCT ON (c.cache_key) c.cache_key, c.task_run_state_id FROM task_run_cache c
WHERE c.cache_key IN (SELECT value FROM json_array_elements_text(CAST(%(names)s AS json)))
  AND (c.cache_expiration IS NULL OR c.cache_expiration > %(now)s)
ORDER BY c.cache_key, c.created DESC, c.id DESC
"""


def flows_named(connection: Connection, names: Iterable[str]) -> list[Id]:
    """The flows that have one of these names."""
    return driver.scalars(connection, _FLOWS_NAMED, {"names": texts_parameter(names)})


def work_pools_named(connection: Connection, names: Iterable[str]) -> list[Id]:
    """The work pools that have one of these names."""
    return driver.scalars(connection, _POOLS_NAMED, {"names": texts_parameter(names)})


def work_queues_of(connection: Connection, pool_names: Iterable[str]) -> list[Id]:
    """The queues of the work pools that have one of these names."""
    names = {"names": texts_parameter(pool_names)}
    return driver.scalars(connection, _QUEUES_OF_POOLS_NAMED, names)


def deployments_named(connection: Connection, keys: Iterable[tuple[Id, str]]) -> list[Id]:
    """The deployments that have one of these (flow id, name)."""
    rows = rows_parameter({"flow_id": flow_id, "name": name} for flow_id, name in keys)
    return driver.scalars(connection, _DEPLOYMENTS_NAMED, rows)


def runs_not_started(connection: Connection, deployment_ids: Iterable[Id]) -> list[Id]:
    """The runs of these deployments that are scheduled and never ran."""
    ids = {"ids": ids_parameter(deployment_ids)}
    return driver.scalars(connection, _NOT_STARTED, ids)


def ask_flows(
    connection: Connection, ids: Iterable[Id], names: Iterable[str], flow_runs: Iterable[Id]
) -> Asked:
    """Asks for the flows with these ids or names, and for those of these flow runs."""
    parameters = {
        "ids": ids_parameter(ids),
        "names": texts_parameter(names),
        "flow_runs": ids_parameter(flow_runs),
    }
    return driver.ask_by_name(connection, _FLOWS_OF, parameters)


def ask_active_policies(connection: Connection) -> Asked:
    """Asks for all notification policies that are switched on."""
    return driver.ask_by_name(connection, _ACTIVE_POLICIES)


def cached_states(connection: Connection, keys: Iterable[str], now: Any) -> dict[str, Id]:
    """For each cache key the id of the state that was cached last and has not expired."""
    rows = driver.rows(connection, _CACHED, {"names": texts_parameter(keys), "now": now})
    return dict(rows)


def insert_cached(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """New entries of the cache: id, created, cache_key, cache_expiration, task_run_state_id."""
    driver.execute(connection, _CACHE_INSERT, rows_parameter(rows))
