"""`interlock top`: the figures in a terminal, as they change."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.failures import UNREACHABLE, WRONG_USAGE, Complaint, place_of
from workers.cli.preparing import prepare, require_servers

if TYPE_CHECKING:
    from workers.figures.snapshot import Figures, Source

# Where there is no terminal whose width could be asked for.
_WIDTH = 100


def top(
    once: Annotated[bool, typer.Option("--once", help="One picture, and no more.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --once: one JSON object.")] = False,
) -> None:
    """Show what goes on: queues, round trips, runs, slots, processes; anew each second, until `q` or Ctrl-C.

    Exit code 3 if a server cannot be reached at the start; one that goes away later is told of, and waited for.
    """
    settings = prepare()
    if as_json and not once:
        raise Complaint("--json prints one snapshot: say --once too", WRONG_USAGE)
    if not once and not sys.stdout.isatty():
        raise Complaint("this is no terminal: say --once for one picture", WRONG_USAGE)
    require_servers(settings)
    from workers.figures.snapshot import Source

    source = Source(settings)
    try:
        figures = source.look()
        if as_json:
            _print_json(figures)
        else:
            _show(source, figures, place_of(settings.database_url), once=once)
    except KeyboardInterrupt:
        return
    finally:
        source.close()
    if once and (figures.redis is None or figures.database is None):
        raise typer.Exit(UNREACHABLE)


def _print_json(figures: "Figures") -> None:
    from workers.cli.screen import print_line
    from workers.figures.plain import as_json

    print_line(as_json(figures))


def _show(source: "Source", figures: "Figures", place: str, *, once: bool) -> None:
    from rich.console import Console

    from workers.top import watch

    console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    if once:
        watch.once(figures, place, console)
    else:
        watch.watch(source, place, figures, console)
