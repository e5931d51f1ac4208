"""Results: what a command or query came to (contract, section 3)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from messages.catalog import (
    Artifact,
    ConcurrencyLimit,
    Deployment,
    Flow,
    NotificationPolicy,
    WorkPool,
    WorkQueue,
)
from messages.errors import ErrorItem
from messages.evolve import value
from messages.fields import Id, JsonObject
from messages.runs import FlowRun, TaskRun
from messages.shapes import shape_of
from messages.states import State, StateType


class Status(StrEnum):
    """How a command ended. ACCEPT to ABORT answer `set_state`; all others end as OK; anything can be ERROR."""

    OK = "OK"
    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    WAIT = "WAIT"
    ABORT = "ABORT"
    ERROR = "ERROR"


@dataclass(frozen=True, kw_only=True)
class CommandRef:
    """Which command a result answers."""

    id: str
    type: str


@dataclass(frozen=True, kw_only=True)
class ErrorBody:
    """Why a command ended as ERROR."""

    code: str
    message: str
    errors: list[Annotated[ErrorItem, shape_of(ErrorItem)]]


@value(kw_only=True)
class Details:
    """Why the rules said no, and when to ask again (seconds)."""

    reason: str | None = None
    delay_seconds: int | None = None


@value(kw_only=True)
class RunSummary:
    """The run as committed, in short."""

    id: Id
    version: int
    state_type: StateType | None
    state_name: str | None
    run_count: int
    start_time: datetime | None
    end_time: datetime | None
    expected_start_time: datetime | None
    next_scheduled_start_time: datetime | None
    total_run_time: float


def summary(run: FlowRun | TaskRun) -> RunSummary:
    """The short form of a run that `set_state` results carry."""
    return RunSummary(
        id=run.id,
        version=run.version,
        state_type=run.state_type,
        state_name=run.state_name,
        run_count=run.run_count,
        start_time=run.start_time,
        end_time=run.end_time,
        expected_start_time=run.expected_start_time,
        next_scheduled_start_time=run.next_scheduled_start_time,
        total_run_time=run.total_run_time,
    )


@value()
class Outcome:
    """What a command came to, before it is put in an envelope: the status and what the result holds beside it."""

    status: Status
    body: JsonObject
    error: ErrorBody | None = None
    subject: Id | None = None

    def data(self, command_id: str, command_type: str) -> dict[str, Any]:
        """The `data` of the result."""
        return {
            "command": {"id": command_id, "type": command_type},
            "status": self.status,
            "replayed": False,
            "error": self.error,
            **self.body,
        }


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Slots taken. `lease_id` gives them back; without `expires_at` they are held until then."""

    lease_id: Id | None
    names: list[str]
    slots: int
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class FlowUpserted:
    """What came of `flow.upsert`; `created` is false where it existed already."""

    flow: Flow
    created: bool


@dataclass(frozen=True, kw_only=True)
class DeploymentUpserted:
    """What came of `deployment.upsert`."""

    deployment: Deployment
    created: bool


@dataclass(frozen=True, kw_only=True)
class WorkPoolUpserted:
    """What came of `work_pool.upsert`."""

    work_pool: WorkPool
    created: bool


@dataclass(frozen=True, kw_only=True)
class WorkQueueUpserted:
    """What came of `work_queue.upsert`."""

    work_queue: WorkQueue
    created: bool


@dataclass(frozen=True, kw_only=True)
class ConcurrencyLimitUpserted:
    """What came of `concurrency_limit.upsert`."""

    concurrency_limit: ConcurrencyLimit
    created: bool


@dataclass(frozen=True, kw_only=True)
class NotificationPolicyUpserted:
    """What came of `notification_policy.upsert`."""

    notification_policy: NotificationPolicy
    created: bool


@dataclass(frozen=True, kw_only=True)
class SlotsAcquired:
    """What came of `concurrency_limit.acquire`: OK with the lease, or WAIT with `details`."""

    lease: Lease | None = None
    details: Details | None = None


@dataclass(frozen=True, kw_only=True)
class SlotsReleased:
    """What came of `concurrency_limit.release`: false = nothing was held."""

    released: bool


@dataclass(frozen=True, kw_only=True)
class Deleted:
    """What came of a delete command: false = there was nothing to delete."""

    deleted: bool


@dataclass(frozen=True, kw_only=True)
class Updated:
    """What came of an update: false = no such run."""

    updated: bool


@dataclass(frozen=True, kw_only=True)
class FlowRunCreated:
    """What came of `flow_run.create`.

    `created` false: the idempotency key gave back an earlier run, unchanged; `mismatch` true: that run's
    deployment, parameters or tags differ from the command's.
    """

    flow_run: FlowRun
    created: bool
    mismatch: bool = False


@dataclass(frozen=True, kw_only=True)
class TaskRunCreated:
    """What came of `task_run.create`; `created` false: the run of this flow run, task key and dynamic key."""

    task_run: TaskRun
    created: bool


@dataclass(frozen=True, kw_only=True)
class StateSet:
    """What came of a set_state command: the state after it, the reason, and the run as committed."""

    state: State | None
    details: Details
    run: RunSummary


@dataclass(frozen=True, kw_only=True)
class ArtifactCreated:
    """What came of `artifact.create`."""

    artifact: Artifact


@dataclass(frozen=True, kw_only=True)
class BatchTaken:
    """Nothing: each command of a batch has a result of its own. A batch that cannot be read ends as ERROR."""
