"""How handlers answer."""

from typing import Any

from messages.errors import ErrorCode, ErrorItem
from messages.fields import Id
from messages.results import ErrorBody, Outcome, Status


def ok(subject: Id | None = None, **body: Any) -> Outcome:
    """The command was carried out."""
    return Outcome(Status.OK, body, subject=subject)


def failed(code: ErrorCode, message: str, errors: list[ErrorItem] | None = None) -> Outcome:
    """The command was not carried out, and will not be."""
    return Outcome(Status.ERROR, {}, ErrorBody(code=code, message=message, errors=errors or []))


class CommandFailed(Exception):
    """Raised by a handler that must take back what it has done so far: the command ends as ERROR."""

    def __init__(self, code: ErrorCode, message: str, errors: list[ErrorItem] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.errors = code, message, errors

    def outcome(self) -> Outcome:
        """The result's content."""
        return failed(self.code, self.message, self.errors)


def missing(what: str, ident: object) -> CommandFailed:
    """The object that a command needs does not exist."""
    return CommandFailed(ErrorCode.NOT_FOUND, f"there is no {what} {ident}")


def taken(what: str, ident: object) -> CommandFailed:
    """An id or a unique key belongs to another object."""
    return CommandFailed(ErrorCode.CONFLICT, f"there is already a {what} {ident}")
