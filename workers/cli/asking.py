"""Words that change something ask first, where there is somebody who can answer."""

import sys
from collections.abc import Iterable

import typer

from workers.cli.failures import WRONG_USAGE, Complaint


def require_somebody_to_ask(yes: bool) -> None:
    """Before any work is done for nothing.

    Raises:
        Complaint: there is no terminal, and no --yes.
    """
    if not yes and not can_ask():
        raise Complaint("there is no terminal on which to ask: say --yes", WRONG_USAGE)


def ask(facts: Iterable[str], question: str, refused: str) -> None:
    """Shows what is about to be done, and asks.

    Raises:
        Complaint: the answer was no; it says what was not done.
    """
    for line in facts:
        typer.echo(line, err=True)
    if not typer.confirm(question, err=True):
        raise Complaint(refused)


def can_ask() -> bool:
    """Whether somebody sits in front of this."""
    return sys.stdin.isatty()
