"""Dead letters, as they are shown."""

import base64
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workers.cli.screen import print_line, printable, screen
from workers.runs.times import clock_time, distance, span

if TYPE_CHECKING:
    from uuid import UUID

    from rich.text import Text

    from store.dead_letters import Letter
    from workers.cli.fitting import Column


def counted(number: int) -> str:
    """`1 dead letter`, `7 dead letters`."""
    return "1 dead letter" if number == 1 else f"{number:,} dead letters"


def described(letter: "Letter") -> str:
    """One letter in a line: its id, what it is and why it is here."""
    return f"{letter.id} ({_what(letter)}): {_cut(printable(_why(letter)), 100)}"


def print_lines(letters: "Sequence[Letter]") -> None:
    """One JSON object on one line for each, without the body."""
    for letter in letters:
        print_line(_fields(letter))


def print_object(letter: "Letter") -> None:
    """The letter with its body: as JSON if it is some, and always as it came, in base 64."""
    from workers.letters.body import as_json

    body = {"body": as_json(letter.body), "body_base64": base64.b64encode(letter.body).decode()}
    print_line({**_fields(letter), **body})


def print_table(letters: "Sequence[Letter]", short: "Mapping[UUID, str]", number: int, now: datetime) -> None:
    """The letters, as much of each as there is room for; and how many there are."""
    from workers.cli.fitting import fit, lines

    console = screen()
    if not letters:
        console.print("There are no dead letters, or none like these.")
        return
    width = console.width if sys.stdout.isatty() else None
    columns = list(_columns(letters, short, width, now))
    for line in lines(columns, fit(columns, width), cut=width is not None):
        console.print(line)
    if number > len(letters):
        screen(errors=True).print(f"{number - len(letters):,} more; --limit {number} shows all", style="dim")


def print_letter(letter: "Letter", now: datetime) -> None:
    """Everything about one letter."""
    from workers.cli.screen import print_json
    from workers.letters.body import as_json, shown

    console = screen()
    for name, value in _lines_about(letter, now):
        console.print(f"[bold]{name:<10}[/bold]", end=" ", markup=True)
        console.print(value)
    console.print()
    found = as_json(letter.body)
    if found is None:
        console.print(shown(letter.body))
    else:
        print_json(console, found)


def _lines_about(letter: "Letter", now: datetime) -> Iterator[tuple[str, str]]:
    yield "id", str(letter.id)
    yield "given up", f"{clock_time(letter.created)} ({distance(letter.created, now)})"
    yield "reason", printable(_why(letter))
    yield "attempts", str(letter.attempts) if letter.attempts else "none: it could not be read"
    yield "command", "none" if letter.command_id is None else str(letter.command_id)
    yield "type", printable(letter.type or "not known")
    yield "source", printable(letter.source or "not known")
    if (turn := _turn(letter)) is not None:
        yield "turn", turn
    yield "queue", letter.queue
    yield "size", f"{letter.size:,} bytes"
    if letter.replayed is not None:
        yield "replayed", f"{distance(letter.replayed, now)}; the clock is about to send it"


def _turn(letter: "Letter") -> str | None:
    from workers.letters.body import envelope_in
    from workers.letters.replay import has_turn

    envelope = envelope_in(letter.body) if letter.command_id is not None else None
    if envelope is None or not has_turn(envelope):
        return None
    key, number = printable(str(envelope["partitionkey"])), envelope.get("sequence")
    return f"number {number} of {key!r}: taken; those after it go on. Replay it with --out-of-turn"


def _columns(
    letters: "Sequence[Letter]", short: "Mapping[UUID, str]", width: int | None, now: datetime
) -> "Iterator[Column]":
    from rich.text import Text

    from workers.cli.fitting import Column

    def plain(texts: Sequence[str], style: str = "") -> "list[Text]":
        return [Text(printable(text), style) for text in texts]

    wide = width is None or width >= _WIDE
    ids = [str(each.id) if wide else short.get(each.id, str(each.id)) for each in letters]
    yield Column("id", plain(ids))
    yield Column("age", plain([span((now - each.created).total_seconds()) for each in letters]), right=True)
    yield Column("type", plain([each.type or "" for each in letters]), rank=1, least=12)
    yield Column("source", plain([each.source or "" for each in letters]), rank=2, least=8)
    yield Column("attempts", plain([str(each.attempts or "") for each in letters]), rank=3, right=True)
    yield Column("size", plain([f"{each.size:,}" for each in letters]), rank=4, right=True)
    yield Column("reason", plain([_why(each) for each in letters], "red"), least=36)


_WIDE = 140


def _fields(letter: "Letter") -> dict[str, Any]:
    names = (
        "id",
        "created",
        "queue",
        "reason",
        "command_id",
        "type",
        "source",
        "attempts",
        "size",
        "replayed",
    )
    return {name: getattr(letter, name) for name in names}


def _why(letter: "Letter") -> str:
    """Its reason, without what stands beside it."""
    return letter.reason.removeprefix(f"Poisoned: {letter.type} {letter.command_id}: ")


def _what(letter: "Letter") -> str:
    if letter.type is None:
        return f"{letter.size:,} bytes that could not be read"
    return printable(f"{letter.type} from {letter.source or 'nobody known'}")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
