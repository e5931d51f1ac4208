"""A stock dramatiq worker with one actor, as a user of dramatiq would write it. `URL NAMESPACE FILE`."""

import json
import sys
import time
from pathlib import Path

import dramatiq
from dramatiq.brokers.redis import RedisBroker

url, namespace, file = sys.argv[1:]
broker = RedisBroker(url=url, namespace=namespace)  # type: ignore[no-untyped-call]
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name="billing", actor_name="on_result")
def on_result(result: dict) -> None:  # type: ignore[type-arg]
    """Writes down what it is told."""
    with Path(file).open("a") as lines:
        lines.write(json.dumps(result) + "\n")


worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=50)
worker.start()
while sys.stdin.readline():
    time.sleep(0.01)
worker.stop()
