"""The slots that a flow run and its task runs hold."""

from dataclasses import dataclass
from datetime import datetime

from messages.fields import Id
from store import driver
from store.transaction import Connection

_OF_A_RUN = """
SELECT l.name AS limit_name, s.slots, s.acquired_at, t.name AS task_run
FROM concurrency_slot s JOIN concurrency_limit l ON l.id = s.limit_id LEFT JOIN task_run t ON t.id = s.task_run_id
WHERE s.flow_run_id = %(run)s OR s.task_run_id IN (SELECT id FROM task_run WHERE flow_run_id = %(run)s)
ORDER BY s.acquired_at, s.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSlot:
    """Slots of a limit. `task_run` is the name of the task run that holds them; None: the flow run itself."""

    limit_name: str
    slots: int
    acquired_at: datetime
    task_run: str | None


def slots_of(connection: Connection, flow_run_id: Id) -> list[HeldSlot]:
    """Oldest first."""
    rows = driver.records(connection, _OF_A_RUN, {"run": flow_run_id})
    return [HeldSlot(**row) for row in rows]
