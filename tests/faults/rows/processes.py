"""Workers, relays and clocks are killed, stopped and thawed, asked to end, and given wrong clocks."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.crashes.processes import Process, Way, until
from tests.faults.failpoints import AFTER_COMMIT, BEFORE_COMMIT, OF_CLOCKS, OF_RELAYS
from tests.faults.row import Row, round_robin
from tests.faults.stage import NAMESPACE, QUICK, WAY, Plan, Stage
from tests.faults.traffic import Pace

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
#: nothing but the clock's own duties is put off, lest they change runs
PATIENT = {name: QUICK[name] for name in ("late_after", "sequence_gap_timeout")}
DEFAULTS = Plan(fleet=("worker",) * 5 + ("relay", "clock"), settings=PATIENT, pace=Pace(rate=60))
RELAYS = Plan(fleet=("worker", "worker", "relay", "relay", "clock"))


def die_before_commit(stage: Stage, number: int) -> None:
    for point in round_robin(BEFORE_COMMIT, number):
        with stage.fault(point):
            stage.arm(point)


def die_after_commit(stage: Stage, number: int) -> None:
    for point in round_robin(AFTER_COMMIT, number):
        with stage.fault(point):
            stage.arm(point)


def relay_dies(stage: Stage, number: int) -> None:
    for point in round_robin(OF_RELAYS, number):
        with stage.fault(point):
            stage.arm(point)


def clock_dies(stage: Stage, number: int) -> None:
    for point in round_robin(OF_CLOCKS, number):
        with stage.fault(point):
            stage.arm(point)


def die_with_default_settings(stage: Stage, number: int) -> None:
    """As many at a time as there are workers: each has something in hand when it dies."""
    left = number
    while left > 0:
        at_once = min(left, 4)
        died = []
        for point in round_robin((*BEFORE_COMMIT, *AFTER_COMMIT), at_once):
            with stage.fault(point, wait=False):
                stage.arm(point)
            died.append(time.monotonic())
        recoveries = [stage.recovered(moment) for moment in died]
        for place, recovery in enumerate(recoveries, len(stage.injections) - at_once):
            stage.injections[place] = replace(stage.injections[place], recovery_s=recovery)
        left -= at_once


def stand_still(stage: Stage, number: int) -> None:
    """A zombie: silent for longer than the heartbeat's timeout, then it goes on where it stood."""
    seconds = 1.5 * stage.settings.heartbeat_timeout.total_seconds()
    for point in round_robin(
        ("after-fetch", "after-lock", "before-commit", "after-commit", "before-ack"), number
    ):
        with stage.fault(f"SIGSTOP {point}"):
            stage.arm(point, "stop")
            stopped = _until_somebody_stands(stage)
            time.sleep(seconds)
            os.kill(stopped.popen.pid, signal.SIGCONT)


def _until_somebody_stands(stage: Stage) -> Process:
    import psutil

    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        for each in stage.fleet.members:
            if psutil.Process(each.popen.pid).status() == psutil.STATUS_STOPPED:
                return each
        time.sleep(0.01)
    raise AssertionError("nobody stands still")


def stop_gracefully(stage: Stage, number: int) -> None:
    """SIGTERM, every third time twice: it ends with status 0, and nothing has to be waited for."""
    for turn in range(number):
        twice = turn % 3 == 2
        worker = stage.process("worker", turn % 2)
        with _let_go(stage, worker), stage.fault("SIGTERM twice" if twice else "SIGTERM"):
            # Before it says that it is ready, a signal just ends it.
            worker.wait_until_ready()
            if twice:
                worker.popen.terminate()
            if status := worker.stop():
                stage.violations.append(f"a worker that was asked to end did so with status {status}")
            worker.start()
            worker.wait_until_ready()
    _nobody_waits_for_a_heartbeat(stage)


def _nobody_waits_for_a_heartbeat(stage: Stage) -> None:
    """Whoever left gracefully has left nothing in its hands: only the living have anything."""
    alive = stage.redis.zcard(f"{NAMESPACE}:__heartbeats__")
    most = 2 * len([each for each in stage.fleet.members if each.role == "worker"])
    if int(alive) > most:
        stage.violations.append(f"{alive} consumers are said to be alive, {most} are")


@contextmanager
def _let_go(stage: Stage, process: Process) -> Iterator[None]:
    stage.supervisor.let_go(process)
    yield
    stage.supervisor.take_back(process)


def skewed_clocks(stage: Stage, number: int) -> None:
    """One more worker, whose clock is wrong, or steps back while it works."""
    file = stage.folder / "faketime"
    for skew in round_robin(("+62s", "-62s", "+1h", "-1h", "back"), number):
        way = skewed(file, "+0s" if skew == "back" else skew)
        with stage.fault(f"clock {skew}"):
            worker = Process("worker", settings=stage.settings, way=way)
            worker.wait_until_ready()
            time.sleep(0.5)
            if skew == "back":
                set_skew(file, "-300s")
            time.sleep(1.0)
            worker.kill()


def set_skew(file: Path, skew: str) -> None:
    """At once: whoever reads half a file has no time at all."""
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(skew)
    unfinished.rename(file)


def skewed(file: Path, skew: str) -> Way:
    """How a process is run whose clock is wrong by as much as stands in the file."""
    set_skew(file, skew)
    environment = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    return replace(WAY, environment=environment)


def no_faketime() -> str | None:
    return None if FAKETIME.exists() else "needs libfaketime (apt install libfaketime)"


def relays_side_by_side(stage: Stage, number: int) -> None:
    """The active relay stands still with events in hand, loses its session and with it the lock, and goes on later."""
    for _ in range(number):
        with stage.fault("a relay thaws after another took over"):
            stage.arm("relay-after-read", "stop")
            zombie = _until_somebody_stands(stage)
            with stage.servers.postgres.session() as connection:
                connection.execute(_END_RELAYS)
            _until_events_flow(stage)
            os.kill(zombie.popen.pid, signal.SIGCONT)


_END_RELAYS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'interlock relay' AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)
"""


def _until_events_flow(stage: Stage) -> None:
    before = len(stage.witness.events)
    until(lambda: len(stage.witness.events) > before + 10, 60, what="events from the other relay")


ROWS = (
    Row("1", "kill -9 of a worker before its COMMIT: after fetch, BEGIN, locks, inserts, last statement",
        die_before_commit, "kills"),
    Row("1 defaults", "the same and after COMMIT, with default settings (heartbeat timeout 15 s)",
        die_with_default_settings, "defaults",
        DEFAULTS, many=40, few=0),
    Row("2", "kill -9 of a worker between COMMIT and acknowledgement", die_after_commit, "kills", few=1),
    Row("3", "kill -9 of the relay: after reading, after publishing, after marking", relay_dies, "kills", RELAYS,
        few=1),
    Row("3 clock", "kill -9 of the clock, before and after a duty", clock_dies, "kills", few=1),
    Row("13", "SIGSTOP of a worker for longer than the heartbeat timeout, then SIGCONT", stand_still, "kills", few=1),
    Row("14", "a worker whose clock is off by 62 s or 1 h, or steps back by 5 min while it works",
        skewed_clocks, "skew", few=1, hindrance=no_faketime),
    Row("26", "SIGTERM under load; every third time twice", stop_gracefully, "kills", many=100, few=1),
    Row("29", "two relays: the one that lost its lock goes on publishing", relays_side_by_side, "kills", RELAYS, few=1),
)  # fmt: skip
