"""Watches what must stay within bounds whatever breaks: connections, open transactions, memory."""

import contextlib
import threading
from typing import Any

import psutil
import psycopg

from tests.crashes.processes import Fleet

_EVERY_S = 0.25
#: in each process: command threads + 2, query threads, one of its own for relay and clock
CONNECTIONS_OF_A_PROCESS = 8
LONGEST_TRANSACTION_S = 15.0
MEMORY_MIB = 400.0
_SESSIONS = """
SELECT count(*), coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)
FROM pg_stat_activity WHERE application_name LIKE 'interlock%' AND pid <> pg_backend_pid()
"""


class Bounds(threading.Thread):
    """Looks again and again; what it cannot see while a server is down it leaves out."""

    def __init__(self, database_url: str, fleet: Fleet) -> None:
        super().__init__(name="bounds", daemon=True)
        self._url, self._fleet = database_url, fleet
        self._over = threading.Event()
        self.longest_transaction_s = LONGEST_TRANSACTION_S
        self.most = {"connections": 0.0, "transaction_s": 0.0, "memory_mib": 0.0}

    def run(self) -> None:
        while not self._over.wait(_EVERY_S):
            self._look_at_processes()
            with (
                contextlib.suppress(psycopg.Error),
                psycopg.connect(self._url, connect_timeout=2, autocommit=True) as connection,
            ):
                while not self._over.wait(_EVERY_S):
                    self._look_at_processes()
                    self._look_at_sessions(connection)

    def stop(self) -> None:
        self._over.set()
        if self.is_alive():
            self.join(10)

    def violations(self) -> list[str]:
        """What went out of bounds."""
        allowed = {
            # Those of a process that was killed can outlast it by a moment.
            "connections": 2 * CONNECTIONS_OF_A_PROCESS * len(self._fleet.members),
            "transaction_s": self.longest_transaction_s,
            "memory_mib": MEMORY_MIB,
        }
        return [
            f"{what} went up to {found:.1f}, more than {allowed[what]:g}"
            for what, found in self.most.items()
            if found > allowed[what]
        ]

    def _look_at_sessions(self, connection: "psycopg.Connection[Any]") -> None:
        row = connection.execute(_SESSIONS).fetchone()
        assert row is not None
        self._note("connections", float(row[0]))
        self._note("transaction_s", float(row[1]))

    def _look_at_processes(self) -> None:
        for each in list(self._fleet.members):
            with contextlib.suppress(psutil.Error):
                self._note("memory_mib", psutil.Process(each.popen.pid).memory_info().rss / 2**20)

    def _note(self, what: str, found: float) -> None:
        self.most[what] = round(max(self.most[what], found), 1)
