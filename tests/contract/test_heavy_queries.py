"""An expensive query never delays commands (section 4); a replica answers queries, and decides nothing."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from redis import Redis

from messages.enqueue import enqueue
from tests.broker.proxy import Proxy
from tests.contract.wire import PATIENCE_S, Envelope, Wire, error_of
from tests.crashes.processes import Fleet, until
from tests.servers import Servers, fresh_database
from workers.settings import Settings

# For queries that the test itself holds up, as long as it wants.
PATIENT = "10m"
Start = Callable[..., Wire]


@pytest.fixture
def fleet(settings: Settings) -> Iterator[Fleet]:
    """The processes of one test."""
    with Fleet(settings) as members:
        yield members


@pytest.fixture
def start(fleet: Fleet, redis: Redis, settings: Settings) -> Start:
    """Starts a worker and a relay with some settings changed; answers a producer for them."""

    def started(**changed: Any) -> Wire:
        fleet.settings = Settings(**{**settings.model_dump(exclude_unset=True), **changed})
        fleet.start("worker", "relay")
        return Wire(redis, settings.namespace)

    return started


@pytest.fixture
def replica_url(servers: Servers, template_database: str) -> Iterator[str]:
    """A second database, in which other things are."""
    with fresh_database(servers, template_database) as url:
        yield url


def count(wire: Wire, flow: str) -> Envelope:
    """A query that is on its way."""
    sent = wire.envelope("flow_run.count", {"flows": {"name": {"any_": [flow]}}})
    wire.send(sent)
    return sent


def stuck_queries(database_url: str) -> int:
    """How many queries wait for a lock."""
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'interlock queries' AND wait_event_type = 'Lock'"
        ).fetchone()
    return int(found[0]) if found else 0


def until_stuck(database_url: str, number: int) -> None:
    """Returns when so many queries wait for a lock."""
    until(lambda: stuck_queries(database_url) == number, PATIENCE_S, what=f"{number} queries that are stuck")


def test_queries_that_are_stuck_delay_no_command_and_are_answered_in_the_end(
    start: Start, replica_url: str
) -> None:
    wire = start(read_database_url=replica_url, query_timeout=PATIENT, query_threads=2)
    with psycopg.connect(replica_url) as holder:
        holder.execute("LOCK TABLE flow IN ACCESS EXCLUSIVE MODE")
        stuck = []
        for threads in (1, 2):
            stuck.append(count(wire, "etl"))
            until_stuck(replica_url, threads)
        stuck += [count(wire, "etl") for _ in range(3)]

        run = wire.new_run()
        assert [wire.set_state(run, state)["status"] for state in ("PENDING", "RUNNING")] == ["ACCEPT"] * 2
        assert len(wire.events(3, subject=run)) == 3

        assert stuck_queries(replica_url) == 2
        answered = {reply["causationid"] for reply in wire.replies()}
        assert not answered & {query["id"] for query in stuck}
    assert [wire.answer(query)["data"]["count"] for query in stuck] == [0] * len(stuck)


def test_quick_queries_sent_with_a_slow_one_are_answered_while_it_runs(
    start: Start, replica_url: str, redis: Redis, settings: Settings
) -> None:
    wire = start(read_database_url=replica_url, query_timeout=PATIENT, query_threads=2)
    with psycopg.connect(replica_url) as holder:
        # Only the slow one looks at flows.
        holder.execute("LOCK TABLE flow IN ACCESS EXCLUSIVE MODE")
        slow = wire.envelope("flow_run.count", {"flows": {"name": {"any_": ["etl"]}}})
        quick = [wire.envelope("flow_run.count", {"flow_runs": {}}) for _ in range(10)]
        enqueue(redis, settings.namespace, [slow, *quick])

        assert [wire.answer(query)["data"]["count"] for query in quick] == [0] * len(quick)
        assert stuck_queries(replica_url) == 1
        assert slow["id"] not in {reply["causationid"] for reply in wire.replies()}
    assert wire.answer(slow)["data"]["count"] == 0


def test_a_query_that_takes_too_long_ends_as_an_error_and_the_next_is_answered(
    start: Start, replica_url: str
) -> None:
    wire = start(read_database_url=replica_url, query_timeout="300ms", lock_timeout="100ms", query_threads=1)
    with psycopg.connect(replica_url) as holder:
        holder.execute("LOCK TABLE flow IN ACCESS EXCLUSIVE MODE")
        stuck = [count(wire, "etl") for _ in range(2)]
        for query in stuck:
            error = error_of(wire.answer(query)["data"])
            assert error["code"] == "internal"
            assert "INTERLOCK_QUERY_TIMEOUT (0.3 s)" in error["message"]
        assert wire.data("flow.upsert", {"name": "etl"})["created"] is True
    assert wire.answer(count(wire, "etl"))["data"]["count"] == 0
    ended = [reply["causationid"] for reply in wire.replies()]
    assert [ended.count(query["id"]) for query in stuck] == [1, 1]


def test_queries_are_answered_by_the_replica_and_commands_decided_by_the_database(
    start: Start, fleet: Fleet, replica_url: str, settings: Settings
) -> None:
    flow, run, only_there = f"flow-{uuid4()}", str(uuid4()), str(uuid4())
    there = start(database_url=replica_url)
    there.data("flow_run.create", {"flow_name": flow, "id": only_there, "name": "there"})
    there.data(
        "flow_run.create", {"flow_name": flow, "id": run, "name": "there", "state": {"type": "RUNNING"}}
    )
    assert [member.stop() for member in fleet.members] == [0, 0]

    wire = start(database_url=settings.database_url, read_database_url=replica_url)
    made = wire.data("flow_run.create", {"flow_name": flow, "id": run, "name": "here"})
    assert made["created"] is True
    # There it is running; here it begins: nothing but this database says that it may.
    assert wire.set_state(run, "PENDING")["status"] == "ACCEPT"
    assert error_of(wire.set_state(only_there, "PENDING"))["code"] == "not_found"

    told = wire.data("flow_run.read", {"id": run})["flow_run"]
    assert (told["name"], told["state_type"]) == ("there", "RUNNING")
    assert wire.data("flow_run.read", {"id": only_there})["found"] is True
    assert wire.answer(count(wire, flow))["data"]["count"] == 2


@pytest.fixture
def way(replica_url: str) -> Iterator[Proxy]:
    """The network between the worker and the replica."""
    place = urlsplit(replica_url)
    proxy = Proxy((str(place.hostname), int(place.port or 5432)))
    yield proxy
    proxy.close()


def test_a_replica_that_is_away_delays_queries_alone(
    start: Start, fleet: Fleet, replica_url: str, way: Proxy
) -> None:
    here = urlsplit(way.url).netloc
    place = urlsplit(replica_url)
    user = place.netloc.rpartition("@")[0]
    wire = start(read_database_url=place._replace(netloc=f"{user}@{here}" if user else here).geturl())
    assert wire.answer(count(wire, "etl"))["data"]["count"] == 0

    way.cut()
    asked = [count(wire, "etl") for _ in range(3)]
    until(lambda: "queries wait for the database" in fleet.log(), PATIENCE_S, what="a query that waits")
    run = wire.new_run()
    assert wire.set_state(run, "RUNNING")["status"] == "ACCEPT"
    assert len(wire.events(2, subject=run)) == 2
    answered = {reply["causationid"] for reply in wire.replies()}
    assert not answered & {query["id"] for query in asked}

    way.restore()
    assert [wire.answer(query)["data"]["count"] for query in asked] == [0] * len(asked)
