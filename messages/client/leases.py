"""Slots held for the length of a block: how long to wait, what to give back. Pure: time comes in."""

from typing import Any

from messages.client.result import Result
from messages.fields import JsonObject
from messages.results import Status

_DEFAULT_PAUSE_SECONDS = 1.0
_SHORTEST_PAUSE_SECONDS = 0.05


class Holding:
    """Slots that are to be held; `now` and `timeout` are seconds of a monotonic clock."""

    def __init__(self, names: list[str], slots: int, now: float, timeout: float | None) -> None:
        self._names = names
        self._slots = slots
        self._give_up_at = None if timeout is None else now + timeout
        self._delay = _DEFAULT_PAUSE_SECONDS
        self.lease: JsonObject = {}

    def taken(self, answer: Result) -> bool:
        """Whether this answer to `acquire` means that they are held."""
        if answer.status is Status.WAIT:
            self._delay = answer.delay_seconds or _DEFAULT_PAUSE_SECONDS
            return False
        self.lease = answer.data.get("lease") or {}
        return True

    def pause(self, now: float) -> float:
        """The seconds until the next attempt.

        Raises:
            TimeoutError: if there is no time left for one.
        """
        if self._give_up_at is None:
            return max(self._delay, _SHORTEST_PAUSE_SECONDS)
        left = self._give_up_at - now
        if left <= 0:
            raise TimeoutError(f"no {self._slots} free slots of {', '.join(self._names)}")
        return max(min(self._delay, left), _SHORTEST_PAUSE_SECONDS)

    def release(self) -> dict[str, Any]:
        """The data of the command that gives them back."""
        lease_id = self.lease.get("lease_id")
        return {"lease_id": lease_id} if lease_id else {"names": self._names, "slots": self._slots}
