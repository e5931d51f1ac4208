"""From the text of a message to commands: nothing is looked up, and a fault is a value."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.registry import COMMANDS
from tests.pipeline.workshop import batch, body_of, command
from workers.pipeline.admit import Limits, admit
from workers.pipeline.command import Admitted, Command, Unreadable

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
ATTRIBUTES = ("specversion", "id", "source", "type", "data", "replyto", "sequence", "partitionkey", "time")


def admitted(body: bytes, limits: Limits | None = None) -> list[Admitted]:
    return admit(body, COMMANDS, NOON, limits or Limits())


def the_only(body: bytes, limits: Limits | None = None) -> Command:
    [only] = admitted(body, limits)
    assert isinstance(only, Command)
    return only


def code_of(each: Admitted) -> str | None:
    outcome = each.refusal if isinstance(each, Command) else each.outcome
    return outcome.error.code if outcome and outcome.error else None


def test_a_valid_command_has_its_data_and_no_refusal() -> None:
    envelope = command("flow.upsert", {"name": "f"}, partitionkey="k", sequence="7", correlationid="c")
    each = the_only(body_of(envelope))
    assert each.refusal is None
    assert each.data.name == "f"
    assert (each.id, each.replyto, each.correlationid) == (UUID(envelope["id"]), "tests", "c")
    assert (each.partitionkey, each.sequence) == ("k", 7)


def test_a_refused_command_keeps_its_place_in_its_sequence() -> None:
    each = the_only(body_of(command("flow.upsert", {"nmae": "f"}, partitionkey="k", sequence="7")))
    assert code_of(each) == "invalid_message"
    assert (each.partitionkey, each.sequence) == ("k", 7)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"args": []}',
        b'{"args": [1]}',
        b'{"args": [{}, {}]}',
        b"\xff\xfe",
        b"[" * 9_999,
    ],
)
def test_what_holds_no_envelope_is_unreadable(body: bytes) -> None:
    [each] = admitted(body)
    assert isinstance(each, Unreadable)
    assert each.body == body
    assert each.outcome.error is not None


def test_a_message_over_the_limit_is_refused_but_its_sender_is_known() -> None:
    envelope = command("flow_run.create", {"flow_name": "f", "parameters": {"p": "x" * 500}})
    each = the_only(body_of(envelope), Limits(max_bytes=400))
    assert (code_of(each), each.replyto, str(each.id)) == ("too_large", "tests", envelope["id"])


def test_the_commands_of_a_batch_come_in_its_order_whatever_is_wrong_with_some() -> None:
    inner: list[Any] = [
        command("flow.upsert", {"name": "a"}),
        command("flow.upsert", {"name": "b"}, specversion="7"),
        {"anything": "else"},
        command("flow_run.create", {"flow_name": "\x00"}),
        command("flow_run.create", {"flow_name": "f", "parameters": {"p": 10**400}}),
        command("batch", {"commands": []}),
        command("flow.upsert", {"name": "c"}),
    ]
    codes = [code_of(each) for each in admitted(body_of(batch(*inner)))]
    wrong = "invalid_message"
    assert codes == [None, wrong, wrong, wrong, wrong, "unknown_type", None]


def test_a_batch_with_what_is_no_object_is_refused_as_a_whole_unless_it_is_opened_one_by_one() -> None:
    sent = command("batch", {"commands": [command("flow.upsert", {"name": "a"}), 7]})
    assert code_of(the_only(body_of(sent))) == "invalid_message"


def test_a_command_expires_at_its_time_and_not_before() -> None:
    for at, expected in (("12:00:00Z", "expired"), ("12:00:01Z", None)):
        each = the_only(body_of(command("flow.upsert", {"name": "f"}, expirytime=f"2026-11-23T{at}")))
        assert code_of(each) == expected


def test_two_spellings_of_one_content_have_one_fingerprint_and_two_contents_do_not() -> None:
    envelope = command("flow.upsert", {"name": "f", "tags": ["a"], "labels": {"x": 1, "y": 2}})
    other_order = {
        **envelope,
        "data": {"labels": {"y": 2, "x": 1}, "tags": ["a"], "name": "f"},
        "time": "2026-01-01T00:00:00Z",
    }
    assert the_only(body_of(envelope)).fingerprint == the_only(body_of(other_order)).fingerprint
    changed = {**envelope, "data": {**envelope["data"], "tags": ["b"]}}
    assert the_only(body_of(envelope)).fingerprint != the_only(body_of(changed)).fingerprint


@given(st.dictionaries(st.sampled_from(ATTRIBUTES) | st.text(), JSON, max_size=8))
def test_no_envelope_makes_admission_fail(envelope: dict[str, Any]) -> None:
    for each in admitted(body_of(envelope)) + admitted(body_of(batch(envelope))):
        assert code_of(each) is not None


@given(st.sampled_from(sorted(COMMANDS)), JSON)
def test_no_data_make_admission_fail(kind: str, data: Any) -> None:
    envelope = {**command(kind, {}), "data": data, "id": str(uuid4())}
    [each] = admitted(body_of(envelope))
    assert isinstance(each, Command | Unreadable)


@given(st.binary(max_size=200))
def test_no_bytes_make_admission_fail(body: bytes) -> None:
    [each] = admitted(body)
    assert isinstance(each, Unreadable)
