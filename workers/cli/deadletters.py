"""`interlock deadletters`: what could not be read or was given up; to be looked at, replayed or discarded."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from workers.cli import asking, letters_shown
from workers.cli.databases import for_changing, for_looking
from workers.cli.failures import NO, WRONG_USAGE, Complaint
from workers.cli.moments import METAVAR, moment

if TYPE_CHECKING:
    from store.dead_letters import Criteria
    from store.transaction import Connection, Engine
    from workers.letters.replay import Treated

app = typer.Typer(
    help="Messages that could not be read or were given up: look, replay, discard.", no_args_is_help=True
)
WORD = "deadletters"
# Before a question, and of what was done: so many are named one by one.
_NAMED = 10

Reason = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Those with this in their reason, whatever the case.")
]
Type = Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Those of this message type.")]
Source = Annotated[str | None, typer.Option(metavar="NAME", help="Those from this source.")]
Since = Annotated[
    str | None,
    typer.Option(
        metavar=METAVAR, help="Those given up since: 2026-11-23T10:30 (UTC), or 2h for two hours ago."
    ),
]
Until = Annotated[str | None, typer.Option(metavar=METAVAR, help="Those given up before.")]
Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help="Ids of dead letters, or beginnings of ids.", show_default=False),
]
Everything = Annotated[
    bool, typer.Option("--all", help="All of them; with other options, all that these name.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Json = Annotated[bool, typer.Option("--json", help="JSON: one object on one line for each letter.")]


@app.command("list")
def list_letters(
    *,
    reason: Reason = None,
    type_: Type = None,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    as_json: Json = False,
) -> None:
    """The newest dead letters, newest first."""
    from store import dead_letters
    from store.reads.abbreviations import shortest
    from store.transaction import transaction
    from workers.now import now

    criteria = _criteria(reason, type_, source, since, until)
    with for_looking(WORD) as (engine, _), transaction(engine) as connection:
        found = dead_letters.newest(connection, criteria, limit)
        number = dead_letters.count(connection, criteria)
        short = shortest(connection, ["dead_letter"], [each.id for each in found])
    if as_json:
        letters_shown.print_lines(found)
    else:
        letters_shown.print_table(found, short, number, now())


@app.command("show")
def show_letter(
    ident: Annotated[str, typer.Argument(metavar="ID", help="The letter's id, or the beginning of it.")],
    raw: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the bytes as they were kept into this file; `-`: to standard output."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Why a message was given up, and all that it holds."""
    from store import dead_letters
    from store.transaction import transaction
    from workers.now import now

    with for_looking(WORD) as (engine, _), transaction(engine) as connection:
        [letter] = dead_letters.read(connection, [_found(connection, ident)])
    if raw is not None:
        _write(letter.body, raw)
    elif as_json:
        letters_shown.print_object(letter)
    else:
        letters_shown.print_letter(letter, now())


@app.command("replay")
def replay_letters(
    *,
    idents: Ids = None,
    everything: Everything = False,
    reason: Reason = None,
    type_: Type = None,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    out_of_turn: Annotated[
        bool,
        typer.Option(
            "--out-of-turn",
            help="Also commands with a sequence number, though those after them have been applied.",
        ),
    ] = False,
    yes: Yes = False,
) -> None:
    """Have messages tried again, after their cause is gone. Each command is applied at most once.

    The workers take commands from the database; the clock sends what could not be read. Exit code 1 if one of
    them cannot be replayed, or you answer no.
    """
    from workers.letters.replay import Fate, replay
    from workers.now import now

    criteria = _criteria(reason, type_, source, since, until)
    _require_a_choice(idents, everything, criteria)
    asking.require_somebody_to_ask(yes)
    with for_changing(WORD) as (engine, _):
        ids = _chosen(engine, idents, criteria, everything)
        if not yes:
            _ask(engine, ids, "replay", "as if they came anew", "nothing was replayed")
        treated = list(_counted(replay(engine, ids, now(), out_of_turn=out_of_turn), len(ids)))
        _tell_replayed(treated)
        if any(each.fate is Fate.AS_IT_CAME for each in treated) and not _clock_runs(engine):
            typer.echo(
                "No clock is active: what could not be read waits in the database until one is.", err=True
            )
    if not treated or not all(each.is_replayed for each in treated):
        raise typer.Exit(NO)


