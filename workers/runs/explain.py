"""Why a run waits, in plain sentences with their facts. Pure: from what is known, and nothing else."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from messages.runs import FlowRun, TaskRun
from messages.states import TERMINAL, StateDetails, StateType
from store.reads.waiting import Failing, ParkedCommand
from store.rows import plain
from store.slots import Holder
from workers.orchestration.delays import retries_allowed
from workers.orchestration.state_names import AWAITING_RETRY, AWAITING_SLOT, LATE, NOT_READY
from workers.runs.facts import Facts
from workers.runs.times import clock_time, distance, span
from workers.slots.overview import Use

# Whoever is to stop a run needs some time for it; so much is strange.
LONG_CANCELLING = timedelta(minutes=10)
_HOLDERS_NAMED = 5
_BEFORE_START = frozenset({None, StateType.SCHEDULED, StateType.PENDING})


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that keeps a run where it is: a code for programs, a sentence for people, and the facts."""

    code: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def explain(facts: Facts) -> list[Reason]:
    """Every reason that applies: first the run's state, then what surrounds it, then commands on their way."""
    if facts.run is None:
        return [*_missing(facts), *_commands(facts)]
    if facts.run.state_type in TERMINAL:
        return [*_ended(facts, facts.run), *_commands(facts)]
    about = [*_state(facts, facts.run), *_limits(facts, facts.run), *_surroundings(facts, facts.run)]
    return [*about, *_commands(facts)]


def _missing(facts: Facts) -> Iterator[Reason]:
    if facts.failing or facts.parked:
        yield Reason(
            "not_created", "There is no such run yet; a command that speaks of it has not been applied."
        )


def _ended(facts: Facts, run: FlowRun | TaskRun) -> Iterator[Reason]:
    when = run.end_time or run.state_timestamp or facts.now
    message = f": {run.state.message}" if run.state is not None and run.state.message else ""
    text = f"It has ended, {run.state_name}, {_at(when, facts.now)}{message}"
    yield Reason("ended", _sentence(text), {"state": run.state_name, "since": when})
    for held in facts.held:
        text = f"It still holds {held.slots} of {held.limit_name}: `interlock slots release` frees that."
        yield Reason("holds_slot_after_its_end", text, {"limit": held.limit_name, "slots": held.slots})


def _state(facts: Facts, run: FlowRun | TaskRun) -> Iterable[Reason]:
    if run.state_type is None:
        return [Reason("no_state", "It has no state: nobody has proposed one since it was created.")]
    return _BY_TYPE[run.state_type](facts, run)


def _scheduled(facts: Facts, run: FlowRun | TaskRun) -> Iterator[Reason]:
    time = _details(run).scheduled_time or run.next_scheduled_start_time
    if run.state_name == AWAITING_RETRY:
        yield _awaiting_retry(facts, run, time)
    elif run.state_name == AWAITING_SLOT:
        yield _awaiting_slot(facts, run, time)
    elif run.state_name == LATE:
        shown = "" if time is None else f" It should have started {_at(time, facts.now)}."
        text = f"It is late.{shown} Nobody who starts runs has taken it."
        yield Reason("late", text, {"scheduled_time": time})
    elif time is None:
        yield Reason("not_taken", "It may start, and nobody who starts runs has taken it.")
    elif time > facts.now:
        text = f"It is scheduled for {_at(time, facts.now)}; nobody starts it before."
        yield Reason("scheduled_later", text, {"until": time})
    else:
        yield _due(facts, time)


def _awaiting_retry(facts: Facts, run: FlowRun | TaskRun, time: datetime | None) -> Reason:
    allowed = retries_allowed(run.empirical_policy)
    attempts = str(run.run_count) if allowed is None else f"{run.run_count} of {allowed + 1}"
    again = _may_again("It is tried again", time, facts.now)
    known = {"attempts": run.run_count, "retries": allowed, "until": time}
    return Reason("awaiting_retry", f"Attempt {attempts} failed. {again}", known)


def _awaiting_slot(facts: Facts, run: FlowRun | TaskRun, time: datetime | None) -> Reason:
    since = run.state_timestamp or facts.now
    again = _may_again("It may ask again", time, facts.now)
    text = f"It found no slot of its deployment free {_at(since, facts.now)}. {again}"
    return Reason("awaiting_slot", text, {"since": since, "until": time})


def _due(facts: Facts, time: datetime) -> Reason:
    text = f"Its time came {_at(time, facts.now)}; nobody who starts runs has taken it."
    if facts.now - time > facts.late_after:
        text += " The clock has not marked it as late: does one run? `interlock doctor` looks."
    return Reason("due", text, {"scheduled_time": time})


