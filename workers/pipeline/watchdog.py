"""Looks how long each thread decides on one command, and ends what never ends by itself.

Deciding is memory and arithmetic: whoever takes seconds for it, a rule of a user's most likely, does not come back.
First the thread is interrupted, which Python does between two of its instructions: the command is then counted as one
that failed. A thread that does not hear that (it is in a loop of a C library) takes the process with it: then other
workers find out which command it was. Where the loop does not even let this thread run, Python's faulthandler, which
needs no turn, ends the process.
"""

import faulthandler
import logging
import os
import threading
import time

from dramatiq.threading import raise_thread_exception

from workers.pipeline.command import Command
from workers.pipeline.decide import TookTooLong

log = logging.getLogger(__name__)

#: The exit status of a process that could not get rid of a command otherwise.
EXIT_STATUS = 70
_LOOKS = 10
# If this thread does not get to look for so many limits, nobody in this process does anything any more.
_FROZEN = 3
# An interruption reaches its thread within this time, or not at all.
_HEARD_WITHIN_S = 5.0


class Watchdog:
    """A `Watch` over the threads that decide; a thread of its own looks on."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._commands: dict[int, Command] = {}
        self._interrupted: dict[int, Command] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begins to look; already the first command may be one that lets no thread run."""
        self._not_frozen()
        self._thread.start()

    def close(self) -> None:
        """Looks no more."""
        self._closing.set()
        self._thread.join(timeout=5)

    def now_at(self, command: Command | None) -> None:
        """This thread decides on this command from now on, or on none.

        Raises:
            TookTooLong: it was interrupted for the one before.
        """
        me = threading.get_ident()
        if self._interrupted and me in self._interrupted:
            self._wait_for_it()
        if command is None:
            self._commands.pop(me, None)
        else:
            self._commands[me] = command

    def heard(self) -> None:
        """This thread was interrupted: no other interruption is on its way."""
        self._interrupted.pop(threading.get_ident(), None)

    def _wait_for_it(self) -> None:
        """The interruption is on its way: it must not arrive later, when it would hit something else."""
        give_up_at = time.monotonic() + _HEARD_WITHIN_S
        while time.monotonic() < give_up_at:
            time.sleep(0.001)
        self.heard()

    def _run(self) -> None:
        try:
            self._look_on()
        finally:
            faulthandler.cancel_dump_traceback_later()

    def _look_on(self) -> None:
        seen: dict[int, tuple[Command, int]] = {}
        while not self._closing.wait(self._limit_s / _LOOKS):
            self._not_frozen()
            looked_at = dict(self._commands)
            for thread, command in looked_at.items():
                before, looks = seen.get(thread, (None, 0))
                seen[thread] = (command, looks + 1 if before is command else 0)
                self._judge(thread, command, seen[thread][1])
            seen = {thread: entry for thread, entry in seen.items() if thread in looked_at}

    def _not_frozen(self) -> None:
        faulthandler.dump_traceback_later(_FROZEN * self._limit_s, exit=True, file=2)

    def _judge(self, thread: int, command: Command, looks: int) -> None:
        if looks == _LOOKS:
            self._interrupt(thread, command)
        elif looks > 2 * _LOOKS:
            log.critical(
                "a command does not end, and cannot be interrupted: the process ends",
                extra={"command": str(command.id), "type": command.type},
            )
            logging.shutdown()
            os._exit(EXIT_STATUS)

    def _interrupt(self, thread: int, command: Command) -> None:
        self._interrupted[thread] = command
        # In this order: whoever has gone on by now sees the mark, and waits for what is coming.
        if self._commands.get(thread) is command:
            log.error("a command takes too long: it is interrupted", extra={"command": str(command.id)})
            raise_thread_exception(thread, TookTooLong)  # type: ignore[no-untyped-call]
        else:
            self._interrupted.pop(thread, None)
