"""`interlock request`: one command or query, and its answer."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.cli.failures import NO, WRONG_USAGE, Complaint
from workers.cli.preparing import prepare
from workers.cli.signing import HELP, signing_key

if TYPE_CHECKING:
    from messages.client import Client, Result

SOURCE = "interlock-cli"


def request(
    message_type: Annotated[
        str, typer.Argument(metavar="TYPE", help="A command or query, such as flow_run.read.")
    ],
    given: Annotated[
        str,
        typer.Argument(metavar="JSON", help="Its data, a JSON object; `-` reads them from standard input."),
    ] = "{}",
    timeout: Annotated[float, typer.Option(min=0.01, help="Seconds to wait for the answer.")] = 30.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="The result's data on one line, as they came.")
    ] = False,
    sign: Annotated[str | None, typer.Option("--sign", metavar="KEYID", help=HELP)] = None,
) -> None:
    """Send one command or query and print its result.

    Exit code 1 if the answer is ERROR or ABORT, or if none comes in time.
    """
    settings = prepare()
    data = _checked(message_type, _read(given))
    from messages.client import Client

    key = signing_key(settings, sign)
    with Client(
        settings.redis_url, SOURCE, namespace=settings.namespace, close_timeout=0.0, signing_key=key
    ) as client:
        result = _ask(client, message_type, data, timeout)
    _show(result, message_type, as_json)
    if result.status in ("ERROR", "ABORT"):
        raise typer.Exit(NO)


def _read(given: str) -> bytes:
    return sys.stdin.buffer.read() if given == "-" else given.encode()


def _checked(message_type: str, text: bytes) -> dict[str, Any]:
    from messages.errors import Refused
    from messages.registry import BATCH
    from messages.wire import decode
    from workers.cli.checking import faults_of_data, faults_of_type

    if message_type == BATCH:
        raise Complaint("a batch has no answer of its own: use `interlock send --wait`", WRONG_USAGE)
    faults = faults_of_type(message_type)
    if faults:
        raise Complaint(faults[0], WRONG_USAGE)
    try:
        data = decode(text)
    except Refused as refused:
        raise Complaint(f"the data are {refused.message}", WRONG_USAGE) from None
    if not isinstance(data, dict):
        raise Complaint('the data should be a JSON object, such as \'{"id": "..."}\'', WRONG_USAGE)
    if faults := faults_of_data(message_type, data):
        raise Complaint("\n  ".join(["nothing was sent:", *faults]), WRONG_USAGE)
    return data


def _ask(client: "Client", message_type: str, data: dict[str, Any], timeout: float) -> "Result":
    from messages.client import CommandFailed

    try:
        return client.request(message_type, data, timeout=timeout)
    except CommandFailed as failed:
        return failed.result


def _show(result: "Result", message_type: str, as_json: bool) -> None:
    from workers.cli.answers import headline
    from workers.cli.screen import print_json, print_line, screen

    if as_json:
        print_line(result.data)
        return
    console = screen()
    console.print(headline(result.data, message_type))
    rest = {name: value for name, value in result.data.items() if name not in _IN_THE_HEADLINE}
    if rest:
        print_json(console, rest)


_IN_THE_HEADLINE = ("command", "status", "replayed", "error", "details")
