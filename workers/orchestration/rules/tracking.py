"""In which attempt of its flow run a task run ran."""

from messages.errors import ErrorCode
from messages.states import State, StateType
from workers.orchestration.decision import Failed
from workers.orchestration.policy import EVERY_TYPE, only, rule
from workers.orchestration.transition import TaskTransition


def _remember_the_attempt(t: TaskTransition) -> Failed | None:
    if t.run.flow_run_id is None:
        return None
    if t.facts.flow_run is None:
        return Failed(ErrorCode.NOT_FOUND, f"there is no flow run {t.run.flow_run_id}, of this task run")
    t.draft.flow_run_run_count = t.facts.flow_run.run_count
    return None


@rule(EVERY_TYPE, only(StateType.RUNNING), after=_remember_the_attempt)
def a_task_remembers_the_attempt_it_ran_in(_t: TaskTransition, _proposed: State) -> None:
    """A later attempt of the flow run is then known to be a retry of its tasks too."""
