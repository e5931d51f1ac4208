"""Criteria in the form that the indexes of runs can answer (see docs/decisions).

Indexes know what changes with a run's state only while the run is at rest; runs in motion are few, and are found
as such. So a question is put to both: to the index, and to those in motion. Together that is the same question.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, false, func, literal_column, or_, true

from messages.filters import (
    FlowRunFilter,
    FlowRunState,
    Moment,
    NameMatches,
    NullableText,
    Operator,
    StateTypeIn,
    StateTypeInOrNot,
    Tagged,
    TaskRunFilter,
    TaskRunState,
)
from messages.states import StateType
from store.reads.criteria import (
    Clause,
    Meaning,
    at_or_after,
    at_or_before,
    containing,
    joined,
    of_tags,
    one_of,
    said_of,
)
from store.tables.runs import IN_MOTION, LONGEST_INDEXED


class Scope(Enum):
    """Which runs are looked at: criteria are put so that they say the same of these."""

    ALL = auto()
    AT_REST = auto()
    IN_MOTION = auto()


def asked_scope(criteria: FlowRunFilter | TaskRunFilter | None) -> Scope:
    """The runs that a filter can mean at all, by the types of state that it names."""
    state = None if criteria is None or criteria.operator is Operator.OR else criteria.state
    if state is None or state.type is None or state.operator is Operator.OR:
        return Scope.ALL
    types = _wanted(state.type)
    if types is None or (types & IN_MOTION and types - IN_MOTION):
        return Scope.ALL
    return Scope.IN_MOTION if types & IN_MOTION else Scope.AT_REST


def _wanted(criteria: StateTypeIn | StateTypeInOrNot) -> frozenset[StateType] | None:
    """None if no types are named: then a run may have no state at all, too."""
    unwanted = getattr(criteria, "not_any_", None)
    if criteria.any_ is None and not unwanted:
        return None
    types = frozenset(StateType if criteria.any_ is None else criteria.any_)
    return types - frozenset(unwanted or ())


def within(table: Table, scope: Scope) -> list[Clause]:
    """What holds of the runs of a scope."""
    return {Scope.ALL: [], Scope.AT_REST: [at_rest(table)], Scope.IN_MOTION: [in_motion(table)]}[scope]


def at_rest(table: Table) -> Clause:
    """Runs that are scheduled, paused or over."""
    return table.c.resting_type.is_not(None)


def in_motion(table: Table) -> Clause:
    """All other runs."""
    return table.c.resting_type.is_(None)


def fits(column: ColumnElement[str]) -> Clause:
    """Whether a text is short enough for an index, in the words of that index."""
    return func.octet_length(column) <= literal_column(str(LONGEST_INDEXED))


def too_long(column: ColumnElement[str]) -> Clause:
    """The opposite; of such there is an index of its own."""
    return func.octet_length(column) > literal_column(str(LONGEST_INDEXED))


def short(texts: Sequence[str]) -> bool:
    """Whether all of them can be in an index."""
    return all(len(each.encode()) <= LONGEST_INDEXED for each in texts)


def of_name(table: Table, scope: Scope) -> Meaning:
    """What criteria say of a run's name."""

    def meaning(criteria: NameMatches) -> Clause:
        clauses = [] if criteria.like_ is None else [containing(table.c.name, criteria.like_)]
        if criteria.any_ is not None:
            same = one_of(table.c.name, criteria.any_)
            known = and_(fits(table.c.name), same)
            clauses.append(_of_both(table, scope, known, same) if short(criteria.any_) else same)
        return joined(criteria, clauses)

    return meaning


def of_tags_of_runs(table: Table, scope: Scope) -> Meaning:
    """What criteria say of a run's tags."""
    said = of_tags(table.c.tags)

    def meaning(criteria: Tagged) -> Clause:
        found = said(criteria)
        return found if criteria.all_ is None else _of_both(table, scope, found, found)

    return meaning


def of_queue_name(column: ColumnElement[str]) -> Meaning:
    """What criteria say of the name of a run's work queue, which does not change."""

    def meaning(criteria: NullableText) -> Clause:
        found = joined(criteria, said_of(column, criteria))
        indexed = criteria.any_ is not None and criteria.is_null_ is None and short(criteria.any_)
        return and_(fits(column), found) if indexed else found

    return meaning


def of_time(
    column: Column[Any], resting: Column[Any], scope: Scope, *, given: Clause | None = None
) -> Meaning:
    """What bounds say of a time. `resting` is what the index has of it: the same, or, where there is something
    else for NULL, the same wherever `given` holds."""

    def meaning(criteria: Moment) -> Clause:
        bounds = _bounds(column, criteria)
        if not bounds:
            return and_(true(), *said_of(column, criteria))
        known = [*_bounds(resting, criteria), *([] if given is None else [given])]
        nullness = criteria.model_copy(update={"before_": None, "after_": None})
        found = _of_both(column.table, scope, and_(*known), and_(*bounds))
        return and_(found, *said_of(column, nullness))

    return meaning


def _bounds(column: ColumnElement[Any], criteria: Moment) -> list[Clause]:
    found = [] if criteria.before_ is None else [at_or_before(column, criteria.before_)]
    return found if criteria.after_ is None else [*found, at_or_after(column, criteria.after_)]


def state_of(table: Table, scope: Scope) -> Meaning:
    """A state filter joins all its lists by one operator, whichever of the two columns they are about."""

    def meaning(criteria: FlowRunState | TaskRunState) -> Clause:
        clauses = [] if criteria.type is None else _types(table, scope, criteria.type)
        if criteria.name is not None:
            others = criteria.name.model_copy(update={"any_": None})
            clauses += said_of(table.c.state_name, others)
            clauses += [] if criteria.name.any_ is None else [_named(table, scope, criteria.name.any_)]
        return joined(criteria, clauses)

    return meaning


def _types(table: Table, scope: Scope, criteria: StateTypeIn | StateTypeInOrNot) -> list[Clause]:
    """There are few types: none of these is one of the others. No state at all is neither, as ever with null."""
    clauses = [] if criteria.any_ is None else [_in_types(table, scope, frozenset(criteria.any_))]
    unwanted = getattr(criteria, "not_any_", None)
    if unwanted is not None:
        others = frozenset(StateType).difference(unwanted)
        clauses.append(_in_types(table, scope, others) if unwanted else true())
    return clauses


def _in_types(table: Table, scope: Scope, types: frozenset[StateType]) -> Clause:
    resting, moving = sorted(types - IN_MOTION), sorted(types & IN_MOTION)
    clauses = []
    if resting and scope is not Scope.IN_MOTION:
        clauses.append(one_of(table.c.resting_type, resting))
    if moving and scope is not Scope.AT_REST:
        clauses.append(and_(in_motion(table), one_of(table.c.state_type, moving)))
    return or_(false(), *clauses)


def _named(table: Table, scope: Scope, names: Sequence[str]) -> Clause:
    plain = one_of(table.c.state_name, names)
    return _of_both(table, scope, one_of(table.c.resting_name, names), plain) if short(names) else plain


def _of_both(table: Table, scope: Scope, resting: Clause, moving: Clause) -> Clause:
    known, others = and_(at_rest(table), resting), and_(in_motion(table), moving)
    return {Scope.ALL: or_(known, others), Scope.AT_REST: known, Scope.IN_MOTION: others}[scope]
