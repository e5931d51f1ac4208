"""All checks, one after the other. A server that is away ends its own checks, not the other's."""

from collections.abc import Iterator

import redis

from messages.streams import connect
from store import diagnosis
from store.diagnosis import Processes
from store.errors import StoreError, StoreUnavailable
from store.transaction import Connection, session
from workers.doctor import at_work, clocks, database, redis_server
from workers.doctor.finding import Finding, away, fail
from workers.now import machine_time, now
from workers.settings import Settings


def examine(settings: Settings) -> list[Finding]:
    """What there is to say about an installation."""
    findings: list[Finding] = []
    processes = _examine_database(settings, findings)
    _examine_redis(settings, findings)
    if processes is not None:
        findings.extend(at_work.judge_single(processes))
    return findings


def _examine_database(settings: Settings, findings: list[Finding]) -> Processes | None:
    engine = diagnosis.open_quickly(settings.database_url)
    try:
        with session(engine) as connection:
            findings.extend(_of_database(connection, settings))
            return diagnosis.processes(connection)
    except StoreUnavailable as error:
        advice = "start it, or correct INTERLOCK_DATABASE_URL"
        findings.append(away("PostgreSQL", f"cannot be reached: {error}", advice))
    except StoreError as error:
        findings.append(fail("PostgreSQL", f"refuses to answer: {error}", "see what this user may read"))
    finally:
        engine.dispose()
    return None


def _of_database(connection: Connection, settings: Settings) -> Iterator[Finding]:
    yield from database.judge_server(diagnosis.server(connection))
    found, fault = diagnosis.schema(connection)
    yield database.judge_schema(found, fault)
    skew = clocks.skew(lambda: diagnosis.time(connection), machine_time)
    yield clocks.judge("PostgreSQL clock", skew, settings.heartbeat_timeout)
    if fault is None:
        yield from database.judge_backlog(diagnosis.backlog(connection), now())


def _examine_redis(settings: Settings, findings: list[Finding]) -> None:
    try:
        with connect(settings.redis_url) as client:
            findings.extend(_of_redis(client, settings))
    except (redis.RedisError, OSError) as error:
        findings.append(
            away("Redis", f"cannot be reached: {error}", "start it, or correct INTERLOCK_REDIS_URL")
        )


def _of_redis(client: redis.Redis, settings: Settings) -> Iterator[Finding]:
    yield from redis_server.judge(redis_server.ask(client), settings.namespace)
    skew = clocks.skew(lambda: clocks.redis_time(client), machine_time)
    yield clocks.judge("Redis clock", skew, settings.heartbeat_timeout)
    timeout_s = settings.heartbeat_timeout.total_seconds()
    consumers = at_work.alive_consumers(client, settings.namespace, timeout_s)
    for queue in at_work.queues(client, settings.namespace):
        yield at_work.judge_queue(queue, consumers)
    yield at_work.judge_workers(consumers)
