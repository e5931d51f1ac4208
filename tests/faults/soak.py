"""`python -m tests.faults.soak --commands 1000000`: many commands, a fault every few seconds, and what is left then.

Commands come in batches of 500: runs that are made and go through all their states, some of them of a deployment with a
limit, with tags that have limits. The end is checked by SQL: every command ended, every run has its whole history.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg
from redis import Redis, RedisError

from store.engine import open_engine
from store.limits import drift
from store.transaction import transaction
from tests.crashes.history import at_rest
from tests.crashes.processes import Fleet, until
from tests.crashes.producer import Envelope, Producer
from tests.faults import failpoints
from tests.faults.child import FOLDER
from tests.faults.matrix import run_folder
from tests.faults.servers import Servers, home_from, template
from tests.faults.stage import NAMESPACE, QUICK, WAY
from tests.faults.supervisor import Supervisor
from workers.settings import Settings

RESULT = Path(__file__).parents[2] / "docs" / "faults" / "soak.json"
BATCH = 500
LIFE = ("SCHEDULED", "PENDING", "RUNNING", "COMPLETED")
OF_A_RUN = 1 + len(LIFE)
FAULT_EVERY_S = (2.0, 6.0)
ENDS_WITHIN_S = 300.0
_ENDED = "SELECT count(*) FROM command"
_CHECKS = {
    "commands that failed": "SELECT count(*) FROM command WHERE status = 'ERROR'",
    "runs without a whole history": """
        SELECT count(*) FROM flow_run r
        WHERE r.version <> 1 + (SELECT count(*) FROM flow_run_state s WHERE s.flow_run_id = r.id)""",
    "runs that have not ended": "SELECT count(*) FROM flow_run WHERE state_type <> 'COMPLETED'",
    "slots that are held": "SELECT count(*) FROM concurrency_slot",
    "dead letters": "SELECT count(*) FROM dead_letter",
    "events that were not published": "SELECT count(*) FROM outbox WHERE published IS NULL",
    "results that were not published": "SELECT count(*) FROM unpublished_results",
}


class Soak:
    """A system, its producer, and who breaks it."""

    def __init__(self, servers: Servers, seed: int) -> None:
        self.servers, self.chance = servers, random.Random(seed)
        self.settings = Settings(
            database_url=servers.postgres.url,
            redis_url=servers.redis.url,
            namespace=NAMESPACE,
            home=servers.home.path,
            **QUICK,
        )
        self.redis: Redis = servers.redis.client()
        self.producer = Producer(self.redis, NAMESPACE, "soak")
        self.fleet = Fleet(self.settings, WAY)
        self.supervisor = Supervisor(self.fleet)
        self.faults: dict[str, int] = {}
        self.memory: dict[str, list[float]] = {}
        self._next_fault = time.monotonic() + 5
        self._next_look = 0.0

    def send(self, commands: int) -> int:
        """So many and a few more, never more than some batches ahead of the workers; answers how many."""
        sent = 0
        for batch in self._batches():
            while self._waiting() > 20:
                self._meanwhile()
                time.sleep(0.005)
            self._meanwhile()
            self._send(batch)
            sent += len(batch)
            if sent >= commands:
                return sent
        raise AssertionError("the batches have no end")

    def _batches(self) -> Iterator[list[Envelope]]:
        limited = "11111111-1111-4111-8111-111111111111"
        data = {"id": limited, "name": "d", "flow_name": "soak", "concurrency_limit": 1_000_000}
        yield [self.producer.command("deployment.upsert", data)]
        while True:
            batch = []
            for _ in range(BATCH // OF_A_RUN):
                run = self.producer.command("", {})["id"]
                create = {"id": run, "flow_name": "soak", "deployment_id": limited}
                batch.append(self.producer.command("flow_run.create", create))
                for state in LIFE:
                    moved = {"flow_run_id": run, "state": {"type": state}}
                    batch.append(self.producer.command("flow_run.set_state", moved))
            yield batch

    def _send(self, batch: list[Envelope]) -> None:
        while True:
            with suppress(RedisError, OSError):
                self.producer.send_batch(batch)
                return
            time.sleep(0.1)

    def _waiting(self) -> int:
        with suppress(RedisError, OSError):
            return int(self.redis.hlen(f"{NAMESPACE}:commands.msgs"))
        return 1_000_000

    def _meanwhile(self) -> None:
        now = time.monotonic()
        if now > self._next_look:
            self._next_look = now + 2
            self.look_at_memory()
        if now > self._next_fault:
            self._next_fault = now + self.chance.uniform(*FAULT_EVERY_S)
            self._break_something()

    def look_at_memory(self) -> None:
        """Of each process as it goes on; one that was killed begins anew."""
        for number, each in enumerate(self.fleet.members):
            with suppress(psutil.Error):
                resident = psutil.Process(each.popen.pid).memory_info().rss / 2**20
                self.memory.setdefault(f"{each.role} {number}", []).append(round(resident, 1))

    def _break_something(self) -> None:
        kind = self.chance.choice(("worker", "worker", "relay", "sessions", "PostgreSQL", "Redis"))
        self.faults[kind] = self.faults.get(kind, 0) + 1
        if kind == "worker":
            failpoints.arm(self.settings.home / FOLDER, self.chance.choice(failpoints.OF_WORKERS))
        elif kind == "relay":
            failpoints.arm(self.settings.home / FOLDER, self.chance.choice(failpoints.OF_RELAYS))
        elif kind == "sessions":
            with suppress(psycopg.Error), self.servers.postgres.session() as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name LIKE 'interlock%' AND random() < 0.3"
                )
        elif kind == "PostgreSQL":
            self.servers.postgres.stop_immediately()
            self.servers.postgres.start()
        else:
            self.servers.redis.kill()
            self.servers.redis.start()

    def failed(self) -> list[str]:
        """What some of the commands that failed were told, and what the processes said."""
        query = "SELECT result FROM command WHERE status = 'ERROR' ORDER BY finished LIMIT 20"
        with self.servers.postgres.session() as connection:
            told = [str(row[0]) for row in connection.execute(query)]
        return [*told, self.fleet.log()[-20_000:]] if told else []

    def left_over(self, sent: int) -> dict[str, int]:
        """What should be none, by SQL."""
        with self.servers.postgres.session() as connection:
            found = {what: _scalar(connection, query) for what, query in _CHECKS.items()}
            found["commands lost"] = sent - _scalar(connection, _ENDED)
        engine = open_engine(self.servers.postgres.url)
        with transaction(engine) as connection:
            found["slots adrift"] = len(drift(connection, datetime.now(UTC)))
        engine.dispose()
        return found


def _scalar(connection: "psycopg.Connection[Any]", query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def soak(commands: int, seed: int, folder: Path) -> dict[str, Any]:
    """Runs it; what came of it."""
    options = {"appendonly": "yes", "appendfsync": "always"}
    with Servers(home_from(template(folder), folder / "home"), redis=options) as servers:
        it = Soak(servers, seed)
        with it.fleet:
            it.fleet.start("worker", "worker", "relay", "clock")
            it.supervisor.start()
            began = time.monotonic()
            sent = it.send(commands)
            until(lambda: at_rest(servers.postgres.url, it.redis, NAMESPACE), ENDS_WITHIN_S, every_s=0.5)
            took_s = time.monotonic() - began
            it.look_at_memory()
            left, failed = it.left_over(sent), it.failed()
            it.supervisor.stop()
    return {
        "commands": sent,
        "seed": seed,
        "seconds": round(took_s),
        "commands_a_second": round(sent / took_s),
        "faults": it.faults,
        "deaths": it.supervisor.deaths,
        "left_over": left,
        "failed": failed,
        "memory_mib": {
            name: {"first": seen[0], "most": max(seen), "last": seen[-1]} for name, seen in it.memory.items()
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    arguments = parser.parse_args()
    with run_folder() as folder:
        found = soak(arguments.commands, arguments.seed, folder)
    text = json.dumps(found, indent=1)
    print(text)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text + "\n")
    return 1 if any(found["left_over"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
