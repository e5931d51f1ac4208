"""`interlock doctor`: is everything there, set up well, and alive?"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from workers.cli.failures import NO, UNREACHABLE
from workers.cli.preparing import prepare

if TYPE_CHECKING:
    from workers.doctor.finding import Finding

# Where there is no terminal whose width could be asked for.
_WIDTH = 160
_MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "bold red")}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="The checks as a JSON list.")] = False,
) -> None:
    """Check both servers, the schema, the clocks, the processes, and what waits.

    Exit code 1 if a check fails, 3 if a server cannot be reached; warnings change nothing.
    """
    settings = prepare()
    from workers.doctor.examine import examine

    findings = examine(settings)
    if as_json:
        _print_json(findings)
    else:
        _print_table(findings)
    if any(finding.is_away for finding in findings):
        raise typer.Exit(UNREACHABLE)
    if any(finding.level == "fail" for finding in findings):
        raise typer.Exit(NO)


def _print_json(findings: "Sequence[Finding]") -> None:
    from workers.cli.screen import print_line

    print_line(
        [
            {"name": each.name, "level": each.level, "found": each.found, "advice": each.advice or None}
            for each in findings
        ]
    )


def _print_table(findings: "Sequence[Finding]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from workers.cli.screen import printable

    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for heading in ("", "check", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for each in findings:
        mark, colour = _MARKS[each.level]
        table.add_row(
            Text(mark, style=colour), each.name, printable(each.found), Text(each.advice, style=colour)
        )
    console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    console.print(table)
