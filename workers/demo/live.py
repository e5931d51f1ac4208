"""The replay as it goes: a picture that is drawn anew in a terminal, a plain line now and then elsewhere."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from workers.demo.board import Board
from workers.now import monotonic

COLOURS = {
    "SCHEDULED": "yellow",
    "PENDING": "bright_black",
    "RUNNING": "blue",
    "PAUSED": "magenta",
    "CANCELLING": "yellow",
    "COMPLETED": "green",
    "FAILED": "red",
    "CRASHED": "red",
    "CANCELLED": "bright_black",
}
_DRAWN_PER_SECOND = 8
_WIDEST = 80
_LINE_EVERY_S = 2.0


class Show(Protocol):
    """Is called a few times a second while the replay runs."""

    def __call__(self) -> None:
        """Shows how far it is."""


@contextmanager
def shown(board: Board, console: Console | None) -> Iterator[Show]:
    """Shows the board on this console; on none, nothing."""
    if console is None:
        yield lambda: None
    elif console.is_terminal:
        picture = _Picture(board)
        with Live(picture, console=console, refresh_per_second=_DRAWN_PER_SECOND, transient=True):
            yield lambda: None
    else:
        yield _Lines(board, console)


class _Lines:
    """For logs: one line every other second."""

    def __init__(self, board: Board, console: Console) -> None:
        self._board, self._console, self._next = board, console, 0.0

    def __call__(self) -> None:
        if monotonic() < self._next:
            return
        self._next = monotonic() + _LINE_EVERY_S
        board = self._board
        flows = ", ".join(f"{count} {state.lower()}" for state, count in _ordered(board.states("flow_run")))
        self._console.print(
            f"{board.progress.answered:>6} of {board.progress.total} answered, "
            f"{board.rate(monotonic()):.0f}/s, queue {board.queued}; flow runs: {flows or 'none yet'}",
            soft_wrap=True,
            highlight=False,
        )


class _Picture:
    """For terminals. Drawn by rich whenever it likes; asks the board."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._draw(min(options.max_width, _WIDEST))

    def _draw(self, width: int) -> RenderableType:
        board, moment = self._board, monotonic()
        progress = board.progress
        bar = Table.grid()
        bar.add_row(ProgressBar(total=progress.total, completed=progress.answered, width=width))
        numbers = Text.assemble(
            " ",
            (f"{progress.answered:,}", "bold"),
            f" of {progress.total:,} answered   ",
            (f"{board.rate(moment):,.0f}", "bold"),
            " commands/s   queue ",
            (f"{board.queued}", "bold"),
            f"   {board.events:,} events   {moment - board.began:.0f} s",
        )
        states = Table.grid(padding=(0, 1))
        states.add_row(" flow runs", _states(board.states("flow_run"), width - 13))
        states.add_row(" task runs", _states(board.states("task_run"), width - 13))
        changes = Table.grid(padding=(0, 1))
        for change in board.latest:
            words = Text.assemble(
                " ",
                (f"{change.before} → ", "bright_black"),
                (change.after, COLOURS.get(change.state_type, "")),
            )
            changes.add_row(Text(f" {_short(change.name, width - 34)}"), words)
        return Group(Text(""), bar, numbers, Text(""), states, Text(""), changes)


def _states(counts: Counter[str], width: int) -> Text:
    """A line of blocks, in proportion, and the counts below it."""
    total = sum(counts.values())
    line, legend = Text(), Text()
    for state, count in _ordered(counts):
        colour = COLOURS.get(state, "")
        line.append("█" * max(1, round(count / total * (width - len(counts)))), colour)
        legend.append(f"{count:,} ", "bold").append(f"{state.lower()}  ", colour)
    line.truncate(width)
    return Text("\n").join([line, legend]) if total else Text("none yet\n", "bright_black")


def _ordered(counts: Counter[str]) -> list[tuple[str, int]]:
    places = list(COLOURS)
    return sorted(
        counts.items(), key=lambda item: places.index(item[0]) if item[0] in places else len(places)
    )


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
