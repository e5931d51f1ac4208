"""`interlock demo`: a first look, without anything to set up."""

from pathlib import Path
from typing import Annotated

import typer

from workers.cli.preparing import prepare


def demo(
    full: Annotated[bool, typer.Option("--full", help="All that was recorded, not an excerpt.")] = False,
    home: Annotated[
        Path | None,
        typer.Option(help="An empty folder for the servers' data, which stay there; without it they go."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome alone, as JSON.")] = False,
) -> None:
    """Replay recorded traffic on an installation of its own, and compare the answers with the recorded ones."""
    settings = prepare()
    from workers.demo.run import demo as run_demo

    raise typer.Exit(run_demo(settings, full=full, as_json=as_json, home=home))
