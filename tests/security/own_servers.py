"""Servers of one test's own, which it may set up as it likes."""

import contextlib
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from redis import Redis, RedisError

from tests.crashes.processes import until
from tests.servers import quick_place
from workers.embedded.binaries import valkey_program
from workers.embedded.home import Home
from workers.embedded.postgres import postgres
from workers.embedded.server import Server


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on, all different."""
    with ExitStack() as open_ones:
        probes = [open_ones.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


@contextmanager
def own_valkey(folder: Path, *options: str) -> Iterator[int]:
    """The port of a Valkey with more options."""
    (port,) = free_ports(1)
    common = ("--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "")
    with (folder / "valkey.log").open("wb") as log:
        process = subprocess.Popen((str(valkey_program()), *common, *options), stdout=log, stderr=log)
    try:
        with Redis.from_url(f"redis://127.0.0.1:{port}/0") as redis:
            until(lambda: _answers(redis, process), 30, what=(folder / "valkey.log").read_text())
        yield port
    finally:
        process.kill()
        process.wait()


def _answers(redis: Redis, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, "Valkey has ended by itself"
    try:
        return bool(redis.ping())
    except RedisError as error:
        return "authenticat" in str(error).lower()


@contextmanager
def own_postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL in which everybody is who they say, `postgres` among them."""
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(TemporaryDirectory(prefix="interlock-tests-", dir=quick_place())))
        # Another user than this process's may run it.
        folder.chmod(0o755)
        home = Home.occupy(folder / "home")
        cleanup.callback(home.release)
        launch = postgres(home, durable=False)
        (home.path / "postgres" / "pg_hba.conf").write_text("host all all 127.0.0.1/32 trust\n")
        server = Server(launch)
        cleanup.callback(server.stop)
        server.wait_until_it_answers()
        yield launch.url.replace("interlock@", "postgres@").replace("/interlock", "/postgres")


class Door:
    """A way to a server by which whoever comes is known: to the server it comes from an address of its own."""

    def __init__(self, port: int, address: str) -> None:
        self._port, self._address = port, address
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Nobody new comes through."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(
                    ("127.0.0.1", self._port), source_address=(self._address, 0)
                )
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for each in (one, other):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
