"""`interlock graph`: a run with its task runs and subflow runs, as a tree, a picture or a page."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from workers.cli.databases import for_looking
from workers.cli.failures import WRONG_USAGE, Complaint

if TYPE_CHECKING:
    from messages.answers import Graph
    from workers.drawing.title import Title

# Where there is no terminal whose width could be asked for: no line is broken.
_WIDTH = 1000


def graph(
    run_id: Annotated[UUID, typer.Argument(metavar="RUN_ID", help="The flow run's id.")],
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Write a picture with a time axis.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Write a page to zoom, search and point at; all in one file."
        ),
    ] = None,
    most: Annotated[
        int, typer.Option("--most", metavar="N", min=1, help="Most nodes in the terminal.")
    ] = 400,
    as_json: Annotated[
        bool, typer.Option("--json", help="The graph as one JSON object on one line.")
    ] = False,
) -> None:
    """The task runs and subflow runs of a flow run, and what needed what: as a tree, a picture or a page.

    Exit code 1 if there is no such run, or its graph is too large (INTERLOCK_GRAPH_MAX_NODES).
    """
    from workers.now import now

    moment = now()
    found, title = _read(run_id)
    if svg is not None:
        from workers.drawing.svg import as_svg

        _write(svg, as_svg(found, now=moment, title=title), found)
    if html is not None:
        from workers.drawing.html import as_html

        _write(html, as_html(found, now=moment, title=title), found)
    if as_json:
        from store.rows import plain
        from workers.cli.screen import print_line

        print_line(plain(found))
    elif svg is None and html is None:
        _print_tree(found, title, moment, most)


def _read(run_id: UUID) -> "tuple[Graph, Title]":
    from messages.errors import Refused
    from store.transaction import transaction
    from workers.drawing import stored
    from workers.now import now
    from workers.queries.asked import Limits

    with for_looking("graph") as (engine, settings):
        limits = Limits(
            graph_max_nodes=settings.graph_max_nodes, graph_max_artifacts=settings.graph_max_artifacts
        )
        try:
            with transaction(engine) as connection:
                return stored.read(connection, run_id, limits, now())
        except Refused as refused:
            raise Complaint(f"{refused.message}{_advice(refused.code)}") from refused


def _print_tree(found: "Graph", title: "Title", moment: datetime, most: int) -> None:
    from rich.console import Console

    from workers.drawing.tree import as_tree

    console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    console.print(as_tree(found, now=moment, title=title, most=most))
    if len(found.nodes) > most:
        typer.echo("interlock: --most N shows more; --svg FILE and --html FILE show all", err=True)


def _advice(code: str) -> str:
    from messages.errors import ErrorCode

    more = "; INTERLOCK_GRAPH_MAX_NODES allows more"
    return more if code == ErrorCode.GRAPH_TOO_LARGE else ""


def _write(path: Path, content: str, graph: "Graph") -> None:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise Complaint(f"{path} cannot be written: {error.strerror}", WRONG_USAGE) from None
    number = len(graph.nodes)
    typer.echo(f"{path}: {number:,} {'node' if number == 1 else 'nodes'}", err=True)
