"""Results that have reached Redis are struck off the database's list of those that may not have."""

import logging
import threading

from messages.fields import Id
from store import outbox
from store.errors import StoreError
from store.transaction import Engine, transaction

log = logging.getLogger(__name__)

_EVERY_S = 0.25


class Notes:
    """Strikes notes off in the background, many at a time; one that stays is found by the relay."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._done: list[Id] = []
        self._some = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="notes", daemon=True)

    def start(self) -> None:
        """Begins to strike off."""
        self._thread.start()

    def done(self, note: Id) -> None:
        """The results of this note have left."""
        with self._lock:
            self._done.append(note)
        self._some.set()

    def close(self) -> None:
        """Strikes off what is left."""
        self._closing.set()
        self._some.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._some.wait()
            self._closing.wait(_EVERY_S)
            self._strike_off()
        self._strike_off()

    def _strike_off(self) -> None:
        with self._lock:
            notes, self._done = self._done, []
            self._some.clear()
        if not notes:
            return
        try:
            with transaction(self._engine) as connection:
                outbox.forget_results(connection, notes)
        except StoreError as error:
            log.warning("results stay noted as unpublished", extra={"error": str(error), "notes": len(notes)})
