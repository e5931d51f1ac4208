"""What can be asked of flow runs."""

from typing import Annotated

from pydantic import StringConstraints, model_validator

from messages.commands.orchestration import OrchestrationParameters, SetState
from messages.fields import Data, Id, JsonObject, Key, Labels, Name, Tags, Text
from messages.runs import FlowRunPolicy
from messages.states import ProposedState


class FlowReference(Data):
    """Names a flow, by id or by name: one of the two."""

    flow_id: Id | None = None
    flow_name: Name | None = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> "FlowReference":
        if (self.flow_id is None) == (self.flow_name is None):
            raise ValueError("give flow_id or flow_name, one of the two")
        return self


class CreatedBy(Data):
    """Who asked for a run."""

    id: Id | None = None
    type: Text | None = None
    display_value: Text | None = None


class CreateFlowRun(FlowReference):
    """Makes a flow run; an idempotency key that the flow has seen gives back the run made before."""

    id: Id | None = None
    name: Name | None = None
    deployment_id: Id | None = None
    idempotency_key: Key | None = None
    parameters: JsonObject = {}
    context: JsonObject = {}
    tags: Tags = []
    labels: Labels = {}
    parent_task_run_id: Id | None = None
    empirical_policy: FlowRunPolicy = FlowRunPolicy()
    work_queue_name: Name | None = None
    work_pool_name: Name | None = None
    infrastructure_pid: Text | None = None
    job_variables: JsonObject | None = {}
    created_by: CreatedBy | None = None
    auto_scheduled: bool = False
    flow_version: Text | None = None
    deployment_version: Text | None = None
    state: ProposedState | None = None
    orchestration_parameters: OrchestrationParameters = OrchestrationParameters()


class UpdateFlowRun(Data):
    """Replaces the given fields of a flow run, each as a whole. An empty or null name asks for a new one."""

    flow_run_id: Id
    name: Annotated[str, StringConstraints(max_length=1_000)] | None = None
    flow_version: Text | None = None
    parameters: JsonObject = {}
    empirical_policy: FlowRunPolicy = FlowRunPolicy()
    tags: Tags = []
    infrastructure_pid: Text | None = None
    job_variables: JsonObject | None = None


class SetFlowRunLabels(Data):
    """Merges labels into those of a flow run."""

    flow_run_id: Id
    labels: Labels


class SetFlowRunState(SetState):
    """Proposes a state for a flow run; the rules decide."""

    flow_run_id: Id


class DeleteFlowRun(Data):
    """Deletes a flow run with its states, task runs and slots."""

    flow_run_id: Id
