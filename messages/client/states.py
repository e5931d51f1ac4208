"""States to propose: `run.set_state(Running())`, `run.set_state(Failed(message="no such table"))`.

Each builder gives a `ProposedState`. Further keywords go into its `state_details`.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from messages.states import ProposedState, StateDetails, StateType


@dataclass(frozen=True, slots=True)
class StateBuilder:
    """Builds states of one type; without `name` they are named by their type."""

    type: StateType
    name: str | None = None

    def __call__(
        self, *, name: str | None = None, message: str | None = None, data: Any = None, **details: Any
    ) -> ProposedState:
        """A state to propose.

        Raises:
            pydantic.ValidationError: for details that states do not have.
        """
        fields: dict[str, Any] = {
            "type": self.type,
            "name": name or self.name,
            "message": message,
            "data": data,
        }
        if details:
            fields["state_details"] = StateDetails(**details)
        return ProposedState(**{key: value for key, value in fields.items() if value is not None})


@dataclass(frozen=True, slots=True)
class ScheduledBuilder:
    """Builds states that begin at a time."""

    name: str | None = None

    def __call__(self, at: datetime | None = None, **fields: Any) -> ProposedState:
        """A state that is due `at` a time; left out, at the time at which it is applied.

        Raises:
            ValueError: if `scheduled_time` is given too.
        """
        if "scheduled_time" in fields:
            raise ValueError("give the time as `at`")
        if at is not None:
            fields["scheduled_time"] = at
        return StateBuilder(StateType.SCHEDULED, self.name)(**fields)


@dataclass(frozen=True, slots=True)
class PausedBuilder:
    """Builds states that wait to be resumed."""

    name: str | None = None
    reschedule: bool = False

    def __call__(
        self,
        timeout: float | None = None,
        *,
        until: datetime | None = None,
        key: str | None = None,
        **fields: Any,
    ) -> ProposedState:
        """A pause that ends as failed after `timeout` seconds, or at `until`; without them it has no end.

        A run cannot pause twice with the same `key`.

        Raises:
            ValueError: if both ends are given, or one more as `pause_timeout`.
        """
        if "pause_timeout" in fields or (timeout is not None and until is not None):
            raise ValueError("give one end of the pause, as `timeout` or as `until`")
        if timeout is not None:
            until = datetime.fromtimestamp(time.time() + timeout, UTC)
        fields["pause_reschedule"] = fields.pop("reschedule", self.reschedule)
        ends = {"pause_timeout": until, "pause_key": key}
        fields.update({name: value for name, value in ends.items() if value is not None})
        return StateBuilder(StateType.PAUSED, self.name)(**fields)


Scheduled = ScheduledBuilder()
Late = ScheduledBuilder("Late")
AwaitingRetry = ScheduledBuilder("AwaitingRetry")
AwaitingConcurrencySlot = ScheduledBuilder("AwaitingConcurrencySlot")
Resuming = ScheduledBuilder("Resuming")
Pending = StateBuilder(StateType.PENDING)
Running = StateBuilder(StateType.RUNNING)
Retrying = StateBuilder(StateType.RUNNING, "Retrying")
Paused = PausedBuilder()
Suspended = PausedBuilder("Suspended", reschedule=True)
Cancelling = StateBuilder(StateType.CANCELLING)
Cancelled = StateBuilder(StateType.CANCELLED)
Completed = StateBuilder(StateType.COMPLETED)
Failed = StateBuilder(StateType.FAILED)
Crashed = StateBuilder(StateType.CRASHED)
