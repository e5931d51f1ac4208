"""Figures in words, the same wherever they are shown. Pure."""

from messages.states import TERMINAL, StateType
from workers.figures.snapshot import Figures

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400

#: what waits in the database, under the names that people know
WAITING = {
    "outbox": "events to publish",
    "unpublished_results": "results to publish",
    "parked_command": "parked for their turn",
    "deferred": "deferred: told to wait",
    "attempt": "to be tried again",
    "dead_letter": "dead letters",
}
#: the states in the order in which they are shown: those of runs that go on first
STATES = tuple(sorted(StateType, key=lambda state: (state in TERMINAL, list(StateType).index(state))))


def duration(seconds: float | None) -> str:
    """`0.4 ms`, `15 ms`, `1.2 s`, `3 min 20 s`, `5 h 12 min`, `3 d 4 h`; a dash for none."""
    if seconds is None:
        return "-"
    if seconds < 0.9995:
        return f"{seconds * 1000:.1f} ms" if seconds < 0.00995 else f"{seconds * 1000:.0f} ms"
    if seconds < _MINUTE_S:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    whole = round(seconds)
    for unit_s, unit, part_s, part in (
        (_DAY_S, "d", _HOUR_S, "h"),
        (_HOUR_S, "h", _MINUTE_S, "min"),
        (_MINUTE_S, "min", 1, "s"),
    ):
        if whole >= unit_s:
            rest = whole % unit_s // part_s
            return f"{whole // unit_s} {unit} {rest} {part}" if rest else f"{whole // unit_s} {unit}"
    return f"{whole} s"


def skew(seconds: float) -> str:
    """How far a clock is ahead."""
    if abs(seconds) < 0.0005:
        return "0 ms"
    return f"{seconds * 1000:+.0f} ms" if abs(seconds) < 1 else f"{seconds:+.1f} s"


def rate(per_second: float) -> str:
    """Commands a second, with a place after the point only where it says something."""
    return f"{per_second:,.1f}" if 0 < per_second < 9.95 else f"{per_second:,.0f}"


def number(count: int, *, is_estimated: bool = False) -> str:
    """A count; one that is estimated says so."""
    return f"≈ {count:,}" if is_estimated and count else f"{count:,}"


def state(kind: StateType) -> str:
    """A type of state for people."""
    return kind.value.lower()


def needing_attention(figures: Figures) -> list[str]:
    """What an operator should look at, worst first; nothing if all is well."""
    return [*_trouble(figures), *_processes(figures), *_backlog(figures)]


def _trouble(figures: Figures) -> list[str]:
    told = []
    if figures.database_trouble:
        told.append(f"PostgreSQL does not answer: {figures.database_trouble}")
    if figures.redis_trouble:
        told.append(f"Redis does not answer: {figures.redis_trouble}")
    return told


def _processes(figures: Figures) -> list[str]:
    told = []
    if figures.redis is not None and not any(figures.redis.consumers.alive.values()):
        told.append("no worker is alive: start `interlock worker`")
    if figures.database is not None and figures.database.relay_is_active is False:
        told.append("no relay is active: start `interlock relay`, no event is published without it")
    if figures.database is not None and figures.database.clock_is_active is False:
        told.append("no clock is active: start `interlock clock`, nothing that is due happens without it")
    return told


_LATE_EVENT_S, _LATE_COMMAND_S, _SKEW_S = 5.0, 10.0, 1.0


def _backlog(figures: Figures) -> list[str]:
    told = []
    if figures.redis is not None:
        oldest = figures.redis.queue("commands").oldest_s
        if oldest is not None and oldest > _LATE_COMMAND_S:
            told.append(f"the oldest command has waited for {duration(oldest)}: start more workers")
    if figures.database is not None:
        late = figures.age_of(figures.database.waiting["outbox"].oldest)
        if late is not None and late > _LATE_EVENT_S:
            told.append(f"events have waited {duration(late)} for the relay")
        letters = figures.database.waiting["dead_letter"].number
        if letters:
            told.append(f"{letters:,} dead letter{'s' if letters > 1 else ''}: each one needs somebody")
    return [*told, *_skews(figures)]


def _skews(figures: Figures) -> list[str]:
    parts = (("PostgreSQL", figures.database), ("Redis", figures.redis))
    return [
        f"the clock of {name} differs by {duration(abs(part.skew_s))}: let NTP set the clocks"
        for name, part in parts
        if part is not None and abs(part.skew_s) > _SKEW_S
    ]
