"""`interlock`: the command line. Each word has its file here; this one puts them together.

What a word needs is imported when it is used: `interlock --help` has to be quick.
"""

from typing import Annotated

import typer

from workers.cli import (
    dashboard,
    deadletters,
    doctor,
    graph,
    notify,
    processes,
    request,
    runs,
    schema,
    send,
    slots,
    top,
    trial,
    watch,
)
from workers.cli.words import Words

app = typer.Typer(
    name="interlock",
    cls=Words,
    help="Owns the state of workflow runs: commands come in over Redis, results and events go out.",
    epilog="Settings are read from INTERLOCK_... variables and from .env; the README lists them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"interlock {version('interlock')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What can be said before any word."""


RUNNING = "To run it"
USING = "To use it"
LOOKING = "To look at it"

app.command(rich_help_panel=RUNNING)(trial.demo)
app.command(rich_help_panel=RUNNING)(processes.up)
app.command(rich_help_panel=RUNNING)(processes.worker)
app.command(rich_help_panel=RUNNING)(processes.relay)
app.command(rich_help_panel=RUNNING)(processes.clock)
app.command(rich_help_panel=RUNNING)(processes.migrate)
app.command(rich_help_panel=USING)(send.send)
app.command(rich_help_panel=USING)(request.request)
app.command(rich_help_panel=USING)(watch.watch)
app.command(rich_help_panel=USING)(notify.notify)
app.command(rich_help_panel=LOOKING)(graph.graph)
app.add_typer(runs.app, name="runs", rich_help_panel=LOOKING)
app.add_typer(deadletters.app, name="deadletters", rich_help_panel=LOOKING)
app.command(rich_help_panel=LOOKING)(top.top)
app.command(rich_help_panel=LOOKING)(dashboard.dashboard)
app.add_typer(slots.app, name="slots", rich_help_panel=LOOKING)
app.command(rich_help_panel=LOOKING)(doctor.doctor)
app.command(rich_help_panel=LOOKING)(schema.schema)


def main() -> None:
    """The entry of `interlock` and of `python -m workers.cli.main`."""
    app(prog_name="interlock")


if __name__ == "__main__":
    main()
