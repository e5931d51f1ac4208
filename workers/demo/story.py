"""What the recording tells about runs, limits and cached results: who was under way at the same time. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from workers.demo.answers import Played

_UNDER_WAY = {
    "flow_run.set_state": frozenset({"PENDING", "RUNNING", "CANCELLING"}),
    "task_run.set_state": frozenset({"RUNNING", "CANCELLING"}),
}


class Story:
    """A recording, looked at from the end."""

    def __init__(self, played: list[Played]) -> None:
        self._played = played
        self._place = {each.recorded.id: index for index, each in enumerate(played)}
        self._began = max(_asked(each) - each.recorded.offset_s for each in played)
        self._runs: dict[str, dict[str, Any]] = {}
        self._limits: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._by_group: dict[str, list[Played]] = defaultdict(list)
        self._deleted: dict[str, int] = {}
        self._by_key: dict[str, list[Played]] = defaultdict(list)
        for index, each in enumerate(played):
            self._take(each, index)

    def _take(self, each: Played, index: int) -> None:
        data, kind = each.recorded.data, each.recorded.type
        if kind in ("flow_run.create", "task_run.create") and each.run_id:
            self._runs.setdefault(each.run_id, data)
        elif kind in ("flow_run.delete", "task_run.delete") and each.run_id:
            self._deleted.setdefault(each.run_id, index)
        elif kind == "concurrency_limit.upsert":
            self._limits[data["name"]].append((index, data["limit"]))
        elif kind == "deployment.upsert" and data.get("concurrency_limit") is not None and data.get("id"):
            self._limits[data["id"]].append((index, data["concurrency_limit"]))
        elif kind in _UNDER_WAY:
            for group in self._groups(each):
                self._by_group[group].append(each)
            if key := _cache_key(each):
                self._by_key[key].append(each)

    def belongs_to(self, each: Played) -> set[str]:
        """The run itself, and those above it: its flow run, and the task run that waits for a subflow."""
        found: set[str] = set()
        waiting = [each.run_id, *self._above(each.recorded.data)]
        while waiting:
            run_id = waiting.pop()
            if run_id and run_id not in found:
                found.add(run_id)
                waiting.extend(self._above(self._runs.get(run_id, {})))
        return found

    def told_under_way_with(self, each: Played) -> Iterator[Played]:
        """The others that clients were waiting for when they were waiting for this one, in the recording."""
        return (other for other in self._played if other is not each and self._overlap(each, other))

    def is_contended(self, each: Played) -> bool:
        """Whether another command about the same limit was under way at the same time."""
        return any(
            other.run_id != each.run_id and self._overlap(each, other)
            for group in self._groups(each)
            for other in self._by_group[group]
        )

    def had_room(self, each: Played) -> bool:
        """Whether, by what the recording holds, fewer than allowed were under way when this one was turned away."""
        groups = self._groups(each)
        return bool(groups) and all(self._holders(group, each) < self._limit(group, each) for group in groups)

    def has_cached_result(self, each: Played) -> bool:
        """Whether a command before this one left a result under its key that was still there."""
        before, (asked, _) = self._place[each.recorded.id], self._flight(each)
        return any(
            self._place[other.recorded.id] < before
            and self._expiry(other) >= asked
            and not self._is_deleted(other, before)
            for other in self._writers(each)
        )

    def cache_changed_meanwhile(self, each: Played) -> bool:
        """Whether a result came under its key, or expired, while this command was under way."""
        asked, answered = self._flight(each)
        return any(
            self._overlap(each, other) or asked <= self._expiry(other) <= answered
            for other in self._writers(each)
        )

    def _writers(self, each: Played) -> list[Played]:
        """The commands that put a result under the key that this one asks for."""
        asked = self._by_key[_cache_key(each) or ""]
        return [other for other in asked if other.recorded.proposed["type"] == "COMPLETED"]

    def _is_deleted(self, each: Played, before: int) -> bool:
        """Whether its run was deleted before this place; a cached result goes with its run."""
        return any(self._deleted.get(run_id, before) < before for run_id in self.belongs_to(each))

    def _above(self, data: dict[str, Any]) -> list[str]:
        named = (data.get("flow_run_id"), data.get("parent_task_run_id"))
        return [str(name) for name in named if name]

    def _groups(self, each: Played) -> list[str]:
        run = self._runs.get(each.run_id or "", {})
        if each.recorded.type == "flow_run.set_state":
            names = [run.get("deployment_id")]
        else:
            names = [f"tag:{tag}" for tag in run.get("tags", ())]
        return [name for name in names if name in self._limits]

    def _holders(self, group: str, each: Played) -> int:
        before = self._place[each.recorded.id]
        latest: dict[str | None, bool] = {}
        for other in self._by_group[group]:
            if self._place[other.recorded.id] < before and other.run_id != each.run_id:
                state = (other.recorded.observed or other.recorded.proposed).get("state_type")
                state = state or other.recorded.proposed["type"]
                latest[other.run_id] = state in _UNDER_WAY[other.recorded.type]
        return sum(latest.values())

    def _limit(self, group: str, each: Played) -> int:
        before = self._place[each.recorded.id]
        return [limit for index, limit in self._limits[group] if index < before or index == 0][-1]

    def _flight(self, each: Played) -> tuple[float, float]:
        return _asked(each) - self._began, each.recorded.offset_s

    def _overlap(self, one: Played, other: Played) -> bool:
        (one_asked, one_answered), (other_asked, other_answered) = self._flight(one), self._flight(other)
        return one_asked <= other_answered and other_asked <= one_answered

    def _expiry(self, each: Played) -> float:
        text = (each.recorded.proposed.get("state_details") or {}).get("cache_expiration")
        return datetime.fromisoformat(text).timestamp() - self._began if text else float("inf")


def _asked(each: Played) -> float:
    return datetime.fromisoformat(each.recorded.command["time"]).timestamp()


def _cache_key(each: Played) -> str | None:
    key = (each.recorded.proposed.get("state_details") or {}).get("cache_key")
    return None if key is None else str(key)
