"""What PostgreSQL says, judged. Pure: `examine` asks."""

from collections.abc import Iterator
from datetime import datetime

from store.diagnosis import Backlog, Server
from workers.doctor.finding import Finding, fail, ok, warn

OLDEST_POSTGRESQL = 140_000
# Longer than that, no event should wait for the relay, in seconds.
LATE_EVENT_S = 5.0


def judge_server(server: Server) -> Iterator[Finding]:
    """Its version, and whether what is committed stays."""
    if server.number < OLDEST_POSTGRESQL:
        yield fail("PostgreSQL", f"version {server.version}", "upgrade it to 14 or later")
    elif server.is_a_replica:
        advice = "let INTERLOCK_DATABASE_URL name the primary; replicas go into INTERLOCK_READ_DATABASE_URL"
        yield fail("PostgreSQL", f"version {server.version}, a read-only replica", advice)
    else:
        yield ok("PostgreSQL", f"version {server.version}")
    if not (server.fsync and server.waits_for_the_disk):
        setting = "synchronous_commit is off" if server.fsync else "fsync is off"
        yield warn("PostgreSQL durability", setting, "turn it on, or a crash of that machine loses commands")
    else:
        yield ok("PostgreSQL durability", "a commit waits for the disk")


def judge_schema(found: str | None, fault: str | None) -> Finding:
    """Whether this version can work with it; a fault says at its end what to do."""
    if fault is None:
        return ok("schema", str(found))
    what, _, advice = fault.rpartition(": ")
    return fail("schema", what, advice)


def judge_backlog(backlog: Backlog, now: datetime) -> Iterator[Finding]:
    """What waits in the database, and should not wait long."""
    yield _outbox(backlog, now)
    if backlog.results:
        yield warn("results", f"{backlog.results} batches were never published", "start `interlock relay`")
    waiting = f"{backlog.parked} parked for their turn, {backlog.deferred} deferred"
    waiting += f", {backlog.failing} to be tried again"
    yield ok("waiting commands", waiting)
    if backlog.dead_letters:
        advice = "each is a message that was given up: `interlock deadletters list` says why"
        yield warn("dead letters", str(backlog.dead_letters), advice)
    else:
        yield ok("dead letters", "none")


def _outbox(backlog: Backlog, now: datetime) -> Finding:
    if backlog.oldest_event is None:
        return ok("outbox", "every event is published")
    age = (now - backlog.oldest_event).total_seconds()
    found = f"events of {backlog.events:,} transactions wait, the oldest for {max(age, 0):.1f} s"
    if age < LATE_EVENT_S:
        return ok("outbox", found)
    return warn("outbox", found, "see that `interlock relay` runs and can reach both servers")
