"""What can be asked (contract, section 4). Queries change nothing and are answered from what is committed."""

from dataclasses import fields
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema, model_validator

from messages.fields import Data, Id, Instant, Name
from messages.filters import (
    DeploymentFilter,
    FlowFilter,
    FlowRunFilter,
    TaskRunFilter,
    WorkPoolFilter,
    WorkQueueFilter,
)
from messages.runs import FlowRun, TaskRun

MAX_LIMIT = 200
MAX_OFFSET = 2**31 - 1

Limit = Annotated[int, Field(ge=0, le=MAX_LIMIT)]
Offset = Annotated[int, Field(ge=0, le=MAX_OFFSET)]
Cursor = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]

FLOW_RUN_COLUMNS = tuple(item.name for item in fields(FlowRun))
TASK_RUN_COLUMNS = tuple(item.name for item in fields(TaskRun))


def _one_of(names: tuple[str, ...]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in names:
            raise ValueError(f"no such column; there are {', '.join(names)}")
        return value

    return AfterValidator(check)


FlowRunColumn = Annotated[
    str, _one_of(FLOW_RUN_COLUMNS), WithJsonSchema({"type": "string", "enum": list(FLOW_RUN_COLUMNS)})
]
TaskRunColumn = Annotated[
    str, _one_of(TASK_RUN_COLUMNS), WithJsonSchema({"type": "string", "enum": list(TASK_RUN_COLUMNS)})
]


class FlowRunSort(StrEnum):
    """The order of a list of flow runs. START_TIME is the expected one where a run has not started."""

    ID_DESC = "ID_DESC"
    START_TIME_ASC = "START_TIME_ASC"
    START_TIME_DESC = "START_TIME_DESC"
    EXPECTED_START_TIME_ASC = "EXPECTED_START_TIME_ASC"
    EXPECTED_START_TIME_DESC = "EXPECTED_START_TIME_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
    NEXT_SCHEDULED_START_TIME_ASC = "NEXT_SCHEDULED_START_TIME_ASC"
    END_TIME_DESC = "END_TIME_DESC"


class TaskRunSort(StrEnum):
    """The order of a list of task runs."""

    ID_DESC = "ID_DESC"
    EXPECTED_START_TIME_ASC = "EXPECTED_START_TIME_ASC"
    EXPECTED_START_TIME_DESC = "EXPECTED_START_TIME_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
    NEXT_SCHEDULED_START_TIME_ASC = "NEXT_SCHEDULED_START_TIME_ASC"
    END_TIME_DESC = "END_TIME_DESC"


class ReadById(Data):
    """Asks for one object, by its id."""

    id: Id


class ReadByIdOrName(Data):
    """Asks for one object, by its id or its unique name: one of the two."""

    id: Id | None = None
    name: Name | None = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> "ReadByIdOrName":
        if (self.id is None) == (self.name is None):
            raise ValueError("give id or name, one of the two")
        return self


class ReadDeployment(Data):
    """Asks for one deployment: by its id, or by its name and its flow, which together are unique."""

    id: Id | None = None
    name: Name | None = None
    flow_id: Id | None = None
    flow_name: Name | None = None

    @model_validator(mode="after")
    def _id_or_name_and_flow(self) -> "ReadDeployment":
        flows = (self.flow_id is not None) + (self.flow_name is not None)
        by_id = self.id is not None and self.name is None and flows == 0
        by_name = self.id is None and self.name is not None and flows == 1
        if not by_id and not by_name:
            raise ValueError("give id; or name and, of flow_id and flow_name, one")
        return self


class RunFilters(Data):
    """Which runs, said of them and of what belongs to them. All that is given must hold.

    A filter that is given but empty still asks for the related object to exist.
    """

    flows: FlowFilter | None = None
    flow_runs: FlowRunFilter | None = None
    task_runs: TaskRunFilter | None = None
    deployments: DeploymentFilter | None = None
    work_pools: WorkPoolFilter | None = None
    work_queues: WorkQueueFilter | None = None


class _Page(RunFilters):
    """A page of a list: `offset` and `limit`, or `after`, the cursor that the page before gave as `next`."""

    offset: Offset = 0
    limit: Limit = MAX_LIMIT
    after: Cursor | None = None

    @model_validator(mode="after")
    def _one_way_of_paging(self) -> "_Page":
        if self.after is not None and self.offset:
            raise ValueError("give offset or after, not both")
        return self


class ListFlowRuns(_Page):
    """Asks for flow runs; with `columns`, for these of their fields and their id.

    A filter for a part of a name (`like_`) reads every run that the other filters leave: with millions of runs, give
    `expected_start_time` or a flow too, else the query may end by `INTERLOCK_QUERY_TIMEOUT`.
    """

    columns: tuple[FlowRunColumn, ...] | None = None
    sort: FlowRunSort = FlowRunSort.ID_DESC


class ListTaskRuns(_Page):
    """Asks for task runs; with `columns`, for these of their fields and their id.

    A filter for a part of a name (`like_`) reads every run that the other filters leave: with millions of runs, give
    `expected_start_time` or a flow too, else the query may end by `INTERLOCK_QUERY_TIMEOUT`.
    """

    columns: tuple[TaskRunColumn, ...] | None = None
    sort: TaskRunSort = TaskRunSort.ID_DESC


class CountFlowRuns(RunFilters):
    """Asks how many flow runs there are."""


class CountTaskRuns(RunFilters):
    """Asks how many task runs there are."""


class ListFlowRunStates(Data):
    """Asks for the states that a flow run has had, oldest first."""

    flow_run_id: Id


class ListTaskRunStates(Data):
    """Asks for the states that a task run has had, oldest first."""

    task_run_id: Id


class ReadGraph(Data):
    """Asks for the graph of a flow run; `since` leaves out what had ended before."""

    flow_run_id: Id
    since: Instant | None = None


class ReadDependencies(Data):
    """Asks which task run of a flow run waited for which."""

    flow_run_id: Id


class ListNotificationPolicies(Data):
    """Asks for notification policies, in the order of their ids: all, one, or those that are (not) active."""

    id: Id | None = None
    is_active: bool | None = None
    offset: Offset = 0
    limit: Limit = MAX_LIMIT


class ReadCommand(Data):
    """Asks for the stored result of a command, by the command's id."""

    id: Id
