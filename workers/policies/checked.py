"""Rules from outside, with a look at what they answer: what could not be stored must not reach the database.

There it would fail the transaction, and with it the commands of others.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from messages.states import State, StateDetails, StateType
from messages.wire import decode, encode
from workers.orchestration.policy import Policy, Rule
from workers.orchestration.transition import Transition
from workers.orchestration.verdicts import Abort, Amend, Reject, SetParameter, Verdict, Wait


class UnusableVerdict(Exception):
    """Raised when a rule answers with something that cannot be carried out; the engine makes it an ABORT."""


def checked(policy: Policy[Any], trusted: frozenset[Rule[Any]]) -> Policy[Any]:
    """The same policy, in which every rule that is not trusted has its answers looked at."""
    return Policy(
        policy.name,
        tuple(
            replace(entry, before=_checking(entry.before))
            if isinstance(entry, Rule) and entry not in trusted
            else entry
            for entry in policy.entries
        ),
    )


def _checking(
    before: Callable[[Any, State], Verdict | None],
) -> Callable[[Transition, State], Verdict | None]:
    def ask(t: Transition, proposed: State) -> Verdict | None:
        verdict = before(t, proposed)
        if verdict is not None:
            _check(verdict, t)
        return verdict

    return ask


def _check(verdict: object, t: Transition) -> None:
    match verdict:
        case Reject(reason=reason, state=state):
            _text("a reason", reason)
            if state is not None:
                _check_state(state, t)
        case Wait(reason=reason, delay_seconds=delay):
            _text("a reason", reason)
            if not isinstance(delay, int) or delay < 0:
                raise UnusableVerdict(f"a delay is a whole number of seconds, not {delay!r}")
        case Abort(reason=reason):
            _text("a reason", reason)
        case Amend():
            _check_amendment(verdict)
        case _ if not isinstance(verdict, SetParameter):
            raise UnusableVerdict(f"{type(verdict).__name__} is no verdict")


def _check_amendment(verdict: Amend) -> None:
    if verdict.name is not None:
        _text("a name", verdict.name)
    if verdict.details is not None:
        _check_details(verdict.details)


def _check_state(state: object, t: Transition) -> None:
    if not isinstance(state, State) or not isinstance(state.type, StateType):
        raise UnusableVerdict("the state of a Reject is a State: make it with new_state or fresh_copy")
    if t.initial is not None and state.id == t.initial.id:
        raise UnusableVerdict("the run has this state already: make another with fresh_copy")
    if state.timestamp.tzinfo is None:
        raise UnusableVerdict("the timestamp of a state needs a time zone")
    _text("a name", state.name)
    _check_details(state.state_details)
    decode(encode(state))


def _check_details(details: object) -> None:
    if not isinstance(details, StateDetails):
        raise UnusableVerdict("the details of a state are StateDetails")
    decode(encode(details))


def _text(what: str, value: object) -> None:
    if not isinstance(value, str) or "\x00" in value:
        raise UnusableVerdict(f"{what} is a text")
