"""What has to be known to say why a run waits: values only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from messages.catalog import Deployment, WorkPool, WorkQueue
from messages.fields import Id
from messages.runs import FlowRun, TaskRun
from store.reads.run_details import Held
from store.reads.waiting import Failing, ParkedCommand
from workers.slots.overview import Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A run, or the id of one that does not exist yet, and all that may keep it from going on.

    `limits` are those of its deployment, or of its tags; `above` is the flow run of a task run, or the one whose
    task run started a subflow run; the numbers are of runs under way in its work queue and its work pool.
    """

    now: datetime
    run_id: Id
    run: FlowRun | TaskRun | None
    deployment: Deployment | None = None
    queue: WorkQueue | None = None
    pool: WorkPool | None = None
    under_way_in_queue: int = 0
    under_way_in_pool: int = 0
    limits: Sequence[Use] = ()
    held: Sequence[Held] = ()
    above: FlowRun | None = None
    failing: Sequence[Failing] = ()
    parked: Sequence[ParkedCommand] = ()
    gap_timeout: timedelta = timedelta(seconds=60)
    late_after: timedelta = timedelta(seconds=15)