def _pending(facts: Facts, run: FlowRun | TaskRun) -> Iterator[Reason]:
    since = run.state_timestamp or facts.now
    text = f"Somebody took it {_at(since, facts.now)}, and has not said that it runs."
    yield Reason("pending", text, {"since": since})


def _running(facts: Facts, run: FlowRun | TaskRun) -> Iterator[Reason]:
    since = run.state_timestamp or facts.now
    attempt = f", attempt {run.run_count}" if run.run_count > 1 else ""
    text = f"It does not wait: it has been running for {_span(since, facts.now)}{attempt}."
    yield Reason("running", text, {"since": since, "attempt": run.run_count})


def _paused(facts: Facts, run: FlowRun | TaskRun) -> Iterator[Reason]:
    details, since = _details(run), run.state_timestamp or facts.now
    known = {
        "since": since,
        "until": details.pause_timeout,
        "key": details.pause_key,
        "reschedule": details.pause_reschedule,
    }
    if run.state_name == NOT_READY:
        text = f"Its flow run was paused when it wanted to run, {_at(since, facts.now)}. It has to ask again."
        yield Reason("flow_run_was_paused", text, known)
        return
    where = "" if details.pause_key is None else f" at {details.pause_key!r}"
    yield Reason(
        "paused", f"It is paused{where} since {_at(since, facts.now)}, {_pause_ends(facts, details)}", known
    )


def _pause_ends(facts: Facts, details: StateDetails) -> str:
    until = details.pause_timeout
    if until is None:
        return "until somebody resumes it: it has no timeout."
    if until < facts.now:
        return f"and its time to be resumed was over {_at(until, facts.now)}: the clock ends it as failed."
    return f"until somebody resumes it, at the latest {_at(until, facts.now)}; then it fails."


def _cancelling(facts: Facts, run: FlowRun | TaskRun) -> Iterator[Reason]:
    since = run.state_timestamp or facts.now
    text = (
        f"It is being cancelled since {_at(since, facts.now)}; whoever runs it has not said that it stopped."
    )
    long = facts.now - since > LONG_CANCELLING
    if long:
        text += " That is long: if nobody runs it any more, set it to CANCELLED."
    yield Reason("cancelling", text, {"since": since, "long": long})


def _limits(facts: Facts, run: FlowRun | TaskRun) -> Iterator[Reason]:
    """Who holds a slot has no need of another."""
    if run.state_type not in _BEFORE_START:
        return
    mine = {each.limit_name for each in facts.held}
    for use in facts.limits:
        if use.limit.name not in mine:
            yield from _limit(facts, use, isinstance(run, FlowRun))


def _limit(facts: Facts, use: Use, of_deployment: bool) -> Iterator[Reason]:
    limit = use.limit
    known = {"limit": limit.name, "slots": limit.limit, "taken": use.taken}
    if not limit.active:
        # That of a deployment then lets nobody through; that of a tag does not count.
        if of_deployment:
            yield Reason(
                "limit_not_active", f"The limit {limit.name} is switched off: it gives no slot.", known
            )
    elif limit.limit == 0:
        yield Reason(
            "limit_is_zero", f"The limit {limit.name} is 0: whoever asks for a slot is turned away.", known
        )
    elif use.taken >= limit.limit:
        known |= {"holders": [_holder(each) for each in use.holders]}
        taken = (
            f"All {limit.limit} slots of {limit.name} are"
            if limit.limit > 1
            else f"The slot of {limit.name} is"
        )
        yield Reason("limit_full", f"{taken} taken, {_holders(facts, use)}.", known)


def _holders(facts: Facts, use: Use) -> str:
    named = []
    for each in use.holders[:_HOLDERS_NAMED]:
        slot = each.slot
        run = "" if each.run_name is None else f" ({each.run_name}, {each.state_name})"
        since = _span(slot.acquired_at, facts.now)
        named.append(f"{slot.holder_kind.replace('_', ' ')} {slot.holder_id}{run} for {since}")
    more = len(use.holders) - len(named)
    return "held by " + "; ".join([*named, f"{more} more"] if more else named)


def _holder(holder: Holder) -> dict[str, Any]:
    slot = holder.slot
    return {
        "kind": slot.holder_kind,
        "id": slot.holder_id,
        "run_name": holder.run_name,
        "state_name": holder.state_name,
        "slots": slot.slots,
        "since": slot.acquired_at,
        "expires_at": slot.expires_at,
    }


def _surroundings(facts: Facts, run: FlowRun | TaskRun) -> Iterator[Reason]:
    if isinstance(run, FlowRun):
        if run.state_type in _BEFORE_START:
            yield from _deployment(facts, run)
            yield from _queue(facts)
        yield from _parent(facts)
    elif run.state_type not in (StateType.RUNNING, StateType.CANCELLING):
        yield from _flow_run_above(facts)


