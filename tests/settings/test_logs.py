import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pydantic import BaseModel

from workers.logs import JsonLines, TextLines, set_up_logging


@dataclass
class MessageLikeDramatiqs:
    actor_name: str = "flow_run.create"
    message_id: str = "m-1"
    args: tuple[str, ...] = ("a secret",)


class OnlyNumbers(BaseModel):
    number: int


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before


def lines_logged(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_json_lines_carry_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("INFO", "json")
    logging.getLogger("a.b").info("applied %d", 3, extra={"commands": 12, "run_id": "r-1"})
    line = json.loads(lines_logged(capsys))
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "info", "logger": "a.b", "message": "applied 3", "commands": 12, "run_id": "r-1"}


def test_text_lines_carry_the_fields_too(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("INFO", "text")
    logging.getLogger("a.b").warning("slow", extra={"seconds": 1.5})
    assert lines_logged(capsys).endswith(" WARNING a.b: slow seconds=1.5\n")


def test_lines_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("WARNING", "text")
    logging.getLogger("a.b").info("chatter")
    assert lines_logged(capsys) == ""


@pytest.mark.parametrize("form", ["text", "json"])
def test_messages_are_logged_without_what_they_hold(capsys: pytest.CaptureFixture[str], form: str) -> None:
    set_up_logging("DEBUG", "json" if form == "json" else "text")
    logging.getLogger("dramatiq").debug("Received message %s with id %r.", MessageLikeDramatiqs(), "m-1")
    logged = lines_logged(capsys)
    assert "flow_run.create[m-1]" in logged
    assert "secret" not in logged


def error_that_holds(payload: str) -> RuntimeError:
    try:
        try:
            OnlyNumbers.model_validate({"number": payload})
        except ValueError as invalid:
            raise RuntimeError(f"could not apply\nDETAIL: {payload}") from invalid
    except RuntimeError as caught:
        error = caught
    return error


@pytest.mark.parametrize("formatter", [TextLines(), JsonLines()])
def test_errors_are_logged_without_the_input_that_caused_them(formatter: logging.Formatter) -> None:
    error = error_that_holds("a secret")
    record = logging.makeLogRecord({"msg": "failed", "exc_info": (type(error), error, error.__traceback__)})
    logged = formatter.format(record)
    assert "RuntimeError: could not apply" in logged
    assert "1 validation error for OnlyNumbers" in logged
    assert "error_that_holds" in logged
    assert "secret" not in logged


def test_long_values_are_cut() -> None:
    record = logging.makeLogRecord({"msg": "big", "body": "x" * 1000})
    assert len(TextLines().format(record)) < 400
