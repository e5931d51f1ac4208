"""`interlock demo`: the whole system at work on recorded traffic, and whether its answers are the recorded ones."""

import asyncio
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType

from redis.asyncio import Redis
from rich.console import Console
from rich.text import Text

from messages.consumer.event import read_event
from messages.registry import COMMANDS_QUEUE
from messages.streams import connect_async, entries_of, stream_key
from messages.wire import encode
from workers.demo.answers import Played
from workers.demo.board import Board
from workers.demo.errors import DemoFailed
from workers.demo.live import Show, shown
from workers.demo.recording import Recording, load
from workers.demo.replay import Replay, speaking
from workers.demo.report import report
from workers.demo.stack import ENDING, Stack, running
from workers.demo.summary import summarise
from workers.demo.tempo import EARLY_S, Silences, Tempo
from workers.now import monotonic, now
from workers.settings import Settings

# How long the replay takes if nothing keeps it up.
SMALL_S, FULL_S = 15.0, 75.0
MANY = 1_000
# What the recorded server told runs that found no slot.
DEPLOYMENT_WAIT_S, TAG_WAIT_S = 30.0, 1.0
FAILED, INTERRUPTED = 1, 130
_LOOK_EVERY_S = 0.1
_CHECK_EVERY_S = 1.0
_READ_AT_ONCE = 500

log = logging.getLogger(__name__)


class _Interrupts:
    """SIGTERM, and the end of the terminal, end the demo as Ctrl-C does.

    Python drops an exception that a signal raises while an object is being disposed of, so it is remembered too.
    """

    def __init__(self) -> None:
        self._came = False

    def check(self) -> None:
        """Raises KeyboardInterrupt if a signal has come."""
        if self._came:
            raise KeyboardInterrupt

    @contextmanager
    def heard(self) -> Iterator[None]:
        """While entered, these signals raise KeyboardInterrupt."""
        before = {number: signal.signal(number, self._hear) for number in ENDING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self._came = True
        raise KeyboardInterrupt


def demo(
    settings: Settings,
    *,
    full: bool = False,
    as_json: bool = False,
    home: Path | None = None,
    console: Console | None = None,
) -> int:
    """Runs the demo and returns the exit code: 0 if all was answered, and as it should be.

    `home`: where the servers keep their data; it must be empty, and stays. Without it, a folder that goes.
    """
    screen = console or Console(highlight=False)
    live = None if as_json else screen
    interrupts = _Interrupts()
    with interrupts.heard(), _quiet(settings):
        try:
            return _demo(load(full=full), home, live, interrupts)
        except DemoFailed as failure:
            Console(stderr=True).print(Text(f"The demo cannot go on: {failure}"), soft_wrap=True)
            return FAILED
        except KeyboardInterrupt:
            Console(stderr=True).print("Stopped; nothing is left running.")
            return INTERRUPTED


def _demo(recording: Recording, home: Path | None, console: Console | None, interrupts: _Interrupts) -> int:
    seconds = SMALL_S if len(recording.commands) < MANY else FULL_S
    silences = Silences(each.offset_s for each in recording.commands)
    speed = silences.without(recording.seconds) / seconds
    _introduce(recording, speed, console)
    changes = {
        "DEPLOYMENT_CONCURRENCY_WAIT": f"{DEPLOYMENT_WAIT_S / speed + EARLY_S:.3f}s",
        "TASK_TAG_WAIT": f"{TAG_WAIT_S:g}s",
    }
    with running(changes, home, log) as stack:
        interrupts.check()
        tempo = Tempo(recording.began, now() + timedelta(seconds=0.2), speed, silences)
        started = monotonic()
        played = asyncio.run(_replay(recording, tempo, stack, console))
        summary = summarise(played, monotonic() - started)
    if console is None:
        _print_json(summary.as_json())
    else:
        report(summary, console)
    return 0 if summary.is_good else FAILED


def _introduce(recording: Recording, speed: float, console: Console | None) -> None:
    if console is None:
        return
    count, clients = len(recording.commands), len(recording.sources)
    minutes = recording.seconds / 60
    console.print(Text("Interlock demo", "bold"))
    console.print(
        f"{count:,} commands of {clients} clients, recorded in {minutes:.0f} minutes, "
        f"{speed:.0f} times as fast.\nStarting PostgreSQL, Valkey, a worker and a relay …"
    )


async def _replay(recording: Recording, tempo: Tempo, stack: Stack, console: Console | None) -> list[Played]:
    redis = connect_async(stack.redis_url)
    async with speaking(recording, stack.redis_url, stack.namespace) as clients:
        replay = Replay(recording, tempo, clients)
        board = Board(replay.progress, monotonic())
        watchers = [
            asyncio.create_task(_watch_events(redis, stream_key(stack.namespace, "events"), board)),
            asyncio.create_task(_watch_queue(redis, stream_key(stack.namespace, COMMANDS_QUEUE), board)),
        ]
        playing = asyncio.create_task(replay.run())
        try:
            with shown(board, console) as show:
                return await _until_done(playing, watchers, stack, show)
        finally:
            # Before the clients go: nobody is to speak through a closed one.
            for task in (playing, *watchers):
                task.cancel()
            await asyncio.gather(playing, *watchers, return_exceptions=True)
            await redis.aclose()


async def _until_done(
    replay: asyncio.Task[list[Played]], watchers: list[asyncio.Task[None]], stack: Stack, show: Show
) -> list[Played]:
    """What was played; raises what went wrong with a watcher or with the stack."""
    check_at = monotonic() + _CHECK_EVERY_S
    while not replay.done():
        await asyncio.wait([replay], timeout=_LOOK_EVERY_S)
        show()
        if monotonic() >= check_at:
            check_at = monotonic() + _CHECK_EVERY_S
            stack.check()
            for watcher in watchers:
                if watcher.done():
                    watcher.result()
    return replay.result()


async def _watch_events(redis: "Redis", stream: str, board: Board) -> None:
    """Follows the event stream from its beginning, as `interlock watch` does."""
    last = "0-0"
    while True:
        entries = entries_of(await redis.xread({stream: last}, count=_READ_AT_ONCE, block=1_000))
        for last, text in entries:
            event = read_event(last, text)
            if event is not None:
                board.take(event)
        await asyncio.sleep(_LOOK_EVERY_S)


async def _watch_queue(redis: "Redis", queue: str, board: Board) -> None:
    while True:
        board.depth(await redis.llen(queue))
        await asyncio.sleep(_LOOK_EVERY_S)


@contextmanager
def _quiet(settings: Settings) -> Iterator[None]:
    """Of the log, warnings alone: a line in between would tear the picture."""
    loggers = [logging.getLogger(name) for name in ("workers", "alembic", "interlock")]
    before = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.DEBUG if settings.log_level == "DEBUG" else logging.ERROR)
    try:
        yield
    finally:
        for each, level in zip(loggers, before, strict=True):
            each.setLevel(level)


def _print_json(value: dict[str, object]) -> None:
    sys.stdout.write(f"{encode(value).decode()}\n")
    sys.stdout.flush()
