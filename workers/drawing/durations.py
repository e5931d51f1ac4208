"""Lengths of time in words, and where the marks of an axis stand."""

from itertools import count, pairwise

_MS = 0.001
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0
# Each step divides the next that is much larger, so that people can add them up. Seconds.
STEPS: tuple[float, ...] = (
    *(factor * power for power in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1) for factor in (1, 2, 5)),
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(each * _MINUTE for each in (1, 2, 5, 10, 15, 30)),
    *(each * _HOUR for each in (1, 2, 3, 6, 12)),
    *(each * _DAY for each in (1, 2, 7, 14, 28, 91, 182, 364, 728, 3640)),
)
_UNITS = (("d", _DAY), ("h", _HOUR), ("min", _MINUTE), ("s", 1.0))


def step_for(seconds: float, most: int) -> float:
    """The smallest step of which at most so many fit into these seconds."""
    return next((step for step in STEPS if seconds / step <= most), STEPS[-1] * max(1.0, seconds / STEPS[-1]))


def ticks(seconds: float, most: int) -> list[float]:
    """The marks from 0 to `seconds`, at most `most` beside the 0."""
    step = step_for(seconds, most)
    marks: list[float] = []
    for number in count():
        if number * step > seconds * (1 + 1e-9) or number > most:
            return marks
        marks.append(number * step)
    return marks


def in_words(seconds: float) -> str:
    """`0 s`, `250 µs`, `40 ms`, `1.25 s`, `12.5 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`: three figures or so."""
    if seconds < 0:
        return f"-{in_words(-seconds)}"
    if seconds < 59.95:
        return _short(seconds)
    whole = round(seconds)
    for (unit, size), (below, part) in pairwise(_UNITS):
        if whole >= size:
            first, rest = divmod(whole, int(size))
            second = rest // int(part)
            return f"{first} {unit} {second} {below}" if second else f"{first} {unit}"
    return f"{whole} s"


def _short(seconds: float) -> str:
    if seconds == 0:
        return "0 s"
    for unit, size in (("s", 1.0), ("ms", _MS)):
        if seconds >= size * 0.9995:
            return f"{_figures(seconds / size)} {unit}"
    return f"{_figures(seconds / 1e-6)} µs"


def _figures(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
