"""What a policy is made of: rules, which may object, and transforms, which only take note.

A rule declares between which types it speaks. `None` in a set of types stands for no state at all: a run that
never had one, or a proposal that has come to nothing. That is why the set of all types has ten members.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeAlias, TypeVar

from messages.states import TERMINAL, State, StateType
from workers.orchestration.decision import Failed
from workers.orchestration.transition import Transition
from workers.orchestration.verdicts import Verdict

T_contra = TypeVar("T_contra", bound=Transition, contravariant=True)
R = TypeVar("R", bound=Transition)

Types: TypeAlias = frozenset[StateType | None]

EVERY_TYPE: Types = frozenset({*StateType, None})
TERMINAL_TYPES: Types = frozenset(TERMINAL)


def only(*types: StateType) -> Types:
    """Just these."""
    return frozenset(types)


def all_except(*types: StateType) -> Types:
    """Every type but these; no state is among them."""
    return EVERY_TYPE - frozenset(types)


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Rule(Generic[T_contra]):
    """One rule. `before` is asked while the transition can still be stopped.

    `after` follows if the transition went the way that this rule last saw it go, `cleanup` if another turned
    it.
    """

    name: str
    leaving: Types
    entering: Types
    before: Callable[[T_contra, State], Verdict | None]
    after: Callable[[T_contra], Failed | None] | None = None
    cleanup: Callable[[T_contra], None] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Transform(Generic[T_contra]):
    """Takes note of every state that is written, whichever rule chose it."""

    after: Callable[[T_contra, State], Failed | None]


@dataclass(frozen=True, eq=False, slots=True)
class Policy(Generic[T_contra]):
    """Rules and transforms in the order in which they are asked."""

    name: str
    entries: tuple[Rule[T_contra] | Transform[T_contra], ...]


@dataclass(frozen=True, eq=False, slots=True)
class Bookkeeping(Generic[T_contra]):
    """What is recorded of every state that is written, under any policy: before it is, and once it is."""

    before: tuple[Callable[[T_contra, State], None], ...]
    after: tuple[Callable[[T_contra, State], Failed | None], ...] = ()


def rule(
    leaving: Set[StateType | None],
    entering: Set[StateType | None],
    *,
    after: Callable[[Any], Failed | None] | None = None,
    cleanup: Callable[[Any], None] | None = None,
) -> Callable[[Callable[[R, State], Verdict | None]], Rule[R]]:
    """Make a rule of a function; the function's name becomes the rule's."""

    def made(before: Callable[[R, State], Verdict | None]) -> Rule[R]:
        return Rule(
            name=before.__name__,
            leaving=frozenset(leaving),
            entering=frozenset(entering),
            before=before,
            after=after,
            cleanup=cleanup,
        )

    return made


@lru_cache(maxsize=4096)
def compiled(
    policy: Policy[Any], leaving: StateType | None, entering: StateType | None
) -> tuple[Rule[Any] | Transform[Any], ...]:
    """Those entries of a policy that have a say in this transition, in their order."""
    return tuple(
        entry
        for entry in policy.entries
        if isinstance(entry, Transform) or (leaving in entry.leaving and entering in entry.entering)
    )
