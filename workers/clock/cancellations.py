"""What a cancelled flow run has left behind: task runs and subflow runs that nobody will end any more."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from messages.fields import Id
from messages.runs import FlowRun
from messages.states import TERMINAL, ProposedState, StateType
from store import duties
from store.duties import Pair
from workers.clock.duty import Means
from workers.handlers.transitions import forced, set_flow_run_state, set_task_run_state
from workers.pipeline.needs import Needs
from workers.pipeline.unasked import change, each_alone
from workers.world.world import World

AT_ONCE = 200
LOOK_BACK = timedelta(days=1)
MESSAGE = "The flow run above it was cancelled."


def finish_cancellations(means: Means, now: datetime) -> int:
    """First the task runs of runs that were cancelled within a day, then subflow runs, however old."""
    return cancel_task_runs(means, now) + cancel_subflows(means, now)


def cancel_task_runs(means: Means, now: datetime) -> int:
    """Task runs that have not ended though their flow run was cancelled."""
    since, events = now - LOOK_BACK, 0
    for pairs in means.batches(
        lambda it, after: duties.tasks_of_cancelled(it, since, after, AT_ONCE), AT_ONCE
    ):
        needs = _needs(pairs)
        needs.task_run_ids = {pair.id for pair in pairs}
        work = partial(each_alone, items=pairs, work=_end_task)
        events += change(means.engine, means.world(now), needs, work)
    return events


def cancel_subflows(means: Means, now: datetime) -> int:
    """Subflow runs that have not ended though the flow run of their parent task run was cancelled.

    Those of a deployment are CANCELLING, so that whoever runs them can stop them; others are CANCELLED.
    """
    events = 0
    for pairs in means.batches(lambda it, after: duties.subflows_of_cancelled(it, after, AT_ONCE), AT_ONCE):
        needs = _needs(pairs)
        needs.flow_run_ids |= {pair.id for pair in pairs}
        work = partial(each_alone, items=pairs, work=_end_subflow)
        events += change(means.engine, means.world(now), needs, work)
    return events


def _needs(pairs: Iterable[Pair]) -> Needs:
    """The runs above are locked too: none of them can start again while what is below it is ended."""
    return Needs(flow_run_ids={pair.above for pair in pairs}, flow_runs_move=True, runs_move=True)


def _end_task(world: World, pair: Pair) -> None:
    """Looked at under the lock: it may have ended since it was found."""
    run = world.task_runs.get(pair.id)
    if run is not None and run.state_type not in TERMINAL and _is_cancelled(world, pair.above):
        set_task_run_state(world, run, _proposed(StateType.CANCELLED), forced())


def _end_subflow(world: World, pair: Pair) -> None:
    """Looked at under the lock: it may have ended since it was found."""
    run = world.flow_runs.get(pair.id)
    if run is None or run.state_type in TERMINAL or not _is_cancelled(world, pair.above):
        return
    kind = StateType.CANCELLED if run.deployment_id is None else StateType.CANCELLING
    if run.state_type is not kind:
        set_flow_run_state(world, run, _proposed(kind), forced())


def _is_cancelled(world: World, flow_run_id: Id) -> bool:
    run: FlowRun | None = world.flow_runs.get(flow_run_id)
    return run is not None and run.state_type is StateType.CANCELLED


def _proposed(kind: StateType) -> ProposedState:
    return ProposedState(type=kind, message=MESSAGE)
