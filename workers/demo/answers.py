"""The commands of a replay with their answers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from messages.client import Result
from workers.demo.recording import Recorded


@dataclass
class Played:
    """One command of the recording, sent and answered.

    `scheduled` and `pause_timeout` are those of the run's state when the command was sent, as far as told.
    """

    recorded: Recorded
    sent_at: datetime
    started: float
    seconds: float = 0.0
    result: Result | None = None
    scheduled: datetime | None = None
    pause_timeout: datetime | None = None

    @property
    def answered_at(self) -> datetime:
        """When its answer came."""
        return self.sent_at + timedelta(seconds=self.seconds)

    @property
    def run_id(self) -> str | None:
        """The run that it is about; a create command may have left its id to the server."""
        if self.result is not None and self.result.run is not None:
            return str(self.result.run["id"])
        return self.recorded.run_id


def state_of(result: Result) -> dict[str, Any] | None:
    """The state that an answer tells: of a command that sets one, or of the run that a create command gives."""
    run = result.run or {}
    state: dict[str, Any] | None = result.state or run.get("state")
    return state


def time_in(state: dict[str, Any] | None, name: str) -> datetime | None:
    """One of the times in the details of a state."""
    text = ((state or {}).get("state_details") or {}).get(name)
    return None if text is None else datetime.fromisoformat(text)
