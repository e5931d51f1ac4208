"""Answers queries (contract, section 4): one function for each type. Changes nothing and decides nothing."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from messages.errors import ErrorCode, Refused
from messages.fields import Data, Id
from messages.results import ErrorBody, Outcome, Status
from store.rows import plain
from store.transaction import Connection
from workers.queries import dependencies, graph, lists, objects, states
from workers.queries.asked import Asked, Limits

ANSWERS: Mapping[str, Callable[[Asked[Any]], object]] = {
    "flow_run.read": objects.read_flow_run,
    "task_run.read": objects.read_task_run,
    "flow.read": objects.read_flow,
    "deployment.read": objects.read_deployment,
    "concurrency_limit.read": objects.read_concurrency_limit,
    "notification_policy.list": objects.list_notification_policies,
    "command.read": objects.read_command,
    "flow_run.list": lists.list_flow_runs,
    "task_run.list": lists.list_task_runs,
    "flow_run.count": lists.count_flow_runs,
    "task_run.count": lists.count_task_runs,
    "flow_run.states": states.list_flow_run_states,
    "task_run.states": states.list_task_run_states,
    "flow_run.graph": graph.read_graph,
    "flow_run.dependencies": dependencies.list_dependencies,
}


def answer(connection: Connection, query_type: str, data: Data, limits: Limits, *, now: datetime) -> Outcome:
    """What a query comes to: OK and the body that the contract names, or ERROR and a code.

    `data` is the valid model of the query's type. Trouble of the database is raised, not answered.
    """
    subject = _subject(data)
    try:
        if query_type not in ANSWERS:
            raise Refused(ErrorCode.UNKNOWN_TYPE, f"there is no query {query_type!r}")
        body = plain(ANSWERS[query_type](Asked(connection, data, limits, now)))
        return Outcome(Status.OK, body, subject=subject)
    except Refused as refused:
        error = ErrorBody(code=refused.code, message=refused.message, errors=refused.errors)
        return Outcome(Status.ERROR, {}, error, subject)


def _subject(data: Data) -> Id | None:
    """The object that is asked for, if it is asked for by its id."""
    given = (getattr(data, name, None) for name in ("id", "flow_run_id", "task_run_id"))
    return next((value for value in given if value is not None), None)
