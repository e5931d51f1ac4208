"""`interlock runs list --watch`: the list as it changes, on a terminal; as JSON, each run whenever it has changed."""

import sys
import time

from rich.console import Group
from rich.live import Live
from rich.text import Text

from store.errors import StoreUnavailable
from store.reads.lists import Page
from store.rows import plain
from store.transaction import Engine, transaction
from workers.cli.failures import WRONG_USAGE, Complaint
from workers.cli.runs_listed import PAGE, Asked, Listed, head, look
from workers.cli.screen import print_line, screen
from workers.runs.times import clock_time

_LINES_AROUND = 4


def watch(engine: Engine, asked: Asked, interval_s: float, as_json: bool) -> None:
    """Until Ctrl-C, which is the one way to end it and no failure. While the database is away it says so.

    Raises:
        Complaint: there is no terminal to show it on, and no --json.
    """
    if not as_json and not sys.stdout.isatty():
        raise Complaint("there is no terminal to watch on: say --json, or leave --watch out", WRONG_USAGE)
    try:
        if as_json:
            _print_changes(engine, asked, interval_s)
        else:
            _refresh(engine, asked, interval_s)
    except KeyboardInterrupt:
        return


def _refresh(engine: Engine, asked: Asked, interval_s: float) -> None:
    console = screen()
    listed = _look(engine, asked)
    with Live(console=console, auto_refresh=False, screen=True) as live:
        trouble = ""
        while True:
            live.update(_picture(asked, listed, interval_s, trouble), refresh=True)
            time.sleep(interval_s)
            try:
                listed, trouble = _look(engine, asked), ""
            except StoreUnavailable as error:
                trouble = f"the database is away since this: {error}"


def _picture(asked: Asked, listed: Listed, interval_s: float, trouble: str) -> Group:
    console = screen()
    rows = max(1, console.height - _LINES_AROUND)
    title = Text(f"{clock_time(listed.at)}  every {interval_s:g} s, Ctrl-C ends", "dim")
    shown = head(console, asked, listed, rows)
    hidden = len(listed.runs) - rows
    below = [Text(f"and {hidden} more", "dim")] if hidden > 0 or listed.end is not None else []
    if hidden <= 0 and listed.end is not None:
        below = [Text("There are more: --limit shows them.", "dim")]
    warning = [Text(trouble, "bold red")] if trouble else []
    return Group(title, *warning, Text(), *shown, *below)


def _print_changes(engine: Engine, asked: Asked, interval_s: float) -> None:
    seen: dict[object, int] = {}
    while True:
        listed = _look(engine, asked)
        for run in listed.runs:
            if seen.get(run.id) != run.version:
                print_line(plain(run))
        seen = {run.id: run.version for run in listed.runs}
        time.sleep(interval_s)


def _look(engine: Engine, asked: Asked) -> Listed:
    page = Page(limit=PAGE if asked.limit is None else min(PAGE, asked.limit))
    with transaction(engine) as connection:
        return look(connection, asked, page)
