from typing import Any

import pytest

from messages.client import Result
from tests.demo.builders import result, seen, state
from workers.demo.compare import differing

RUNNING = seen("ACCEPT", "RUNNING", "Running")
TAG = "Concurrency limit for the gpu tag has been reached"
LATER = "Scheduled time is in the future"


def waits(seconds: int) -> Result:
    return result(
        "WAIT", state=state("PENDING", "Pending"), details={"reason": "wait", "delay_seconds": seconds}
    )


@pytest.mark.parametrize(
    ("observed", "answer"),
    [
        (RUNNING, result("ACCEPT", state=state("RUNNING", "Running"))),
        (seen("OK", created=True), result("OK", created=True)),
        (seen("OK", deleted=False, http=404), result("OK", deleted=False)),
        (seen("ERROR", error="not_found", http=404), result("ERROR", error={"code": "not_found"})),
        (seen("WAIT", http=423, reason=TAG, delay_seconds=1.0), waits(1)),
        (seen("WAIT", "PENDING", "Pending", reason=LATER, delay_seconds=4), waits(1)),
        ({**RUNNING, "lost": True}, result("ACCEPT", state=state("RUNNING", "Running"))),
        (None, result("ABORT", details={"reason": "whatever"})),
    ],
)
def test_the_same_answer(observed: dict[str, Any] | None, answer: Result) -> None:
    assert differing(observed, answer) == ()


@pytest.mark.parametrize(
    ("observed", "answer", "names"),
    [
        (RUNNING, result("ABORT", state=state("PENDING", "Pending")), ["status", "state_type", "state_name"]),
        (RUNNING, result("ACCEPT", state=state("RUNNING", "Rerunning")), ["state_name"]),
        (seen("OK", created=True), result("OK", created=False), ["created"]),
        (seen("OK", updated=True), result("OK", updated=False), ["updated"]),
        (seen("OK", deleted=False, http=404), result("OK", deleted=True), ["deleted", "http"]),
        (seen("ABORT", reason="no"), result("ABORT"), ["reason"]),
        (seen("WAIT", "PENDING", "Pending", reason=TAG, delay_seconds=1), waits(30), ["delay_seconds"]),
        (seen("WAIT", "PENDING", "Pending", reason=LATER, delay_seconds=4), waits(5), ["delay_seconds"]),
        (None, result("ERROR", error={"code": "internal"}), ["status"]),
    ],
)
def test_another_answer(observed: dict[str, Any] | None, answer: Result, names: list[str]) -> None:
    assert [member.name for member in differing(observed, answer)] == names
