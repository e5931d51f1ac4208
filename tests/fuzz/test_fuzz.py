"""Whatever is put on the queues: no worker dies, hangs or answers `internal`, and good messages behind it are answered.

The same messages each time; `make fuzz` tries many others. INTERLOCK_TEST_FUZZ: how many examples, at random.
"""

import os
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.crashes.processes import until
from tests.crashes.producer import dramatiq_message
from tests.fuzz.conftest import ANSWERS_WITHIN_S, Target, told
from tests.fuzz.junk import NASTY, bodies, envelopes

FUZZ = int(os.environ.get("INTERLOCK_TEST_FUZZ", "0"))
REPLYTO = "fuzz"
tried = settings(
    max_examples=FUZZ or 20,
    derandomize=not FUZZ,
    deadline=None,
    database=None,
    print_blob=True,
    # Whoever has died cannot be asked with less.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@tried
@given(st.lists(bodies(REPLYTO), min_size=10, max_size=25))
def test_whatever_is_sent_workers_live_and_good_messages_are_answered(
    target: Target, sent: list[bytes]
) -> None:
    target.producer.replyto = REPLYTO
    before = len(target.results())

    target.put(sent)
    target.good_ones_are_answered()

    target.nobody_has_died()
    for result in target.results()[before:]:
        assert (result["data"]["error"] or {}).get("code") != "internal", told(result)
    assert target.given_up() == []


@tried
@given(st.lists(envelopes(REPLYTO), min_size=5, max_size=15))
def test_whoever_can_be_answered_is_answered(target: Target, sent: list[dict[str, Any]]) -> None:
    """An envelope with an id, a type, a source and an address, and no number that it would have to wait for."""
    target.producer.replyto = REPLYTO
    expected = {each["id"] for each in sent if _can_be_answered(each)}

    target.put([dramatiq_message("commands", each, "x")[1].encode() for each in sent])
    target.good_ones_are_answered()

    with suppress(AssertionError):
        until(lambda: expected <= target.producer.answered(), ANSWERS_WITHIN_S)
    answered = target.producer.answered()
    left = [each for each in sent if _can_be_answered(each) and each["id"] not in answered]
    assert not left, repr(left[0])


def _can_be_answered(envelope: dict[str, Any]) -> bool:
    plain = all(isinstance(envelope.get(name), str) for name in ("id", "type", "source", "replyto"))
    return (
        plain
        and envelope["replyto"] == REPLYTO
        and envelope["source"] == "fuzz"
        and envelope["id"].count("-") == 4
        and envelope["specversion"] == "1.0"
        and not envelope.keys() & {"sequence", "partitionkey"}
        and "\x00" not in envelope["type"]
    )


def test_every_text_that_postgresql_cannot_keep_is_refused_clearly(target: Target) -> None:
    """In every member of a command that takes a text."""
    target.producer.replyto = REPLYTO
    unstorable = [each for each in NASTY if isinstance(each, str) and ("\x00" in each or _is_surrogate(each))]
    assert len(unstorable) >= 4
    commands = [
        target.producer.command("flow_run.create", {"flow_name": "f", **data})
        for text in unstorable
        for data in (
            *({"name": text}, {"flow_name": text}, {"idempotency_key": text}, {"tags": [text]}),
            *(
                {"parameters": {"p": text}},
                {"parameters": {text: 1}},
                {"labels": {text: "x"}},
                {"context": [text]},
            ),
            *(
                {"state": {"type": "RUNNING", "message": text}},
                {"state": {"type": "RUNNING", "data": {"x": text}}},
            ),
        )
    ]

    target.put([dramatiq_message("commands", each, "x")[1].encode() for each in commands])
    target.good_ones_are_answered()

    # Batches are applied side by side: a good command may be answered before the bad ones in front of it.
    until(lambda: {each["id"] for each in commands} <= target.producer.answered(), ANSWERS_WITHIN_S)
    answered = {each["causationid"]: each["data"] for each in target.results()}
    for command in commands:
        data = answered.get(command["id"])
        assert data is not None, command
        assert data["error"]["code"] == "invalid_message", (command, data)
        assert data["error"]["message"]


def _is_surrogate(text: str) -> bool:
    return any("\ud800" <= each <= "\udfff" for each in text)
