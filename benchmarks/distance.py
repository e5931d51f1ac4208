"""A network that takes time: what is sent to a server arrives later, and in its order; answers come back at once.

As with a delay on one side of a link: each round trip takes longer by the delay. It is a process of its own, so
that nobody's interpreter is held up by it.
"""

import multiprocessing
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from urllib.parse import urlsplit

_SPAWN = multiprocessing.get_context("spawn")
_PIECE = 1 << 18
_STARTS_WITHIN_S = 30.0


@contextmanager
def away(url: str, delay_s: float) -> Iterator[str]:
    """The URL of the same server at a distance; the server's own if there is no delay."""
    if not delay_s:
        yield url
        return
    parts = urlsplit(url)
    ours, theirs = _SPAWN.Pipe()
    server = (parts.hostname or "127.0.0.1", parts.port or 5432)
    process = _SPAWN.Process(target=_forward, args=(server, delay_s, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(_STARTS_WITHIN_S):
            raise RuntimeError("the delaying proxy does not start")
        yield parts._replace(netloc=f"{parts.username}@127.0.0.1:{ours.recv()}").geturl()
    finally:
        process.terminate()
        process.join()


def _forward(server: tuple[str, int], delay_s: float, pipe: Connection) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    pipe.send(listener.getsockname()[1])
    while True:
        client, _ = listener.accept()
        upstream = socket.create_connection(server)
        for each in (client, upstream):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        late: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
        _begin(_take_in, client, late, delay_s)
        _begin(_hand_on, late, upstream)
        _begin(_answer, upstream, client)


def _begin(work: object, *arguments: object) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()  # type: ignore[arg-type]


def _take_in(client: socket.socket, late: SimpleQueue[tuple[float, bytes]], delay_s: float) -> None:
    data = b"-"
    while data:
        data = _received(client)
        late.put((time.monotonic() + delay_s, data))


def _hand_on(late: SimpleQueue[tuple[float, bytes]], upstream: socket.socket) -> None:
    while True:
        due, data = late.get()
        time.sleep(max(0.0, due - time.monotonic()))
        if not data or not _sent(upstream, data):
            break
    _end(upstream)


def _answer(upstream: socket.socket, client: socket.socket) -> None:
    while (data := _received(upstream)) and _sent(client, data):
        pass
    _end(client)


def _received(source: socket.socket) -> bytes:
    with suppress(OSError):
        return source.recv(_PIECE)
    return b""


def _sent(target: socket.socket, data: bytes) -> bool:
    try:
        target.sendall(data)
    except OSError:
        return False
    return True


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
