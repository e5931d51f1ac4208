"""TLS in front of a server that has none: what it presents, and whom it lets in, is the test's to say."""

import asyncio
import contextlib
import ssl
import threading
from types import TracebackType
from typing import Self

# What a PostgreSQL client sends before anything else, after the length of the message.
_WANTS_TLS = (80877103).to_bytes(4, "big")


class TlsDoor:
    """Speaks TLS with clients, and plainly with the server behind it."""

    def __init__(self, port: int, context: ssl.SSLContext, *, postgresql: bool = False) -> None:
        self._behind, self._context, self._postgresql = port, context, postgresql
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _open(self) -> None:
        context = None if self._postgresql else self._context
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", 0, ssl=context)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        self._server.close()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            if self._postgresql:
                await self._begin_tls(reader, writer)
            to_read, to_write = await asyncio.open_connection("127.0.0.1", self._behind)
            ways = (_pass_on(reader, to_write), _pass_on(to_read, writer))
            with contextlib.closing(to_write), contextlib.closing(writer):
                done, open_ones = await asyncio.wait(
                    [asyncio.ensure_future(way) for way in ways], return_when=asyncio.FIRST_COMPLETED
                )
                for way in open_ones:
                    way.cancel()
                await asyncio.gather(*done, *open_ones, return_exceptions=True)

    async def _begin_tls(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As PostgreSQL does it: asked for in the plain, and no to everything else."""
        while (await reader.readexactly(8))[4:] != _WANTS_TLS:
            writer.write(b"N")
        writer.write(b"S")
        await writer.drain()
        await writer.start_tls(self._context)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
