"""Producers with keys and without, on an Interlock that knows the keys."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis

from messages.client import AsyncClient, Client, CommandFailed
from tests.cli.command import Shell
from tests.contract.wire import Wire, error_of
from tests.crashes.processes import Fleet, until
from tests.security.keys import KEYS, SECRETS
from workers.now import now
from workers.settings import Settings

KEY = ("a", SECRETS["a"])


@pytest.fixture
def guarded(settings: Settings) -> Iterator[Settings]:
    """A worker and a relay that want signatures."""
    settings = Settings(**{**settings.model_dump(exclude_unset=True), "signing_keys": KEYS})
    with Fleet(settings) as fleet:
        fleet.start("worker", "relay")
        yield settings


@pytest.fixture
def shell(guarded: Settings, tmp_path: Path) -> Shell:
    """The command line of an operator who has the keys."""
    return Shell(
        tmp_path,
        database_url=guarded.database_url,
        redis_url=guarded.redis_url,
        namespace=guarded.namespace,
        signing_keys=KEYS,
    )


def test_a_client_with_a_key_talks_as_ever(guarded: Settings) -> None:
    with Client(guarded.redis_url, "billing", namespace=guarded.namespace, signing_key=KEY) as client:
        created = client.create_flow_run(flow_name="f").result(10)
        assert created.status == "OK"
        commands = [("flow.upsert", {"name": name}) for name in ("a", "b")]
        assert [future.result(10).status for future in client.batch(commands)] == ["OK", "OK"]
        assert client.request("flow_run.count", {}, timeout=10).data["count"] == 1


def test_a_client_without_one_is_told_why_it_gets_nothing(guarded: Settings) -> None:
    with Client(guarded.redis_url, "billing", namespace=guarded.namespace) as client:
        with pytest.raises(CommandFailed, match="unauthorized: the signature is missing"):
            client.batch([("flow.upsert", {"name": "a"})])[0].result(10)
        with pytest.raises(CommandFailed, match="unauthorized: the signature is missing"):
            client.request("flow_run.count", {}, timeout=10)


async def _count(guarded: Settings) -> object:
    async with AsyncClient(
        guarded.redis_url, "billing", namespace=guarded.namespace, signing_key=KEY
    ) as client:
        await client.create_flow_run(flow_name="f")
        return (await client.request("flow_run.count", {}, timeout=10)).data["count"]


def test_so_does_a_client_of_asyncio(guarded: Settings) -> None:
    assert asyncio.run(_count(guarded)) == 1


def test_a_result_is_not_told_to_who_cannot_sign_for_it(guarded: Settings) -> None:
    with Redis.from_url(guarded.redis_url, decode_responses=True) as redis:
        wire = Wire(redis, guarded.namespace)
        error = error_of(wire.data("flow_run.list", {}))
        assert error["code"] == "unauthorized"
        assert redis.exists(f"{guarded.namespace}:events") == 0


def test_the_command_line_signs_with_a_key_of_the_settings(shell: Shell) -> None:
    refused = shell.run("request", "flow.upsert", '{"name": "f"}', "--json")
    assert (refused.status, json.loads(refused.out)["error"]["code"]) == (1, "unauthorized")
    assert shell.run("request", "flow.upsert", '{"name": "f"}', "--sign", "a").status == 0
    line = json.dumps({"type": "flow.upsert", "data": {"name": "g"}}) + "\n"
    assert shell.run("send", "--wait", "--sign", "b", given=line).status == 0
    unknown = shell.run("request", "flow.upsert", '{"name": "f"}', "--sign", "c")
    assert unknown.status == 2
    assert "there is no key 'c'" in unknown.err
    assert "a, b" in unknown.err


def test_send_signs_a_batch_and_the_commands_in_it(shell: Shell, guarded: Settings) -> None:
    inner = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "me",
        "time": now().isoformat(),
        "type": "flow.upsert",
        "data": {"name": "of a batch"},
    }
    line = json.dumps({"type": "batch", "data": {"commands": [inner]}})
    assert shell.run("send", "--sign", "a", given=line).status == 0
    asked = ("request", "command.read", json.dumps({"id": inner["id"]}), "--sign", "a", "--json")
    until(lambda: json.loads(shell.run(*asked).out)["found"], within_s=15)
    assert json.loads(shell.run(*asked).out)["result"]["status"] == "OK"
