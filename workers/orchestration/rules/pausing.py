"""Pausing and resuming. A blocking pause keeps the process waiting; a suspended run is scheduled anew."""

from messages.evolve import revised
from messages.states import State, StateType
from workers.orchestration.policy import EVERY_TYPE, only, rule
from workers.orchestration.transition import FlowTransition
from workers.orchestration.verdicts import Abort, Reject


def _remember_the_pause(t: FlowTransition) -> None:
    policy = t.draft.empirical_policy
    asked = t.proposed.state_details.pause_key if t.proposed else None
    key = asked or str(t.new_id())
    t.draft.empirical_policy = revised(policy, pause_keys=policy.pause_keys | {key})


def _remember_the_resuming(t: FlowTransition) -> None:
    t.draft.empirical_policy = revised(t.draft.empirical_policy, resuming=True)


@rule(EVERY_TYPE, only(StateType.PAUSED), after=_remember_the_pause)
def only_a_running_flow_pauses_once_at_a_place(t: FlowTransition, proposed: State) -> Abort | Reject | None:
    """A flow that runs again comes by the same pauses again; each key stops it once."""
    verb = "suspended" if proposed.state_details.pause_reschedule else "paused"
    if t.initial is None:
        return Abort(f"a run without a state cannot be {verb}")
    if t.initial.type is not StateType.RUNNING:
        return Reject(f"only a running flow can be {verb}")
    if proposed.state_details.pause_key in t.draft.empirical_policy.pause_keys:
        return Reject(f"the run has been {verb} at this place before")
    if proposed.state_details.pause_reschedule:
        return _why_it_cannot_be_rescheduled(t)
    return None


def _why_it_cannot_be_rescheduled(t: FlowTransition) -> Abort | None:
    if t.run.parent_task_run_id is not None:
        return Abort("a subflow cannot be suspended: its parent waits for it")
    if t.run.deployment_id is None:
        return Abort("a run without a deployment cannot be suspended: nobody would start it again")
    return None


@rule(only(StateType.PAUSED), EVERY_TYPE, after=_remember_the_resuming)
def a_paused_flow_goes_on_in_time_or_ends(t: FlowTransition, proposed: State) -> Reject | None:
    """A pause has one way out and an end, after which it is a failure."""
    details = t.initial.state_details if t.initial else proposed.state_details
    if not proposed.is_terminal and proposed.type not in (StateType.RUNNING, StateType.SCHEDULED):
        return Reject(f"a paused run cannot become {proposed.type}")
    if details.pause_reschedule and t.run.deployment_id is None:
        return Reject("a suspended run without a deployment cannot go on: nobody would start it")
    if details.pause_timeout is not None and details.pause_timeout < t.now:
        message = "The run was paused and not resumed in time."
        return Reject("the pause has expired", t.new_state(StateType.FAILED, message=message))
    return None
