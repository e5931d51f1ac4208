"""Background tasks: task runs that no flow run waits for."""

from messages.evolve import revised
from messages.states import State, StateType
from workers.orchestration.decision import AnnounceScheduled
from workers.orchestration.policy import EVERY_TYPE, only, rule
from workers.orchestration.transition import TaskTransition
from workers.orchestration.verdicts import Amend


def _announce(t: TaskTransition) -> None:
    if t.proposed and t.proposed.state_details.deferred:
        t.effects.append(AnnounceScheduled())


@rule(only(StateType.SCHEDULED, StateType.PENDING), only(StateType.PENDING, StateType.RUNNING))
def a_background_task_keeps_its_parameters(t: TaskTransition, proposed: State) -> Amend | None:
    """The process that runs it finds them under this id."""
    if proposed.state_details.task_parameters_id is not None or t.initial is None:
        return None
    parameters_id = t.initial.state_details.task_parameters_id
    return Amend(details=revised(proposed.state_details, task_parameters_id=parameters_id))


@rule(EVERY_TYPE, only(StateType.SCHEDULED), after=_announce)
def a_scheduled_background_task_is_announced(_t: TaskTransition, _proposed: State) -> None:
    """To those who serve its task key."""
