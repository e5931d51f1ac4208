"""`interlock send`: envelopes from a file or a pipe onto their queues."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.failures import NO, UNREACHABLE, WRONG_USAGE, Complaint, explain
from workers.cli.preparing import prepare
from workers.cli.signing import HELP, signing_key

if TYPE_CHECKING:
    from messages.client.composing import SigningKey
    from workers.cli.exchange import Answer
    from workers.cli.lines import Checked
    from workers.settings import Settings

SOURCE = "interlock-cli"
_AT_ONCE = 500
_LINES_NAMED = 10

Numbered = Iterable[tuple[int, dict[str, Any]]]


def send(
    file: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="The file; `-` is standard input.", show_default=False)
    ] = "-",
    wait: Annotated[bool, typer.Option("--wait", help="Print the results as they come.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0.01, help="With --wait: give up after so many seconds without a result.")
    ] = 60.0,
    source: Annotated[str, typer.Option(help="The source of lines that name none.")] = SOURCE,
    sign: Annotated[str | None, typer.Option("--sign", metavar="KEYID", help=HELP)] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --wait: each result's data on a line.")
    ] = False,
) -> None:
    """Send envelopes, one JSON object a line. All lines are checked before the first is sent.

    A line may leave out specversion, id, time and source. Give it an id, and it can be sent again without being
    applied again. Exit code 1 if with --wait a result is ERROR or ABORT, or does not come.
    """
    settings = prepare()
    from workers.cli.lines import Filling, check, envelopes_in, rereadable

    key = signing_key(settings, sign)
    filling = Filling(source, settings.max_message_bytes, settings.max_depth, answered_here=wait, key=key)
    if file == "-" and sys.stdin.isatty():
        _tell("reading envelopes from the terminal, one a line; Ctrl-D ends them")
    try:
        with rereadable(file) as lines:
            checked = check(lines, filling)
            _refuse_what_is_wrong(checked)
            envelopes = envelopes_in(lines, filling)
            if wait:
                _send_and_wait(settings, envelopes, checked.envelopes, _Waiting(timeout, as_json, key))
            else:
                _send(settings, envelopes, checked.envelopes)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise Complaint(f"{file} cannot be read: {error.strerror}", WRONG_USAGE) from None


def _refuse_what_is_wrong(checked: "Checked") -> None:
    if checked.wrong:
        heading = (
            f"nothing was sent: {checked.wrong} of {_count(checked.envelopes)} cannot be sent as they are"
        )
        raise Complaint("\n  ".join([heading, *checked.faults]), WRONG_USAGE)


def _send(settings: "Settings", envelopes: Numbered, total: int) -> None:
    from messages.enqueue import enqueue
    from messages.streams import TROUBLE, connect
    from workers.cli.progress import bar

    sent = 0
    with connect(settings.redis_url) as redis, bar("sending", total) as advance:
        for some in _in_groups(envelopes):
            try:
                enqueue(redis, settings.namespace, some)
            except TROUBLE as error:
                raise _broke_off(error, sent, total) from None
            sent += len(some)
            advance(len(some))
    _tell(f"sent {_count(sent)}")


def _in_groups(envelopes: Numbered) -> Iterator[list[dict[str, Any]]]:
    rest = iter(envelopes)
    while some := [envelope for _, envelope in islice(rest, _AT_ONCE)]:
        yield some


def _broke_off(error: Exception, sent: int, total: int) -> Complaint:
    failure = explain(error)
    reason = failure.sentence if failure else str(error)
    again = " Send the rest again; or all of it, where each line has an id of its own." if sent else ""
    return Complaint(f"{reason} {sent} of {_count(total)} were sent.{again}", UNREACHABLE)


@dataclass(frozen=True)
class _Waiting:
    """How to wait for results, and how to print them."""

    timeout: float
    as_json: bool
    key: "SigningKey | None"


def _send_and_wait(settings: "Settings", envelopes: Numbered, total: int, how: _Waiting) -> None:
    from messages.client import Client
    from workers.cli.exchange import Silence, answers_to
    from workers.cli.progress import bar

    statuses: Counter[str] = Counter()
    # On a terminal the results show how far it has come, and a bar would get between them.
    show, shown = _printer(how.as_json), not sys.stdout.isatty()
    with Client(
        settings.redis_url, SOURCE, namespace=settings.namespace, close_timeout=0.0, signing_key=how.key
    ) as client:
        try:
            with bar("answered", total, shown=shown) as advance:
                for answer in answers_to(client, envelopes, how.timeout):
                    statuses[str(answer.data["status"])] += 1
                    show(answer)
                    advance(1)
        except Silence as silence:
            raise _too_quiet(silence.missing, how.timeout) from None
    parts = ", ".join(f"{number} {status}" for status, number in sorted(statuses.items()))
    _tell(f"{_count(total)} answered: {parts}" if total else "there was nothing to send")
    if statuses["ERROR"] or statuses["ABORT"]:
        raise typer.Exit(NO)


def _printer(as_json: bool) -> "Callable[[Answer], None]":
    from workers.cli.answers import headline
    from workers.cli.screen import print_line, screen

    if as_json:
        return lambda answer: print_line(answer.data)
    console = screen()

    def show(answer: "Answer") -> None:
        line = headline(answer.data, answer.message_type)
        console.print(f"{answer.line}:", line, soft_wrap=True)
        sys.stdout.flush()

    return show


def _too_quiet(missing: list[int], timeout: float) -> Complaint:
    lines = ", ".join(map(str, missing[:_LINES_NAMED])) + (", ..." if len(missing) > _LINES_NAMED else "")
    return Complaint(
        f"no result for {timeout:g} s, and {_count(len(missing))} without one (line {lines}). "
        "Is a worker running? `interlock doctor` looks; they may still be applied."
    )


def _count(number: int) -> str:
    return f"{number:,} envelope{'' if number == 1 else 's'}"


def _tell(text: str) -> None:
    typer.echo(text, err=True)
