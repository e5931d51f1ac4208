"""Starts again what has died, as a supervisor would; counts the deaths."""

import threading

from tests.crashes.processes import Fleet, Process

_LOOKS_EVERY_S = 0.1


class Supervisor(threading.Thread):
    """Watches a fleet, without those that are let go."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__(name="supervisor", daemon=True)
        self._fleet = fleet
        self._over = threading.Event()
        self._let_go: list[Process] = []
        self.lock = threading.Lock()
        self.deaths = 0

    def run(self) -> None:
        while not self._over.wait(_LOOKS_EVERY_S):
            with self.lock:
                self._look()

    def _look(self) -> None:
        for each in self._fleet.members:
            if each not in self._let_go and each.popen.poll() is not None:
                self.deaths += 1
                each.kill_and_start_again()

    def let_go(self, process: Process) -> None:
        """It is to stay dead when it dies."""
        with self.lock:
            self._let_go.append(process)

    def take_back(self, process: Process) -> None:
        """It is watched again."""
        with self.lock:
            self._let_go.remove(process)

    def stop(self) -> None:
        self._over.set()
        if self.is_alive():
            self.join(30)
