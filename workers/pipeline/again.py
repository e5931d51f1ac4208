"""Commands that the database has kept come back into the pipeline.

This is the only way past the checks of admission, and it begins in the database: nothing that is written to Redis
leads here. What was admitted once is not judged again, neither by its age nor by its signature.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from messages.registry import COMMANDS
from messages.results import ErrorBody, Outcome, Status
from messages.wire import encode
from store import dead_letters
from store.attempts import ToTry
from store.kept import Kept
from workers.pipeline.admit import admit_envelope
from workers.pipeline.command import Command, expired


class NotAsAdmitted(Exception):
    """Raised when this version cannot read what another has kept."""


def as_kept(command: Command) -> dict[str, Any]:
    """The columns that keep a command: the envelope as it came, and what was found when it was admitted."""
    error = None if command.refusal is None else command.refusal.error
    return {
        "envelope": command.envelope,
        "fingerprint": dead_letters.as_bytea(command.fingerprint),
        "refusal": None if error is None else {**_as_json(error), "code": str(error.code)},
    }


def _as_json(error: ErrorBody) -> dict[str, Any]:
    return {"message": error.message, "errors": error.errors}


def readmitted(kept: Kept) -> Command:
    """A command as it was when it was admitted.

    Raises:
        NotAsAdmitted: this version cannot read it.
    """
    command = admit_envelope(dict(kept.envelope), b"", COMMANDS, None)
    if not isinstance(command, Command):
        raise NotAsAdmitted(encode(kept.envelope).decode()[:2_000])
    if kept.refusal is None:
        return command
    refusal = Outcome(Status.ERROR, {}, ErrorBody(**kept.refusal))
    return replace(command, refusal=refusal, data=None, fingerprint=kept.fingerprint)


def tried_again(row: ToTry, now: datetime) -> Command:
    """A command whose next try has come. One that was told to wait ends when its `expirytime` has passed."""
    command = replace(readmitted(row.kept), again=True, attempts=row.attempts, out_of_turn=row.out_of_turn)
    if row.out_of_turn:
        command = replace(command, partitionkey=None, sequence=None)
    if row.waits and command.refusal is None and command.expires is not None and command.expires <= now:
        return replace(command, refusal=expired(command.expires))
    return command
