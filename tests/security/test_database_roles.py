"""The roles of docs/security.md: the owner migrates, the processes work, queries read, and none of them does more."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from messages.client import Client
from store.migrate import upgrade
from tests.cli.command import Shell
from tests.crashes.processes import Fleet
from tests.docs.documents import PROJECT, blocks_of
from tests.security.own_servers import own_postgresql
from workers.settings import Settings

BLOCKS = {block.language: block.text for block in blocks_of(PROJECT / "docs" / "security.md")}


@dataclass(frozen=True)
class Roles:
    """A database with the roles of the document."""

    superuser: str

    def url(self, role: str) -> str:
        """The database, for a role."""
        return self.superuser.replace("postgres@", f"interlock_{role}@")


@pytest.fixture(scope="module")
def roles() -> Iterator[Roles]:
    with own_postgresql() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(BLOCKS["sql roles"].encode())
        roles = Roles(url)
        upgrade(roles.url("owner"))
        with psycopg.connect(roles.url("owner"), autocommit=True) as connection:
            connection.execute(BLOCKS["sql roles after"].encode())
        yield roles


def test_everything_works_with_these_roles(roles: Roles, settings: Settings) -> None:
    urls = {"database_url": roles.url("processes"), "read_database_url": roles.url("reads")}
    settings = Settings(**{**settings.model_dump(exclude_unset=True), **urls, "clock_interval": "200ms"})
    with (
        Fleet(settings) as fleet,
        Client(settings.redis_url, "roles", namespace=settings.namespace) as client,
    ):
        fleet.start("worker", "relay", "clock")
        deployed = client.request(
            "deployment.upsert", {"flow_name": "f", "name": "d", "concurrency_limit": 1}, timeout=20
        )
        ident = deployed.data["deployment"]["id"]
        run = client.create_flow_run(flow_name="f", deployment_id=ident, state={"type": "PENDING"})
        data = {"flow_run_id": run.id, "state": {"type": "RUNNING"}}
        assert client.request("flow_run.set_state", data, timeout=20).status == "ACCEPT"
        ordered = client.send("flow.upsert", {"name": "g"}, partitionkey="k", sequence="1")
        assert ordered.result(20).status == "OK"
        assert client.request("flow_run.count", {}, timeout=20).data["count"] == 1
        assert client.request("flow_run.delete", {"flow_run_id": run.id}, timeout=20).data["deleted"] is True
        assert "permission denied" not in fleet.log()
    shell = Shell(
        settings.home,
        database_url=roles.url("reads"),
        redis_url=settings.redis_url,
        namespace=settings.namespace,
    )
    assert shell.run("top", "--once").status == 0
    findings = json.loads(shell.run("doctor", "--json").out)
    assert [each["found"] for each in findings if "permission" in each["found"]] == []


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("processes", "DROP TABLE flow_run"),
        ("processes", "ALTER TABLE flow_run ADD COLUMN x int"),
        ("processes", "CREATE TABLE x (y int)"),
        ("processes", "TRUNCATE flow_run"),
        ("processes", "UPDATE alembic_version SET version_num = '9'"),
        ("processes", "DELETE FROM schema_compatibility"),
        ("reads", "INSERT INTO flow VALUES (gen_random_uuid(), now(), now(), 'x')"),
        ("reads", "UPDATE flow_run SET name = 'x'"),
        ("reads", "DELETE FROM command"),
        ("reads", "SELECT FROM flow_run FOR UPDATE"),
        ("reads", "CREATE TABLE x (y int)"),
        ("owner", "CREATE ROLE x"),
        ("owner", "COPY flow TO PROGRAM 'cat'"),
    ],
)
def test_what_a_role_may_not_do_is_refused(roles: Roles, role: str, statement: str) -> None:
    with psycopg.connect(roles.url(role)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


@pytest.mark.parametrize("privilege", ["SELECT", "INSERT", "UPDATE", "DELETE"])
def test_a_table_of_a_later_version_is_the_processes_too(roles: Roles, privilege: str) -> None:
    with psycopg.connect(roles.url("owner"), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS later (x int)")
    asked = "SELECT has_table_privilege(%s, 'later', %s)"
    with psycopg.connect(roles.superuser) as connection:
        assert connection.execute(asked, ("interlock_processes", privilege)).fetchone() == (True,)
        assert connection.execute(asked, ("interlock_reads", privilege)).fetchone() == (
            privilege == "SELECT",
        )
