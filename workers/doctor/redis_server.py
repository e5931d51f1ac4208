"""What Redis says: asked, and judged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import redis

from messages.streams import text_of
from workers.doctor.finding import Finding, fail, ok, warn

OLDEST_REDIS = (6, 2)
_FILLING_UP = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisFacts:
    """Redis as it is set up. None: it may not be asked."""

    product: str
    version: str
    role: str
    is_cluster: bool
    maxmemory_policy: str
    maxmemory: int
    used_memory: int
    appendonly: bool
    appendfsync: str | None
    save: str | None


def ask(client: redis.Redis) -> RedisFacts:
    """What INFO tells everybody, and CONFIG only some.

    Raises:
        redis.RedisError: Redis cannot be reached.
    """
    info: Mapping[str, Any] = client.info()
    product = str(info.get("server_name") or ("valkey" if "valkey_version" in info else "redis"))
    return RedisFacts(
        product=product.capitalize(),
        version=str(info.get(f"{product}_version") or info["redis_version"]),
        role=str(info.get("role", "master")),
        is_cluster=bool(info.get("cluster_enabled")),
        maxmemory_policy=str(info.get("maxmemory_policy", "")),
        maxmemory=int(info.get("maxmemory", 0)),
        used_memory=int(info.get("used_memory", 0)),
        appendonly=bool(info.get("aof_enabled")),
        appendfsync=_configured(client, "appendfsync"),
        save=_configured(client, "save"),
    )


def judge(facts: RedisFacts, namespace: str) -> Iterator[Finding]:
    """Its version, and whether it keeps what it is given."""
    yield _version(facts)
    if facts.is_cluster and "{" not in namespace:
        advice = f"set INTERLOCK_NAMESPACE to {{{namespace}}}, so that all keys are on one node"
        yield fail("Redis Cluster", f"the namespace {namespace!r} has no hash tag", advice)
    yield _memory(facts)
    yield _persistence(facts)


def _version(facts: RedisFacts) -> Finding:
    found = f"{facts.product} {facts.version}"
    if _numbers(facts.version) < OLDEST_REDIS:
        return fail("Redis", found, "upgrade it to 6.2 or later")
    if facts.role != "master":
        return fail("Redis", f"{found}, a read-only replica", "let INTERLOCK_REDIS_URL name the primary")
    return ok("Redis", found)


def _memory(facts: RedisFacts) -> Finding:
    if facts.maxmemory_policy == "noeviction":
        return _room(facts)
    found = f"maxmemory-policy is {facts.maxmemory_policy or 'unknown'}"
    return fail("Redis memory", found, "set it to noeviction: else commands vanish when memory is short")


def _room(facts: RedisFacts) -> Finding:
    """With nothing evicted, a full Redis refuses every command, acknowledgements too."""
    name, share = "Redis memory", facts.used_memory / facts.maxmemory if facts.maxmemory else 0.0
    found = (
        f"nothing is evicted, {share:.0%} of maxmemory is used" if facts.maxmemory else "nothing is evicted"
    )
    if share >= 1:
        return fail(name, found, "raise maxmemory, or trim streams that nobody reads")
    if share >= _FILLING_UP:
        return warn(name, found, "raise maxmemory before it is full: then nothing can be sent any more")
    return ok(name, found)


def _persistence(facts: RedisFacts) -> Finding:
    name = "Redis persistence"
    if facts.appendonly:
        fsync = facts.appendfsync or "unknown: CONFIG is forbidden to this user"
        if facts.appendfsync == "no":
            advice = "set it to everysec or always: else the system decides when commands reach the disk"
            return warn(name, "append-only file, appendfsync no", advice)
        return ok(name, f"append-only file, appendfsync {fsync}")
    if facts.save is None:
        advice = "see that it takes snapshots, better that appendonly is on"
        return warn(name, "no append-only file; snapshots unknown: CONFIG is forbidden to this user", advice)
    if facts.save:
        advice = "set appendonly to yes: a crash loses the commands sent since the last snapshot"
        return warn(name, f"snapshots alone (save {facts.save})", advice)
    advice = "set appendonly to yes: a restart loses every command that waits"
    return fail(name, "none", advice)


def _configured(client: redis.Redis, name: str) -> str | None:
    try:
        answer: Any = client.config_get(name)
    except redis.ResponseError:
        # Forbidden by an ACL, or renamed away by whoever runs this server for others.
        return None
    found = {text_of(key): text_of(value) for key, value in answer.items()}
    return found.get(name)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
