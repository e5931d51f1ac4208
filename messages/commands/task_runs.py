"""What can be asked of task runs."""

from typing import Annotated, Any, Literal, Self

from pydantic import StringConstraints, model_validator

from messages.commands.orchestration import SetState
from messages.fields import Data, Id, Instant, Key, Labels, Name, Tags, Text, in_bytes
from messages.runs import TaskRunPolicy
from messages.states import ProposedState

# With the id of the flow run they are one entry of an index.
_BOTH_KEYS_BYTES = 2_600
_IDENTIFIED_BY = {"task_run": "id", "flow_run": "id", "parameter": "name", "constant": "type"}


class TaskRunInput(Data):
    """One thing that a task run takes in: another run's result, a parameter or a constant."""

    input_type: Literal["task_run", "flow_run", "parameter", "constant"]
    id: Id | None = None
    name: Text | None = None
    type: Text | None = None

    @model_validator(mode="after")
    def _names_what_it_is(self) -> "TaskRunInput":
        wanted = _IDENTIFIED_BY[self.input_type]
        if {name for name in ("id", "name", "type") if getattr(self, name) is not None} != {wanted}:
            raise ValueError(f"an input of type {self.input_type} has `{wanted}` and nothing else")
        return self

    def plain(self) -> dict[str, Any]:
        """The input as it is kept and told."""
        return self.model_dump(mode="json", exclude_none=True)


class CreateTaskRun(Data):
    """Makes a task run; the same flow run, task key and dynamic key give back the run made before."""

    flow_run_id: Id | None = None
    task_key: Key
    dynamic_key: Key
    id: Id | None = None
    name: Name | None = None
    cache_key: Key | None = None
    cache_expiration: Instant | None = None
    task_version: Text | None = None
    empirical_policy: TaskRunPolicy = TaskRunPolicy()
    tags: Tags = []
    labels: Labels = {}
    task_inputs: dict[str, list[TaskRunInput]] = {}
    state: ProposedState | None = None

    @model_validator(mode="after")
    def _keys_fit_into_one_index(self) -> Self:
        length = in_bytes(self.task_key) + in_bytes(self.dynamic_key)
        if length > _BOTH_KEYS_BYTES:
            raise ValueError(
                "`task_key` and `dynamic_key` have at most "
                f"{_BOTH_KEYS_BYTES} bytes in UTF-8 together; these have {length}"
            )
        return self


class UpdateTaskRun(Data):
    """Renames a task run. An empty or null name asks for a new one."""

    task_run_id: Id
    name: Annotated[str, StringConstraints(max_length=1_000)] | None = None


class SetTaskRunState(SetState):
    """Proposes a state for a task run; the rules decide."""

    task_run_id: Id


class DeleteTaskRun(Data):
    """Deletes a task run with its states and slots."""

    task_run_id: Id
