import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from redis import Redis

from store.dead_letters import as_bytea, insert
from store.engine import open_engine
from store.transaction import transaction
from tests.cli.command import Shell
from tests.cli.conftest import NOWHERE
from tests.clock.scene import NOW
from workers.settings import Settings


def checks(shell: Shell) -> tuple[int, dict[str, dict[str, Any]]]:
    ended = shell.run("doctor", "--json")
    return ended.status, {check["name"]: check for check in json.loads(ended.out)}


@pytest.fixture
def narrow_user(redis_url: str, namespace: str) -> Iterator[str]:
    """The URL of a user of Redis who may do all but CONFIG."""
    name = f"user-{uuid4().hex}"
    with Redis.from_url(redis_url) as redis:
        redis.execute_command("ACL", "SETUSER", name, "on", ">secret", "~*", "&*", "+@all", "-config")
        yield urlsplit(redis_url)._replace(netloc=f"{name}:secret@{urlsplit(redis_url).netloc}").geturl()
        redis.execute_command("ACL", "DELUSER", name)


def test_a_table_has_a_line_for_each_check_and_what_to_do(idle: Shell) -> None:
    examined = idle.run("doctor")
    assert "✓  schema" in examined.out
    (line,) = (line for line in examined.out.splitlines() if "!  workers" in line)
    assert "start `interlock worker`" in line


def test_processes_that_run_are_found_alive(shell: Shell) -> None:
    _, found = checks(shell)
    assert found["workers"]["level"] == found["relay"]["level"] == "ok"
    assert found["workers"]["found"] == "1 alive"
    assert found["clock"] == {
        "name": "clock",
        "level": "warn",
        "found": "none is running",
        "advice": "start `interlock clock`: nothing that is due happens without it",
    }


def test_servers_in_good_order_have_nothing_to_be_done(idle: Shell) -> None:
    _, found = checks(idle)
    fine = ("PostgreSQL", "schema", "PostgreSQL clock", "Redis", "Redis memory", "Redis clock", "outbox")
    assert {found[name]["level"] for name in fine} == {"ok"}


def test_a_missing_schema_is_a_failure(idle: Shell, empty_database_url: str) -> None:
    status, found = checks(idle.but(database_url=empty_database_url))
    assert status == 1
    assert (found["schema"]["level"], found["schema"]["advice"]) == ("fail", "run `interlock migrate`")
    assert "dead letters" not in found


@pytest.mark.parametrize(
    ("variables", "away", "there"),
    [
        ({"database_url": f"postgresql://{NOWHERE}/interlock"}, "PostgreSQL", "Redis"),
        ({"redis_url": f"redis://{NOWHERE}/0"}, "Redis", "PostgreSQL"),
    ],
)
def test_a_server_that_is_away_ends_with_3_and_the_other_is_looked_at(
    idle: Shell, variables: dict[str, str], away: str, there: str
) -> None:
    status, found = checks(idle.but(**variables))
    assert status == 3
    assert "cannot be reached" in found[away]["found"]
    assert found[there]["level"] == "ok"


def test_dead_letters_are_counted(idle: Shell, settings: Settings) -> None:
    engine = open_engine(settings.database_url, pool_size=1)
    with transaction(engine) as connection:
        row = {"id": uuid4(), "created": NOW, "queue": "commands", "reason": "no", "attempts": 0}
        insert(connection, [{**row, "body": as_bytea(b"{")}])
    engine.dispose()
    _, found = checks(idle)
    assert (found["dead letters"]["level"], found["dead letters"]["found"]) == ("warn", "1")


def test_commands_that_wait_for_a_worker_are_told(idle: Shell) -> None:
    idle.run("send", given='{"type": "flow.upsert", "data": {"name": "etl"}}\n')
    _, found = checks(idle)
    queue = found["queue commands"]
    assert (queue["level"], queue["found"]) == ("warn", "1 waiting, 0 in hand, 0 for later")


def test_what_this_user_may_not_ask_is_said(idle: Shell, narrow_user: str) -> None:
    _, found = checks(idle.but(redis_url=narrow_user))
    assert "CONFIG is forbidden to this user" in found["Redis persistence"]["found"]
    assert found["Redis memory"]["level"] == "ok"
