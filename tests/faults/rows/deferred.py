"""Workers die with deferred commands in their hands: claimed by themselves, not by way of Redis."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.crashes.processes import until
from tests.crashes.producer import Envelope
from tests.faults.failpoints import OF_RETRIES
from tests.faults.row import Row, round_robin
from tests.faults.stage import QUICK, Plan, Stage
from tests.faults.traffic import LIMIT

#: more than there are slots, so that most of them wait again and again
_RUNS = 4 * LIMIT
#: tried again as often as can be
_PLAN = Plan(settings={**QUICK, "task_tag_wait": timedelta(seconds=1)}, recovers_within_s=60)
_WAITING = "SELECT count(*) FROM attempt WHERE waits > 0"


def die_with_claims(stage: Stage, number: int) -> None:
    """All slots of a tag are taken; task runs wait for them, each with commands in its order behind the one that
    waits. Whoever tries them again dies, at a certain point or at any moment; then the slots are freed."""
    for kind in round_robin((*OF_RETRIES, "both workers claim", "at any moment"), number):
        holders, runs = _Holders(stage), [stage.author.id() for _ in range(_RUNS)]
        stage.traffic.send(_shuffled(stage, [each for run in runs for each in holders.wants_a_slot(run)]))
        until(lambda: _waiting(stage) >= _RUNS, 60, what="runs that wait for a slot")
        with stage.fault(kind):
            _strike(stage, kind)
            holders.end()
        stage.violations += holders.overdrawn()


def _strike(stage: Stage, kind: str) -> None:
    if kind == "both workers claim":
        for _ in range(2):
            stage.arm("retry-claimed")
    elif kind == "at any moment":
        time.sleep(stage.author.random.uniform(0, 1.0))
        stage.process("worker", stage.author.random.randrange(2)).popen.kill()
    else:
        stage.arm(kind)


class _Holders:
    """A tag of their own, and task runs that have all its slots."""

    def __init__(self, stage: Stage) -> None:
        self._stage, author = stage, stage.author
        self._tag = author.id()
        self._runs = [author.id() for _ in range(LIMIT)]
        limit = {"name": f"tag:{self._tag}", "limit": LIMIT}
        stage.traffic.send([author.command("concurrency_limit.upsert", limit)])
        self._settled()
        stage.traffic.send([self._made(run) for run in self._runs])
        self._settled()
        stage.traffic.send([self._to("RUNNING", run) for run in self._runs])
        self._settled()

    def wants_a_slot(self, run: str) -> list[Envelope]:
        """A task run's whole life; its second command waits for a slot, and its third for that one."""
        number = iter(range(1, 4))

        def place() -> dict[str, str]:
            return {"partitionkey": run, "sequence": str(next(number))}

        return [
            self._made(run, **place()),
            self._to("RUNNING", run, "defer", **place()),
            self._to("COMPLETED", run, **place()),
        ]

    def end(self) -> None:
        """Their slots are free."""
        self._stage.traffic.send([self._to("COMPLETED", run) for run in self._runs])

    def overdrawn(self) -> list[str]:
        """A sentence if more task runs of the tag were running at once than it has slots."""
        changes = {
            each["id"]: each["data"] for each in list(self._stage.witness.events) if self._tells_of_it(each)
        }
        running, most = set[str](), 0
        for change in changes.values():
            runs = running.add if change["validated_state"]["type"] == "RUNNING" else running.discard
            runs(change["run"]["id"])
            most = max(most, len(running))
        return [f"{most} task runs had the {LIMIT} slots of tag {self._tag}"] if most > LIMIT else []

    def _tells_of_it(self, event: Mapping[str, Any]) -> bool:
        return event["type"] == "task_run.state_changed" and self._tag in event["data"]["run"]["tags"]

    def _made(self, run: str, **place: str) -> Envelope:
        data = {"id": run, "task_key": "t", "dynamic_key": run, "tags": [self._tag]}
        return self._stage.author.command("task_run.create", data, **place)

    def _to(self, state: str, run: str, on_wait: str = "reply", **place: str) -> Envelope:
        data = {"task_run_id": run, "state": {"type": state}, "on_wait": on_wait}
        return self._stage.author.command("task_run.set_state", data, **place)

    def _settled(self) -> None:
        self._stage.recovered(time.monotonic())


def _shuffled(stage: Stage, commands: list[Envelope]) -> list[Envelope]:
    stage.author.random.shuffle(commands)
    return commands


def _waiting(stage: Stage) -> int:
    with stage.servers.postgres.session() as connection:
        row = connection.execute(_WAITING).fetchone()
    assert row is not None
    return int(row[0])


ROWS = (
    Row("1 deferred", "kill -9 of workers that try deferred commands again: after the claim, before and after COMMIT, "
        "both at once, at any moment", die_with_claims, "deferred", _PLAN, many=40, few=2),
)  # fmt: skip
