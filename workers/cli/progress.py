"""A bar that says how far a word has come."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workers.cli.screen import screen


@contextmanager
def bar(text: str, total: int, *, shown: bool = True) -> Iterator[Callable[[int], None]]:
    """Shows a bar on standard error if that is a terminal; call what it gives with how many more are done.

    Whoever writes to the same terminal meanwhile breaks it: then better none.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns,
        console=screen(errors=True),
        disable=not (shown and sys.stderr.isatty()),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as progress:
        task = progress.add_task(text, total=total)
        yield lambda number: progress.advance(task, number)
