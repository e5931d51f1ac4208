"""What a rule may answer. To say nothing (None) is to let the transition pass."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from messages.states import State, StateDetails


@dataclass(frozen=True, slots=True)
class Reject:
    """The proposed state is not written: `state` is written in its place, or nothing if it is None."""

    reason: str
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is written; the caller should ask again after so many seconds."""

    reason: str
    delay_seconds: int


@dataclass(frozen=True, slots=True)
class Abort:
    """Nothing is written, and asking again will not help."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Amend:
    """The proposed state passes under another name or with other details."""

    name: str | None = None
    details: StateDetails | None = None


@dataclass(frozen=True, slots=True)
class SetParameter:
    """The transition passes; the rules that come later see this parameter."""

    name: str
    value: Any


Verdict: TypeAlias = Reject | Wait | Abort | Amend | SetParameter
