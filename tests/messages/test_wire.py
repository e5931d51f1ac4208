"""JSON text and its limits."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.errors import ErrorCode, Refused
from messages.wire import MAX_DEPTH, MAX_MESSAGE_BYTES, decode, encode


def refusal(text: bytes) -> Refused:
    """How a text is refused."""
    with pytest.raises(Refused) as caught:
        decode(text)
    return caught.value


def nested(levels: int) -> bytes:
    """A text of so many levels."""
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True, "é"]}, [], "text", 0, -1.5e300, 10**299])
def test_a_value_comes_out_as_it_went_in(value: Any) -> None:
    assert decode(encode(value)) == value


def test_times_and_ids_are_texts() -> None:
    value = {"id": UUID(int=1), "time": datetime(2026, 11, 23, 5, 9, 21, 246_000, UTC)}
    assert json.loads(encode(value)) == {
        "id": "00000000-0000-0000-0000-000000000001",
        "time": "2026-11-23T05:09:21.246000Z",
    }


def test_a_message_has_1_mib_at_most() -> None:
    text = b'"' + b"x" * (MAX_MESSAGE_BYTES - 2) + b'"'
    assert len(decode(text)) == MAX_MESSAGE_BYTES - 2
    assert refusal(text + b" ").code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 300, 10_000, 500_000])
def test_deep_messages_are_refused(levels: int) -> None:
    assert refusal(nested(levels)).code is ErrorCode.TOO_LARGE


def test_a_message_may_be_64_levels_deep() -> None:
    decode(nested(MAX_DEPTH))
    decode(b'[{"a":1}' + b',{"a":1}' * 500 + b"]")


def test_depth_counts_objects_and_lists_alike() -> None:
    assert refusal(b'{"a":[' * 33 + b"]}" * 33).code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"{} {}",
        b"{'a': 1}",
        b'{"a": NaN}',
        b"[Infinity]",
        b"[-Infinity]",
        b'"\xff"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b"\xef\xbb\xbf{}",
        b"[01]",
        b'"\x01"',
    ],
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    assert refusal(text).code is ErrorCode.INVALID_MESSAGE


@pytest.mark.parametrize(
    ("text", "loc"),
    [
        (b'{"a": ["b\\u0000"]}', ["a", 0]),
        (b'{"a\\u0000": 1}', ["a\\u0000"]),
        (b'{"a": 1e400}', ["a"]),
        (b'{"a": -1E+400}', ["a"]),
        (b'{"a": ' + b"9" * 301 + b"}", ["a"]),
        (b'{"a": -' + b"9" * 5_000 + b"}", ["a"]),
        (b'{"a": ' + b"9" * 400 + b".5}", ["a"]),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_place(text: bytes, loc: list[str | int]) -> None:
    refused = refusal(text)
    assert refused.code is ErrorCode.INVALID_MESSAGE
    assert [fault["loc"] for fault in refused.errors] in ([loc], [])


def test_numbers_near_the_limits_are_kept() -> None:
    assert decode(b"[1e308, 1e-400, 5e-324]") == [1e308, 0.0, 5e-324]


def test_of_two_equal_keys_the_last_counts() -> None:
    assert decode(b'{"a": 1, "a": 2}') == {"a": 2}


LOOKS_ALIKE = st.sampled_from(["1e400", "a1e400", "12-1e234", "5E999-0", "0" * 400])
TEXTS = st.lists(LOOKS_ALIKE | st.uuids().map(str), max_size=5).map("".join)
TOO_LARGE = st.from_regex(r"\A-?[1-9][0-9]{0,400}(\.[0-9]{1,20})?[eE]\+?[4-9][0-9]{2}\Z") | st.from_regex(
    r"\A-?[1-9][0-9]{300,600}\Z"
)
BLANKS = st.text(" \t\r\n", max_size=3)


@given(TEXTS, TOO_LARGE, BLANKS, st.sampled_from(['{{"a": "{}", "b":{}}}', '["{}",{}]', '[{{"{}": [{}]}}]']))
def test_a_number_that_cannot_be_kept_is_found_wherever_it_stands(
    text: str, number: str, blanks: str, form: str
) -> None:
    assert refusal(form.format(text, blanks + number).encode()).code is ErrorCode.INVALID_MESSAGE


@given(TEXTS)
def test_a_text_that_looks_like_a_large_number_is_a_text(text: str) -> None:
    assert decode(json.dumps({"a": text, "b": [1, text]}).encode()) == {"a": text, "b": [1, text]}
