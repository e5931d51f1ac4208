"""With real processes: a command fails until it is given up, its cause is mended, it is replayed and applied."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from redis import Redis

from messages.enqueue import enqueue
from tests.cli.command import PROJECT, Shell
from tests.crashes.processes import Fleet, environment_of, until
from tests.pipeline.workshop import command
from workers.settings import Settings

PATIENCE_S = 60.0
# A database that refuses one thing: as good a cause as any, and one that an operator can mend.
BREAK = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF NEW.name LIKE 'poison%' THEN RAISE 'the disk of flows is full'; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON flow FOR EACH ROW EXECUTE FUNCTION refuse()
"""
MEND = "DROP TRIGGER refuse ON flow"


class Site:
    """An installation with its processes, a producer and an operator."""

    def __init__(self, settings: Settings, redis: "Redis", shell: Shell) -> None:
        self.settings, self.redis, self.shell = settings, redis, shell

    def sql(self, statement: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.settings.database_url, row_factory=dict_row, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def count(self, table: str) -> int:
        return int(self.sql(f"SELECT count(*) AS n FROM {table}")[0]["n"])

    def send(self, *envelopes: dict[str, Any]) -> None:
        enqueue(self.redis, self.settings.namespace, envelopes)

    def results(self, command_id: str) -> list[dict[str, Any]]:
        """All that was told about a command, in order."""
        entries: Any = self.redis.xrange(f"{self.settings.namespace}:replies:tests")
        told = [json.loads(fields[b"event"]) for _, fields in entries]
        return [each["data"] for each in told if each["causationid"] == command_id]

    def bury(self, **attributes: Any) -> dict[str, Any]:
        """A command that the processes have given up."""
        bad = command("flow.upsert", {"name": "poison"}, **attributes)
        self.send(bad)
        until(lambda: self.count("dead_letter") == 1, PATIENCE_S, what="a dead letter")
        until(lambda: len(self.results(bad["id"])) == 1, PATIENCE_S, what="its ERROR")
        return bad


@pytest.fixture
def site(settings: Settings, redis_url: str, tmp_path: Path) -> Iterator[Site]:
    given = {name: getattr(settings, name) for name in ("database_url", "redis_url", "namespace")}
    chosen = Settings(**given, home=tmp_path, max_attempts=2, clock_interval=timedelta(seconds=0.1))
    variables = environment_of(chosen).items()
    shell = Shell(tmp_path, **{name.removeprefix("INTERLOCK_").lower(): value for name, value in variables})
    with Fleet(chosen) as fleet, Redis.from_url(redis_url) as redis:
        fleet.start("worker", "relay", "clock")
        made = Site(chosen, redis, shell)
        made.sql(BREAK)
        yield made


def test_it_is_applied_once_and_its_sender_is_told(site: Site) -> None:
    bad = site.bury()
    assert site.results(bad["id"])[0]["error"]["code"] == "internal"
    assert "the disk of flows is full" in site.shell.run("deadletters", "list").out
    site.sql(MEND)
    ended = site.shell.really("deadletters", "replay", "--all", "--yes")
    assert (ended.status, ended.err) == (0, "")
    until(lambda: len(site.results(bad["id"])) == 2, PATIENCE_S, what="its second result")
    told = site.results(bad["id"])[1]
    assert (told["status"], told["replayed"], told["flow"]["name"]) == ("OK", False, "poison")
    site.send(bad)
    until(lambda: len(site.results(bad["id"])) == 3, PATIENCE_S, what="the answer to a copy")
    assert site.results(bad["id"])[2] == {**told, "replayed": True}
    assert (site.count("flow"), site.count("dead_letter")) == (1, 0)


def test_an_operator_whose_command_line_is_killed_replays_it_again(site: Site) -> None:
    bad = site.bury()
    site.sql(MEND)
    with psycopg.connect(site.settings.database_url) as other:
        other.execute("LOCK TABLE attempt IN ACCESS EXCLUSIVE MODE")
        killed = subprocess.Popen(
            [sys.executable, "-m", "workers.cli.main", "deadletters", "replay", "--all", "--yes"],
            cwd=PROJECT,
            env={"PATH": os.environ["PATH"], **environment_of(site.settings)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        waiting = (
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND application_name = 'interlock deadletters' AND datname = current_database()"
        )
        until(lambda: bool(site.sql(waiting)), PATIENCE_S, what="the command line in mid-work")
        killed.send_signal(signal.SIGKILL)
        killed.wait(PATIENCE_S)
        other.rollback()
    sessions = (
        "SELECT 1 FROM pg_stat_activity "
        "WHERE application_name = 'interlock deadletters' AND datname = current_database()"
    )
    until(lambda: not site.sql(sessions), PATIENCE_S, what="its session's end")
    assert (site.count("dead_letter"), site.count("command"), site.count("attempt")) == (1, 1, 0)
    assert site.shell.run("deadletters", "replay", "--all", "--yes").status == 0
    until(lambda: len(site.results(bad["id"])) == 2, PATIENCE_S, what="its second result")
    assert [each["status"] for each in site.results(bad["id"])] == ["ERROR", "OK"]
    assert site.count("flow") == 1


def test_in_an_order_it_is_applied_after_those_that_came_after_it(site: Site) -> None:
    bad = site.bury(partitionkey="k", sequence="1")
    after = command("flow.upsert", {"name": "after"}, partitionkey="k", sequence="2")
    site.send(after)
    until(lambda: bool(site.results(after["id"])), PATIENCE_S, what="the one after it")
    site.sql(MEND)
    assert site.shell.run("deadletters", "replay", "--all", "--yes").status == 1
    assert site.shell.run("deadletters", "replay", "--all", "--yes", "--out-of-turn").status == 0
    until(lambda: len(site.results(bad["id"])) == 2, PATIENCE_S, what="its second result")
    assert site.results(bad["id"])[1]["status"] == "OK"
    assert [row["name"] for row in site.sql("SELECT name FROM flow ORDER BY created")] == ["after", "poison"]
