"""Commands without end, made from a seed: sent in an order that nobody intended, some of them several times.

Of each kind of run, what matters for the checks: `ordered` ones have a key and numbers, so that their commands can
come in any order; those of a `limited` deployment want slots of which there are few; `free` ones take whatever comes.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from redis import RedisError

from tests.crashes.producer import Envelope, Producer

WINDOW = 100
LIMIT = 3
_LIFE = ("SCHEDULED", "PENDING", "RUNNING", "COMPLETED")
_ANY_STATE = (*_LIFE, "FAILED", "CRASHED", "CANCELLING", "CANCELLED", "PAUSED")
_TRY_AGAIN_S = 0.1


class Author:
    """Thinks up commands."""

    def __init__(self, producer: Producer, seed: int) -> None:
        self._producer, self.random = producer, random.Random(seed)
        self.limited = self.id()
        self._free_runs = [self.id() for _ in range(20)]

    def setting(self) -> list[Envelope]:
        """What the others need: a deployment with a limit, somebody who is told of states, and runs."""
        deployment = {"id": self.limited, "name": "limited", "flow_name": "load", "concurrency_limit": LIMIT}
        policy = {"id": self.id(), "is_active": True, "state_names": ["Completed"], "tags": []}
        return [
            self.command("deployment.upsert", deployment),
            self.command("notification_policy.upsert", {**policy, "notify": "faults"}),
            *(self.command("flow_run.create", {"id": run, "flow_name": "load"}) for run in self._free_runs),
        ]

    def commands(self) -> Iterator[Envelope]:
        """Without end, in the order in which they were meant."""
        while True:
            chance = self.random.random()
            if chance < 0.5:
                yield from self._ordered_run()
            elif chance < 0.75:
                yield from self._limited_run()
            else:
                yield self._free()

    def command(self, kind: str, data: dict[str, Any], **attributes: Any) -> Envelope:
        """One with an id from the seed."""
        return self._producer.command(kind, data, id=self.id(), **attributes)

    def id(self) -> str:
        """An id from the seed."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def _ordered_run(self) -> Iterator[Envelope]:
        run, task, number = self.id(), self.id(), iter(range(1, 100))

        def ordered(kind: str, data: dict[str, Any]) -> Envelope:
            return self.command(kind, data, partitionkey=run, sequence=str(next(number)))

        yield ordered("flow_run.create", {"id": run, "flow_name": "load", "name": "ordered"})
        for state in _LIFE[: self.random.randint(2, 4)]:
            yield ordered("flow_run.set_state", {"flow_run_id": run, "state": {"type": state}})
            if self.random.random() < 0.3:
                yield ordered("flow_run.update", {"flow_run_id": run, "tags": [state]})
            if self.random.random() < 0.2:
                yield ordered("flow_run.set_labels", {"flow_run_id": run, "labels": {state: True}})
        keys = {"task_key": "t", "dynamic_key": task}
        yield ordered(
            "task_run.create", {"id": task, "flow_run_id": run, **keys, "state": {"type": "PENDING"}}
        )
        yield ordered("task_run.set_state", {"task_run_id": task, "state": {"type": "RUNNING"}})
        if self.random.random() < 0.1:
            yield ordered("flow_run.update", {"flow_run_id": run, "misspelt": True})
        if self.random.random() < 0.1:
            yield ordered("task_run.delete", {"task_run_id": task})
        if self.random.random() < 0.05:
            yield ordered("flow_run.delete", {"flow_run_id": run})

    def _limited_run(self) -> Iterator[Envelope]:
        run, number = self.id(), iter(range(1, 100))

        def ordered(kind: str, data: dict[str, Any]) -> Envelope:
            return self.command(kind, data, partitionkey=run, sequence=str(next(number)))

        made = {"id": run, "flow_name": "load", "name": "limited", "deployment_id": self.limited}
        yield ordered("flow_run.create", made)
        for state in ("PENDING", "RUNNING", self.random.choice(("COMPLETED", "FAILED", "CRASHED"))):
            yield ordered("flow_run.set_state", {"flow_run_id": run, "state": {"type": state}})
        if self.random.random() < 0.1:
            yield ordered("flow_run.delete", {"flow_run_id": run})

    def _free(self) -> Envelope:
        run, chance = self.random.choice(self._free_runs), self.random.random()
        if chance < 0.7:
            state = {"type": self.random.choice(_ANY_STATE)}
            force = self.random.random() < 0.3
            return self.command("flow_run.set_state", {"flow_run_id": run, "state": state, "force": force})
        if chance < 0.85:
            return self.command("flow_run.set_labels", {"flow_run_id": run, "labels": {"l": chance}})
        return self.command("flow_run.update", {"flow_run_id": run, "parameters": {"p": chance}})


@dataclass(frozen=True)
class Pace:
    """How much is sent."""

    #: commands a second
    rate: float = 150.0
    #: no more than so many wait for their answers
    outstanding: int = 400
    #: what is not answered for so long is sent again; None: nothing is
    resend_after_s: float | None = None
    #: share of the commands that are sent more than once
    repeated: float = 0.2


