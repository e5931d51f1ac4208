"""`interlock runs`: which runs there are, what one has been through, and why it waits."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.databases import for_looking
from workers.cli.failures import WRONG_USAGE, Complaint
from workers.cli.moments import METAVAR, moment

if TYPE_CHECKING:
    from messages.runs import FlowRun, TaskRun
    from store.transaction import Connection
    from workers.settings import Settings

app = typer.Typer(help="Runs: list them, show one, and say why it waits.", no_args_is_help=True)
WORD = "runs"

_Words = list[str] | None
RunId = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Of a flow run or task run: the id, as much of its beginning as no other has, or the name.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on one line.")]


@app.command("list")
def list_runs(
    *,
    state: Annotated[
        _Words, typer.Option(metavar="TYPE", help="In a state of this type, such as running.")
    ] = None,
    state_name: Annotated[
        _Words, typer.Option(metavar="NAME", help="In a state of this name, such as Late.")
    ] = None,
    flow: Annotated[_Words, typer.Option(metavar="NAME", help="Of this flow, by name or id.")] = None,
    deployment: Annotated[
        _Words, typer.Option(metavar="NAME", help="Of this deployment, by name or id.")
    ] = None,
    tag: Annotated[_Words, typer.Option(metavar="TAG", help="With this tag; given twice, with both.")] = None,
    name: Annotated[_Words, typer.Option(metavar="NAME", help="Of this name.")] = None,
    name_like: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="With this in the name, whatever the case. With many runs, give --since or --flow too.",
        ),
    ] = None,
    work_queue: Annotated[_Words, typer.Option(metavar="NAME", help="In this work queue.")] = None,
    work_pool: Annotated[_Words, typer.Option(metavar="NAME", help="In this work pool.")] = None,
    parent: Annotated[
        str | None, typer.Option(metavar="RUN", help="Started by task runs of this flow run.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar=METAVAR, help="To be started since: 2026-11-23T10:30 (UTC), or 2h for two hours ago."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar=METAVAR, help="To be started before; +2h is in two hours.")
    ] = None,
    scheduled_after: Annotated[str | None, typer.Option(metavar=METAVAR, help="Scheduled for after.")] = None,
    scheduled_before: Annotated[
        str | None, typer.Option(metavar=METAVAR, help="Scheduled for before.")
    ] = None,
    sort: Annotated[
        str, typer.Option(metavar="ORDER", help="id-desc (newest first), start-time-asc, name-asc ...")
    ] = "id-desc",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="All of them, page after page.")] = False,
    follow: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks of --watch.")] = 2.0,
    full_ids: Annotated[
        bool, typer.Option("--full-ids", help="Whole ids, also where there is little room.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON: one object on one line for each run.")
    ] = False,
) -> None:
    """Flow runs that are like this: all that is said must hold; of options given twice (tags apart), one.

    A relative time is a number with s, m, h or d: 2h is two hours ago, +2h in two hours.
    """
    from workers.cli import runs_listed, runs_watched
    from workers.now import now
    from workers.runs.filters import UnknownWord, Wanted, filters_of, sort_of

    at = now()
    with for_looking(WORD) as (engine, _):
        wanted = Wanted(
            states=tuple(state or ()),
            state_names=tuple(state_name or ()),
            flows=tuple(flow or ()),
            deployments=tuple(deployment or ()),
            tags=tuple(tag or ()),
            names=tuple(name or ()),
            name_like=name_like,
            work_queues=tuple(work_queue or ()),
            work_pools=tuple(work_pool or ()),
            parent=None if parent is None else runs_listed.parent_of(engine, parent),
            since=moment(since, "--since", at),
            until=moment(until, "--until", at),
            scheduled_after=moment(scheduled_after, "--scheduled-after", at),
            scheduled_before=moment(scheduled_before, "--scheduled-before", at),
        )
        try:
            asked = runs_listed.Asked(
                filters_of(wanted), sort_of(sort), None if everything else limit, full_ids
            )
        except UnknownWord as fault:
            raise Complaint(str(fault), WRONG_USAGE) from None
        if follow:
            runs_watched.watch(engine, asked, interval, as_json)
        elif as_json:
            runs_listed.print_lines(engine, asked)
        else:
            runs_listed.print_table(engine, asked)


@app.command("show")
def show_run(
    run: RunId,
    most: Annotated[
        int,
        typer.Option(
            "--tasks", min=0, max=200, help="At most so many task runs and subflow runs, the newest."
        ),
    ] = 20,
    as_json: Json = False,
) -> None:
    """One run with its history, its task runs, subflow runs, slots and parent."""
    from workers.cli import run_shown
    from workers.runs.look import show

    with _found(run) as found:
        shown = show(found.connection, found.run, most)
    if as_json:
        run_shown.print_object(shown)
    else:
        run_shown.print_run(shown, found.at)


@app.command("states")
def show_states(run: RunId, as_json: Json = False) -> None:
    """The states that a run has had, oldest first, and how long each lasted."""
    from workers.cli import run_shown
    from workers.runs.look import history_of

    with _found(run) as found:
        history = history_of(found.connection, found.run)
    if as_json:
        run_shown.print_states_as_json(found.run, history)
    else:
        run_shown.print_states(history, found.at)


@app.command("explain")
def explain_run(run: RunId, as_json: Json = False) -> None:
    """Why a run waits: every reason that there is, with its facts. Asks the database itself, not the replica."""
    from workers.cli import run_shown
    from workers.runs.explain import explain
    from workers.runs.look import facts_of

    with _found(run, at_the_truth=True) as found:
        reasons = explain(facts_of(found.connection, found.which_id, found.maybe, found.settings, found.at))
    if found.maybe is None and not reasons:
        raise Complaint(found.complaint)
    if as_json:
        run_shown.print_reasons_as_json(found.which_id, found.maybe, reasons)
    else:
        run_shown.print_reasons(found.which_id, found.maybe, reasons)


@dataclass(frozen=True, slots=True)
class _Found:
    """A run, found within a transaction that is open as long as the block lasts; `maybe` None only for explain."""

    connection: "Connection"
    settings: "Settings"
    at: Any
    which_id: Any
    maybe: "FlowRun | TaskRun | None"
    complaint: str = ""

    @property
    def run(self) -> "FlowRun | TaskRun":
        assert self.maybe is not None
        return self.maybe


@contextmanager
def _found(given: str, *, at_the_truth: bool = False) -> Iterator[_Found]:
    from store.transaction import transaction
    from workers.now import now
    from workers.runs.find import NotOne, find_run
    from workers.runs.look import run_of

    with (
        for_looking(WORD, at_the_truth=at_the_truth) as (engine, settings),
        transaction(engine) as connection,
    ):
        try:
            which = find_run(connection, given)
        except NotOne as fault:
            ident = _whole_id(given)
            if ident is None or not at_the_truth:
                raise Complaint(str(fault)) from None
            # A command that is to create it may be on its way.
            yield _Found(connection, settings, now(), ident, None, str(fault))
            return
        run = run_of(connection, which)
        assert run is not None, "both statements see the same moment"
        yield _Found(connection, settings, now(), which.id, run)


def _whole_id(given: str) -> Any:
    from uuid import UUID

    try:
        return UUID(given)
    except ValueError:
        return None