@app.command("discard")
def discard_letters(
    *,
    idents: Ids = None,
    everything: Everything = False,
    reason: Reason = None,
    type_: Type = None,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    yes: Yes = False,
) -> None:
    """Delete dead letters for good. The results that their senders got stay.

    Exit code 1 if nothing was there to discard, or you answer no.
    """
    from store import dead_letters
    from store.transaction import transaction

    criteria = _criteria(reason, type_, source, since, until)
    _require_a_choice(idents, everything, criteria)
    asking.require_somebody_to_ask(yes)
    with for_changing(WORD) as (engine, _):
        ids = _chosen(engine, idents, criteria, everything)
        if not yes:
            _ask(engine, ids, "delete", "for good", "nothing was discarded")
        with transaction(engine) as connection:
            number = dead_letters.discard(connection, ids)
    typer.echo(f"discarded {letters_shown.counted(number)}")
    if number == 0:
        raise typer.Exit(NO)


def _criteria(
    reason: str | None, type_: str | None, source: str | None, since: str | None, until: str | None
) -> "Criteria":
    from store.dead_letters import Criteria
    from workers.now import now

    at = now()
    return Criteria(
        reason=reason,
        type=type_,
        source=source,
        since=moment(since, "--since", at),
        until=moment(until, "--until", at),
    )


def _require_a_choice(idents: Sequence[str] | None, everything: bool, criteria: "Criteria") -> None:
    from store.dead_letters import Criteria

    if bool(idents) == everything:
        raise Complaint(
            "say which: ids, or --all (with --reason, --type and others: all of those)", WRONG_USAGE
        )
    if idents and criteria != Criteria():
        raise Complaint("--reason, --type and the like go with --all, not with ids", WRONG_USAGE)


def _found(connection: "Connection", ident: str) -> UUID:
    from workers.letters.find import NotOne, find_letter

    try:
        return find_letter(connection, ident)
    except NotOne as fault:
        raise Complaint(str(fault)) from None


def _chosen(
    engine: "Engine", idents: Sequence[str] | None, criteria: "Criteria", everything: bool
) -> list[UUID]:
    from store import dead_letters
    from store.transaction import transaction

    with transaction(engine) as connection:
        if everything:
            ids = dead_letters.ids(connection, criteria)
        else:
            ids = list(dict.fromkeys(_found(connection, ident) for ident in idents or ()))
    if not ids:
        raise Complaint("there is no such dead letter")
    return ids


def _ask(engine: "Engine", ids: Sequence[UUID], verb: str, where: str, refused: str) -> None:
    from store import dead_letters
    from store.transaction import transaction

    with transaction(engine) as connection:
        some = dead_letters.read(connection, ids[:_NAMED])
    facts = [f"  {letters_shown.described(each)}" for each in some]
    if len(ids) > len(some):
        facts.append(f"  and {len(ids) - len(some)} more")
    number = letters_shown.counted(len(ids))
    asking.ask([f"This will {verb} {number} {where}:", *facts], "Go on?", refused)


def _counted(treated: "Iterator[Treated]", number: int) -> "Iterator[Treated]":
    """Says how far it came, if it does not come to the end."""
    done = 0
    try:
        for each in treated:
            done += each.is_replayed
            yield each
    # Ctrl-C too is a reason to say how far it came; raised again.
    except BaseException:
        typer.echo(f"{done} of {number} dead letters were replayed; the others are as they were", err=True)
        raise


def _tell_replayed(treated: "Sequence[Treated]") -> None:
    replayed = [each.letter for each in treated if each.is_replayed]
    for letter in replayed if len(replayed) <= _NAMED else ():
        typer.echo(f"replayed {letters_shown.described(letter)}")
    if len(replayed) > _NAMED:
        typer.echo(f"replayed {letters_shown.counted(len(replayed))}")
    left = [each for each in treated if not each.is_replayed]
    for each in left[:_NAMED]:
        typer.echo(f"not replayed: {letters_shown.described(each.letter)}: {_why(each)}", err=True)
    if len(left) > _NAMED:
        for fate, number in Counter(each.fate for each in left[_NAMED:]).items():
            typer.echo(f"not replayed: {number} more: {fate}", err=True)
    if not treated:
        typer.echo("somebody else was first: nothing was left to replay", err=True)


def _why(treated: "Treated") -> str:
    from workers.letters.replay import Fate

    advice = {
        Fate.OUT_OF_TURN: "; --out-of-turn applies it all the same",
        Fate.ENDED: " (its id has another result); discard the letter",
        Fate.CUT: "; ask its producer to send it again",
    }
    return f"{treated.fate}{advice.get(treated.fate, '')}"


def _clock_runs(engine: "Engine") -> bool:
    from store.diagnosis import processes
    from store.transaction import transaction

    with transaction(engine) as connection:
        return processes(connection).clock_is_active


def _write(body: bytes, path: Path) -> None:
    if str(path) == "-":
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    try:
        path.write_bytes(body)
    except OSError as error:
        raise Complaint(f"{path} cannot be written: {error.strerror}") from error
    typer.echo(f"wrote {len(body)} bytes into {path}")
