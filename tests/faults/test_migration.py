"""A migration is killed half way, or several run at once: what is there afterwards is the whole schema, or can be."""

import random
import subprocess
import sys
import time

import pytest

from store.engine import open_engine
from store.migrate import require_current
from tests.crashes.processes import PROJECT

KILLS = 6


def migrate(url: str) -> "subprocess.Popen[bytes]":
    code = "import sys; from store.migrate import upgrade; upgrade(sys.argv[1])"
    return subprocess.Popen([sys.executable, "-c", code, url], cwd=PROJECT, stderr=subprocess.DEVNULL)


def is_whole(url: str) -> None:
    engine = open_engine(url)
    try:
        require_current(engine)
    finally:
        engine.dispose()


def test_a_migration_that_is_killed_again_and_again_ends_whole(empty_database_url: str) -> None:
    chance = random.Random(27)
    for _ in range(KILLS):
        doomed = migrate(empty_database_url)
        time.sleep(chance.uniform(0.1, 1.2))
        doomed.kill()
        doomed.wait()

    assert migrate(empty_database_url).wait() == 0
    is_whole(empty_database_url)


@pytest.mark.parametrize("at_once", [3])
def test_migrations_at_once_end_whole(empty_database_url: str, at_once: int) -> None:
    statuses = [process.wait() for process in [migrate(empty_database_url) for _ in range(at_once)]]
    assert 0 in statuses
    is_whole(empty_database_url)
