"""A network between a client and a server that can be cut, stopped or slowed down, and that can lose answers."""

import contextlib
import socket
import threading
import time


class Proxy:
    """Forwards TCP connections to a server."""

    def __init__(self, server: tuple[str, int], host: str = "127.0.0.1") -> None:
        #: where new connections go
        self.server = server
        self._listener = socket.create_server((host, 0))
        self._open: set[socket.socket] = set()
        self._is_cut = False
        self._lose_after: bytes | None = None
        self._lose_with: bytes | None = None
        self._flows = {"asked": threading.Event(), "answered": threading.Event()}
        self.flow()
        #: of each piece, each way, in seconds
        self.delay_s = 0.0
        self.losses = 0
        self.lost = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._listener.getsockname()[:2]
        return str(host), int(port)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.address[1]}"

    def lose_the_answer_to(self, command: bytes) -> None:
        """Once: the server gets the command, the client gets a closed connection."""
        self.lost.clear()
        self._lose_after = command

    def lose_the_answer_with(self, words: bytes) -> None:
        """Once: the server says this, the client gets a closed connection."""
        self.lost.clear()
        self._lose_with = words

    def cut(self) -> None:
        self._is_cut = True
        for connection in list(self._open):
            _close(connection)

    def restore(self) -> None:
        self._is_cut = False

    def swallow(self, *, asked: bool = True, answered: bool = True) -> None:
        """Nothing comes through any more, one way or both, and nobody is told; until `flow`."""
        for name, stops in (("asked", asked), ("answered", answered)):
            if stops:
                self._flows[name].clear()

    def flow(self) -> None:
        for each in self._flows.values():
            each.set()

    def close(self) -> None:
        self._listener.close()
        self.flow()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._is_cut:
                    client.close()
                    continue
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self.server)
        except OSError:  # it is down: the client sees that its connection is closed
            client.close()
            return
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open |= {client, server}
        losing = threading.Event()
        threading.Thread(target=self._ask, args=(client, server, losing), daemon=True).start()
        threading.Thread(target=self._answer, args=(client, server, losing), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, losing: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if self._lose_after and self._lose_after in data:
                    self._lose_after = None
                    losing.set()
                self._on_its_way("asked")
                server.sendall(data)
        self._hang_up(client, server)

    def _answer(self, client: socket.socket, server: socket.socket, losing: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if self._lose_with and self._lose_with in data:
                    self._lose_with = None
                    losing.set()
                if losing.is_set():
                    self.losses += 1
                    self.lost.set()
                    break
                self._on_its_way("answered")
                client.sendall(data)
        self._hang_up(client, server)

    def _on_its_way(self, direction: str) -> None:
        self._flows[direction].wait()
        if self.delay_s:
            time.sleep(self.delay_s)

    def _hang_up(self, *connections: socket.socket) -> None:
        for connection in connections:
            self._open.discard(connection)
            _close(connection)


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
