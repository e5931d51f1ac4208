"""The usual questions, as they are put to a database that `fill` has filled: for tests of plans, and to be timed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import from_json, to_json

from messages.fields import Id
from store.transaction import Connection

Filters = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """What is in the database, to ask for."""

    until: datetime
    flow_name: str
    flow_id: Id
    deployment_id: Id
    deployment_name: str
    queue_id: Id
    run_id: Id
    run_name: str
    parent_id: Id
    idempotency_key: str


@dataclass(frozen=True)
class Question:
    """A list or a count. `pages`: by how many cursors to go on."""

    type: str
    filters: Filters = field(default_factory=dict)
    sort: str = "ID_DESC"
    pages: int = 1

    def data(self, after: str | None = None) -> Filters:
        """What its message holds; `after` is the cursor of a page."""
        paging = {"sort": self.sort, "after": after} if self.type.endswith("list") else {}
        valid: Filters = from_json(to_json({**self.filters, **paging}))
        return valid


_KNOWN = """
SELECT (SELECT max(end_time) FROM flow_run), f.name, f.id, d.id, d.name, d.work_queue_id, r.id, r.name,
  (SELECT t.flow_run_id FROM flow_run c JOIN task_run t ON t.id = c.parent_task_run_id ORDER BY c.id LIMIT 1),
  (SELECT idempotency_key FROM flow_run WHERE idempotency_key IS NOT NULL ORDER BY id LIMIT 1)
