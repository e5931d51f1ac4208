"""Conditions of a command are judged once: what comes again after a worker's death gets the first answer."""

from datetime import timedelta
from uuid import uuid4

from tests.crashes.processes import Fleet, until
from tests.crashes.producer import Producer
from workers.now import now


def test_if_version_and_expirytime_are_not_judged_again(fleet: Fleet, producer: Producer) -> None:
    [doomed] = fleet.start("worker dies-after-its-first-results")
    run, ends = str(uuid4()), now() + timedelta(seconds=6)
    data = {"flow_run_id": run, "state": {"type": "RUNNING"}, "if_version": 1}
    commands = [
        producer.command("flow_run.create", {"id": run, "flow_name": "f"}, expirytime=ends.isoformat()),
        producer.command("flow_run.set_state", data, expirytime=ends.isoformat()),
    ]
    producer.send_batch(commands)
    doomed.wait()
    assert [each["data"]["status"] for each in producer.results()] == ["OK", "ACCEPT"]
    until(lambda: now() > ends, 30, what="the end of their time")
    fleet.start("worker")
    until(lambda: len(producer.results()) == 4, 30, what="the same answers again")
    first, again = producer.results()[:2], producer.results()[2:]
    assert [each["data"].pop("replayed") for each in again] == [True, True]
    assert [each["data"].pop("replayed") for each in first] == [False, False]
    assert again == first
