"""The home folder of the embedded servers: who uses it, what is where, and the ports used last.

lock            held as long as a server of this home runs; the process id of who started it
ports.json      the ports used last, so that URLs stay the same where they can
postgres/       PostgreSQL's data       postgres.log
valkey/         Valkey's data           valkey.log
"""

import fcntl
import json
import os
import socket
import time
from pathlib import Path
from typing import Self, TextIO

from workers.embedded.errors import EmbeddedError
from workers.now import monotonic

HOST = "127.0.0.1"
LEAVING_SECONDS = 15.0


class Home:
    """A home folder that this process holds.

    The lock is the kernel's (flock) on a file that the servers inherit: it is free again when the last of
    them has ended, whoever was killed and however, so that two servers never write to the same data.
    """

    def __init__(self, path: Path, lock: TextIO) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def occupy(cls, path: Path) -> Self:
        """Make the folder if need be, and take it; EmbeddedError if another process has it."""
        path = path.expanduser().absolute()
        path.mkdir(parents=True, exist_ok=True)
        home = cls(path, (path / "lock").open("a+", encoding="ascii"))
        home._take_lock()
        return home

    def release(self) -> None:
        self._lock.close()

    @property
    def lock_fd(self) -> int:
        return self._lock.fileno()

    def port_for(self, server: str) -> int:
        """The port that this server had before if it is free, else any free one."""
        ports = self._read_ports()
        if not _is_free(ports.get(server, 0)):
            ports[server] = _free_port()
            self._ports_file.write_text(json.dumps(ports))
        return ports[server]

    def _take_lock(self) -> None:
        give_up_at = monotonic() + LEAVING_SECONDS
        while not self._try_lock():
            self._lock.seek(0)
            holder = self._lock.read().strip()
            if _is_alive(holder) or monotonic() > give_up_at:
                self._lock.close()
                raise EmbeddedError(
                    f"{self.path} is in use by process {holder or '?'}. Stop that one, or name another "
                    "folder with INTERLOCK_HOME: each needs its own."
                )
            # Its holder was killed, and its servers are on their way out.
            time.sleep(0.02)
        self._lock.truncate(0)
        self._lock.write(f"{os.getpid()}\n")
        self._lock.flush()

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    @property
    def _ports_file(self) -> Path:
        return self.path / "ports.json"

    def _read_ports(self) -> dict[str, int]:
        try:
            ports = json.loads(self._ports_file.read_text())
        except (OSError, ValueError):
            return {}
        return {name: port for name, port in ports.items() if isinstance(port, int)}


def _is_alive(holder: str) -> bool:
    import psutil  # comes with the embedded servers

    # A zombie has been killed, and only waits for its parent to notice.
    try:
        return psutil.Process(int(holder)).status() != psutil.STATUS_ZOMBIE
    except (ValueError, psutil.NoSuchProcess):
        return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: connections of the last run that linger (TIME_WAIT) are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return port > 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
