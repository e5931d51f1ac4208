"""A server accepts and never answers, and processes are asked to end: they do, and nothing is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from redis import Redis

from tests.broker.proxy import Proxy
from tests.crashes.history import History, at_rest, from_database
from tests.crashes.processes import Fleet, until
from tests.crashes.producer import Envelope, Producer
from workers.settings import Settings

WITHIN_S = 60.0


@contextmanager
def proxied(settings: Settings, setting: str) -> Iterator[tuple[Proxy, Settings]]:
    """Settings with which one of the servers is reached through a proxy."""
    url = getattr(settings, setting)
    parts = urlsplit(url)
    proxy = Proxy((str(parts.hostname), int(parts.port or 0)))
    host, port = proxy.address
    through = url.replace(f"{parts.hostname}:{parts.port}", f"{host}:{port}")
    yield proxy, settings.model_copy(update={setting: through, "shutdown_timeout": timedelta(seconds=10)})
    proxy.close()


@pytest.mark.parametrize("setting", ["redis_url", "database_url"])
def test_processes_end_in_time_while_a_server_never_answers_and_nothing_is_lost(
    settings: Settings, redis_url: str, setting: str
) -> None:
    with (
        proxied(settings, setting) as (proxy, through),
        Fleet(through) as fleet,
        Redis.from_url(redis_url, decode_responses=True) as redis,
    ):
        sender = Sender(Producer(redis, settings.namespace))
        fleet.start("worker", "worker", "relay", "clock")
        sender.send(5)
        until(lambda: len(sender.producer.answered()) > 40, WITHIN_S, what="answers")
        # In the middle of the work: some are in hand, some are not fetched yet.
        proxy.swallow()
        sender.send(5)

        for process in fleet.members:
            process.popen.terminate()
        assert [process.stop() for process in fleet.members] == [0, 0, 0, 0], fleet.log()

        proxy.flow()
        fleet.start("worker", "relay")
        until(lambda: sender.sent.keys() <= sender.producer.answered(), WITHIN_S, what="all answers")
        until(lambda: at_rest(settings.database_url, redis, settings.namespace), WITHIN_S, what="rest")
        history = History(sender.sent, sender.producer.results(), sender.producer.events(), said_again=True)
        assert from_database(settings.database_url, history).violations() == []


class Sender:
    """Sends commands, and knows which."""

    def __init__(self, producer: Producer) -> None:
        self.producer = producer
        self.sent: dict[str, Envelope] = {}

    def send(self, messages: int) -> None:
        """Twenty commands in each."""
        for _ in range(messages):
            made = [self.producer.command("flow_run.create", {"flow_name": "f"}) for _ in range(20)]
            self.producer.send(*made)
            self.sent |= {each["id"]: each for each in made}
