"""A line of small bars, one for each value. Pure."""

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int) -> str:
    """The last values, one character each, as high as their share of the highest; none at all stays flat."""
    shown = values[-width:] if width > 0 else []
    highest = max(shown, default=0)
    if highest <= 0:
        return _BARS[0] * len(shown)
    # Something is never drawn as nothing.
    return "".join(_BARS[max(1, round(value / highest * 7))] if value else _BARS[0] for value in shown)


def joined(values: Sequence[float], width: int) -> list[float]:
    """As many values as fit, each the mean of so many neighbours. Fewer values than places: as they are."""
    if len(values) <= width or width <= 0:
        return list(values)
    each = -(-len(values) // width)
    parts = [values[max(0, end - each) : end] for end in range(len(values), 0, -each)]
    return [sum(part) / len(part) for part in reversed(parts)]


def stretched(values: Sequence[float], width: int) -> list[float]:
    """Each value as often as it fits into the width, but once at least."""
    times = max(1, width // len(values)) if values else 1
    return [value for value in values for _ in range(times)]
