"""The states that a run has had, oldest first, each with its data. No such run: no states."""

from messages.answers import States
from messages.queries import ListFlowRunStates, ListTaskRunStates
from store.runs import FLOW_RUNS, TASK_RUNS
from workers.queries.asked import Asked


def list_flow_run_states(asked: Asked[ListFlowRunStates]) -> States:
    """The history of a flow run."""
    return States(items=FLOW_RUNS.history(asked.connection, asked.data.flow_run_id))


def list_task_run_states(asked: Asked[ListTaskRunStates]) -> States:
    """The history of a task run."""
    return States(items=TASK_RUNS.history(asked.connection, asked.data.task_run_id))
