"""What a dead letter holds: JSON if it is some, else text or bytes that can be shown. Pure."""

import json
from typing import Any

from pydantic_core import from_json

_BYTES_IN_A_LINE = 16
_LONGEST_DUMP = 4_096


def as_json(body: bytes) -> Any | None:
    """The JSON object or list that the bytes are; None for all else. Nothing is lost: `json` keeps big numbers."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def envelope_in(body: bytes) -> dict[str, Any] | None:
    """The envelope: of a command that was given up the whole body, else the only argument of the message."""
    try:
        value = from_json(body)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    args = value.get("args")
    if isinstance(args, list):
        return args[0] if len(args) == 1 and isinstance(args[0], dict) else None
    return value


def shown(body: bytes) -> str:
    """Bytes that are no JSON, on lines of printable characters: as text if they are one, else in hexadecimal."""
    if not body:
        return "(nothing: no byte)"
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return _hexadecimal(body)
    strange = sum(not (each.isprintable() or each in "\n\t\r") for each in text)
    return _hexadecimal(body) if strange * 10 > len(text) else _escaped(text)


def _escaped(text: str) -> str:
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode()
        for each in text
    )


def _hexadecimal(body: bytes) -> str:
    lines = []
    for start in range(0, min(len(body), _LONGEST_DUMP), _BYTES_IN_A_LINE):
        part = body[start : start + _BYTES_IN_A_LINE]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:08x}  {part.hex(' '):<47}  {text}")
    if len(body) > _LONGEST_DUMP:
        lines.append(f"... {len(body) - _LONGEST_DUMP} bytes more; --raw writes all of them")
    return "\n".join(lines)
