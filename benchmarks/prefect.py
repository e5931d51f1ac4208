"""Part `prefect`: set_state over HTTP on a Prefect server, named by INTERLOCK_BENCH_PREFECT_URL (…/api)."""

import http.client
import json
import os
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from benchmarks.figures import Figure, across_runs, latencies
from benchmarks.session import Session

VARIABLE = "INTERLOCK_BENCH_PREFECT_URL"
_CLIENTS = 8
_RATE_GUESS = 50
_STATES = ("PENDING", "RUNNING", "COMPLETED")


def prefect(session: Session) -> list[Figure]:
    """Commands a second with several clients at once, and the round trip of one alone."""
    url = os.environ.get(VARIABLE)
    if not url:
        raise RuntimeError(f"{VARIABLE} is not set")
    commands = session.enough(_RATE_GUESS)
    return across_runs(
        [
            Figure("prefect", "commands/s", (_rate(url, commands),)),
            *latencies("prefect: round trip, idle:", _drive(_Server(url), 60)),
        ]
        for _ in range(session.runs)
    )


def _rate(url: str, commands: int) -> float:
    counts: list[int] = []
    servers = [_Server(url) for _ in range(_CLIENTS)]
    threads = [
        threading.Thread(
            target=lambda server=server: counts.append(len(_drive(server, commands // _CLIENTS)))
        )
        for server in servers
    ]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - begun)


def _drive(server: "_Server", commands: int) -> list[float]:
    """The seconds that each set_state took; making the runs is not counted among them."""
    flow = server.post("/flows/", {"name": "benchmark"})
    samples: list[float] = []
    while len(samples) < max(1, commands):
        run = server.post("/flow_runs/", {"flow_id": flow["id"]})
        for state in _STATES:
            begun = time.perf_counter()
            server.post(f"/flow_runs/{run['id']}/set_state", {"state": {"type": state}})
            samples.append(time.perf_counter() - begun)
    return samples


class _Server:
    """One connection, kept open."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._prefix = parts.path.rstrip("/")
        self._connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 4200)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", self._prefix + path, json.dumps(body), headers)
        response = self._connection.getresponse()
        text = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{path}: {response.status} {text[:300]!r}")
        return json.loads(text)


def is_named() -> bool:
    """Whether there is a server to measure."""
    return bool(os.environ.get(VARIABLE))
