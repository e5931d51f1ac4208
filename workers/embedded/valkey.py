"""How the embedded Valkey is run: append-only file on, nothing ever evicted."""

import signal

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from workers.embedded.binaries import valkey_program
from workers.embedded.home import HOST, Home
from workers.embedded.server import Launch


def valkey(home: Home, *, durable: bool) -> Launch:
    """`durable=False` is for tests: nothing is written to the disk."""
    data = home.path / "valkey"
    data.mkdir(exist_ok=True)
    port = home.port_for("valkey")
    options = {
        "port": str(port),
        "bind": HOST,
        "dir": str(data),
        "daemonize": "no",
        "logfile": "",
        "save": "",
        "appendonly": "yes" if durable else "no",
        "appendfsync": "everysec",
        # What passes through is soon gone: to write the file anew whenever it has grown to 64 MB, and compressed,
        # takes a third of the server's time or more.
        "auto-aof-rewrite-min-size": "512mb",
        "rdbcompression": "no",
        "maxmemory-policy": "noeviction",
    }
    url = f"redis://{HOST}:{port}/0"
    return Launch(
        title="Valkey",
        url=url,
        argv=(
            str(valkey_program()),
            *(word for name, value in options.items() for word in (f"--{name}", value)),
        ),
        log_path=home.path / "valkey.log",
        stop_signal=signal.SIGTERM,
        lock_fd=home.lock_fd,
        answers=lambda: _answers(url),
    )


def _answers(url: str) -> bool:
    # No retries of redis-py's own: they would wait in here while the process may have ended.
    with Redis.from_url(url, socket_timeout=2, retry=Retry(NoBackoff(), 0)) as client:
        try:
            return bool(client.ping())
        except RedisError:  # refused, or still loading its data
            return False
