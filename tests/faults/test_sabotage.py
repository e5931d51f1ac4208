"""Somebody changes rows by hand, behind everybody's back: the check of the history finds every such lie."""

import random
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from tests.crashes.history import History, from_database
from tests.faults.servers import template
from tests.faults.stage import Plan, Stage
from tests.servers import Servers, database_at

# What is looked at is made once.
pytestmark = pytest.mark.xdist_group("sabotage")
SEED = 30
#: what is done to a run, its states, the inbox and the outbox; and how it is undone
_RUN = "SELECT id FROM flow_run WHERE state_id IS NOT NULL ORDER BY md5(id::text || '{salt}') LIMIT 1"
SABOTAGE = {
    "a version is raised": "UPDATE flow_run SET version = version + 1 WHERE id = ({run})",
    "a state is put back": "UPDATE flow_run SET state_id = gen_random_uuid() WHERE id = ({run})",
    "a state is taken out of the history": "DELETE FROM flow_run_state WHERE flow_run_id = ({run})",
    "a result is rewritten": (
        "UPDATE command SET result = replace(result, 'ACCEPT', 'REJECT') WHERE id = "
        "(SELECT id FROM command WHERE status = 'ACCEPT' ORDER BY md5(id::text || '{salt}') LIMIT 1)"
    ),
    "a command is forgotten": (
        "DELETE FROM command WHERE id = (SELECT id FROM command ORDER BY md5(id::text || '{salt}') LIMIT 1)"
    ),
    "an event is taken out of the outbox": (
        "DELETE FROM outbox WHERE id = (SELECT id FROM outbox ORDER BY md5(id::text || '{salt}') LIMIT 1)"
    ),
    "a run is deleted": "DELETE FROM flow_run WHERE id = ({run})",
    "a dead letter is added": (
        "INSERT INTO dead_letter (id, created, queue, reason, body) "
        "VALUES (gen_random_uuid(), now(), 'commands', 'sabotage', '{{}}')"
    ),
}


@pytest.fixture(scope="module")
def lived(servers: Servers) -> Iterator[tuple[Stage, History]]:
    """A stage after some load, at rest."""
    plan = Plan(fleet=("worker", "relay"))
    with Stage(servers.folder / f"sabotage-{uuid4().hex}", template(servers.folder), plan, SEED) as stage:
        while len(stage.witness.answered_at) < 400:
            stage.traffic.join(0.05)
        history = stage.finish()
        assert stage.violations == []
        # Nobody may be connected to a database that is copied.
        stage.supervisor.stop()
        stage.fleet.__exit__()
        yield stage, history


@pytest.mark.parametrize("what", SABOTAGE)
def test_a_row_that_was_changed_by_hand_is_found(lived: tuple[Stage, History], what: str) -> None:
    stage, history = lived
    for turn in range(4):
        salt = str(random.Random(f"{what} {turn}").random())
        copied = a_copy(stage)
        with psycopg.connect(copied, autocommit=True) as connection:
            done = connection.execute(SABOTAGE[what].format(run=_RUN.format(salt=salt), salt=salt).encode())
            assert done.rowcount >= 1

        assert from_database(copied, history).violations(), f"turn {turn}: nothing was found"


def test_a_copy_that_nobody_has_changed_has_no_violations(lived: tuple[Stage, History]) -> None:
    stage, history = lived
    assert from_database(a_copy(stage), history).violations() == []


def a_copy(stage: Stage) -> str:
    """A database of its own with all rows."""
    url, name = stage.servers.postgres.url, f"copy_{uuid4().hex}"
    with psycopg.connect(database_at(url, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {url.rsplit('/', 1)[1]}".encode())
    return database_at(url, name)
