"""Workers and relays are killed at random, with SIGKILL, while producers go on sending."""

import json
import os
import random
import threading
import time

import pytest
from redis import Redis

from tests.crashes.history import History, at_rest, from_database, messages_left
from tests.crashes.load import Load
from tests.crashes.processes import Fleet, Process, until
from tests.crashes.producer import Envelope, Producer
from workers.settings import Settings

ORDERED_RUNS, FREE_COMMANDS = 250, 600
SENDING_S = 10.0
# Far more than it takes: how long is measured elsewhere, on a machine with nothing else to do.
RECOVERY_S = 120.0


class Killer(threading.Thread):
    """Kills a random process again and again, and starts it anew."""

    def __init__(self, processes: list[Process], seed: int) -> None:
        super().__init__(name="killer")
        self._processes, self._random = processes, random.Random(seed)
        self._over = threading.Event()
        self.kills = 0

    def run(self) -> None:
        while not self._over.wait(self._random.uniform(0.1, 0.9)):
            self._random.choice(self._processes).kill_and_start_again()
            self.kills += 1

    def stop(self) -> None:
        self._over.set()
        self.join()


def send_slowly(producer: Producer, load: Load, sent: dict[str, Envelope]) -> None:
    """Spreads the messages over the time in which the killing goes on."""
    commands = load.commands(ORDERED_RUNS, FREE_COMMANDS)
    sent.update((command["id"], command) for command in commands)
    messages = list(load.messages(commands))
    begun = time.monotonic()
    for number, message in enumerate(messages):
        if len(message) == 1:
            producer.send(*message)
        else:
            producer.send_batch(message)
        ahead_s = SENDING_S * number / len(messages) - (time.monotonic() - begun)
        if ahead_s > 0.01:
            time.sleep(ahead_s)


@pytest.fixture
def seed() -> int:
    """Another one each time; INTERLOCK_TEST_CRASH_SEED brings an earlier one back."""
    return int(os.environ.get("INTERLOCK_TEST_CRASH_SEED") or random.randrange(2**32))


def test_whatever_is_killed_every_command_is_applied_once_and_answered(
    fleet: Fleet, producer: Producer, redis: Redis, settings: Settings, seed: int
) -> None:
    print(f"INTERLOCK_TEST_CRASH_SEED={seed}")
    load = Load(producer, seed)
    sent: dict[str, Envelope] = {}
    processes = fleet.start("worker", "worker", "worker", "relay", "relay")
    setup = load.setup(limit=3)
    sent.update((command["id"], command) for command in setup)
    producer.send_batch(setup)
    until(lambda: len(producer.answered()) == len(setup), 10)
    killer = Killer(processes, seed)
    killer.start()
    try:
        send_slowly(producer, load, sent)
    finally:
        killer.stop()
    calm = time.monotonic()
    until(
        lambda: (
            sent.keys() <= producer.answered() and at_rest(settings.database_url, redis, settings.namespace)
        ),
        RECOVERY_S,
        every_s=0.2,
        what=f"rest after {killer.kills} kills; {fleet.log()[-6000:]}",
    )
    history = from_database(settings.database_url, History(sent, producer.results(), producer.events()))
    history.waiting = messages_left(redis, settings.namespace)
    repeats = len(history.results) - len(sent)
    print(
        f"{killer.kills} kills, {len(sent)} commands, {len(history.events)} events, {repeats} repeated results, "
        f"at rest {time.monotonic() - calm:.1f} s after the last kill"
    )
    assert history.violations() == [], json.dumps({"seed": seed})
    assert killer.kills >= 5
