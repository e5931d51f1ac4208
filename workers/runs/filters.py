"""Which runs are listed: what was said on the command line as the filters of a query. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from messages.fields import Id
from messages.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    FlowRunState,
    IdIn,
    Moment,
    NameMatches,
    ParentFlowRunId,
    QueueName,
    StateTypeInOrNot,
    Tagged,
    TextIn,
    TextInOrNot,
    WorkPoolFilter,
    WorkQueueFilter,
)
from messages.queries import FlowRunSort, RunFilters
from messages.states import StateType


class UnknownWord(Exception):
    """Raised for a state or an order that does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was said; empty or None says nothing. Flows and deployments by name or id; times are included.

    `since` and `until` are about when a run should have started, or did.
    """

    states: tuple[str, ...] = ()
    state_names: tuple[str, ...] = ()
    flows: tuple[str, ...] = ()
    deployments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    name_like: str | None = None
    work_queues: tuple[str, ...] = ()
    work_pools: tuple[str, ...] = ()
    parent: Id | None = None
    since: datetime | None = None
    until: datetime | None = None
    scheduled_after: datetime | None = None
    scheduled_before: datetime | None = None


def filters_of(wanted: Wanted) -> RunFilters:
    """The same as a query asks it.

    Raises:
        UnknownWord: no such type of state.
    """
    return RunFilters(
        flow_runs=FlowRunFilter(
            name=_names(wanted.names, wanted.name_like),
            tags=Tagged(all_=wanted.tags) if wanted.tags else None,
            state=_state(wanted),
            parent_flow_run_id=ParentFlowRunId(any_=(wanted.parent,)) if wanted.parent else None,
            expected_start_time=_between(wanted.since, wanted.until),
            next_scheduled_start_time=_between(wanted.scheduled_after, wanted.scheduled_before),
        ),
        flows=_flows(wanted.flows),
        deployments=_deployments(wanted.deployments),
        work_queues=WorkQueueFilter(name=QueueName(any_=wanted.work_queues)) if wanted.work_queues else None,
        work_pools=WorkPoolFilter(name=TextIn(any_=wanted.work_pools)) if wanted.work_pools else None,
    )


def sort_of(word: str) -> FlowRunSort:
    """The order of this name, written in any case, with - or _.

    Raises:
        UnknownWord: there is none.
    """
    try:
        return FlowRunSort(word.upper().replace("-", "_"))
    except ValueError:
        known = ", ".join(each.lower().replace("_", "-") for each in FlowRunSort)
        raise UnknownWord(f"there is no order {word!r}; there are {known}") from None


def _state(wanted: Wanted) -> FlowRunState | None:
    if not wanted.states and not wanted.state_names:
        return None
    return FlowRunState(
        type=StateTypeInOrNot(any_=tuple(map(_type, wanted.states))) if wanted.states else None,
        name=TextInOrNot(any_=wanted.state_names) if wanted.state_names else None,
    )


def _type(word: str) -> StateType:
    try:
        return StateType(word.upper())
    except ValueError:
        known = ", ".join(each.lower() for each in StateType)
        raise UnknownWord(f"there is no state {word!r}; there are {known} (names: --state-name)") from None


def _names(names: tuple[str, ...], like: str | None) -> NameMatches | None:
    return NameMatches(any_=names or None, like_=like) if names or like else None


def _flows(given: tuple[str, ...]) -> FlowFilter | None:
    ids, names = _divided(given)
    if ids:
        return FlowFilter(id=IdIn(any_=ids))
    return FlowFilter(name=NameMatches(any_=names)) if names else None


def _deployments(given: tuple[str, ...]) -> DeploymentFilter | None:
    ids, names = _divided(given)
    if ids:
        return DeploymentFilter(id=IdIn(any_=ids))
    return DeploymentFilter(name=NameMatches(any_=names)) if names else None


def _divided(given: tuple[str, ...]) -> tuple[tuple[Id, ...], tuple[str, ...]]:
    """As ids if all of them are, else as names."""
    try:
        return tuple(UUID(each) for each in given), ()
    except ValueError:
        return (), given


def _between(after: datetime | None, before: datetime | None) -> Moment | None:
    return Moment(after_=after, before_=before) if after or before else None
