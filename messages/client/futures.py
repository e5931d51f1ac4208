"""The futures of answers: `concurrent.futures` for threads, asyncio's for coroutines."""

import asyncio
import concurrent.futures

from messages.client.errors import Unanswered
from messages.client.result import Result


class Future(concurrent.futures.Future[Result]):
    """The answer to come. `result(timeout=)` gives it or raises what went wrong."""

    command_id: str = ""


class AsyncFuture(asyncio.Future[Result]):
    """The answer to come, to be awaited in the loop in which its command was sent."""

    command_id: str = ""


async def awaited(future: AsyncFuture, timeout: float | None) -> Result:
    """The answer, waited for at most so many seconds; others may go on waiting.

    Raises:
        Unanswered: after that time.
    """
    try:
        async with asyncio.timeout(timeout):
            return await asyncio.shield(future)
    except TimeoutError as error:
        if isinstance(error, Unanswered):
            raise
        raise Unanswered(
            future.command_id, f"{future.command_id}: no answer after {timeout} seconds"
        ) from None
