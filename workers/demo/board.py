"""What is known while the replay runs: counts, the states of runs as the events tell them, the queue's depth."""

from collections import Counter, deque
from dataclasses import dataclass, field

from messages.consumer import Event
from workers.demo.replay import Progress

_LATEST = 5


@dataclass(frozen=True)
class Change:
    """A run that changed its state."""

    name: str
    before: str
    after: str
    state_type: str


@dataclass
class Board:
    """Filled by the watchers, read by the screen."""

    progress: Progress
    began: float
    events: int = 0
    queued: int = 0
    deepest: int = 0
    latest: deque[Change] = field(default_factory=lambda: deque(maxlen=_LATEST))
    _types: dict[tuple[str, str], str] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Takes in one event of the stream."""
        kind, _, what = event.type.partition(".")
        self.events += 1
        if kind not in ("flow_run", "task_run") or event.subject is None:
            return
        if what == "deleted":
            self._types.pop((kind, event.subject), None)
        elif what == "created" and event.data.get("state_type"):
            self._types[kind, event.subject] = event.data["state_type"]
        elif what == "state_changed":
            self._change(kind, event.subject, event)

    def depth(self, queued: int) -> None:
        """The number of commands that wait in the queue."""
        self.queued, self.deepest = queued, max(self.deepest, queued)

    def states(self, kind: str) -> Counter[str]:
        """How many flow runs or task runs are in each type of state now."""
        return Counter(state for (of, _), state in self._types.items() if of == kind)

    def rate(self, now: float) -> float:
        """Commands answered per second, on the whole."""
        return self.progress.answered / max(now - self.began, 0.001)

    def _change(self, kind: str, run_id: str, event: Event) -> None:
        state = event.data.get("validated_state") or {}
        before = event.data.get("initial_state") or {}
        self._types[kind, run_id] = state.get("type", "")
        if kind == "flow_run":
            run = event.data.get("run") or {}
            name = f"{run.get('flow_name') or 'flow'} / {run.get('name') or run_id}"
            self.latest.append(
                Change(name, before.get("name") or "new", state.get("name", ""), state.get("type", ""))
            )
