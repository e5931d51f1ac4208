"""`interlock slots`: who holds which slots of the concurrency limits, and a way to free them by hand."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from workers.cli.failures import WRONG_USAGE, Complaint
from workers.cli.preparing import prepare

if TYPE_CHECKING:
    from store.limits import Drift
    from store.slots import Holder
    from store.transaction import Engine
    from workers.slots.overview import Overview, Use
    from workers.slots.release import Which

app = typer.Typer(help="Who holds slots of the concurrency limits; free them by hand.", no_args_is_help=True)

# Where there is no terminal whose width could be asked for.
_WIDTH = 200


@app.command("list")
def list_slots(
    limit: Annotated[str | None, typer.Option(metavar="NAME", help="This limit alone.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also limits of which nobody holds a slot.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Who holds what, and whether anybody holds what they should not: a run that has ended, or too many."""
    from workers.now import now
    from workers.slots.overview import Overview, look

    moment = now()
    with _database() as engine:
        found = look(engine, limit, moment)
    if limit is not None and not found.uses:
        raise Complaint(_no_such(limit))
    if not everything and limit is None:
        found = Overview([use for use in found.uses if use.holders], found.drift)
    if as_json:
        _print_json(found)
    else:
        _print_table(found, moment)


@app.command("release")
def release_slots(
    limit: Annotated[str, typer.Argument(metavar="LIMIT", help="The limit's name.")],
    holder: Annotated[
        UUID | None, typer.Option(metavar="ID", help="Free what this flow run or task run holds.")
    ] = None,
    lease: Annotated[UUID | None, typer.Option(metavar="ID", help="Free what this lease holds.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Free all that anybody holds.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Free slots of a limit. The run that held them goes on, and another may start.

    Exit code 1 if nothing is held by whom you name, or you answer no.
    """
    from workers.now import now
    from workers.slots.overview import look
    from workers.slots.release import Which

    if (holder is not None) + (lease is not None) + everybody != 1:
        raise Complaint("say whose slots: --holder ID, --lease ID or --all, one of the three", WRONG_USAGE)
    if not yes and not _can_ask():
        raise Complaint("there is no terminal on which to ask: say --yes", WRONG_USAGE)
    which = Which(holder, lease)
    with _database() as engine:
        found = look(engine, limit, now()).uses
        if not found:
            raise Complaint(_no_such(limit))
        held = which.of(found[0].holders)
        if held and not yes:
            _ask(limit, held)
        if not held or not _free(engine, found[0], which):
            raise Complaint(f"nothing of {limit} is held {_by_whom(which)}: nothing was freed")


@contextmanager
def _database() -> Iterator["Engine"]:
    settings = prepare()
    from store import schema
    from store.engine import open_engine

    schema.require(settings.database_url)
    engine = open_engine(settings.database_url, pool_size=1, application="interlock slots")
    try:
        yield engine
    finally:
        engine.dispose()


def _no_such(limit: str) -> str:
    return f"there is no concurrency limit {limit!r}; `interlock slots list --all` shows all of them"


def _by_whom(which: "Which") -> str:
    if which.run_id is not None:
        return f"by the run {which.run_id}"
    return "by anybody" if which.lease_id is None else f"by the lease {which.lease_id}"


def _can_ask() -> bool:
    return sys.stdin.isatty()


def _ask(limit: str, held: "Sequence[Holder]") -> None:
    typer.echo(f"This frees of {limit}:", err=True)
    for holder in held:
        typer.echo(f"  {_described(holder, holder.slot.slots)}", err=True)
    if not typer.confirm("Free them?", err=True):
        raise Complaint("nothing was freed")


def _free(engine: "Engine", use: "Use", which: "Which") -> bool:
    """Whether there was anything left to free: it may be gone since it was looked at."""
    from random import random

    from messages.ids import uuid7
    from workers.now import now
    from workers.slots.release import release
    from workers.world.world import World

    freed = release(engine, use.limit.id, which, World(clock=now, new_id=uuid7, dice=random))
    for each in freed:
        typer.echo(f"freed {_described(each.holder, each.slots)}")
    return bool(freed)


def _described(holder: "Holder", number: int) -> str:
    from workers.cli.screen import printable

    slot = holder.slot
    words = f"{_slots(number)} of {slot.holder_kind.replace('_', ' ')} {slot.holder_id}"
    if holder.run_name is None:
        return words
    return f"{words} ({printable(holder.run_name)}, {printable(holder.state_name or 'no state')})"


def _slots(number: int) -> str:
    return "1 slot" if number == 1 else f"{number} slots"


def _print_json(found: "Overview") -> None:
    from store.rows import plain
    from workers.cli.screen import print_line

    limits = [
        {
            "name": use.limit.name,
            "limit": use.limit.limit,
            "taken": use.taken,
            "active": use.limit.active,
            "holders": [_holder_as_json(holder) for holder in use.holders],
        }
        for use in found.uses
    ]
    print_line({"limits": limits, "drift": [plain(each) for each in found.drift]})


def _holder_as_json(holder: "Holder") -> dict[str, Any]:
    slot = holder.slot
    return {
        "holder_kind": slot.holder_kind,
        "holder_id": slot.holder_id,
        "run_name": holder.run_name,
        "state_type": holder.state_type,
        "state_name": holder.state_name,
        "slots": slot.slots,
        "acquired_at": slot.acquired_at,
        "expires_at": slot.expires_at,
    }


def _print_table(found: "Overview", now: datetime) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    if found.uses:
        table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
        for heading in ("limit", "taken", "holder", "run", "state", "slots", "acquired", "expires"):
            table.add_column(heading, overflow="fold", justify="right" if heading == "slots" else "left")
        for use in found.uses:
            for row in _rows(use, now):
                table.add_row(*row)
        console.print(table)
    else:
        console.print("Nobody holds a slot.")
    console.print(_verdict(found.drift))


def _rows(use: "Use", now: datetime) -> Iterator[Sequence[Any]]:
    from rich.text import Text

    from workers.cli.screen import coloured, printable

    limit = use.limit
    shown = f"{use.taken} of {limit.limit}{'' if limit.active else ', not active'}"
    taken = Text(shown, style="red" if limit.active and use.taken >= limit.limit else "")
    name = printable(limit.name)
    if not use.holders:
        yield name, taken, Text("nobody", style="dim")
    for holder in use.holders:
        slot, state = holder.slot, holder.state_type
        yield (
            name,
            taken,
            f"{slot.holder_kind} {slot.holder_id}",
            printable(holder.run_name or ""),
            coloured(state, printable(holder.state_name or "")) if state else "",
            str(slot.slots),
            f"{_distance(slot.acquired_at, now)} ago",
            "" if slot.expires_at is None else f"in {_distance(slot.expires_at, now)}",
        )


def _distance(moment: datetime, now: datetime) -> str:
    import pendulum

    return pendulum.instance(moment).diff_for_humans(pendulum.instance(now), absolute=True)


def _verdict(drift: "Sequence[Drift]") -> Any:
    from rich.text import Text

    if not drift:
        return Text(
            "Every slot is held by a lease or by a run that is under way, and none is taken twice.", "green"
        )
    return Text("\n".join(["What should not be so:", *map(_fault, drift)]), "bold red")


def _fault(drift: "Drift") -> str:
    from workers.cli.screen import printable

    who = "" if drift.holder_id is None else f" of {drift.holder_kind} {drift.holder_id}"
    return f"  {printable(drift.limit_name)}: {_slots(drift.slots)}{who}, {drift.fault}"
