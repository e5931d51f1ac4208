"""What can be said: each type, the model of its data, and what its result holds, as the contract has it."""

from messages.answers import (
    CommandFound,
    ConcurrencyLimitFound,
    Counted,
    DependenciesRead,
    DeploymentFound,
    FlowFound,
    FlowRunFound,
    FlowRunPage,
    GraphRead,
    NotificationPolicies,
    States,
    TaskRunFound,
    TaskRunPage,
)
from messages.commands.batch import Batch
from messages.commands.catalog import (
    CreateArtifact,
    DeleteDeployment,
    UpsertDeployment,
    UpsertFlow,
    UpsertWorkPool,
    UpsertWorkQueue,
)
from messages.commands.flow_runs import (
    CreateFlowRun,
    DeleteFlowRun,
    SetFlowRunLabels,
    SetFlowRunState,
    UpdateFlowRun,
)
from messages.commands.limits import (
    AcquireSlots,
    DeleteConcurrencyLimit,
    ReleaseSlots,
    UpsertConcurrencyLimit,
)
from messages.commands.notifications import DeleteNotificationPolicy, UpsertNotificationPolicy
from messages.commands.task_runs import CreateTaskRun, DeleteTaskRun, SetTaskRunState, UpdateTaskRun
from messages.events import (
    CommandDeadLettered,
    FlowRunStateChanged,
    Notification,
    RunDeleted,
    TaskRunStateChanged,
)
from messages.fields import Data
from messages.queries import (
    CountFlowRuns,
    CountTaskRuns,
    ListFlowRuns,
    ListFlowRunStates,
    ListNotificationPolicies,
    ListTaskRuns,
    ListTaskRunStates,
    ReadById,
    ReadByIdOrName,
    ReadCommand,
    ReadDependencies,
    ReadDeployment,
    ReadGraph,
)
from messages.results import (
    ArtifactCreated,
    BatchTaken,
    ConcurrencyLimitUpserted,
    Deleted,
    DeploymentUpserted,
    FlowRunCreated,
    FlowUpserted,
    NotificationPolicyUpserted,
    SlotsAcquired,
    SlotsReleased,
    StateSet,
    TaskRunCreated,
    Updated,
    WorkPoolUpserted,
    WorkQueueUpserted,
)
from messages.runs import FlowRun, TaskRun

COMMANDS_QUEUE = "commands"
QUERIES_QUEUE = "queries"
BATCH = "batch"

COMMANDS: dict[str, type[Data]] = {
    "flow.upsert": UpsertFlow,
    "deployment.upsert": UpsertDeployment,
    "deployment.delete": DeleteDeployment,
    "work_pool.upsert": UpsertWorkPool,
    "work_queue.upsert": UpsertWorkQueue,
    "concurrency_limit.upsert": UpsertConcurrencyLimit,
    "concurrency_limit.acquire": AcquireSlots,
    "concurrency_limit.release": ReleaseSlots,
    "concurrency_limit.delete": DeleteConcurrencyLimit,
    "notification_policy.upsert": UpsertNotificationPolicy,
    "notification_policy.delete": DeleteNotificationPolicy,
    "flow_run.create": CreateFlowRun,
    "flow_run.update": UpdateFlowRun,
    "flow_run.set_labels": SetFlowRunLabels,
    "flow_run.set_state": SetFlowRunState,
    "flow_run.delete": DeleteFlowRun,
    "task_run.create": CreateTaskRun,
    "task_run.update": UpdateTaskRun,
    "task_run.set_state": SetTaskRunState,
    "task_run.delete": DeleteTaskRun,
    "artifact.create": CreateArtifact,
}


QUERIES: dict[str, type[Data]] = {
    "flow_run.read": ReadById,
    "task_run.read": ReadById,
    "flow.read": ReadByIdOrName,
    "deployment.read": ReadDeployment,
    "concurrency_limit.read": ReadByIdOrName,
    "notification_policy.list": ListNotificationPolicies,
    "flow_run.list": ListFlowRuns,
    "task_run.list": ListTaskRuns,
    "flow_run.count": CountFlowRuns,
    "task_run.count": CountTaskRuns,
    "flow_run.states": ListFlowRunStates,
    "task_run.states": ListTaskRunStates,
    "flow_run.graph": ReadGraph,
    "flow_run.dependencies": ReadDependencies,
    "command.read": ReadCommand,
}

# All that can be sent.
INPUTS: dict[str, type[Data]] = {**COMMANDS, BATCH: Batch, **QUERIES}

# What a result holds beside the common part, by the type of the command or query.
RESULTS: dict[str, type] = {
    "flow.upsert": FlowUpserted,
    "deployment.upsert": DeploymentUpserted,
    "deployment.delete": Deleted,
    "work_pool.upsert": WorkPoolUpserted,
    "work_queue.upsert": WorkQueueUpserted,
    "concurrency_limit.upsert": ConcurrencyLimitUpserted,
    "concurrency_limit.acquire": SlotsAcquired,
    "concurrency_limit.release": SlotsReleased,
    "concurrency_limit.delete": Deleted,
    "notification_policy.upsert": NotificationPolicyUpserted,
    "notification_policy.delete": Deleted,
    "flow_run.create": FlowRunCreated,
    "flow_run.update": Updated,
    "flow_run.set_labels": Updated,
    "flow_run.set_state": StateSet,
    "flow_run.delete": Deleted,
    "task_run.create": TaskRunCreated,
    "task_run.update": Updated,
    "task_run.set_state": StateSet,
    "task_run.delete": Deleted,
    "artifact.create": ArtifactCreated,
    BATCH: BatchTaken,
    "flow_run.read": FlowRunFound,
    "task_run.read": TaskRunFound,
    "flow.read": FlowFound,
    "deployment.read": DeploymentFound,
    "concurrency_limit.read": ConcurrencyLimitFound,
    "notification_policy.list": NotificationPolicies,
    "flow_run.list": FlowRunPage,
    "task_run.list": TaskRunPage,
    "flow_run.count": Counted,
    "task_run.count": Counted,
    "flow_run.states": States,
    "task_run.states": States,
    "flow_run.graph": GraphRead,
    "flow_run.dependencies": DependenciesRead,
    "command.read": CommandFound,
}

EVENTS: dict[str, type] = {
    "flow_run.created": FlowRun,
    "flow_run.updated": FlowRun,
    "flow_run.state_changed": FlowRunStateChanged,
    "flow_run.deleted": RunDeleted,
    "task_run.created": TaskRun,
    "task_run.updated": TaskRun,
    "task_run.state_changed": TaskRunStateChanged,
    "task_run.deleted": RunDeleted,
    "task_run.scheduled": TaskRun,
    "command.dead_lettered": CommandDeadLettered,
    "notification": Notification,
}


def queue_of(message_type: str) -> str:
    """The queue on which a type travels: queries have their own; all else, known or not: `commands`."""
    return QUERIES_QUEUE if message_type in QUERIES else COMMANDS_QUEUE
