"""The broker's only middleware: starts and ends its own threads with dramatiq's Worker.

None of dramatiq's stock middleware is there: attempts are counted and time is limited in the database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dramatiq.middleware import Middleware

if TYPE_CHECKING:
    from dramatiq.broker import Broker, MessageProxy
    from dramatiq.worker import Worker

    from workers.broker.redis_broker import InterlockBroker


class Lifecycle(Middleware):
    @property
    def actor_options(self) -> set[str]:
        return {"throws"}

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        cast("InterlockBroker", broker).begin_work(room=worker.worker_threads)

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Before dramatiq waits for its worker threads: nothing is fetched from here on."""
        cast("InterlockBroker", broker).stop_fetching()
        for consumer_thread in worker.consumers.values():
            consumer_thread.stop()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        cast("InterlockBroker", broker).end_work()

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any = None,
        exception: BaseException | None = None,
    ) -> None:
        """A message marked as failed is not acknowledged; this broker then puts it back."""
        if exception is not None:
            message.fail()
