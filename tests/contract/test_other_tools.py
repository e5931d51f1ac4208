"""Producers and consumers that have never heard of Interlock: stock dramatiq, and Node.js."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.wire import Wire

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
IOREDIS = "ioredis@5"


@pytest.fixture
def told(wire: Wire, redis_url: str, tmp_path: Path) -> Iterator[Path]:
    """The file in which a stock dramatiq worker writes what its actor is told."""
    file = tmp_path / "told.jsonl"
    file.touch()
    worker = subprocess.Popen(
        [sys.executable, str(HERE / "stock_worker.py"), redis_url, wire.namespace, str(file)],
        stdin=subprocess.PIPE,
        cwd=PROJECT,
    )
    yield file
    assert worker.stdin is not None
    worker.stdin.close()
    assert worker.wait(20) == 0


def test_a_stock_dramatiq_actor_gets_the_result_as_its_only_argument(wire: Wire, told: Path) -> None:
    commands = [
        wire.envelope(
            "flow.upsert", {"name": "f"}, replyto="actor:billing/on_result", correlationid=str(number)
        )
        for number in range(3)
    ]
    wire.send(*commands, commands[0])
    give_up_at = time.monotonic() + 20
    while len(lines := told.read_text().splitlines()) < 4:
        assert time.monotonic() < give_up_at, lines
        time.sleep(0.02)
    results = [json.loads(line) for line in lines]
    assert {result["causationid"] for result in results} == {command["id"] for command in commands}
    assert sorted(result["data"]["replayed"] for result in results) == [False, False, False, True]
    assert all(result["type"] == "flow.upsert.result" for result in results)


@pytest.mark.parametrize("address", ["actor:billing", "actor:/x", "actor:a b/c", "", "a/b", "x" * 101])
def test_an_address_that_is_none_is_refused_and_can_be_read(wire: Wire, address: str) -> None:
    sent = wire.envelope("flow.upsert", {"name": "f"}, replyto=address)
    wire.send(sent)
    give_up_at = time.monotonic() + 10
    while not (read := wire.data("command.read", {"id": sent["id"]}))["found"]:
        assert time.monotonic() < give_up_at
    assert read["result"]["error"]["code"] == "invalid_message"
    assert "replyto" in read["result"]["error"]["message"]


def without(tool: str) -> None:
    """What cannot be proved here is skipped at home, and fails in CI."""
    if os.environ.get("CI"):
        pytest.fail(tool)
    pytest.skip(tool)


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which Node.js finds ioredis, and the producer."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        without("node and npm are needed for the producer in Node.js")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    install = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefer-offline", IOREDIS]
    done = subprocess.run(install, check=False, cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode:
        without(f"npm could not install {IOREDIS}: {done.stderr[-500:]}")
    shutil.copy(HERE / "node" / "producer.mjs", folder)
    return folder


def test_a_producer_in_node_sends_commands_and_reads_its_results(
    wire: Wire, node_folder: Path, redis_url: str
) -> None:
    done = subprocess.run(
        ["node", "producer.mjs", redis_url, wire.namespace],
        check=False,
        cwd=node_folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert [result["data"]["status"] for result in said["results"]] == ["OK", "ACCEPT", "ACCEPT", "ACCEPT"]
    assert {result["correlationid"] for result in said["results"]} == {"from node"}
    assert [event["sequence"] for event in said["events"]] == ["1", "2", "3", "4"]
    assert wire.data("flow_run.read", {"id": said["run"]})["flow_run"]["state_type"] == "COMPLETED"
