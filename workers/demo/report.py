"""The end of the demo, for people: what was answered, how well it agrees, how long it took, what to try next."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from workers.demo.reasons import Difference
from workers.demo.summary import STATUSES, Summary, milliseconds

_COLOURS = {
    "OK": "green",
    "ACCEPT": "green",
    "REJECT": "yellow",
    "WAIT": "yellow",
    "ABORT": "red",
    "ERROR": "bold red",
}
_NEXT = (
    ("interlock up", "the stack, to keep"),
    ('interlock request flow.upsert \'{"name": "etl"}\'', "a first command"),
    ("interlock watch", "events as they come"),
)
_WIDEST = 80
_TOLD = ("status", "state_name", "error")


def report(summary: Summary, console: Console) -> None:
    """Prints it all."""
    console.print()
    console.print(_answers(summary))
    console.print()
    _agreement(summary, console)
    _times(summary, console)
    _verdict(summary, console)


def _answers(summary: Summary) -> Table:
    used = [status for status in STATUSES if any(each == status for _, each in summary.answers)]
    table = Table(title="Answers", title_justify="left", title_style="bold", box=None, padding=(0, 1))
    table.add_column("command", no_wrap=True)
    for status in used:
        table.add_column(status, justify="right", style=_COLOURS[status])
    for kind in sorted({kind for kind, _ in summary.answers}):
        counts = (summary.answers.get((kind, status), 0) for status in used)
        table.add_row(kind, *(f"{count:,}" if count else "·" for count in counts))
    sums = (sum(n for (_, each), n in summary.answers.items() if each == status) for status in used)
    table.add_row(Text("all", "bold"), *(Text(f"{count:,}", "bold") for count in sums))
    return table


def _agreement(summary: Summary, console: Console) -> None:
    share = summary.agreeing / summary.compared if summary.compared else 1.0
    console.print(Text("Agreement with the recorded server", "bold"))
    _say(
        console, f"{summary.agreeing:,} of {summary.compared:,} recorded answers are the same ({share:.2%})."
    )
    rest = summary.commands - summary.compared - len(summary.unanswered)
    _say(console, f"{rest:,} commands were told as events then, so there is no answer to compare.")
    if summary.lost:
        _say(console, f"{summary.lost} recorded answers never reached their clients, who asked again.")
    for reason, count in summary.by_reason.items():
        console.print()
        _say(console, Text(f"{count} different: {reason.value}"))
        for each in summary.differences:
            if each.reason is reason:
                _say(console, _line(each))
    if summary.unexplained:
        console.print()
        _say(console, Text(f"{len(summary.unexplained)} DIFFERENT WITHOUT A REASON:", "bold red"))
    for each in summary.unexplained:
        _say(console, _line(each))
    for unanswered in summary.unanswered:
        _say(console, Text(f"NOT ANSWERED: {unanswered.recorded.type} {unanswered.recorded.id}", "bold red"))
    console.print()


def _times(summary: Summary, console: Console) -> None:
    times = summary.round_trips
    console.print(Text("Round trips", "bold"))
    _say(
        console,
        f"p50 {times.p50:.1f} ms, p99 {times.p99:.1f} ms, longest {times.longest:.1f} ms; "
        f"{summary.commands:,} commands in {summary.seconds:.1f} s, {summary.commands / summary.seconds:.0f}/s.",
    )
    _say(console, "The slowest:")
    for each in summary.slowest:
        _say(console, f"{milliseconds(each):>8.1f} ms  {each.recorded.type:<25} {each.run_id or ''}")
    console.print()


def _verdict(summary: Summary, console: Console) -> None:
    if summary.is_good:
        console.print(Text("Every command was answered, and every difference has its reason.", "bold green"))
    else:
        faults = (
            f"{len(summary.unanswered)} unanswered, {len(summary.unexplained)} differences without a reason"
        )
        console.print(Text(f"Not as it should be: {faults}.", "bold red"))
    console.print()
    console.print(Text("Where to go next", "bold"))
    for command, meaning in _NEXT:
        _say(console, Text.assemble((f"{command:<49}", "cyan"), meaning))


def _line(each: Difference) -> Text:
    """One line: when, what about, and the answers in short."""
    recorded = each.played.recorded
    moment = f"  {recorded.offset_s:7.1f} s  "
    about = f"{recorded.type} {str(each.played.run_id or recorded.data.get('name'))[:8]}  "
    states = [member for member in each.members if member.name in _TOLD]
    told = states or list(each.members)
    before, after = (
        " ".join(_shown(getattr(member, side)) for member in told) for side in ("recorded", "answered")
    )
    names = "" if states else ", ".join(member.name for member in told) + " "
    return Text.assemble((moment, "bright_black"), (about, "bright_black"), names, f"{before} → {after}")


def _shown(value: object) -> str:
    return "none" if value is None else str(value)


def _say(console: Console, words: str | Text) -> None:
    """An indented paragraph, no wider than a page."""
    width = min(console.width, _WIDEST) - 2
    for line in (words if isinstance(words, Text) else Text(words)).wrap(console, width):
        console.print(Text("  ").append_text(line), soft_wrap=True, highlight=False)
