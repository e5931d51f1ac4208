"""A small HTTP server in a thread: `/live`, `/ready`, `/metrics`."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from workers.figures.snapshot import Figures, Source
from workers.figures.tally import Tally
from workers.health.metrics import OfInstallation, OfProcess, registry
from workers.health.probes import Probes
from workers.health.pulse import Pulse
from workers.settings import Settings, host_and_port

log = logging.getLogger(__name__)

_TEXT = "text/plain; charset=utf-8"


class AddressTaken(Exception):
    """Raised when the address for health and metrics cannot be listened on."""


@contextmanager
def healthy(settings: Settings, role: str, pulse: Pulse, tally: Tally | None = None) -> Iterator[None]:
    """While entered, probes and metrics of this process are served, if the settings say where.

    Raises:
        AddressTaken: somebody else listens there.
    """
    if settings.health_address is None:
        yield
        return
    probes, source = Probes(settings, pulse), Source(settings) if role == "clock" else None
    collectors: list[Collector] = [] if tally is None else [OfProcess(tally.snapshot)]
    collectors += [] if source is None else [OfInstallation(_alone(source))]
    server = _listening(settings.health_address, probes, registry(role, *collectors))
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="health", daemon=True).start()
    log.info("health and metrics are served", extra={"address": settings.health_address})
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        probes.close()
        if source is not None:
            source.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], probes: Probes, metrics: CollectorRegistry) -> None:
        self.probes, self.metrics = probes, metrics
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    # Who connects and says nothing does not keep a thread.
    timeout = 5

    def do_GET(self) -> None:
        """Answers one request."""
        path = self.path.partition("?")[0]
        if path == "/live":
            hangs = self.server.probes.hangs()
            self._answer(503 if hangs else 200, f"{hangs or 'alive'}\n")
        elif path == "/ready":
            faults = self.server.probes.faults()
            self._answer(503 if faults else 200, "\n".join(faults or ["ready"]) + "\n")
        elif path == "/metrics":
            self._answer(200, generate_latest(self.server.metrics).decode(), CONTENT_TYPE_LATEST)
        else:
            self._answer(404, "there are /live, /ready and /metrics\n")

    def _answer(self, status: int, text: str, content_type: str = _TEXT) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Probes come every few seconds: they are not worth a line."""


def _listening(address: str, probes: Probes, metrics: CollectorRegistry) -> _Server:
    try:
        return _Server(host_and_port(address), probes, metrics)
    except OSError as error:
        raise AddressTaken(
            f"INTERLOCK_HEALTH_ADDRESS: cannot listen on {address}: {error.strerror or error}. "
            "Each process on a machine needs an address of its own."
        ) from None


def _alone(source: Source) -> Callable[[], Figures]:
    """Snapshots for scrapes that may come at the same time: one after the other."""
    lock = Lock()

    def look() -> Figures:
        with lock:
            return source.look()

    return look
