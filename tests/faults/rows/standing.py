"""The active relay or clock stands still, and nobody ends its session: its lock must not stay with it for ever."""

import os
import signal
import time

import psutil

from store.duties import CLOCK_LOCK
from store.outbox import RELAY_LOCK
from tests.crashes.processes import Process, until
from tests.faults.row import Row, round_robin
from tests.faults.stage import Plan, Stage

_PLAN = Plan(fleet=("worker", "worker", "relay", "relay", "clock", "clock"))
_LOCKS = {"relay": RELAY_LOCK, "clock": CLOCK_LOCK}
_HOLDER = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def stand_still(stage: Stage, number: int) -> None:
    """SIGSTOP at any moment, or with events in hand; SIGCONT when another has taken over and done something."""
    for kind in round_robin(("relay", "relay-after-read", "clock"), number):
        role = kind.partition("-")[0]
        with stage.fault(f"SIGSTOP of the active {role}{' with events in hand' * (kind != role)}"):
            before = _holder(stage, role)
            zombie = _stop(stage, kind, role)
            until(
                lambda old=before, of=role: _holder(stage, of) not in (None, old),
                60,
                what="another to take over",
            )
            if role == "relay":
                seen = len(stage.witness.events)
                until(
                    lambda n=seen: len(stage.witness.events) > n + 10, 60, what="events from the other relay"
                )
            os.kill(zombie.popen.pid, signal.SIGCONT)


def _stop(stage: Stage, point: str, role: str) -> Process:
    if point != role:
        stage.arm(point, "stop")
        until(lambda: _standing(stage), 60, what="a relay with events in hand")
        return _standing(stage)[0]
    active = next(each for each in stage.fleet.members if each.role == role and _holds(stage, each, role))
    time.sleep(stage.author.random.uniform(0, 1.0))
    os.kill(active.popen.pid, signal.SIGSTOP)
    return active


def _standing(stage: Stage) -> list[Process]:
    return [
        each
        for each in stage.fleet.members
        if psutil.Process(each.popen.pid).status() == psutil.STATUS_STOPPED
    ]


def _holds(stage: Stage, process: Process, role: str) -> bool:
    """Whether a connection of this process's is the one that has the lock."""
    with stage.servers.postgres.session() as connection:
        row = connection.execute(
            "SELECT client_port FROM pg_stat_activity WHERE pid = %s", (_holder(stage, role),)
        ).fetchone()
    ports = {each.laddr.port for each in psutil.Process(process.popen.pid).net_connections("tcp")}
    return row is not None and row[0] in ports


def _holder(stage: Stage, role: str) -> int | None:
    """The session that has the lock of the active relay or clock."""
    with stage.servers.postgres.session() as connection:
        row = connection.execute(_HOLDER, (_LOCKS[role],)).fetchone()
    return None if row is None else int(row[0])


ROWS = (
    Row("29 stopped", "SIGSTOP of the active relay or clock until another has taken over, then SIGCONT", stand_still,
        "standing", _PLAN, few=3),
)  # fmt: skip
