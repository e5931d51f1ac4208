"""Says again what the recorded clients said, each under its own name, and takes down the answers.

Each of the recorded clients is an `AsyncClient` of its own. A command is sent when
- its moment has come (`Tempo`), and all before it in the recording have been sent,
- the answers are there that `after` names: its client had waited for them. Nobody waits for the predecessor under
  the same `partitionkey`: that is what `sequence` is for,
- and, if it starts a run and was let start in the recording, the scheduled time of that run has come: clients
  sleep until then, and here the sleep may be some milliseconds long.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from messages.client import AsyncClient, AsyncFuture, Result
from workers.demo import score
from workers.demo.answers import Played, state_of, time_in
from workers.demo.expiries import Looks
from workers.demo.recording import Recorded, Recording
from workers.demo.tempo import EARLY, Tempo
from workers.now import monotonic, now

# A command that is not answered within this time is given up, and so is the demo's claim.
DEADLINE_S = 60.0
# Nobody sleeps longer than this for a scheduled time: it would be a mistake in the replay.
_LONGEST_SLEEP_S = 3.0
_LATE_S = 0.02
# All answers have come by then, unless somebody pressed Ctrl-C.
_CLOSE_S = 0.1


@dataclass
class Progress:
    """How far the replay is. Read by whoever shows it."""

    total: int
    sent: int = 0
    answered: int = 0
    late_s: float = 0.0
    played: list[Played] = field(default_factory=list)


class Replay:
    """Sends a recording once."""

    def __init__(self, recording: Recording, tempo: Tempo, clients: dict[str, AsyncClient]) -> None:
        self._commands = score.completed(recording).commands
        self._looks = Looks(self._commands)
        self._tempo, self._clients = tempo, clients
        self._futures: dict[str, AsyncFuture] = {}
        self._last: dict[tuple[str, str], AsyncFuture] = {}
        self._states: dict[str, dict[str, Any]] = {}
        # Runs that have been scheduled for some time: only their starts have to know until when to sleep.
        self._timed: set[str] = set()
        self.progress = Progress(len(recording.commands))

    async def run(self) -> list[Played]:
        """All commands with their answers; one without an answer has no result."""
        for each in self._commands:
            await self._wait(each)
            self._send(each)
        await asyncio.wait(self._futures.values())
        return self.progress.played

    async def _wait(self, each: Recorded) -> None:
        await _sleep_until(self._tempo.at(each.offset_s))
        before = [self._futures[one] for one in each.after if one in self._futures]
        is_timed = _starts(each) and each.run_id in self._timed
        predecessor = self._last.get(_key(each.command)) if is_timed else None
        waiting = [future for future in (*before, predecessor) if future is not None and not future.done()]
        if waiting:
            await asyncio.wait(waiting)
        start = self._start_of(each)
        if start is not None:
            await _sleep_until(min(start, now() + timedelta(seconds=_LONGEST_SLEEP_S)))
        late_s = (now() - self._tempo.at(each.offset_s)).total_seconds()
        if late_s > _LATE_S:
            self._tempo = self._tempo.later(late_s)
            self.progress.late_s += late_s

    def _start_of(self, each: Recorded) -> datetime | None:
        """When the server lets this command start its run, if the recorded one did."""
        was_early = each.observed is not None and each.observed["status"] == "WAIT"
        scheduled = time_in(self._states.get(each.run_id or ""), "scheduled_time")
        if not _starts(each) or was_early or scheduled is None:
            return None
        return scheduled - EARLY

    def _send(self, each: Recorded) -> None:
        envelope = score.envelope(each, self._tempo, self._looks)
        state = self._states.get(each.run_id or "")
        played = Played(each, now(), monotonic())
        played.scheduled, played.pause_timeout = (
            time_in(state, "scheduled_time"),
            time_in(state, "pause_timeout"),
        )
        attributes: Any = {name: envelope[name] for name in _ATTRIBUTES if name in envelope}
        future = self._clients[each.source].send(
            each.type, envelope["data"], raise_on_error=False, deadline=DEADLINE_S, **attributes
        )
        self._futures[each.id] = future
        self._last[_key(each.command)] = future
        if each.run_id and _schedules(each):
            self._timed.add(each.run_id)
        self.progress.sent += 1
        self.progress.played.append(played)
        future.add_done_callback(self._taker(played))

    def _taker(self, played: Played) -> Callable[[asyncio.Future[Result]], None]:
        def take(future: asyncio.Future[Result]) -> None:
            played.seconds = monotonic() - played.started
            if future.cancelled() or future.exception() is not None:
                return
            played.result = future.result()
            self.progress.answered += 1
            self._remember(played)

        return take

    def _remember(self, played: Played) -> None:
        """What the run's state says about when things may happen: the next command on it asks."""
        result = played.result
        state = state_of(result) if result else None
        if state is not None and played.run_id is not None:
            self._states[played.run_id] = state


_ATTRIBUTES = ("id", "time", "partitionkey", "sequence", "expirytime", "correlationid")


@asynccontextmanager
async def speaking(recording: Recording, url: str, namespace: str) -> AsyncIterator[dict[str, AsyncClient]]:
    """A client for each of those in the recording."""
    async with AsyncExitStack() as stack:
        yield {
            source: await stack.enter_async_context(
                AsyncClient(url, source, namespace=namespace, close_timeout=_CLOSE_S)
            )
            for source in recording.sources
        }


def _starts(each: Recorded) -> bool:
    return each.type.endswith(".set_state") and each.proposed.get("type") == "RUNNING"


def _schedules(each: Recorded) -> bool:
    return "SCHEDULED" in (each.proposed.get("type"), (each.observed or {}).get("state_type"))


def _key(command: dict[str, Any]) -> tuple[str, str]:
    return command["source"], command.get("partitionkey", "")


async def _sleep_until(moment: datetime) -> None:
    left = (moment - now()).total_seconds()
    if left > 0:
        await asyncio.sleep(left)
