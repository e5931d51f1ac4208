"""Rules of a user's that end their process, or never end: one command is given up, all others are answered."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.crashes.processes import Fleet, Process, until
from tests.crashes.producer import Envelope, Producer
from tests.custom_rules.packages import install_module
from workers.pipeline.watchdog import EXIT_STATUS
from workers.settings import Settings

SOON_S = 120.0
RULES = """
import os
import re
import time
from workers.policies.api import CORE_FLOW, EVERY_TYPE, rule, with_rules

@rule(EVERY_TYPE, EVERY_TYPE)
def this_does_not_end_well(t, proposed):
    match (proposed.message or ""):
        case "dies":
            os._exit(9)
        case "loops":
            while True:
                pass
        case "loops in C":
            re.match("(a|aa)+$", 60 * "a" + "b")
        case "sleeps":
            time.sleep(1_000)

MINE = with_rules(CORE_FLOW, this_does_not_end_well, name="mine")
"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A command is given up after two attempts; nothing may take longer than a second."""
    update = {"max_attempts": 2, "statement_timeout": timedelta(seconds=1)}
    return settings.model_copy(update=update)


@pytest.fixture(autouse=True)
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed where the workers find them."""
    site = tmp_path / "site"
    site.mkdir()
    install_module(site, "bad-rules", RULES, {"interlock.flow_policies": {"mine": "bad_rules:MINE"}})
    monkeypatch.setenv("PYTHONPATH", str(site))


class Supervisor(threading.Thread):
    """Starts a worker again whenever it has ended."""

    def __init__(self, worker: Process) -> None:
        super().__init__(name="supervisor")
        self._worker, self._over = worker, threading.Event()
        self.statuses: list[int] = []

    def run(self) -> None:
        while not self._over.wait(0.05):
            status = self._worker.popen.poll()
            if status is not None:
                self.statuses.append(status)
                self._worker.kill_and_start_again()

    def stop(self) -> None:
        self._over.set()
        self.join()


@pytest.fixture
def worker(fleet: Fleet) -> Iterator[Supervisor]:
    """The only one: whoever kills it holds up everybody."""
    supervisor = Supervisor(fleet.start("worker", "relay")[0])
    supervisor.start()
    yield supervisor
    supervisor.stop()


def a_life(producer: Producer, message: str | None = None) -> list[Envelope]:
    run = str(uuid4())
    state = {"type": "RUNNING", "message": message}
    return [
        producer.command("flow_run.create", {"id": run, "flow_name": "f"}),
        producer.command("flow_run.set_state", {"flow_run_id": run, "state": state, "policy": "mine"}),
    ]


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("dies", {9}),
        ("loops", set()),
        pytest.param("sleeps", {EXIT_STATUS}, marks=pytest.mark.slow),
        pytest.param("loops in C", {1}, marks=pytest.mark.slow),
    ],
)
def test_one_command_is_given_up_and_all_others_are_answered(
    worker: Supervisor, producer: Producer, end: str, status: set[int]
) -> None:
    good = [a_life(producer) for _ in range(10)]
    bad = a_life(producer, end)
    producer.send_batch([each for life in (*good[:5], bad, *good[5:]) for each in life])
    sent = {each["id"] for life in (*good, bad) for each in life}

    until(
        lambda: sent <= producer.answered(),
        SOON_S,
        every_s=0.1,
        what=f"results of all; the worker ended with {worker.statuses}",
    )

    by_id = {each["causationid"]: each["data"] for each in producer.results()}
    assert {by_id[life[1]["id"]]["status"] for life in good} == {"ACCEPT"}
    assert by_id[bad[1]["id"]]["error"]["code"] == "internal"
    assert set(worker.statuses) == status
    until(lambda: _letters(producer) == [bad[1]["id"]], SOON_S, what="word of the dead letter")


def _letters(producer: Producer) -> list[str]:
    return [each["subject"] for each in producer.events() if each["type"] == "command.dead_lettered"]
