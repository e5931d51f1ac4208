"""The canonical form and signatures."""

import json
import math
import struct
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from messages.canonical import canonical, number, sign, verify
from messages.errors import ErrorCode, Refused
from tests.messages.examples import envelope

# RFC 8785, appendix B.
NUMBERS = {
    0x0000000000000000: "0",
    0x8000000000000000: "0",
    0x0000000000000001: "5e-324",
    0x8000000000000001: "-5e-324",
    0x7FEFFFFFFFFFFFFF: "1.7976931348623157e+308",
    0xFFEFFFFFFFFFFFFF: "-1.7976931348623157e+308",
    0x4340000000000000: "9007199254740992",
    0xC340000000000000: "-9007199254740992",
    0x4430000000000000: "295147905179352830000",
    0x44B52D02C7E14AF5: "9.999999999999997e+22",
    0x44B52D02C7E14AF6: "1e+23",
    0x44B52D02C7E14AF7: "1.0000000000000001e+23",
    0x444B1AE4D6E2EF4E: "999999999999999700000",
    0x444B1AE4D6E2EF4F: "999999999999999900000",
    0x444B1AE4D6E2EF50: "1e+21",
    0x3EB0C6F7A0B5ED8C: "9.999999999999997e-7",
    0x3EB0C6F7A0B5ED8D: "0.000001",
    0x41B3DE4355555553: "333333333.3333332",
    0x41B3DE4355555554: "333333333.33333325",
    0x41B3DE4355555555: "333333333.3333333",
    0x41B3DE4355555556: "333333333.3333334",
    0x41B3DE4355555557: "333333333.33333343",
    0xBECBF647612F3696: "-0.0000033333333333333333",
    0x43143FF3C1CB0959: "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_numbers_are_written_as_the_rfc_says(bits: int, text: str) -> None:
    assert number(struct.unpack(">d", bits.to_bytes(8))[0]) == text


def test_keys_are_in_the_order_of_utf_16() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    order = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical(dict.fromkeys(keys, 0)))) == order


def test_texts_are_escaped_no_more_than_they_must() -> None:
    assert canonical('\u20ac$\x0f\nA\'B"\\"/\x7f') == b'"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\"/\x7f"'


def test_values_without_space() -> None:
    value = {"b": [1, 2.0, {}, []], "a": {"z": None, "y": [True, False]}}
    assert canonical(value) == b'{"a":{"y":[true,false],"z":null},"b":[1,2,{},[]]}'


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        2**53 + 1,
        -(2**53) - 1,
        10**21,
        10**400,
        "\ud800",
        {1: 2},
        object(),
        b"x",
        {"a": [2**60 + 1]},
    ],
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(value)


def test_a_double_that_travels_without_a_point_is_signed_as_what_it_was() -> None:
    text = canonical([6e16, 2.0**53])
    assert text == b"[60000000000000000,9007199254740992]"
    assert canonical(json.loads(text)) == text


def test_a_value_that_is_nested_without_end_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="deep"):
        canonical(deep)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


@settings(max_examples=60, deadline=None)
@given(JSON)
def test_the_canonical_form_means_the_same(value: Any) -> None:
    again = json.loads(canonical(value), parse_int=float)
    assert again == value
    assert canonical(again) == canonical(json.loads(canonical(value))) == canonical(value)


@settings(max_examples=60, deadline=None)
@given(JSON)
def test_the_canonical_form_is_that_of_another_implementation(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def shuffled(value: Any) -> Any:
    """The same with the keys the other way round."""
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(value)}
    return value


def test_a_signature_holds_for_the_same_content_in_any_order() -> None:
    command = envelope("flow_run.create")
    signature = sign(command, "k1", b"secret")
    assert signature.startswith("v1:k1:")
    assert verify({"signature": signature, **shuffled(command)}, {"k0": b"x", "k1": b"secret"}) == "k1"
    assert sign({**command, "signature": "old"}, "k1", b"secret") == signature


@pytest.mark.parametrize(
    "change",
    [
        {"source": "other"},
        {"data": {}},
        {"replyto": "other"},
        {"unknown": 1},
        {"signature": None},
        {"signature": ""},
        {"signature": "v1:k1:"},
        {"signature": "v1:k1:!!"},
        {"signature": "v1:k1:ä"},
        {"signature": 7},
        {"data": {"n": 2**60 + 1}},
    ],
)
def test_altered_commands_are_unauthorized(change: dict[str, Any]) -> None:
    command = envelope("flow_run.create")
    signed = {**command, "signature": sign(command, "k1", b"secret"), **change}
    with pytest.raises(Refused) as caught:
        verify(signed, {"k1": b"secret"})
    assert caught.value.code is ErrorCode.UNAUTHORIZED


@pytest.mark.parametrize("change", [("v1:", "v2:"), (":k1:", ":k2:"), (":k1:", ":k3:")])
def test_signatures_of_other_forms_and_keys_are_unauthorized(change: tuple[str, str]) -> None:
    command = envelope("flow_run.create")
    signature = sign(command, "k1", b"secret").replace(*change)
    with pytest.raises(Refused):
        verify({**command, "signature": signature}, {"k1": b"secret", "k2": b"other"})
