"""What can be asked of task runs."""

from typing import Annotated, Any, Literal

from pydantic import StringConstraints, model_validator

from messages.commands.orchestration import SetState
from messages.fields import Data, Id, Instant, Key, Labels, Name, Tags, Text
from messages.runs import TaskRunPolicy
from messages.states import ProposedState

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
