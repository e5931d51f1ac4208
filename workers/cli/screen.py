"""How words write: for people with colour where there is a terminal, for programs one JSON value per line."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# Of statuses and of the types of states: what is well, what waits, what is not well.
COLOURS = {
    "OK": "green",
    "ACCEPT": "green",
    "REJECT": "yellow",
    "WAIT": "yellow",
    "ABORT": "red",
    "ERROR": "bold red",
    "SCHEDULED": "yellow",
    "PENDING": "bright_black",
    "RUNNING": "blue",
    "PAUSED": "yellow",
    "CANCELLING": "yellow",
    "COMPLETED": "green",
    "FAILED": "red",
    "CRASHED": "red",
    "CANCELLED": "bright_black",
}


def screen(*, errors: bool = False) -> "Console":
    """Standard output, or standard error, as it is now. Text is shown as it is, and never cut at the width."""
    from rich.console import Console

    class Screen(Console):
        def on_broken_pipe(self) -> None:
            """Not rich's exit with status 1: `words` knows how to end."""
            raise BrokenPipeError

    return Screen(file=sys.stderr if errors else sys.stdout, soft_wrap=True, markup=False, highlight=False)


def coloured(word: str, shown: str | None = None) -> "Text":
    """A status or a type of state in its colour; or what is `shown` in its place."""
    from rich.text import Text

    return Text(word if shown is None else shown, style=COLOURS.get(word, ""))


def print_line(value: Any) -> None:
    """One JSON value on one line, at once: the reader may be waiting for it."""
    from messages.wire import encode

    sys.stdout.buffer.write(encode(value) + b"\n")
    sys.stdout.buffer.flush()


def print_json(console: "Console", value: Any) -> None:
    """JSON for people."""
    from rich.json import JSON

    console.print(JSON.from_data(value, indent=2, ensure_ascii=False))


def require_reader() -> None:
    """Looks whether anybody still reads standard output, for words that may have nothing to write for long.

    Raises:
        BrokenPipeError: as writing would.
    """
    from select import POLLERR, poll

    output = poll()
    output.register(sys.stdout.fileno(), 0)
    if any(happened & POLLERR for _, happened in output.poll(0)):
        raise BrokenPipeError


def printable(text: str) -> str:
    """A text from a message, as one line that cannot move the terminal's cursor."""
    return "".join(each if each.isprintable() else "�" for each in text)
