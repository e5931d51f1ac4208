"""The errors of the client and the consumer."""

from typing import TYPE_CHECKING, Any

from messages.errors import MessagesError

if TYPE_CHECKING:
    from messages.client.result import Result


class BrokerUnreachable(MessagesError):
    """Raised when Redis cannot be reached at the start. Later trouble is waited out."""


class ClientClosed(MessagesError):
    """Raised when something is sent with a client that is closed, or not open yet."""


class Unanswered(MessagesError, TimeoutError):
    """Raised by a future whose command got no answer in time; it may have been applied all the same."""

    def __init__(self, command_id: str, message: str) -> None:
        super().__init__(message)
        self.command_id = command_id


class NotYetKnown(MessagesError):
    """Raised when the id of a run is asked for that only the answer to its create command will tell."""


class CommandFailed(MessagesError):
    """Raised by the future of a command or query that ended as ERROR.

    `code` is a `messages.errors.ErrorCode`, `errors` a list of `{loc, msg, type}`, `result` the whole answer.
    """

    def __init__(self, result: "Result") -> None:
        error = result.error or {}
        self.code: str = error.get("code", "internal")
        self.message: str = error.get("message", "")
        self.errors: list[dict[str, Any]] = error.get("errors") or []
        self.result = result
        super().__init__(f"{self.code}: {self.message}")
