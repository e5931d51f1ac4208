import signal
from pathlib import Path

import pytest

from tests.embedded.conftest import Start
from tests.embedded.processes import Running, are_gone


def started(start: Start, home: Path, *options: str) -> Running:
    running = start("run_up", str(home), *options)
    running.line_with("ready")
    return running


def test_up_prints_where_the_servers_are_and_then_ready(start: Start, home: Path) -> None:
    running = start("run_up", str(home), "--servers-only")
    database = running.line_with("INTERLOCK_DATABASE_URL=postgresql://")
    redis = running.line_with("INTERLOCK_REDIS_URL=redis://")
    ready = running.line_with("ready")
    running.signal(signal.SIGTERM)
    assert running.status() == 0
    assert ready == "ready"
    assert database.startswith("INTERLOCK_DATABASE_URL=")
    assert redis.startswith("INTERLOCK_REDIS_URL=")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_up_stops_its_processes_before_the_servers(start: Start, home: Path, number: signal.Signals) -> None:
    running = started(start, home)
    family = running.family()
    running.signal(number)
    assert running.status() == 0
    for name in ("worker", "relay", "clock"):
        assert f"{name} stops while Redis answers True" in running.lines
    assert are_gone(family)


def test_killing_up_leaves_no_process_and_the_home_usable(start: Start, home: Path) -> None:
    running = started(start, home)
    family = running.family()
    assert len(family) > 6
    running.signal(signal.SIGKILL)
    again = start("run_up", str(home), "--servers-only")
    assert are_gone(family)
    again.line_with("ready")
    again.signal(signal.SIGTERM)
    assert again.status() == 0


def test_a_home_in_use_ends_with_a_sentence_and_status_1(start: Start, home: Path) -> None:
    first = started(start, home, "--servers-only")
    second = start("run_up", str(home), "--servers-only")
    assert second.status() == 1
    (line,) = second.lines
    assert f"{home} is in use by process {first.process.pid}" in line


def test_a_failed_migration_ends_up_with_its_status(
    start: Start, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILING_COMMAND", "migrate")
    running = start("run_up", str(home))
    assert running.status() == 3
    assert "could not be migrated" in running.lines[-1]
    assert "ready" not in running.lines


def test_a_process_that_refuses_to_start_ends_up_with_its_status(
    start: Start, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILING_COMMAND", "relay")
    running = start("run_up", str(home))
    assert running.status() == 3
    assert any("relay ended with status 3 before it was ready" in line for line in running.lines)
    assert "ready" not in running.lines


def test_the_loss_of_a_server_ends_up_and_says_why(start: Start, home: Path) -> None:
    running = started(start, home, "--servers-only")
    (valkey,) = (one for one in running.family() if "valkey" in one.name())
    valkey.kill()
    assert running.status() == 1
    assert any("Valkey has ended by itself" in line for line in running.lines)
