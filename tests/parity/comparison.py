"""One result against one expectation."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from tests.parity.values import OFFSET, RANGE, Values, dig

SAME_TIME_S = 0.0015
NEAR = timedelta(seconds=2)


class Comparison:
    """`wrong` holds (path, expected, got) of whatever does not match."""

    def __init__(self, values: Values, data: Any, sent: datetime, received: datetime) -> None:
        self.values, self.data, self.sent, self.received = values, data, sent, received
        self.wrong: list[tuple[str, Any, Any]] = []

    def miss(self, path: str, expected: Any, got: Any) -> None:
        """Notes what does not match."""
        self.wrong.append((path or "result", expected, got))

    def check(self, expected: Any, got: Any, path: str = "") -> None:
        """Compares, partially: an object may have more members than are expected."""
        if isinstance(expected, dict):
            self._object(expected, got, path)
        elif isinstance(expected, list):
            if not isinstance(got, list) or len(got) != len(expected):
                self.miss(path, expected, got)
                return
            for index, value in enumerate(expected):
                self.check(value, got[index], f"{path}.{index}")
        elif isinstance(expected, str) and expected.startswith("@"):
            self._time(expected, got, path)
        elif not same(self.values.fill(expected), got):
            self.miss(path, self.values.fill(expected), got)

    def _object(self, expected: dict[str, Any], got: Any, path: str) -> None:
        forms = [key for key in expected if key.startswith("$") and not key.startswith("${")]
        for form in forms:
            getattr(self, f"_{form[1:]}")(expected[form], got, path)
        members = {key: value for key, value in expected.items() if key not in forms}
        if forms and not members:
            return
        if not isinstance(got, dict):
            self.miss(path, members, got)
            return
        for key, value in members.items():
            self.check(value, got.get(key), f"{path}.{key}" if path else key)

    def _time(self, expected: str, got: Any, path: str) -> None:
        name = expected[1:]
        if name == "*":
            if got is None:
                self.miss(path, "not null", got)
            return
        moment = parse_time(got)
        if moment is None:
            self.miss(path, f"{expected}, a time", got)
        elif not self._is_time(name, moment):
            self.miss(path, expected, got)

    def _is_time(self, name: str, moment: datetime) -> bool:
        offset = OFFSET.fullmatch(name) or RANGE.fullmatch(name)
        if offset:
            shifts = [timedelta(seconds=float(text or 0)) for text in offset.groups()]
            return near(self.sent + shifts[0], moment, self.received + shifts[-1])
        if name == "recent":
            return near(self.values.started, moment, self.received)
        other = parse_time(dig(self.data, name[1:]) if name.startswith(".") else self.values.get(name))
        return other is not None and abs((other - moment).total_seconds()) <= SAME_TIME_S

    def _span(self, _of: str, got: Any, path: str) -> None:
        longest = (self.received - self.values.started).total_seconds() + 0.01
        if not is_number(got) or not 0 < got <= longest:
            self.miss(path, f"over 0 and at most {longest:.3f} seconds", got)

    def _until(self, name: str, got: Any, path: str) -> None:
        target = self._kept_time(name)
        low, high = (target - self.received).total_seconds() - 1, (target - self.sent).total_seconds() + 1
        if not is_number(got) or not low <= got <= high:
            self.miss(path, f"{low:.1f} to {high:.1f} seconds", got)

    def _elapsed(self, pairs: list[tuple[str, str]], got: Any, path: str) -> None:
        total = sum((self._kept_time(end) - self._kept_time(start)).total_seconds() for end, start in pairs)
        if not is_number(got) or abs(got - total) > 0.01:
            self.miss(path, f"{total:.6f} seconds", got)

    def _count(self, number: int, got: Any, path: str) -> None:
        if not same(number, len(got) if isinstance(got, list | dict) else got):
            self.miss(path, f"{number} (a number, or as many members)", got)

    def _set(self, members: list[Any], got: Any, path: str) -> None:
        if not isinstance(got, list) or ordered(self.values.fill(members)) != ordered(got):
            self.miss(path, f"in any order: {members}", got)

    def _ids(self, ids: list[str], got: Any, path: str) -> None:
        if ids_of(got) != self.values.fill(ids):
            self.miss(path, ids, self.values.label(ids_of(got)))

    def _idset(self, ids: list[str], got: Any, path: str) -> None:
        if not isinstance(got, list) or sorted(map(str, ids_of(got))) != sorted(self.values.fill(ids)):
            self.miss(path, f"in any order: {ids}", self.values.label(ids_of(got)))

    def _graph(self, graph: Any, got: Any, _path: str) -> None:
        wanted, graph = self.values.fill(graph), got.get("graph") or {}
        nodes = {node["id"]: node for node in graph.get("nodes", ())}
        for key in ("start_time", "end_time"):
            self.check(wanted[key], graph.get(key), f"graph.{key}")
        self._equal("graph.nodes", wanted["order"], list(nodes))
        self._equal(
            "graph.root_node_ids", sorted(wanted["root_node_ids"]), sorted(graph.get("root_node_ids", ()))
        )
        self._equal(
            "graph.states", wanted["states"], [[each["type"], each["name"]] for each in graph["states"]]
        )
        self._artifacts(wanted["artifacts"], graph["artifacts"], "graph.artifacts")
        for ident, node in wanted["nodes"].items():
            here, other = f"graph.nodes.{self.values.label([ident])[0]}", nodes.get(ident)
            if other is None:
                continue  # already told by the order
            for key in ("kind", "state_type", "start_time", "end_time"):
                self.check(node[key], other[key], f"{here}.{key}")
            for key in ("parents", "children", "encapsulating"):
                self._equal(f"{here}.{key}", sorted(node[key]), sorted(set(other[key])))
            self._artifacts(node["artifacts"], other["artifacts"], f"{here}.artifacts")

    def _dependencies(self, dependencies: Any, got: Any, _path: str) -> None:
        wanted, items = self.values.fill(dependencies), {item["id"]: item for item in got.get("items", ())}
        self._equal("items", sorted(wanted), sorted(items))
        for ident in wanted.keys() & items.keys():
            item, other = wanted[ident], items[ident]
            here = f"items.{self.values.label([ident])[0]}"
            upstream = sorted(set(other["upstream_dependencies"]))
            self._equal(f"{here}.upstream_dependencies", sorted(item["upstream"]), upstream)
            state = (other["state"] or {}).get("type")
            self._equal(f"{here}.state.type", item["state_type"], state)
            self._equal(f"{here}.untrackable_result", item["untrackable_result"], other["untrackable_result"])
            for key in ("start_time", "end_time"):
                self.check(item[key], other[key], f"{here}.{key}")

    def _artifacts(self, wanted: list[Any], got: list[Any], path: str) -> None:
        shown = [{key: item.get(key) for key in ("key", "type", "is_latest", "data")} for item in got]
        if ordered(wanted) != ordered(shown):
            self.miss(path, wanted, shown)

    def _equal(self, path: str, wanted: Any, got: Any) -> None:
        if wanted != got:
            self.miss(path, self.values.label(wanted), self.values.label(got))

    def _kept_time(self, name: str) -> datetime:
        moment = parse_time(self.values.get(name))
        assert moment is not None, f"{name} is no time"
        return moment


def parse_time(value: Any) -> datetime | None:
    """A time from its text."""
    if not isinstance(value, str) or len(value) < len("2026-01-01T00:00:00Z"):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def near(low: datetime, moment: datetime, high: datetime) -> bool:
    """Whether a time lies between two others, or almost."""
    return low - NEAR <= moment <= high + NEAR


def is_number(value: Any) -> bool:
    """`true` is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(expected: Any, got: Any) -> bool:
    """Whether two JSON values are equal, numbers within a millionth."""
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if is_number(expected) and is_number(got):
        return bool(abs(expected - got) < 1e-6)
    if isinstance(expected, dict) and isinstance(got, dict):
        members = (same(value, got.get(key)) for key, value in expected.items())
        return set(expected) == set(got) and all(members)
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(same, expected, got))
    return type(expected) is type(got) and bool(expected == got)


def ordered(items: Iterable[Any]) -> list[str]:
    """Members in an order of their own, to compare sets."""
    return sorted(json.dumps(item, sort_keys=True) for item in items)


def ids_of(got: Any) -> Any:
    """The ids of a list of objects."""
    return [item.get("id") for item in got if isinstance(item, dict)] if isinstance(got, list) else got
