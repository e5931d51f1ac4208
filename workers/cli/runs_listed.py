"""Lists of flow runs, as they are shown."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from rich.text import Text

from messages.queries import FlowRunSort, RunFilters
from messages.runs import FlowRun, TaskRun
from messages.states import TERMINAL, StateType
from store.catalog import DEPLOYMENTS, FLOWS
from store.reads.abbreviations import shortest
from store.reads.lists import FLOW_RUN_LISTS, Page
from store.reads.orders import Place
from store.rows import plain
from store.transaction import Connection, Engine, transaction
from workers.cli.failures import Complaint
from workers.cli.fitting import Column, fit, lines
from workers.cli.screen import coloured, print_line, printable, screen
from workers.now import now
from workers.runs.find import NotOne, find_flow_run
from workers.runs.times import distance, span

if TYPE_CHECKING:
    from rich.console import Console

PAGE = 200
# From here on there is room for whole ids.
_WIDE = 150


@dataclass(frozen=True, slots=True)
class Asked:
    """Which runs, in which order; `limit` None: all."""

    filters: RunFilters
    sort: FlowRunSort
    limit: int | None
    full_ids: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """Runs of one moment, with what their columns need. `more`: others follow."""

    runs: Sequence[FlowRun]
    flows: Mapping[UUID, str]
    deployments: Mapping[UUID, str]
    short: Mapping[UUID, str]
    end: Place | None
    at: datetime


def parent_of(engine: Engine, given: str) -> UUID:
    """The flow run that is named."""
    try:
        with transaction(engine) as connection:
            return find_flow_run(connection, given)
    except NotOne as fault:
        raise Complaint(str(fault)) from None


def pages(engine: Engine, asked: Asked) -> Iterator[Listed]:
    """Page after page, until all that was asked for has been seen; each page of a moment of its own."""
    left, after = asked.limit, None
    while left is None or left > 0:
        page = Page(limit=PAGE if left is None else min(PAGE, left), after=after)
        with transaction(engine) as connection:
            listed = look(connection, asked, page)
        yield listed
        after = listed.end
        if after is None:
            return
        left = None if left is None else left - page.limit


def look(connection: Connection, asked: Asked, page: Page) -> Listed:
    """One page."""
    found = FLOW_RUN_LISTS.find(connection, asked.filters, asked.sort, page)
    flows = FLOWS.load(connection, {run.flow_id for run in found.runs})
    deployments = DEPLOYMENTS.load(connection, {run.deployment_id for run in found.runs if run.deployment_id})
    return Listed(
        runs=found.runs,
        flows={flow.id: flow.name for flow in flows},
        deployments={deployment.id: deployment.name for deployment in deployments},
        short=shortest(connection, ["flow_run", "task_run"], [run.id for run in found.runs]),
        end=found.end,
        at=now(),
    )


def print_lines(engine: Engine, asked: Asked) -> None:
    """One JSON object on one line for each run: its fields, and the names of its flow and its deployment."""
    for listed in pages(engine, asked):
        for run in listed.runs:
            names = {
                "flow_name": listed.flows.get(run.flow_id),
                "deployment_name": None
                if run.deployment_id is None
                else listed.deployments.get(run.deployment_id),
            }
            print_line({**plain(run), **names})


def print_table(engine: Engine, asked: Asked) -> None:
    """As many columns as there is room for; where nobody looks, all of them."""
    console = screen()
    width = console.width if sys.stdout.isatty() else None
    layout, end, number = None, None, 0
    for listed in pages(engine, asked):
        if not listed.runs:
            continue
        columns = list(columns_of(listed, width, full_ids=asked.full_ids))
        headed, layout = layout is None, layout or fit(columns, width)
        for line in lines(columns, layout, cut=width is not None, headed=headed):
            console.print(line)
        end, number = listed.end, number + len(listed.runs)
    if number == 0:
        console.print("There are no such runs.")
    elif end is not None and sys.stdout.isatty():
        screen(errors=True).print("There are more: --limit or --all shows them.", style="dim")


def columns_of(listed: Listed, width: int | None, *, full_ids: bool = False) -> Iterator[Column]:
    """The columns of a list; ids are whole where there is room for them, else as long as they must be."""
    runs, at = listed.runs, listed.at
    wide = full_ids or width is None or width >= _WIDE
    ids = (str(run.id) if wide else listed.short.get(run.id, str(run.id)) for run in runs)
    yield Column("id", texts(ids, "cyan"))
    yield Column("name", texts(run.name for run in runs), least=18)
    yield Column("flow", texts(listed.flows.get(run.flow_id, "") for run in runs), rank=1, least=10)
    yield Column("state", [state_of(run) for run in runs], least=10)
    yield Column("start", texts(_start(run, at) for run in runs), rank=2)
    yield Column("took", texts(took(run, at) for run in runs), rank=3, right=True)
    yield Column("deployment", texts(_deployment(run, listed) for run in runs), rank=4, least=8)
    yield Column("queue", texts(run.work_queue_name or "" for run in runs), rank=6, least=8)
    yield Column("tags", texts(", ".join(run.tags) for run in runs), rank=5, least=8)
    yield Column("runs", texts(str(run.run_count or "") for run in runs), rank=7, right=True)
    yield Column("message", texts((_message(run) for run in runs), "dim"), rank=8, least=16)


def texts(words: Iterable[str], style: str = "") -> list[Text]:
    """Cells."""
    return [Text(printable(each), style) for each in words]


def state_of(run: FlowRun | TaskRun) -> Text:
    """The state's name in the colour of its type."""
    if run.state_type is None:
        return Text("no state", "dim")
    return coloured(run.state_type, printable(run.state_name or ""))


def took(run: FlowRun | TaskRun, at: datetime) -> str:
    """How long it ran, by now."""
    if run.start_time is None:
        return ""
    if run.state_type in TERMINAL:
        return span(((run.end_time or at) - run.start_time).total_seconds())
    return span((at - run.start_time).total_seconds()) if run.state_type is StateType.RUNNING else ""


def _start(run: FlowRun, at: datetime) -> str:
    moment = run.start_time or run.next_scheduled_start_time or run.expected_start_time
    return "" if moment is None else distance(moment, at)


def _deployment(run: FlowRun, listed: Listed) -> str:
    if run.deployment_id is None:
        return ""
    return listed.deployments.get(run.deployment_id, "(deleted)")


def _message(run: FlowRun) -> str:
    return (run.state.message or "") if run.state is not None else ""


def head(console: "Console", asked: Asked, listed: Listed, rows: int) -> list[Text]:
    """The first rows of a list, with their headings, as they fit on a screen."""
    shown = Listed(listed.runs[:rows], listed.flows, listed.deployments, listed.short, None, listed.at)
    if not shown.runs:
        return [Text("There are no such runs.")]
    columns = list(columns_of(shown, console.width, full_ids=asked.full_ids))
    return list(lines(columns, fit(columns, console.width)))