def _deployment(facts: Facts, run: FlowRun) -> Iterator[Reason]:
    known: dict[str, Any] = {"deployment_id": run.deployment_id}
    if run.deployment_id is None:
        return
    if facts.deployment is None:
        text = f"Its deployment {run.deployment_id} does not exist any more: it cannot become PENDING."
        yield Reason("deployment_gone", text, known)
    elif facts.deployment.paused:
        text = f"Its deployment {facts.deployment.name} is paused."
        yield Reason("deployment_paused", text, known | {"deployment": facts.deployment.name})


def _queue(facts: Facts) -> Iterator[Reason]:
    for kind, each, number in (
        ("work_queue", facts.queue, facts.under_way_in_queue),
        ("work_pool", facts.pool, facts.under_way_in_pool),
    ):
        if each is None:
            continue
        words, limit = kind.replace("_", " "), each.concurrency_limit
        if each.is_paused:
            text = f"Its {words} {each.name} is paused: nobody takes runs from there."
            yield Reason(f"{kind}_paused", text, {kind: each.name})
        if limit is not None and number >= limit:
            text = f"Its {words} {each.name} lets {limit} run at once, and {number} are under way."
            yield Reason(f"{kind}_full", text, {kind: each.name, "limit": limit, "under_way": number})


def _parent(facts: Facts) -> Iterator[Reason]:
    above = facts.above
    if above is not None and above.state_type in TERMINAL:
        text = f"The flow run that started it, {above.name} ({above.id}), has ended: {above.state_name}."
        yield Reason("parent_ended", text, {"flow_run_id": above.id, "state": above.state_name})


def _flow_run_above(facts: Facts) -> Iterator[Reason]:
    above = facts.above
    if above is None or above.state_type is StateType.RUNNING:
        return
    known = {"flow_run_id": above.id, "state": above.state_name}
    state = above.state_name or "without a state"
    text = f"Its flow run {above.name} ({above.id}) is {state}: a task runs only in a flow run that runs."
    yield Reason("flow_run_does_not_run", text, known)


def _commands(facts: Facts) -> Iterator[Reason]:
    for parked in facts.parked:
        yield _parked(facts, parked)
    for failing in facts.failing:
        again = _may_again("It is tried again", failing.next_attempt_at, facts.now)
        what = f"The command {failing.type} {failing.id}"
        code = "command_deferred" if failing.waits and not failing.attempts else "command_failing"
        yield Reason(code, f"{what} {_why_again(failing)} {again}", _of(failing))


def _why_again(failing: Failing) -> str:
    if failing.attempts:
        error = (failing.last_error or "").removeprefix(f"Poisoned: {failing.type} {failing.id}: ")
        return f"has failed {_times(failing.attempts)}: {_sentence(error)}"
    if failing.waits:
        return f"is deferred, and was told to wait {_times(failing.waits)}: {_sentence(failing.wait_reason or '')}"
    if failing.last_error is not None:
        return "was replayed from the dead letters."
    return "is tried by itself, because workers died with the batch that it was in."


def _parked(facts: Facts, parked: ParkedCommand) -> Reason:
    ends = parked.oldest + facts.gap_timeout
    turn = f"number {parked.missing} of {parked.partitionkey!r} from {parked.source}"
    text = (
        f"The command {parked.type} {parked.id} is parked since {_at(parked.parked, facts.now)}: it is number "
        f"{parked.sequence}, and {turn} comes first. "
    )
    again = parked.missing_next_attempt_at
    if again is not None:
        text += f"That one is tried again {_at(again, facts.now)}, and this one waits until it has ended."
        return Reason("command_parked", text, _of(parked))
    text += f"That one has not come; without it this one ends as sequence_gap {_at(ends, facts.now)}."
    return Reason("command_parked", text, _of(parked) | {"gap_timeout_at": ends})


def _of(command: Failing | ParkedCommand) -> dict[str, Any]:
    return {
        f"command_{name}" if name in ("id", "type") else name: value for name, value in plain(command).items()
    }


def _details(run: FlowRun | TaskRun) -> StateDetails:
    return run.state.state_details if run.state is not None else StateDetails()


def _may_again(words: str, time: datetime | None, now: datetime) -> str:
    if time is None or time <= now:
        return f"{words} at once."
    return f"{words} {_at(time, now)}."


def _at(time: datetime, now: datetime) -> str:
    return f"{clock_time(time)} ({distance(time, now)})"


def _span(since: datetime, now: datetime) -> str:
    return span((now - since).total_seconds())


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


_BY_TYPE: dict[StateType, Callable[[Facts, FlowRun | TaskRun], Iterator[Reason]]] = {
    StateType.SCHEDULED: _scheduled,
    StateType.PENDING: _pending,
    StateType.RUNNING: _running,
    StateType.PAUSED: _paused,
    StateType.CANCELLING: _cancelling,
}
