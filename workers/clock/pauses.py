"""Paused runs that nobody resumed in time fail."""

from datetime import datetime

from messages.runs import FlowRun
from messages.states import ProposedState, StateType
from store import duties
from workers.clock.duty import Means
from workers.handlers.transitions import forced, set_flow_run_state
from workers.pipeline.needs import Needs
from workers.pipeline.unasked import change, each_alone
from workers.world.world import World

AT_ONCE = 200
MESSAGE = "The run was paused, and not resumed in time."


def fail_expired_pauses(means: Means, now: datetime) -> int:
    """A pause without a timeout lasts for ever."""
    events = 0
    for ids in means.batches(lambda it, after: duties.expired_pauses(it, now, after, AT_ONCE), AT_ONCE):
        needs = Needs(flow_run_ids=set(ids), flow_runs_move=True, runs_move=True)
        events += change(means.engine, means.world(now), needs, lambda world: _fail_all(world, now))
    return events


def _fail_all(world: World, now: datetime) -> None:
    each_alone(world, [run for run in world.flow_runs if _has_expired(run, now)], _fail)


def _fail(world: World, run: FlowRun) -> None:
    set_flow_run_state(world, run, ProposedState(type=StateType.FAILED, message=MESSAGE), forced())


def _has_expired(run: FlowRun, now: datetime) -> bool:
    """Looked at under the lock: it may have been resumed, or paused anew, since it was found."""
    if run.state is None or run.state.type is not StateType.PAUSED:
        return False
    timeout = run.state.state_details.pause_timeout
    return timeout is not None and timeout < now