class Traffic(threading.Thread):
    """Sends until it is stopped; then sends what it held back, and ends."""

    def __init__(
        self, author: Author, producer: Producer, pace: Pace, answered: Callable[[str], bool]
    ) -> None:
        super().__init__(name="traffic", daemon=True)
        self._author, self._producer, self.pace = author, producer, pace
        self._answered = answered
        self._random = author.random
        self._over = threading.Event()
        self._quiet = threading.Event()
        self._all_sent = threading.Event()
        self._enough = threading.Event()
        self._window: list[Envelope] = []
        self._copies: list[Envelope] = []
        self._lock = threading.Lock()
        #: every command, and when it was first sent (monotonic seconds)
        self.sent: dict[str, Envelope] = {}
        self.sent_at: dict[str, float] = {}
        self._waiting: dict[str, float] = {}
        self._by_key: dict[str, dict[int, str]] = {}
        self.messages = 0
        self.resent = 0

    def run(self) -> None:
        commands = self._author.commands()
        began, number = time.monotonic(), 0
        while not self._over.is_set():
            self._resend()
            if self._quiet.is_set() or self._waits() >= self.pace.outstanding:
                began, number = time.monotonic(), 0
                self._over.wait(0.02)
                continue
            message = self._next_message(commands)
            self.send(message)
            number += len(message)
            self._over.wait(max(0.0, began + number / self.pace.rate - time.monotonic()))
        self._random.shuffle(self._window)
        for start in range(0, len(self._window), 20):
            self.send(self._window[start : start + 20])
        for copy in self._copies:
            self._send([copy])
        self._all_sent.set()
        while self.pace.resend_after_s is not None and not self._enough.wait(0.1):
            self._resend()

    def stop(self) -> None:
        """All that was begun has been sent when it returns; what is not answered is still sent again."""
        self._over.set()
        assert self._all_sent.wait(60), "the producer cannot reach Redis"

    def end(self) -> None:
        """Nothing is sent any more."""
        self._over.set()
        self._enough.set()
        self.join(10)

    def pause(self) -> None:
        """Nothing new is sent until `go_on`."""
        self._quiet.set()

    def go_on(self) -> None:
        self._quiet.clear()

    def send(self, envelopes: list[Envelope]) -> None:
        """Now, as one message; tried until Redis has taken it."""
        for each in envelopes:
            self.note(each)
        self._send(envelopes)

    def note(self, command: Envelope) -> None:
        """It is being sent: an answer is expected."""
        with self._lock:
            self._note(command)

    def due_at(self, moment: float) -> set[str]:
        """What was sent before, with everything that comes before it in its order, and has no answer."""
        with self._lock:
            waiting = [ident for ident in self._waiting if self.sent_at[ident] <= moment]
            return {
                ident
                for ident in waiting
                if not self._answered(ident) and self._has_its_turn(self.sent[ident], moment)
            }

    def _has_its_turn(self, command: Envelope, moment: float) -> bool:
        if "sequence" not in command:
            return True
        before = self._by_key[command["partitionkey"]]
        return all(
            number in before and self.sent_at[before[number]] <= moment
            for number in range(1, int(command["sequence"]))
        )

    def _waits(self) -> int:
        with self._lock:
            if len(self._waiting) >= self.pace.outstanding:
                self._waiting = {
                    ident: at for ident, at in self._waiting.items() if not self._answered(ident)
                }
            return len(self._waiting)

    def _resend(self) -> None:
        if self.pace.resend_after_s is None:
            return
        before = time.monotonic() - self.pace.resend_after_s
        with self._lock:
            late = [ident for ident, at in self._waiting.items() if at < before]
            late = [ident for ident in late if not self._answered(ident)]
            for ident in late:
                self._waiting[ident] = time.monotonic()
        for start in range(0, len(late), 50):
            self.resent += len(late[start : start + 50])
            self._send([self.sent[ident] for ident in late[start : start + 50]])

    def _next_message(self, commands: Iterator[Envelope]) -> list[Envelope]:
        while len(self._window) < WINDOW:
            self._window.append(next(commands))
        if self._copies and self._random.random() < 0.3:
            return [self._copies.pop(self._random.randrange(len(self._copies)))]
        size = self._random.choice((1, 1, 1, 5, 20))
        message = [self._window.pop(self._random.randrange(len(self._window))) for _ in range(size)]
        for each in message:
            if self._random.random() < self.pace.repeated:
                self._copies += [each] * self._random.choice((1, 1, 2, 4))
        return message

    def _note(self, command: Envelope) -> None:
        if command["id"] in self.sent:
            return
        now = time.monotonic()
        self.sent[command["id"]] = command
        self.sent_at[command["id"]] = self._waiting[command["id"]] = now
        if "sequence" in command:
            self._by_key.setdefault(command["partitionkey"], {})[int(command["sequence"])] = command["id"]

    def _send(self, envelopes: list[Envelope]) -> None:
        while True:
            try:
                if len(envelopes) > 1 and self._random.random() < 0.5:
                    self._producer.send_batch(envelopes)
                else:
                    self._producer.send(*envelopes)
            except (RedisError, OSError):
                time.sleep(_TRY_AGAIN_S)
            else:
                self.messages += len(envelopes)
                return
