"""Cursors: where a page ended, as an opaque text that the next query brings back."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from messages.errors import ErrorCode, Refused, fault
from messages.fields import Id
from store.reads.orders import Place

_BY_NAME = TypeAdapter(tuple[str, str, Id])
_BY_TIME = TypeAdapter(tuple[str, datetime | None, Id])


def write(sort: StrEnum, place: Place) -> str:
    """The cursor of a place in this order."""
    return urlsafe_b64encode(to_json([sort, place.value, place.id])).decode().rstrip("=")


def read(sort: StrEnum, text: str) -> Place:
    """The place of a cursor.

    Raises:
        Refused: `invalid_message`, for what is no cursor, or the cursor of a list in another order.
    """
    expected = _BY_NAME if sort.startswith("NAME") else _BY_TIME
    try:
        written = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        written_for, value, run_id = expected.validate_json(written)
    except (ValueError, ValidationError):
        raise _refused("this is no cursor of such a list") from None
    if written_for != sort:
        raise _refused(f"this cursor is of a list in another order ({written_for})")
    return Place(value, run_id)


def _refused(message: str) -> Refused:
    return Refused(ErrorCode.INVALID_MESSAGE, message, [fault(message, "data", "after")])
