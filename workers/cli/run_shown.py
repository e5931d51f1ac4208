"""One run, its history, and why it waits, as they are shown."""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from rich.console import Console
from rich.text import Text

from messages.runs import FlowRun, TaskRun
from messages.states import State
from store.rows import plain
from workers.cli.fitting import Column, fit, lines
from workers.cli.runs_listed import state_of, texts, took
from workers.cli.screen import coloured, print_line, printable, screen
from workers.runs.explain import Reason
from workers.runs.look import Shown
from workers.runs.times import clock_time, distance, span

_LABEL = 11


def print_run(shown: Shown, at: datetime) -> None:
    """Everything about one run, for people."""
    console, run = screen(), shown.run
    console.print(_headline(console, run.id, run))
    for label, value in _about(shown, at):
        console.print(Text.assemble((f"{label:<{_LABEL}}", "dim"), " ", value))
    _section(console, "History", _history(shown.history, at))
    if shown.task_counts:
        counts = Text("  ").join(_count(kind, number) for kind, number in shown.task_counts.items())
        _section(console, "Task runs", _below(shown.tasks, at), counts)
        hidden = sum(shown.task_counts.values()) - len(shown.tasks)
        if hidden:
            console.print(f"and {hidden:,} older ones: --tasks N shows up to 200", style="dim")
    if shown.subflows:
        _section(console, "Subflow runs", _below(shown.subflows, at))
        if shown.more_subflows:
            console.print("and older ones: `interlock runs list --parent` lists all", style="dim")


def print_object(shown: Shown) -> None:
    """The same for programs: the run under `flow_run` or `task_run`, the other key null."""
    is_flow = isinstance(shown.run, FlowRun)
    print_line(
        {
            "kind": "flow_run" if is_flow else "task_run",
            "flow_run": shown.run if is_flow else None,
            "task_run": None if is_flow else shown.run,
            "flow": shown.flow,
            "deployment": shown.deployment,
            "parent_task_run": shown.parent_task,
            "parent_flow_run": shown.parent,
            "states": shown.history,
            "slots": [plain(each) for each in shown.held],
            "task_run_counts": shown.task_counts,
            "task_runs": shown.tasks,
            "subflow_runs": shown.subflows,
        }
    )


def print_states(history: Sequence[State], at: datetime) -> None:
    """The history alone."""
    _print(screen(), _history(history, at) if history else [])
    if not history:
        screen().print("It has had no state.")


def print_states_as_json(run: FlowRun | TaskRun, history: Sequence[State]) -> None:
    """One object: the run's id, and its states, oldest first."""
    print_line({"id": run.id, "states": history})


def print_reasons(run_id: UUID, run: FlowRun | TaskRun | None, reasons: Sequence[Reason]) -> None:
    """A sentence or two for each reason."""
    console = screen()
    console.print(_headline(console, run_id, run))
    if not reasons:
        console.print("Nothing is known to keep it.")
    width = console.width if sys.stdout.isatty() else None
    for reason in reasons:
        for line in _wrapped(console, printable(reason.text), width):
            console.print(line)


def print_reasons_as_json(run_id: UUID, run: FlowRun | TaskRun | None, reasons: Sequence[Reason]) -> None:
    """One object: what run it is, and for each reason its code, its sentence and its facts."""
    about = None
    if run is not None:
        about = {
            "kind": "flow_run" if isinstance(run, FlowRun) else "task_run",
            "name": run.name,
            "state_type": run.state_type,
            "state_name": run.state_name,
        }
    told = [{"code": each.code, "text": each.text, **each.facts} for each in reasons]
    print_line({"id": run_id, "run": about, "reasons": told})


def _wrapped(console: Console, text: str, width: int | None) -> Iterator[Text]:
    bullet = "• "
    if width is None:
        yield Text(bullet + text)
        return
    for number, line in enumerate(Text(text).wrap(console, width - len(bullet))):
        yield Text(bullet if number == 0 else "  ").append_text(line)


def _headline(console: Console, run_id: UUID, run: FlowRun | TaskRun | None) -> Text:
    """The id on a line of its own where it would be broken, and could not be copied."""
    line = (
        Text("no run", "bold")
        if run is None
        else Text.assemble((printable(run.name), "bold"), "  ", state_of(run))
    )
    fits = line.cell_len + 2 + len(str(run_id)) <= console.width or not sys.stdout.isatty()
    return line.append("  " if fits else "\n").append(str(run_id), "cyan")


