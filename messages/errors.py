"""The errors of this package, and the error codes that results carry."""

from enum import StrEnum
from typing import TypedDict


class ErrorCode(StrEnum):
    """Why a command or query ended as ERROR (contract, section 3)."""

    INVALID_MESSAGE = "invalid_message"
    UNKNOWN_TYPE = "unknown_type"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    ID_REUSED = "id_reused"
    VERSION_MISMATCH = "version_mismatch"
    SEQUENCE_GAP = "sequence_gap"
    EXPIRED = "expired"
    TOO_LARGE = "too_large"
    UNAUTHORIZED = "unauthorized"
    GRAPH_TOO_LARGE = "graph_too_large"
    INTERNAL = "internal"


class ErrorItem(TypedDict):
    """One fault of a message: where, what, and pydantic's name for it."""

    loc: list[str | int]
    msg: str
    type: str


class MessagesError(Exception):
    """Base of the errors of this package."""


class Refused(MessagesError):
    """Raised when a message cannot be taken; `code` and `errors` become the ERROR result."""

    def __init__(self, code: ErrorCode, message: str, errors: list[ErrorItem] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.errors = errors or []


def fault(message: str, *loc: str | int, kind: str = "value_error") -> ErrorItem:
    """One item of `errors`."""
    return {"loc": list(loc), "msg": message, "type": kind}
