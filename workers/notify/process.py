"""The process behind `interlock notify`: consumer, targets and signals put together."""

import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from typing import Literal

from messages.consumer import Consumer
from messages.streams import connect, stream_key
from workers.notify.claims import Claims
from workers.notify.forward import Forwarder, Pace
from workers.notify.targets import Target
from workers.processes.stopping import until_stopped
from workers.settings import Settings
from workers.supervisor import tell_ready

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to forward: the notifications under a NAME, as one of a group, from where on if the group is new."""

    stream: str
    group: str
    title: str
    start: Literal["beginning", "new"] = "new"
    claim_after_s: float = 60.0


def run(settings: Settings, order: Order, targets: Sequence[Target]) -> int:
    """Forwards until SIGTERM or SIGINT; answers the exit code.

    Raises:
        BrokerUnreachable: if Redis cannot be reached at the start. Later trouble is waited out.
    """
    with until_stopped() as stopped:
        forward(settings, order, targets, stopped)
    return 0


def forward(
    settings: Settings, order: Order, targets: Sequence[Target], stopped: Event, pace: Pace | None = None
) -> None:
    """Forwards until it is stopped. Raises as `run` does."""
    stream = f"notifications:{order.stream}"
    key = stream_key(settings.namespace, stream)
    # Between two looks at what it has in hand, one attempt and one wait for the next may pass.
    pace = pace or Pace(attempt_s=min(Pace().attempt_s, order.claim_after_s / 3))
    with _consumer(settings, order, stream, pace) as consumer, closing(connect(settings.redis_url)) as redis:
        claims = Claims(redis, key, order.group, consumer.name, order.claim_after_s)
        log.info("forwarding", extra={"stream": key, "targets": ", ".join(each.name for each in targets)})
        tell_ready()
        Forwarder(consumer, claims, targets, order.title, stopped, pace).run()


def _consumer(settings: Settings, order: Order, stream: str, pace: Pace) -> Consumer:
    # One at a time: what it has read but not begun would be out of reach for the others of the group.
    return Consumer(
        settings.redis_url,
        stream,
        order.group,
        namespace=settings.namespace,
        start=order.start,
        automatic=False,
        claim_after=order.claim_after_s,
        prefetch=1,
        timeout=pace.look_s,
    )
