import re
import signal
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.cli.command import Shell
from tests.embedded.conftest import passable_folder


def test_migrating_says_what_it_did_and_can_be_done_again(idle: Shell, empty_database_url: str) -> None:
    empty = idle.but(database_url=empty_database_url)
    first, second = empty.run("migrate"), empty.run("migrate")
    assert (first.status, second.status) == (0, 0)
    assert "the database was migrated before=nothing" in first.err
    assert "the database has the current schema" in second.err
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("SELECT count(*) FROM flow_run").fetchone() == (0,)


def test_several_workers_run_under_one_roof_and_end_together(idle: Shell) -> None:
    with idle.at_a_terminal("worker", "--processes", "2", "--threads", "1") as roof:
        roof.until("all workers are at work")
        family = psutil.Process(roof.process.pid).children(recursive=True)
        assert len(family) == 2
        assert all("--threads 1" in " ".join(worker.cmdline()) for worker in family)
        roof.process.send_signal(signal.SIGTERM)
        assert roof.end() == 0
        assert not [worker for worker in family if worker.is_running()]


@pytest.mark.parametrize("word", ["relay", "clock"])
def test_a_process_ends_well_when_it_is_asked_to(idle: Shell, word: str) -> None:
    with idle.at_a_terminal(word) as process:
        process.until({"relay": "relaying", "clock": "the clock runs"}[word])
        process.process.send_signal(signal.SIGTERM)
        assert process.end() == 0
        assert "Traceback" not in process.seen


def test_up_is_all_that_a_first_try_needs(tmp_path: Path) -> None:
    with passable_folder() as home, Shell(tmp_path).at_a_terminal("up", "--home", str(home / "home")) as up:
        shown = up.until("ready\r\n")
        urls = dict(re.findall(r"INTERLOCK_(DATABASE_URL|REDIS_URL)=(\S+)", shown))
        shell = Shell(tmp_path, database_url=urls["DATABASE_URL"], redis_url=urls["REDIS_URL"])
        made = shell.run("request", "flow_run.create", '{"flow_name": "etl"}')
        assert (made.status, made.out.splitlines()[0]) == (0, "OK flow_run.create")
        examined = shell.run("doctor")
        assert examined.status == 0
        assert "none" not in re.sub("dead letters *none", "", examined.out), "every process is alive"
        assert up.ctrl_c() == 0
        assert "Traceback" not in up.seen


def test_a_home_in_use_is_told_in_a_sentence(tmp_path: Path) -> None:
    with passable_folder() as folder:
        home = str(folder / "home")
        with Shell(tmp_path).at_a_terminal("up", "--home", home, "--servers-only") as first:
            first.until("ready")
            second = Shell(tmp_path).run("up", "--home", home, "--servers-only")
            assert first.ctrl_c() == 0
    assert second.status == 1
    assert f"{home} is in use by process {first.process.pid}" in second.err
    assert "Traceback" not in second.err
