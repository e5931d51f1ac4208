"""A worker process that takes what there is, says so, and never finishes."""

import sys
import threading

from workers.broker.batches import RawMessage, declare_batch_actor
from workers.broker.redis_broker import InterlockBroker
from workers.broker.run import QueueRunner


def main(url: str, namespace: str, heartbeat_timeout_ms: str) -> None:
    def work(messages: list[RawMessage]) -> None:
        print(len(messages), flush=True)
        threading.Event().wait()

    broker = InterlockBroker(
        url=url, namespace=namespace, batch_size=3, heartbeat_timeout_ms=int(heartbeat_timeout_ms)
    )
    declare_batch_actor(broker, "commands", work)
    QueueRunner(broker, "commands").start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
