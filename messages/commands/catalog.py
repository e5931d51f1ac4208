"""What can be asked of flows, deployments, work pools and queues, and artifacts."""

from typing import Any

from messages.catalog import ConcurrencyOptions
from messages.commands.flow_runs import FlowReference
from messages.fields import Count, Data, Id, JsonObject, Key, Labels, Name, Positive, Tags, Text


class UpsertFlow(Data):
    """Makes a flow, or changes the given fields of the one that has this name."""

    name: Name
    tags: Tags = []
    labels: Labels = {}


class UpsertDeployment(FlowReference):
    """Makes a deployment, or changes the given fields of the one that has this flow and name.

    `concurrency_limit`: left out, the limit stays; null removes it.
    """

    id: Id | None = None
    name: Name
    concurrency_limit: Count | None = None
    concurrency_options: ConcurrencyOptions | None = None
    work_pool_name: Name | None = None
    work_queue_name: Name | None = None
    tags: Tags = []
    labels: Labels = {}
    parameters: JsonObject = {}
    job_variables: JsonObject = {}
    version: Text | None = None
    paused: bool = False


class DeleteDeployment(Data):
    """Deletes a deployment, its limit and its scheduled runs that never started; other runs outlive it."""

    deployment_id: Id


class UpsertWorkPool(Data):
    """Makes a work pool, or changes the given fields of the one that has this name."""

    name: Name
    concurrency_limit: Count | None = None
    is_paused: bool = False


class UpsertWorkQueue(Data):
    """Makes a queue of a work pool, or changes the given fields of the one that has this name."""

    name: Name
    work_pool_name: Name
    priority: Positive = 1
    concurrency_limit: Count | None = None
    is_paused: bool = False


class CreateArtifact(Data):
    """Makes an artifact: something that a run leaves for people to look at."""

    key: Key | None = None
    type: Text | None = None
    data: Any = None
    description: Text | None = None
    flow_run_id: Id | None = None
    task_run_id: Id | None = None
