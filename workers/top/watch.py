"""Looks once a second and draws, until `q` or Ctrl-C. A server that goes away meanwhile is told of, and waited for."""

import select
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from workers.figures.snapshot import Figures, Source
from workers.now import monotonic
from workers.top.picture import Size, picture

EVERY_S = 1.0
_LOOK_UP_S = 0.1
_HINT = "q ends"
_ENDING_KEYS = frozenset({"q", "Q", "\x1b"})


def once(figures: Figures, place: str, console: Console) -> None:
    """One picture, as long as it has to be."""
    console.print(picture(figures, Size(console.width, 10_000), place))


def watch(source: Source, place: str, first: Figures, console: Console) -> None:
    """Draws in a screen of its own; what was in the terminal before is there again afterwards."""
    with _keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
        figures, look_at = first, monotonic() + EVERY_S
        drawn: tuple[Figures, Size] | None = None
        while not pressed():
            size = Size(console.width, console.height)
            if drawn != (figures, size):
                live.update(picture(figures, size, place, hint=_HINT), refresh=True)
                drawn = (figures, size)
            if monotonic() >= look_at:
                look_at = monotonic() + EVERY_S
                figures = source.look()


@contextmanager
def _keys() -> Iterator["_Pressed"]:
    """While entered, keys are read one by one, and not shown."""
    if not sys.stdin.isatty():
        yield _Pressed(None)
        return
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)
    try:
        yield _Pressed(number)
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


class _Pressed:
    """Waits a moment; answers whether a key was pressed that ends it."""

    def __init__(self, number: int | None) -> None:
        self._number = number

    def __call__(self) -> bool:
        watched = [] if self._number is None else [self._number]
        readable, _, _ = select.select(watched, [], [], _LOOK_UP_S)
        return bool(readable) and sys.stdin.read(1) in _ENDING_KEYS
