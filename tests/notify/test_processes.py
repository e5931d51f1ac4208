"""`interlock notify` with real signals: what is in hand is finished, and what is not acknowledged comes again."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.notify.conftest import Stream, wait_until
from tests.notify.process import Process
from tests.notify.target import OK, Webhook
from workers.settings import Settings

SECRET = "s3cret"


class StartProcess(Protocol):
    """Starts `interlock notify team`."""

    def __call__(self, *args: str, **environment: str) -> Process: ...


@pytest.fixture
def start_process(redis_settings: Settings, tmp_path: Path) -> Iterator[StartProcess]:
    with ExitStack() as stack:

        def start(*args: str, **environment: str) -> Process:
            log = tmp_path / "log"
            return stack.enter_context(Process(redis_settings, log, "team", *args, **environment))

        yield start


def test_one_that_is_killed_before_it_acknowledges_delivers_again(
    stream: Stream, webhook: Webhook, start_process: StartProcess
) -> None:
    options = ("--to", webhook.url, "--claim-after", "1")
    first = start_process(*options).wait_until_ready()

    def kill_then_take(_came: dict[str, Any]) -> int:
        first.kill()
        first.wait()
        return OK

    webhook.answer = kill_then_take
    stream.tell("news")
    stream.tell("more")
    wait_until(lambda: first.popen.returncode is not None, "the end of the first")
    webhook.answer = lambda _came: OK
    start_process(*options)
    wait_until(lambda: stream.is_done, "the second to take over")
    assert sorted(webhook.texts) == ["more", "news", "news"]


def test_one_that_is_told_to_stop_finishes_what_it_has_in_hand(
    stream: Stream, webhook: Webhook, start_process: StartProcess
) -> None:
    process = start_process("--to", webhook.url).wait_until_ready()

    def stop_it_and_take_long(_came: dict[str, Any]) -> int:
        process.terminate()
        time.sleep(0.5)
        return OK

    webhook.answer = stop_it_and_take_long
    stream.tell("news")
    stream.tell("for the next one")
    assert process.wait() == 0
    assert webhook.texts == ["news"]
    assert stream.unacknowledged == 0


def test_nothing_of_a_url_is_logged(stream: Stream, start_process: StartProcess, tmp_path: Path) -> None:
    gone = Webhook()
    addresses = tmp_path / "addresses"
    addresses.write_text(f"# where to\n\n{gone.url_with(SECRET)}\n")
    process = start_process("--to-file", str(addresses), INTERLOCK_LOG_LEVEL="DEBUG").wait_until_ready()
    stream.tell("news")
    wait_until(lambda: "does not take" in process.text, "a word about the outage")
    process.terminate()
    assert process.wait() == 0
    assert "target 1 (JSON)" in process.text
    assert SECRET not in process.text
