"""Scheduled times."""

from messages.evolve import revised
from messages.states import State, StateType
from workers.orchestration.delays import whole_seconds_until
from workers.orchestration.policy import only, rule
from workers.orchestration.transition import Transition
from workers.orchestration.verdicts import Amend, Wait


@rule(only(StateType.SCHEDULED), only(StateType.PENDING))
def a_pending_run_keeps_its_scheduled_time(t: Transition, proposed: State) -> Amend | None:
    """Else a process could take up a run ahead of time and start it at once."""
    if proposed.state_details.scheduled_time is not None or t.initial is None:
        return None
    scheduled_time = t.initial.state_details.scheduled_time
    return Amend(details=revised(proposed.state_details, scheduled_time=scheduled_time))


@rule(only(StateType.SCHEDULED, StateType.PENDING), only(StateType.RUNNING))
def no_run_starts_ahead_of_its_time(t: Transition, _proposed: State) -> Wait | None:
    """The caller is told how long to wait."""
    scheduled_time = t.initial.state_details.scheduled_time if t.initial else None
    if scheduled_time is None:
        return None
    delay = whole_seconds_until(scheduled_time, t.now)
    return Wait("the run is scheduled for later", delay) if delay > 0 else None
