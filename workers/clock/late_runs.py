"""Runs that should have been started by now become Late: whoever starts them sees that, and who waits is told."""

from datetime import datetime

from messages.runs import FlowRun
from messages.states import ProposedState, StateDetails, StateType
from store import duties
from workers.clock.duty import Means
from workers.handlers.transitions import set_flow_run_state
from workers.orchestration.facts import Orders
from workers.orchestration.state_names import LATE
from workers.pipeline.needs import Needs
from workers.pipeline.unasked import change, each_alone
from workers.world.world import World

AT_ONCE = 400


def mark_late_runs(means: Means, now: datetime) -> int:
    """Runs named Scheduled, and no other SCHEDULED ones, whose start was due `late_after` ago or earlier."""
    due = now - means.settings.late_after
    events = 0
    for ids in means.batches(lambda it, after: duties.late_runs(it, due, after, AT_ONCE), AT_ONCE):
        needs = Needs(flow_run_ids=set(ids), flow_runs_move=True, runs_move=True)
        events += change(means.engine, means.world(now), needs, lambda world: _mark_all(world, due))
    return events


def _mark_all(world: World, due: datetime) -> None:
    each_alone(world, [run for run in world.flow_runs if _is_late(run, due)], _mark)


def _mark(world: World, run: FlowRun) -> None:
    # Its scheduled time stays what it is.
    details = StateDetails(scheduled_time=run.next_scheduled_start_time)
    proposed = ProposedState(type=StateType.SCHEDULED, name=LATE, state_details=details)
    set_flow_run_state(world, run, proposed, Orders(policy="late"))


def _is_late(run: FlowRun, due: datetime) -> bool:
    """Looked at under the lock: it may have been started or moved since it was found."""
    start = run.next_scheduled_start_time
    return (
        run.state_type is StateType.SCHEDULED
        and run.state_name == StateType.SCHEDULED.default_name
        and start is not None
        and start <= due
    )
