"""What runs a query asks for: plain frozen values that know no SQL.

`any_` is one of these, `not_any_` none of these (what is null matches neither), `like_` a part of the text
whatever its case, `all_` has all of these, `before_` and `after_` include the moment itself. A criterion left
out or null says nothing; `any_: []` matches nothing.

No index knows parts of texts: `like_` on a run's name reads every run that the other criteria leave. Among ten
million runs that takes longer than a query may (`INTERLOCK_QUERY_TIMEOUT`), among those of a day or of a flow a
fraction of a second. Give `expected_start_time`, a flow or a deployment too.
"""

from enum import StrEnum

from messages.fields import Data, Id, Instant
from messages.states import StateType

Ids = tuple[Id, ...]
Texts = tuple[str, ...]


class Operator(StrEnum):
    """How the criteria of one object are joined."""

    AND = "and_"
    OR = "or_"


class Criteria(Data):
    """Base of what joins its criteria by an operator of its own; the others join by `and_`."""

    operator: Operator = Operator.AND


class IdIn(Data):
    """One of these ids."""

    any_: Ids | None = None


class IdInOrNot(Data):
    """One of these ids, and none of those."""

    any_: Ids | None = None
    not_any_: Ids | None = None


class NullableId(Criteria):
    """An id that may be missing."""

    any_: Ids | None = None
    is_null_: bool | None = None


class ParentFlowRunId(Criteria):
    """The flow run whose task run started this one."""

    any_: Ids | None = None


class FlowRunOfTask(Criteria):
    """The flow run of a task run.

    `is_null_` true: those without one, whatever `any_` says. False, the default: without `any_`, those that
    have one.
    """

    any_: Ids | None = None
    is_null_: bool | None = False


class TextIn(Data):
    """One of these texts."""

    any_: Texts | None = None


class TextInOrNot(Data):
    """One of these texts, and none of those."""

    any_: Texts | None = None
    not_any_: Texts | None = None


class NullableText(Criteria):
    """A text that may be missing."""

    any_: Texts | None = None
    is_null_: bool | None = None


class NameMatches(Data):
    """A name: one of these, and with this in it (`%` and `_` are wildcards).

    `like_` reads every run that the other criteria leave: with many runs, give a time, a flow or a deployment too.
    """

    any_: Texts | None = None
    like_: str | None = None


class NameLike(Data):
    """A name with this in it (`%` and `_` are wildcards)."""

    like_: str | None = None


class QueueName(Data):
    """A queue's name: one of these, and beginning with one of those."""

    any_: Texts | None = None
    startswith_: Texts | None = None


class Tagged(Criteria):
    """Tags: all of these; none at all (`is_null_`)."""

    all_: Texts | None = None
    is_null_: bool | None = None


class Moment(Data):
    """A time within these bounds, both included."""

    before_: Instant | None = None
    after_: Instant | None = None


class NullableMoment(Moment):
    """A time that may be missing."""

    is_null_: bool | None = None


class IsNull(Criteria):
    """Whether there is none."""

    is_null_: bool | None = None


class Equals(Data):
    """This value."""

    eq_: bool | None = None


class Exists(Data):
    """Whether there is one."""

    exists_: bool | None = None


class NumberWithin(Data):
    """A number within bounds. Accepted and ignored, as by the system whose behaviour is kept."""

    ge_: int | None = None
    le_: int | None = None
    is_null_: bool | None = None


class StateTypeInOrNot(Data):
    """One of these types of state, and none of those."""

    any_: tuple[StateType, ...] | None = None
    not_any_: tuple[StateType, ...] | None = None


class StateTypeIn(Data):
    """One of these types of state."""

    any_: tuple[StateType, ...] | None = None


class FlowRunState(Criteria):
    """The current state of a flow run; the operator joins all the lists given here."""

    type: StateTypeInOrNot | None = None
    name: TextInOrNot | None = None


class TaskRunState(Criteria):
    """The current state of a task run; the operator joins the lists given here."""

    type: StateTypeIn | None = None
    name: TextIn | None = None


class FlowFilter(Criteria):
    """Which flows."""

    id: IdIn | None = None
    name: NameMatches | None = None
    tags: Tagged | None = None
    deployment: IsNull | None = None


class DeploymentFilter(Criteria):
    """Which deployments."""

    id: IdIn | None = None
    name: NameMatches | None = None
    flow_or_deployment_name: NameLike | None = None
    paused: Equals | None = None
    tags: Tagged | None = None
    work_queue_name: TextIn | None = None
    concurrency_limit: NumberWithin | None = None


class FlowRunFilter(Criteria):
    """Which flow runs."""

    id: IdInOrNot | None = None
    name: NameMatches | None = None
    tags: Tagged | None = None
    deployment_id: NullableId | None = None
    work_queue_name: NullableText | None = None
    state: FlowRunState | None = None
    flow_version: TextIn | None = None
    start_time: NullableMoment | None = None
    end_time: NullableMoment | None = None
    expected_start_time: Moment | None = None
    next_scheduled_start_time: Moment | None = None
    parent_flow_run_id: ParentFlowRunId | None = None
    parent_task_run_id: NullableId | None = None
    idempotency_key: TextInOrNot | None = None


class TaskRunFilter(Criteria):
    """Which task runs."""

    id: IdIn | None = None
    name: NameMatches | None = None
    tags: Tagged | None = None
    state: TaskRunState | None = None
    start_time: NullableMoment | None = None
    expected_start_time: Moment | None = None
    subflow_runs: Exists | None = None
    flow_run_id: FlowRunOfTask | None = None


class WorkPoolFilter(Criteria):
    """Which work pools. Pools have no type here, so `type.any_` matches none of them."""

    id: IdIn | None = None
    name: TextIn | None = None
    type: TextIn | None = None


class WorkQueueFilter(Criteria):
    """Which work queues."""

    id: IdIn | None = None
    name: QueueName | None = None