def _about(shown: Shown, at: datetime) -> Iterator[tuple[str, Text | str]]:
    run = shown.run
    yield "kind", "flow run" if isinstance(run, FlowRun) else "task run"
    if shown.flow is not None:
        yield "flow", printable(shown.flow.name)
    if isinstance(run, FlowRun):
        yield from _about_flow_run(run, shown)
    else:
        yield "task", printable(f"{run.task_key} {run.dynamic_key}")
    if shown.parent is not None:
        yield (
            "parent",
            Text.assemble(printable(shown.parent.name), "  ", state_of(shown.parent), f"  {shown.parent.id}"),
        )
    if run.state is not None and run.state.message:
        yield "message", printable(run.state.message)
    if run.tags:
        yield "tags", printable(", ".join(run.tags))
    yield "created", _moment(run.created, at)
    yield from _times(run, at)
    yield "runs", f"{run.run_count}, version {run.version}"
    for held in shown.held:
        yield "holds", f"{held.slots} of {printable(held.limit_name)} since {_moment(held.acquired_at, at)}"


def _about_flow_run(run: FlowRun, shown: Shown) -> Iterator[tuple[str, Text | str]]:
    if run.deployment_id is not None:
        name = "deleted" if shown.deployment is None else printable(shown.deployment.name)
        yield "deployment", f"{name}  {run.deployment_id}"
    if run.work_queue_name is not None:
        yield "work queue", printable(run.work_queue_name)
    if run.idempotency_key is not None:
        yield "key", printable(run.idempotency_key)
    if run.parameters:
        from messages.wire import encode

        yield "parameters", printable(encode(run.parameters).decode())


def _times(run: FlowRun | TaskRun, at: datetime) -> Iterator[tuple[str, Text | str]]:
    if run.next_scheduled_start_time is not None:
        yield "scheduled", _moment(run.next_scheduled_start_time, at)
    elif run.start_time is None and run.expected_start_time is not None:
        yield "expected", _moment(run.expected_start_time, at)
    if run.start_time is not None:
        yield "started", _moment(run.start_time, at)
    if run.end_time is not None:
        yield "ended", _moment(run.end_time, at)
    if duration := took(run, at):
        yield "took", f"{duration}, of which {span(run.total_run_time)} running" if run.end_time else duration


def _moment(moment: datetime, at: datetime) -> str:
    return f"{clock_time(moment)} ({distance(moment, at)})"


def _history(history: Sequence[State], at: datetime) -> list[Column]:
    ends = [*(state.timestamp for state in history[1:]), at]
    lasted = [
        "" if state.is_terminal and end is at else span((end - state.timestamp).total_seconds())
        for state, end in zip(history, ends, strict=True)
    ]
    return [
        Column("time", texts(clock_time(state.timestamp) for state in history)),
        Column("state", [coloured(state.type, printable(state.name)) for state in history], least=10),
        Column("type", texts((state.type.lower() for state in history), "dim"), rank=2),
        Column("lasted", texts(lasted), right=True),
        Column("message", texts(state.message or "" for state in history), rank=1, least=16),
    ]


def _below(runs: Sequence[FlowRun | TaskRun], at: datetime) -> list[Column]:
    starts = (run.start_time or run.expected_start_time for run in runs)
    return [
        Column("id", texts((str(run.id) for run in runs), "cyan")),
        Column("name", texts(run.name for run in runs), least=12),
        Column("state", [state_of(run) for run in runs], least=10),
        Column("start", texts("" if start is None else distance(start, at) for start in starts), rank=2),
        Column("took", texts(took(run, at) for run in runs), rank=1, right=True),
    ]


def _count(kind: str, number: int) -> Text:
    return (
        coloured(kind, f"{number:,} {kind.lower()}") if kind else Text(f"{number:,} without a state", "dim")
    )


def _section(console: Console, title: str, columns: Sequence[Column], summary: Text | None = None) -> None:
    console.print()
    console.print(Text(title, "bold underline").append_text(Text("  ") + summary if summary else Text()))
    if columns and columns[0].cells:
        _print(console, columns)


def _print(console: Console, columns: Sequence[Column]) -> None:
    width = console.width if sys.stdout.isatty() else None
    for line in lines(columns, fit(columns, width), cut=width is not None) if columns else ():
        console.print(line)
