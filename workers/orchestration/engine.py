"""How the rules of a policy come to one decision.

Every rule that speaks for the intended transition is entered in order, then the state's bookkeeping is done,
then all of them are left in the opposite order. A rule is bound to the pair of types it was entered with.
Once a rule turns the transition to another type, or to nothing, those behind it are never asked, and those
before it clean up after themselves. The rule that turned it is bound to the new type instead: if it speaks
for that type as well, its `after` follows. A replacement of the same type disturbs nobody.

A rule that breaks, whenever it does, stops the transition: ABORT, and nothing at all is changed.
"""

from typing import TypeVar

from messages.evolve import evolve
from messages.fields import Id
from messages.results import Status
from messages.states import State, StateType
from workers.orchestration.decision import Decision, Failed, Fault
from workers.orchestration.policy import Bookkeeping, Policy, Rule, Transform, compiled
from workers.orchestration.transition import Transition
from workers.orchestration.verdicts import Abort, Amend, Reject, SetParameter, Verdict, Wait

T = TypeVar("T", bound=Transition)
Entered = tuple[Rule[T] | Transform[T], StateType | None]

# What a broken rule raised is told to the sender of the command, as far as this.
_LONGEST_ERROR = 300


class NothingToKeepError(Exception):
    """Raised when a rule would have a run keep its state, and the run has none."""


class NoVerdictError(Exception):
    """Raised when a rule answers with something else than a verdict."""


def decide(t: T, policy: Policy[T], bookkeeping: Bookkeeping[T]) -> Decision | Failed:
    """Take one proposed state through a policy."""
    entered = _enter_all(t, policy)
    _record(t, bookkeeping)
    failed = _note(t, bookkeeping) or _leave_all(t, entered)
    return failed or _decision(t)


def _enter_all(t: T, policy: Policy[T]) -> list[Entered[T]]:
    """Ask every rule in order, as long as the proposal is still of the type that was intended."""
    entered: list[Entered[T]] = []
    intended = t.proposed_type
    for entry in compiled(policy, t.initial_type, intended):
        if isinstance(entry, Transform):
            entered.append((entry, intended))
        elif t.proposed is not None and t.proposed.type is intended:
            entered.append((entry, _ask(t, entry, t.proposed)))
    return entered


def _ask(t: T, rule: Rule[T], proposed: State) -> StateType | None:
    """Put the proposal before one rule; answers the type that the rule is bound to from now on."""
    try:
        verdict = rule.before(t, proposed)
        if verdict is not None:
            _follow(t, verdict, proposed)
    except Exception as error:  # noqa: BLE001 - a broken rule must stop the transition, whatever broke
        _stop(t, rule.name, error)
        return proposed.type
    return t.proposed_type


def _stop(t: Transition, rule_name: str, error: Exception) -> None:
    if t.fault is not None:
        return
    said = str(error).partition("\n")[0].replace("\x00", "")[:_LONGEST_ERROR]
    t.fault = Fault(rule_name, error)
    t.proposed, t.status, t.delay_seconds = None, Status.ABORT, None
    t.reason = f"the rule {rule_name} could not be applied: {said or type(error).__name__}"


def _follow(t: T, verdict: Verdict, proposed: State) -> None:
    match verdict:
        case Amend(name=name, details=details):
            t.proposed = evolve(
                proposed,
                name=proposed.name if name is None else name,
                state_details=proposed.state_details if details is None else details,
            )
        case SetParameter(name=name, value=value):
            t.parameters = {**t.parameters, name: value}
        case Reject(reason=reason, state=state):
            if state is None and t.initial is None:
                raise NothingToKeepError("there is no state to keep")
            t.proposed, t.status, t.reason = state, Status.REJECT, reason
        case Wait(reason=reason, delay_seconds=delay):
            t.proposed, t.status, t.reason, t.delay_seconds = None, Status.WAIT, reason, delay
        case Abort(reason=reason):
            t.proposed, t.status, t.reason = None, Status.ABORT, reason
        case _:
            raise NoVerdictError(f"it answered with {type(verdict).__name__}, which is no verdict")


def _record(t: T, bookkeeping: Bookkeeping[T]) -> None:
    for record in bookkeeping.before:
        if t.proposed is None:
            return
        record(t, t.proposed)


def _note(t: T, bookkeeping: Bookkeeping[T]) -> Failed | None:
    if t.proposed is None:
        return None
    for note in reversed(bookkeeping.after):
        if failed := note(t, t.proposed):
            return failed
    return None


def _leave_all(t: T, entered: list[Entered[T]]) -> Failed | None:
    for entry, bound_to in reversed(entered):
        try:
            failed = _leave(t, entry, bound_to)
        except Exception as error:  # noqa: BLE001 - as in `_ask`; nothing has been written so far
            _stop(t, _name_of(entry), error)
            return None
        if failed:
            return failed
    return None


def _name_of(entry: Rule[T] | Transform[T]) -> str:
    return entry.after.__name__ if isinstance(entry, Transform) else entry.name


def _leave(t: T, entry: Rule[T] | Transform[T], bound_to: StateType | None) -> Failed | None:
    if isinstance(entry, Transform):
        return None if t.proposed is None else entry.after(t, t.proposed)
    if bound_to not in entry.entering:
        return None
    if bound_to is t.proposed_type:
        return entry.after(t) if entry.after else None
    if entry.cleanup:
        entry.cleanup(t)
    return None


def _decision(t: T) -> Decision:
    """The outcome in values. Where a rule broke, nothing at all is changed."""
    changes = {} if t.fault else t.draft.changes_to(t.run)
    if t.proposed is not None:
        changes |= _state_columns(t.proposed)
    return Decision(
        status=t.status,
        reason=t.reason,
        delay_seconds=t.delay_seconds,
        state=t.proposed,
        changes=changes,
        effects=() if t.fault else tuple(t.effects),
        fault=t.fault,
    )


def _state_columns(state: State) -> dict[str, State | Id | StateType | str | object]:
    return {
        "state": state,
        "state_id": state.id,
        "state_type": state.type,
        "state_name": state.name,
        "state_timestamp": state.timestamp,
    }
