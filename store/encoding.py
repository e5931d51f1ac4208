"""JSON text of values, as `messages.wire.encode` writes it, in a third of the time: results, events, rows.

Dataclasses, models, ids, times and enumerations are written as they are (see docs/decisions).
"""

from collections.abc import Callable
from typing import Any

import msgspec
from pydantic import BaseModel


def _members(value: Any) -> dict[str, Any]:
    """What a model holds, without what it leaves out (`exclude_if`: only None is ever left out)."""
    if not isinstance(value, BaseModel):
        raise NotImplementedError(f"{type(value).__name__} has no JSON form")
    left_out = _LEFT_OUT.get(type(value))
    if left_out is None:
        left_out = _LEFT_OUT[type(value)] = _left_out_by(type(value))
    members = value.__dict__
    if not left_out:
        return members
    return {name: each for name, each in members.items() if each is not None or name not in left_out}


def _left_out_by(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, field in model.model_fields.items() if field.exclude_if is not None)


_LEFT_OUT: dict[type[BaseModel], frozenset[str]] = {}

#: JSON text in UTF-8. Times are RFC 3339 in UTC, ids are texts.
encode: Callable[[Any], bytes] = msgspec.json.Encoder(enc_hook=_members).encode

#: The same with the members of all objects in order: equal values have equal texts.
encode_sorted: Callable[[Any], bytes] = msgspec.json.Encoder(enc_hook=_members, order="sorted").encode
