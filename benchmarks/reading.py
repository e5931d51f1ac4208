"""The reader: a process that follows a reply stream until every result is there."""

import resource
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import redis

_AT_ONCE = 1_000
_BLOCK_MS = 500
_GIVE_UP_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class Read:
    """What came: how many results, how many of them errors, and when the last one was read."""

    results: int
    errors: int
    first_error: str
    ended: float
    cpu_s: float


def read(url: str, stream: str, expected: int, shared: Any, pipe: Connection) -> None:
    """Reads until there are as many results as expected, or none for a minute."""
    client = redis.Redis.from_url(url, protocol=2)
    # Without the client's own reading of answers, which costs more than all else here.
    connection: Any = client.connection_pool.get_connection()
    pipe.send("ready")
    pipe.recv()
    begun_cpu = _cpu()
    count = errors = 0
    first_error, last, heard = "", "0-0", time.monotonic()
    while count < expected and time.monotonic() - heard < _GIVE_UP_AFTER_S:
        connection.send_command("XREAD", "COUNT", _AT_ONCE, "BLOCK", _BLOCK_MS, "STREAMS", stream, last)
        answer: Any = connection.read_response()
        if not answer:
            continue
        entries = answer[0][1]
        last, heard = entries[-1][0], time.monotonic()
        refused = [fields[1] for _, fields in entries if b'"status":"ERROR"' in fields[1]]
        errors += len(refused)
        if refused and not first_error:
            first_error = refused[0].decode(errors="replace")[:500]
        count += len(entries)
        shared.value = count
    pipe.send(Read(count, errors, first_error, time.monotonic(), _cpu() - begun_cpu))


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
