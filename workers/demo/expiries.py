"""When pauses and cached results expire in a replay: as late as the recording allows. Pure.

A replay may fall behind for a moment, and an expiry that was minutes away in the recording is seconds away here. So
it is put as late as can be without changing what anyone saw: right before the first command that came too late for
it, or, if none did, well after the end.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from workers.demo.recording import Recorded
from workers.demo.tempo import Tempo

_JUST_BEFORE = timedelta(milliseconds=1)
_NEVER = timedelta(hours=1)


class Looks:
    """Which commands see whether a pause of a run, or the result under a cache key, has expired."""

    def __init__(self, commands: Iterable[Recorded]) -> None:
        self._pauses: dict[str, list[float]] = defaultdict(list)
        self._caches: dict[str, list[float]] = defaultdict(list)
        for each in commands:
            if not each.type.endswith(".set_state"):
                continue
            key = (each.proposed.get("state_details") or {}).get("cache_key")
            if key and each.proposed["type"] == "RUNNING":
                self._caches[key].append(each.offset_s)
            if each.type == "flow_run.set_state" and each.run_id:
                self._pauses[each.run_id].append(each.offset_s)

    def pause(self, run_id: str, timeout: str, tempo: Tempo) -> datetime:
        """When a pause of this run expires in the replay."""
        return _latest(self._pauses[run_id], timeout, tempo)

    def cache(self, key: str, expiration: str, tempo: Tempo) -> datetime:
        """When the result under this key expires in the replay."""
        return _latest(self._caches[key], expiration, tempo)


def _latest(looks: list[float], recorded: str, tempo: Tempo) -> datetime:
    offset = tempo.offset_of(recorded)
    index = bisect_left(looks, offset)
    if index == len(looks):
        return tempo.moment(recorded) + _NEVER
    return max(tempo.moment(recorded), tempo.at(looks[index]) - _JUST_BEFORE)
