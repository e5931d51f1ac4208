import re

import httpx2 as httpx
import pytest

from tests.cli.command import Shell
from tests.cli.conftest import NOWHERE

TOKEN = "a-token-that-is-long-enough"


def test_it_says_where_it_is_serves_there_and_ends_cleanly(shell: Shell) -> None:
    with shell.at_a_terminal("dashboard", "--port", "0") as terminal:
        terminal.until("http://127.0.0.1:")
        terminal.until("/\r\n")
        address = re.search(r"http://[0-9.:]+/", terminal.seen)
        assert address is not None
        answer = httpx.get(address[0], timeout=30)
        assert "Flow runs" in answer.text
        assert terminal.ctrl_c() == 0
    assert "Traceback" not in terminal.seen


def test_the_token_of_the_settings_is_asked_for(shell: Shell) -> None:
    with shell.but(dashboard_token=TOKEN).at_a_terminal("dashboard", "--port", "0") as terminal:
        terminal.until("/\r\n")
        address = re.search(r"http://[0-9.:]+/", terminal.seen)
        assert address is not None
        assert httpx.get(address[0], timeout=30).status_code == 401
        opened = httpx.get(address[0], headers={"authorization": f"Bearer {TOKEN}"}, timeout=30)
        assert opened.status_code == 200
        assert terminal.ctrl_c() == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_an_address_that_others_reach_needs_a_token(idle: Shell, host: str) -> None:
    ended = idle.run("dashboard", "--host", host)
    assert ended.status == 2
    assert "INTERLOCK_DASHBOARD_TOKEN" in ended.err


def test_a_token_that_can_be_guessed_is_refused(idle: Shell) -> None:
    ended = idle.run("dashboard", "--token", "short")
    assert (ended.status, "16 characters" in ended.err) == (2, True)


def test_an_address_that_is_not_ours_is_said(idle: Shell) -> None:
    ended = idle.run("dashboard", "--host", "192.0.2.1", "--token", TOKEN)
    assert (ended.status, "cannot listen on 192.0.2.1" in ended.err) == (2, True)


def test_servers_that_are_away_at_the_start_end_it_with_3(idle: Shell) -> None:
    assert idle.but(redis_url=f"redis://{NOWHERE}/0").run("dashboard").status == 3
