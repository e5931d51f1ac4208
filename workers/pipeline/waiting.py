"""What a batch leaves in the database to be tried again, in the transaction of the batch."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from messages.results import Outcome
from store import attempts
from store.transaction import Connection
from workers.pipeline.again import as_kept
from workers.pipeline.command import Command
from workers.pipeline.decide import Decisions
from workers.pipeline.order import Turns

# A rule may say WAIT with no delay at all: it is not asked again at once.
_SHORTEST = timedelta(seconds=1)


def keep_on_trying(
    connection: Connection, commands: Iterable[Command], turns: Turns, decisions: Decisions, now: datetime
) -> None:
    """Deferred commands get the time of their next try, those to be tried alone are noted; of commands that were
    tried again and have ended, nothing stays."""
    if decisions.deferred:
        rows = [_deferred(command, outcome, now) for command, outcome in decisions.deferred]
        attempts.defer(connection, sorted(rows, key=lambda row: str(row["command_id"])))
    over = {command.id for command in commands if command.again} - {it.id for it, _ in decisions.deferred}
    if over:
        attempts.forget(connection, over)
    if turns.to_try_alone:
        attempts.suspect(connection, _in_their_order(turns.to_try_alone, now))


def _deferred(command: Command, outcome: Outcome, now: datetime) -> dict[str, Any]:
    details = outcome.body["details"]
    due = now + max(timedelta(seconds=details.delay_seconds or 0), _SHORTEST)
    return {
        **_row(command, now),
        "waits": 1,
        # It ends by itself when it expires: not later than that.
        "next_attempt_at": due if command.expires is None else min(due, command.expires),
        "wait_reason": details.reason,
        "run_id": outcome.subject,
    }


def _in_their_order(commands: Sequence[Command], now: datetime) -> list[dict[str, Any]]:
    return [
        {**_row(command, now), "next_attempt_at": now + timedelta(microseconds=place)}
        for place, command in enumerate(commands)
    ]


def _row(command: Command, now: datetime) -> dict[str, Any]:
    return {
        "command_id": command.id,
        "attempts": 0,
        "waits": 0,
        "since": now,
        "in_hand": False,
        "out_of_turn": command.out_of_turn,
        **as_kept(command),
    }
