"""Results as the client's futures give them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from messages.fields import JsonObject
from messages.results import Status


@dataclass(frozen=True, slots=True)
class Result:
    """What a command or query came to. `data` is the whole `data` of the result's envelope."""

    status: Status
    data: JsonObject
    command_id: str
    replayed: bool = False
    error: JsonObject | None = None

    @property
    def ok(self) -> bool:
        """Whether it did what it was to do: OK or ACCEPT."""
        return self.status in (Status.OK, Status.ACCEPT)

    @property
    def state(self) -> JsonObject | None:
        """The state that the run has after the command."""
        return self.data.get("state")

    @property
    def run(self) -> JsonObject | None:
        """The run as committed: in short after set_state, whole after create and read."""
        return self.data.get("run") or self.data.get("flow_run") or self.data.get("task_run")

    @property
    def reason(self) -> str | None:
        """Why the rules said no."""
        return (self.data.get("details") or {}).get("reason")

    @property
    def delay_seconds(self) -> float | None:
        """After WAIT: when to ask again."""
        delay = (self.data.get("details") or {}).get("delay_seconds")
        return self.data.get("delay_seconds") if delay is None else delay

    def object(self, name: str) -> JsonObject:
        """The object that the result holds under this name, such as `flow` or `deployment`.

        Raises:
            KeyError: if it holds none.
        """
        found: JsonObject | None = self.data.get(name)
        if found is None:
            raise KeyError(name)
        return found


def read_result(envelope: Mapping[str, Any]) -> Result | None:
    """The result in an envelope from a reply stream; None for what is no result."""
    data = envelope.get("data")
    if not isinstance(data, dict):
        return None
    command = data.get("command")
    command_id = command.get("id") if isinstance(command, dict) else envelope.get("causationid")
    status = str(data.get("status"))
    if command_id is None or status not in Status.__members__:
        return None
    error = data.get("error")
    return Result(
        status=Status(status),
        data=data,
        command_id=str(command_id),
        replayed=data.get("replayed") is True,
        error=error if isinstance(error, dict) else None,
    )
