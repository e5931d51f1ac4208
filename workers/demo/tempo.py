"""Time in a replay: when each command is sent, and what becomes of the times and delays in it. Pure.

The replay runs `speed` times as fast as the recording, and where no client spoke for long, the silence is cut to
five seconds of the recording. Where the replay falls behind, it goes on later, without hurrying after. All times
keep their places between the commands:

- A moment of the recording has its moment in the replay, by these two: so with `time` and `expirytime` of
  envelopes, `pause_timeout`, `cache_expiration` (for these two see `expiries`, too).
- Scheduled times, and the delays from which the server makes scheduled times (retries, waiting for a slot of a
  deployment), get half a second on top. The server lets a run start half a second before its time (it tells
  delays in whole seconds, and 0.5 s rounds to none): nothing at the pace of the recording, but 20 s of it at 40
  times that pace. With the half second on top, a run may start exactly when its time in the recording had come.
- A retry delay that is a list holds whole seconds; divided, they are rounded down.

What the recording says in whole texts, such as idempotency keys that name a time, stays as it was.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from messages.fields import JsonObject

# The server rounds a delay to whole seconds; exactly half a second is none.
EARLY_S = 0.5
EARLY = timedelta(seconds=EARLY_S)
# The longest silence that is kept.
SILENCE_S = 5.0
_SCHEDULED = "scheduled_time"
_PLAIN_TIMES = ("pause_timeout", "cache_expiration")


class Silences:
    """What is left of the recording's time when its long silences are cut short."""

    def __init__(self, offsets_s: Iterable[float]) -> None:
        self._ends, self._cuts = [0.0], [0.0]
        last = 0.0
        for offset in offsets_s:
            if offset - last > SILENCE_S:
                self._ends.append(offset)
                self._cuts.append(self._cuts[-1] + offset - last - SILENCE_S)
            last = offset

    def without(self, offset_s: float) -> float:
        """The seconds from the beginning to this offset; within a silence, it ends before it is cut."""
        index = bisect_right(self._ends, offset_s) - 1
        plain = offset_s - self._cuts[max(index, 0)]
        if index + 1 < len(self._ends) and index >= 0:
            return min(plain, self._ends[index + 1] - self._cuts[index + 1])
        return plain


@dataclass(frozen=True)
class Tempo:
    """How the recording's time becomes the replay's."""

    recorded: datetime
    began: datetime
    speed: float
    silences: Silences

    def at(self, offset_s: float) -> datetime:
        """When the command with this offset is sent."""
        return self.began + timedelta(seconds=self.silences.without(offset_s) / self.speed)

    def moment(self, recorded: str) -> datetime:
        """When this moment of the recording is in the replay."""
        return self.at(self.offset_of(recorded))

    def offset_of(self, recorded: str) -> float:
        """The seconds from the beginning of the recording to this moment of it."""
        return (datetime.fromisoformat(recorded) - self.recorded).total_seconds()

    def later(self, seconds: float) -> "Tempo":
        """The same from now on, so many seconds later."""
        return replace(self, began=self.began + timedelta(seconds=seconds))

    def scheduled(self, recorded: str) -> datetime:
        """The scheduled time that lets a run start at this moment of the recording."""
        return self.moment(recorded) + EARLY

    def lasting(self, seconds: float) -> float:
        """How long something takes in the replay."""
        return seconds / self.speed

    def delay(self, seconds: float) -> float:
        """A delay that the server will make a scheduled time from; none stays none."""
        return seconds / self.speed + EARLY_S if seconds else 0.0

    def envelope(self, command: Mapping[str, Any]) -> JsonObject:
        """The command as it is sent in the replay."""
        changed = {name: self._text(command[name]) for name in ("time", "expirytime") if name in command}
        return {**command, **changed, "data": self._data(command["data"])}

    def _data(self, data: JsonObject) -> JsonObject:
        changed = dict(data)
        if isinstance(data.get("state"), dict):
            changed["state"] = self._state(data["state"])
        if isinstance(data.get("empirical_policy"), dict):
            changed["empirical_policy"] = self._policy(data["empirical_policy"])
        if data.get("cache_expiration"):
            changed["cache_expiration"] = self._text(data["cache_expiration"])
        if data.get("lease_seconds"):
            changed["lease_seconds"] = self.lasting(data["lease_seconds"])
        return changed

    def _state(self, state: JsonObject) -> JsonObject:
        changed = dict(state)
        if state.get("timestamp"):
            changed["timestamp"] = self._text(state["timestamp"])
        details = state.get("state_details")
        if details:
            changed["state_details"] = self._details(details)
        return changed

    def _details(self, details: JsonObject) -> JsonObject:
        changed = dict(details)
        for name in _PLAIN_TIMES:
            if details.get(name):
                changed[name] = self._text(details[name])
        if details.get(_SCHEDULED):
            changed[_SCHEDULED] = self.scheduled(details[_SCHEDULED]).isoformat()
        return changed

    def _policy(self, policy: JsonObject) -> JsonObject:
        given = policy.get("retry_delay")
        if not given:
            return policy
        if isinstance(given, list):
            return {**policy, "retry_delay": [int(self.lasting(each)) for each in given]}
        # The only field for parts of a second; it counts where `retry_delay` is not said.
        rest = {name: value for name, value in policy.items() if name != "retry_delay"}
        return {**rest, "retry_delay_seconds": self.delay(given)}

    def _text(self, recorded: str) -> str:
        return self.moment(recorded).isoformat()
