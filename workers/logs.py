"""Logging: one line per entry to standard error, as text or JSON. Never prints what a message holds.

Fields are given as `log.info("applied", extra={"commands": 12})`. The standard library does this in one small
formatter, and dramatiq and alembic log through it anyway, so no logging library is needed on top.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

_OWN_ATTRIBUTES = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_LONGEST_VALUE = 300


def set_up_logging(level: str, form: Literal["text", "json"]) -> None:
    """Send all log lines of this process to standard error; replaces what was set up before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    handler.addFilter(hide_payloads)
    logging.basicConfig(level=level, handlers=[handler], force=True)


class JsonLines(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time_of(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info and record.exc_info[1]:
            line["exception"] = "\n".join(_describe(record.exc_info[1]))
        return json.dumps(line, default=str, ensure_ascii=False)


class TextLines(logging.Formatter):
    """One line for people; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        time = _time_of(record).strftime("%H:%M:%S.%f")[:-3]
        line = f"{time} {record.levelname:<7} {record.name}: {record.getMessage()}{fields}"
        if record.exc_info and record.exc_info[1]:
            line = "\n".join([line, *_describe(record.exc_info[1])])
        return line


def hide_payloads(record: logging.LogRecord) -> bool:
    """dramatiq logs whole messages, arguments and all: keep the actor and the message's id."""
    if isinstance(record.args, tuple):
        record.args = tuple(_without_payload(arg) for arg in record.args)
    return True


def _without_payload(arg: object) -> object:
    if hasattr(arg, "message_id") and hasattr(arg, "actor_name"):
        return f"{arg.actor_name}[{arg.message_id}]"
    return arg


def _time_of(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {
        name: value if isinstance(value, int | float) else _cut(str(value))
        for name, value in record.__dict__.items()
        if name not in _OWN_ATTRIBUTES
    }


def _describe(error: BaseException) -> Iterator[str]:
    # Only the first line of an error's text: after it pydantic shows its input, PostgreSQL the row (DETAIL),
    # and SQLAlchemy the parameters.
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _describe(cause)
        yield "which led to:"
    yield from (line.rstrip() for line in traceback.format_tb(error.__traceback__))
    first_line = str(error).partition("\n")[0]
    yield f"{type(error).__qualname__}: {_cut(first_line)}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