FROM flow_run r JOIN deployment d ON d.id = r.deployment_id JOIN flow f ON f.id = d.flow_id
WHERE d.name = 'deployment-40' AND r.state_type = 'FAILED' ORDER BY r.id LIMIT 1
"""


def known(connection: Connection) -> Known:
    """What there is to ask for in a filled database."""
    return Known(*connection.exec_driver_sql(_KNOWN).one())


def usual(known: Known) -> Mapping[str, Question]:
    """What people ask every day: none of it may look at all runs."""
    return {**_lists_of_flow_runs(known), **_pages(), **_counts(known), **_task_runs(known)}


def _lists_of_flow_runs(known: Known) -> dict[str, Question]:
    def runs(sort: str = "ID_DESC", **filters: Any) -> Question:
        return Question("flow_run.list", {"flow_runs": filters} if filters else {}, sort)

    failed = {"type": {"any_": ["FAILED"]}}
    return {
        "the newest runs": runs(),
        "runs that failed": runs(state=failed),
        "runs that crashed, latest start first": runs(
            "START_TIME_DESC", state={"type": {"any_": ["CRASHED"]}}
        ),
        "runs that are running": runs(state={"type": {"any_": ["RUNNING"]}}),
        "runs that are planned, next first": runs(
            "NEXT_SCHEDULED_START_TIME_ASC", state={"type": {"any_": ["SCHEDULED"]}}
        ),
        "runs that have not ended": runs(
            state={"type": {"not_any_": ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]}}
        ),
        "runs in a named state": runs(state={"name": {"any_": ["TimedOut"]}}),
        "runs that failed within a day": runs(
            "START_TIME_DESC", state=failed, start_time=since(known, days=1)
        ),
        "runs that were expected within an hour": runs(
            "EXPECTED_START_TIME_DESC", expected_start_time=since(known, hours=1)
        ),
        "runs that ended within an hour": runs("END_TIME_DESC", end_time=since(known, hours=1)),
        "runs of a flow": Question("flow_run.list", {"flows": {"name": {"any_": [known.flow_name]}}}),
        "runs of a flow that failed": Question(
            "flow_run.list", {"flows": {"id": {"any_": [known.flow_id]}}, "flow_runs": {"state": failed}}
        ),
        "runs of a deployment": runs(deployment_id={"any_": [known.deployment_id]}),
        "runs of a named deployment": Question(
            "flow_run.list", {"deployments": {"name": {"any_": [known.deployment_name]}}}
        ),
        "runs with a rare tag": runs(tags={"all_": ["rare"]}),
        "runs with usual tags": runs(tags={"all_": ["nightly", "team-3"]}),
        "runs of a name": runs(name={"any_": [known.run_name]}),
        "runs of a work queue": Question(
            "flow_run.list", {"work_queues": {"id": {"any_": [known.queue_id]}}}
        ),
        "runs of a work queue by its name": runs(work_queue_name={"any_": ["queue-3"]}),
        "runs of a work pool": Question("flow_run.list", {"work_pools": {"name": {"any_": ["pool"]}}}),
        "runs that a run started": runs(parent_flow_run_id={"any_": [known.parent_id]}),
        "the run of a key": runs(idempotency_key={"any_": [known.idempotency_key]}),
        "runs by id": runs(id={"any_": [known.run_id, known.parent_id]}),
    }


def since(known: Known, **ago: float) -> Filters:
    """Within so much time before the last run."""
    return {"after_": known.until - timedelta(**ago)}


def _pages() -> dict[str, Question]:
    flow_run_sorts: Sequence[str] = (
        "ID_DESC",
        "START_TIME_ASC",
        "START_TIME_DESC",
        "EXPECTED_START_TIME_ASC",
        "EXPECTED_START_TIME_DESC",
        "NAME_ASC",
        "NAME_DESC",
        "NEXT_SCHEDULED_START_TIME_ASC",
        "END_TIME_DESC",
    )
    flow_runs = {
        f"flow runs by {sort}": Question("flow_run.list", {}, sort, pages=12) for sort in flow_run_sorts
    }
    task_runs = {
        f"task runs by {sort}": Question("task_run.list", {}, sort, pages=3)
        for sort in flow_run_sorts
        if not sort.startswith("START")
    }
    return flow_runs | task_runs


def _counts(known: Known) -> dict[str, Question]:
    def count(**filters: Any) -> Question:
        return Question("flow_run.count", {"flow_runs": filters})

    return {
        "how many failed": count(state={"type": {"any_": ["FAILED"]}}),
        "how many are running": count(state={"type": {"any_": ["RUNNING"]}}),
        "how many are in a named state": count(state={"name": {"any_": ["TimedOut"]}}),
        "how many failed within a week": count(
            state={"type": {"any_": ["FAILED"]}}, expected_start_time=since(known, days=7)
        ),
        "how many started within a day": count(start_time=since(known, days=1)),
        "how many a flow has": Question("flow_run.count", {"flows": {"id": {"any_": [known.flow_id]}}}),
        "how many a deployment has": count(deployment_id={"any_": [known.deployment_id]}),
        "how many have a rare tag": count(tags={"all_": ["rare"]}),
    }


def _task_runs(known: Known) -> dict[str, Question]:
    def tasks(sort: str = "ID_DESC", **filters: Any) -> Question:
        return Question("task_run.list", {"task_runs": filters}, sort)

    failed = {"type": {"any_": ["FAILED"]}}
    return {
        "task runs of a flow run": tasks(flow_run_id={"any_": [known.parent_id]}),
        "task runs of a flow run, by its own filter": Question(
            "task_run.list", {"flow_runs": {"id": {"any_": [known.parent_id]}}}
        ),
        "task runs that crashed": tasks(state={"type": {"any_": ["CRASHED"]}}),
        "task runs of a name": tasks(name={"any_": ["load-8"]}),
        "task runs with a tag": tasks(tags={"all_": ["database"]}),
        "how many task runs failed": Question("task_run.count", {"task_runs": {"state": failed}}),
        "how many task runs a flow run has": Question(
            "task_run.count", {"task_runs": {"flow_run_id": {"any_": [known.parent_id]}}}
        ),
    }


def may_scan() -> Mapping[str, Question]:
    """What may look at all runs, and why."""
    everywhere = {"name": {"like_": "x-no-such-x"}}
    return {
        # There is nothing to tell runs apart by: PostgreSQL counts what it sees.
        "how many there are": Question("flow_run.count"),
        # Parts of names would need an index of trigrams, which not every PostgreSQL has, and each command pays for.
        "runs with this in their name": Question("flow_run.list", {"flow_runs": everywhere}),
        # Nearly all runs have tags, or nearly none: an index would not help the one, and would cost the other.
        "how many have no tags": Question("flow_run.count", {"flow_runs": {"tags": {"is_null_": True}}}),
        # Few ask for it, and with a flow or a deployment it is quick.
        "runs of a version of a flow": Question(
            "flow_run.list", {"flow_runs": {"flow_version": {"any_": ["1"]}}}
        ),
    }
