"""The Procfile, run by honcho: a producer that knows nothing but Redis is answered, and all stops cleanly."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from honcho.environ import parse_procfile
from redis import Redis

from tests.contract.wire import Wire
from tests.crashes.processes import environment_of, until
from workers.settings import Settings

STOPS_WITHIN_SECONDS = 20


def test_it_has_the_three_roles(project: Path) -> None:
    roles = parse_procfile((project / "Procfile").read_text()).processes

    assert roles == {role: f"exec interlock {role}" for role in ("worker", "relay", "clock")}


@pytest.fixture
def honcho(project: Path, settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    bin_folder = Path(sys.executable).parent
    with (settings.home / "honcho.log").open("wb") as log:
        process = subprocess.Popen(
            [bin_folder / "honcho", "-f", project / "Procfile", "start"],
            cwd=settings.home,
            env={**os.environ, **environment_of(settings), "PATH": f"{bin_folder}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    yield process
    if process.poll() is None:
        for each in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
            each.kill()
        process.wait()


def test_commands_are_answered_events_come_and_all_stops_on_sigterm(
    honcho: "subprocess.Popen[bytes]", settings: Settings
) -> None:
    with Redis.from_url(settings.redis_url, decode_responses=True) as redis:
        wire = Wire(redis, settings.namespace)
        sent = [wire.envelope("flow_run.create", {"flow_name": f"flow-{n}"}) for n in range(20)]
        wire.send(*sent)
        log = settings.home / "honcho.log"
        until(lambda: len(wire.replies()) >= len(sent), 30, what="answers")
        until(lambda: len(wire.stream("events")) >= len(sent), 30, what="events")

        assert {each["data"]["status"] for each in wire.replies()} == {"OK"}
        assert {each["type"] for each in wire.stream("events")} == {"flow_run.created"}
    # Before that it would not yet know what to do on SIGTERM.
    until(lambda: "the clock runs" in log.read_text(), 30, what="the clock")
    started = psutil.Process(honcho.pid).children(recursive=True)
    honcho.send_signal(signal.SIGTERM)
    honcho.wait(STOPS_WITHIN_SECONDS)

    assert not [each for each in started if each.is_running()]
    said = log.read_text()
    for role in ("worker", "relay", "clock"):
        assert f"{role}.1 stopped (rc=0)" in _plain(said), said


def _plain(text: str) -> str:
    """Without padding and without honcho's own name for itself."""
    return " ".join(text.split())
