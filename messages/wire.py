"""JSON text and dramatiq's message format, both ways, with limits on size and depth."""

import re
from typing import Any

from pydantic_core import from_json, to_json

from messages.errors import ErrorCode, Refused, fault

MAX_MESSAGE_BYTES = 1_048_576
MAX_DEPTH = 64
# PostgreSQL cannot keep NUL in text, nor numbers beyond these digits in jsonb; JSON has no infinity.
# A number token of 300 digits or a three-digit exponent.
_LARGE_NUMBER = re.compile(rb"[:,\[\s]-?[0-9](?:[0-9.]{299}|[0-9.]*[eE]\+?[0-9]{3})")
# Texts, so that brackets in them are passed over; brackets that open, and that close.
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|([\[{]+)|([\]}]+)', re.DOTALL)
# pydantic's parser stops at 200 levels. More than any limit allows, so that what is cropped is refused for its depth.
_PARSED_DEPTH = 190
_LARGEST_INTEGER = 10**300
# Every digit becomes 0, every E becomes e, whatever may stand before a number a colon, all else but signs a blank: what
# the expression would find is then easy to see.
_ALIKE = {b"0123456789": b"0", b"eE": b"e", b":,[ \t\n\r\f\v": b":", b"-": b"-"}
_SHAPES = bytes(
    next((shape[0] for found, shape in _ALIKE.items() if byte in found), ord(" ")) for byte in range(256)
)
_EXPONENT, _DIGITS = b"0e000", b"0" * 299


def encode(value: Any) -> bytes:
    """JSON text. Times are RFC 3339 in UTC, ids are texts."""
    return to_json(value)


def decode(text: bytes, *, max_bytes: int = MAX_MESSAGE_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """The JSON value of a text.

    Raises:
        Refused: `too_large` over the limits; `invalid_message` for what is no JSON or what cannot be kept.
    """
    if len(text) > max_bytes:
        raise Refused(
            ErrorCode.TOO_LARGE, f"the message has {len(text)} bytes; at most {max_bytes} are allowed"
        )
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        if "recursion limit" in str(error):
            raise _too_deep(max_depth) from None
        raise Refused(ErrorCode.INVALID_MESSAGE, f"not JSON: {error}") from None
    if text.count(b"{") + text.count(b"[") > max_depth:
        _check_depth(value, max_depth)
    if _is_suspicious(text):
        _check_storable(value)
    return value


def cropped(text: bytes) -> bytes:
    """A text in which what is nested deeper than the parser goes is `null`: to read what stands above it."""
    kept: list[bytes] = []
    depth = begin = 0
    for found in _BRACKETS.finditer(text):
        opened, closed = found.span(1), found.span(2)
        before, depth = depth, depth + (opened[1] - opened[0]) - (closed[1] - closed[0])
        if before <= _PARSED_DEPTH < depth:
            kept += (text[begin : opened[0] + _PARSED_DEPTH - before], b"null")
        elif depth <= _PARSED_DEPTH < before:
            begin = closed[0] + before - _PARSED_DEPTH
    return b"".join(kept) + (text[begin:] if depth <= _PARSED_DEPTH else b"")


def _is_suspicious(text: bytes) -> bool:
    """Whether there may be something in it that cannot be kept: then every value is looked at."""
    if b"\\u0000" in text or b"NaN" in text or b"Infinity" in text:
        return True
    # Most texts have no such thing anywhere: the exact look, which takes long, decides about the others.
    return _may_have_large_number(text.translate(_SHAPES, b".+")) and _LARGE_NUMBER.search(text) is not None


def _may_have_large_number(shape: bytes) -> bool:
    """Ids often have an exponent somewhere, but letters before it."""
    if _DIGITS in shape:
        return True
    at = shape.find(_EXPONENT)
    while at >= 0:
        before = shape.rfind(b":", max(0, at - len(_DIGITS) - 1), at)
        if before >= 0 and not shape[before + 1 : at].strip(b"-0"):
            return True
        at = shape.find(_EXPONENT, at + 1)
    return False


def _too_deep(max_depth: int) -> Refused:
    return Refused(ErrorCode.TOO_LARGE, f"the message is nested deeper than {max_depth} levels")


def _check_depth(value: Any, left: int) -> None:
    level, depth = [value], 0
    while level:
        containers = [item for item in level if isinstance(item, dict | list)]
        depth += bool(containers)
        if depth > left:
            raise _too_deep(left)
        level = [
            child for item in containers for child in (item.values() if isinstance(item, dict) else item)
        ]


def _check_storable(value: Any) -> None:
    waiting: list[tuple[Any, tuple[str | int, ...]]] = [(value, ())]
    while waiting:
        item, loc = waiting.pop()
        if isinstance(item, dict):
            for key, child in item.items():
                _check_scalar(key, (*loc, key))
                waiting.append((child, (*loc, key)))
        elif isinstance(item, list):
            waiting.extend((child, (*loc, index)) for index, child in enumerate(item))
        else:
            _check_scalar(item, loc)


def _check_scalar(item: Any, loc: tuple[str | int, ...]) -> None:
    problem = None
    if isinstance(item, str) and "\x00" in item:
        problem = "text may not hold the character U+0000"
    elif isinstance(item, int) and abs(item) >= _LARGEST_INTEGER:
        problem = "a number of at most 300 digits"
    elif isinstance(item, float) and item in (float("inf"), float("-inf")):
        problem = "a number that a double can hold"
    if problem:
        shown = [part.replace("\x00", "\\u0000") if isinstance(part, str) else part for part in loc]
        raise Refused(ErrorCode.INVALID_MESSAGE, problem, [fault(problem, *shown)])
