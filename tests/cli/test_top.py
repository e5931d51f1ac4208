import json
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from tests.broker.proxy import Proxy
from tests.cli.command import Shell
from tests.cli.conftest import NOWHERE
from workers.settings import Settings


def test_one_picture_shows_queues_runs_and_processes(shell: Shell) -> None:
    ended = shell.run("top", "--once")
    assert ended.status == 0, ended.err
    for told in ("COMMANDS", "round trip", "QUEUE", "FLOW RUNS", "workers 1", "relay active"):
        assert told in ended.out, told


def test_one_picture_as_json_is_one_object(shell: Shell) -> None:
    told = json.loads(shell.run("top", "--once", "--json").out)
    assert set(told["redis"]["queues"]) == {"commands", "queries"}
    assert told["redis"]["workers"]["alive"]["commands"] == 1
    assert told["database"]["relay_is_active"] is True


def test_json_needs_once_and_a_picture_that_changes_a_terminal(idle: Shell) -> None:
    for words, advice in ((["--json"], "say --once too"), ([], "say --once for one picture")):
        ended = idle.run("top", *words)
        assert (ended.status, advice in ended.err) == (2, True), ended


@pytest.mark.parametrize(
    "variables",
    [{"database_url": f"postgresql://{NOWHERE}/interlock"}, {"redis_url": f"redis://{NOWHERE}/0"}],
)
def test_servers_that_are_away_at_the_start_end_it_with_3(idle: Shell, variables: dict[str, str]) -> None:
    ended = idle.but(**variables).run("top", "--once")
    assert ended.status == 3
    assert "cannot be reached" in ended.err


@pytest.mark.parametrize("key", ["q", "\x03"])
def test_it_ends_cleanly_and_gives_the_terminal_back(idle: Shell, key: str) -> None:
    with idle.at_a_terminal("top") as terminal:
        terminal.until("q ends")
        if key == "q":
            terminal.type(key)
            status = terminal.end()
        else:
            status = terminal.ctrl_c()
    assert status == 0
    assert "Traceback" not in terminal.seen
    # The alternate screen is left, and the cursor shown.
    assert terminal.seen.index("\x1b[?1049h") < terminal.seen.rindex("\x1b[?1049l")
    assert terminal.seen.rindex("\x1b[?25l") < terminal.seen.rindex("\x1b[?25h")


def test_a_server_that_goes_away_while_it_runs_is_told_of_and_waited_for(
    idle: Shell, settings: Settings
) -> None:
    where = urlsplit(settings.redis_url)
    assert where.hostname is not None
    assert where.port is not None
    with (
        closing(Proxy((where.hostname, where.port))) as proxy,
        idle.but(redis_url=f"{proxy.url}/0").at_a_terminal("top") as terminal,
    ):
        terminal.until("QUEUE")
        proxy.cut()
        terminal.until("Redis does not answer")
        terminal.seen = ""
        proxy.restore()
        terminal.until("QUEUE")
        terminal.type("q")
        assert terminal.end() == 0
