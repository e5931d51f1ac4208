"""`interlock watch`: a stream as it grows."""

import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.failures import WRONG_USAGE, Complaint
from workers.cli.preparing import log, prepare

if TYPE_CHECKING:
    from redis import Redis

    from messages.streams import Entry

_PAUSE_SECONDS = 1.0


class Stream(StrEnum):
    """What there is to watch."""

    EVENTS = "events"
    REPLIES = "replies"
    NOTIFICATIONS = "notifications"


def watch(
    stream: Annotated[Stream, typer.Argument(help="Which stream.", show_default=True)] = Stream.EVENTS,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The NAME of replies or notifications.")
    ] = None,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Begin with what the stream still holds.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The envelopes, one on a line.")] = False,
) -> None:
    """Follow the events, or the results or notifications under a NAME, until Ctrl-C.

    Watching takes nothing away: consumers get all the same.
    """
    settings = prepare()
    from messages.streams import connect, stream_key

    key = stream_key(settings.namespace, _named(stream, name))
    show = _printer(as_json)
    try:
        with connect(settings.redis_url) as redis:
            after = "0-0" if from_start else _last_of(redis, key)
            for text in _follow(redis, key, after):
                show(text)
    except KeyboardInterrupt:
        # The one way to end it, and no failure.
        raise typer.Exit(0) from None


def _named(stream: Stream, name: str | None) -> str:
    if stream is Stream.EVENTS:
        if name is not None:
            raise Complaint("there is one stream of events, it has no NAME", WRONG_USAGE)
        return stream
    if not name:
        raise Complaint(f"say whose: interlock watch {stream} NAME", WRONG_USAGE)
    return f"{stream}:{name}"


def _last_of(redis: "Redis", key: str) -> str:
    from messages.streams import text_of

    last: Any = redis.xrevrange(key, count=1)
    return text_of(last[0][0]) if last else "0-0"


def _follow(redis: "Redis", key: str, after: str) -> Iterator[bytes]:
    from messages.streams import BLOCK_MS, READ_AT_ONCE, TROUBLE, entries_of
    from workers.cli.screen import require_reader

    told = False
    while True:
        require_reader()
        try:
            entries: list[Entry] = entries_of(redis.xread({key: after}, count=READ_AT_ONCE, block=BLOCK_MS))
        except TROUBLE as error:
            if not told:
                log.warning("waiting for Redis: %s", error)
            told = True
            time.sleep(_PAUSE_SECONDS)
            continue
        if told:
            log.warning("Redis is back")
            told = False
        after = entries[-1][0] if entries else after
        # What was trimmed in between has an id, and no text.
        yield from (text for _, text in entries if text is not None)


def _printer(as_json: bool) -> Callable[[bytes], None]:
    import sys

    if as_json:

        def show_raw(text: bytes) -> None:
            sys.stdout.buffer.write(text.replace(b"\n", b" ") + b"\n")
            sys.stdout.buffer.flush()

        return show_raw

    from workers.cli.screen import screen
    from workers.cli.telling import told

    console = screen()

    def show(text: bytes) -> None:
        console.print(told(text))
        sys.stdout.flush()

    return show
