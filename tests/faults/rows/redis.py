"""Redis dies, forgets, fills up, becomes a replica, and loses answers."""

import random
import time
from contextlib import suppress

from redis import RedisError

from tests.faults.row import Row, round_robin
from tests.faults.servers import Valkey
from tests.faults.stage import NAMESPACE, QUICK, Plan, Stage
from tests.faults.traffic import Pace
from workers.embedded.home import Home

RESENT = Pace(resend_after_s=2.0)
PROXIED = Plan(proxied=True, recovers_within_s=60, answers_get_lost=True)
FORGETFUL = Plan(pace=RESENT, redis_forgets=True, answers_get_lost=True)
QUEUE = f"{NAMESPACE}:commands"
FSYNC = {
    "always": {"appendonly": "yes", "appendfsync": "always"},
    "everysec": {"appendonly": "yes", "appendfsync": "everysec"},
    "none": {"appendonly": "no"},
}


LASTING = Plan(redis=FSYNC["always"], recovers_within_s=60, answers_get_lost=True)


def restarts(stage: Stage, number: int) -> None:
    for kind in round_robin(("kill -9", "kill -9", "SIGTERM"), number):
        with stage.fault(kind):
            stage.servers.redis.kill() if kind == "kill -9" else stage.servers.redis.end(
                stage.servers.redis.launch.stop_signal
            )
            stage.servers.redis.start()


def outages(stage: Stage, number: int) -> None:
    """Poisonous commands fail meanwhile: what is counted and tried again must not get lost with Redis."""
    chance = random.Random(stage.seed)
    for turn in range(number):
        seconds = {5: 25.0, 15: 120.0}.get(turn) or chance.choice((1.0, 3.0, 8.0) if turn else (1.0,))
        for _ in range(3):
            stage.poison("raise")
        with stage.fault(f"down for {seconds:g} s"):
            stage.servers.redis.kill()
            if turn % 10 == 0:
                stage.an_outage("Redis")
            time.sleep(seconds)
            stage.servers.redis.start()


def lost_answers(stage: Stage, number: int) -> None:
    assert stage.redis_proxy is not None
    for command in round_robin(("fetch", "ack", "XADD", "beat", "promote"), number):
        with stage.fault(f"the answer to {command} is lost"):
            stage.redis_proxy.lose_the_answer_to(command.encode())
            assert stage.redis_proxy.lost.wait(60), f"nobody says {command}"


def lost_enqueues(stage: Stage, number: int) -> None:
    """The producer does not know whether Redis has taken what it sent, and sends it again."""
    from tests.broker.proxy import Proxy

    host, port = stage.servers.redis.url.removeprefix("redis://").removesuffix("/0").split(":")
    proxy = Proxy((host, int(port)))
    try:
        with stage.producer_through(proxy.url):
            for _ in range(number):
                with stage.fault("the answer to an enqueue is lost"):
                    proxy.lose_the_answer_to(b"EXEC")
                    assert proxy.lost.wait(60), "nothing is sent"
    finally:
        proxy.close()


def read_only(stage: Stage, number: int) -> None:
    """It is made a replica of nobody, as in a failover that is under way, and then a primary again."""
    for turn in range(number):
        with stage.fault("READONLY"):
            stage.redis.replicaof("127.0.0.1", "1")
            if turn == 0:
                stage.an_outage("replica")
            time.sleep(0.5)
            stage.redis.replicaof("NO", "ONE")


def failovers(stage: Stage, number: int) -> None:
    """A replica takes over; what had not reached it is lost with the old one."""
    proxy = stage.redis_proxy
    assert proxy is not None
    home = Home.occupy(stage.folder / "second")
    servers = [stage.servers.redis, Valkey(home, {})]
    servers[1].start()
    try:
        for _ in range(number):
            old, new = servers
            with stage.fault("a replica takes over"):
                host, port = _address(old)
                new.client().replicaof(host, str(port))
                _until_in_step(new)
                old.kill()
                new.client().replicaof("NO", "ONE")
                proxy.server = _address(new)
                proxy.cut()
                proxy.restore()
            old.start()
            servers.reverse()
        stage.servers.redis, stage.redis = servers[0], servers[0].client()
    finally:
        servers[1].kill()
        home.release()


def _address(server: Valkey) -> tuple[str, int]:
    host, port = server.url.removeprefix("redis://").removesuffix("/0").split(":")
    return host, int(port)


def _until_in_step(replica: Valkey) -> None:
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        info = replica.client().info("replication")
        if info.get("master_link_status") == "up":
            return
        time.sleep(0.01)
    raise AssertionError("the replica does not get in step")


def full(stage: Stage, number: int) -> None:
    for turn in range(number):
        with stage.fault("maxmemory reached"):
            stage.redis.config_set("maxmemory", "1mb")
            if turn == 0:
                stage.an_outage("memory")
            time.sleep(1.0)
            stage.redis.config_set("maxmemory", "0")


def emptied(stage: Stage, number: int) -> None:
    for _ in range(number):
        with stage.fault("FLUSHALL"):
            stage.redis.flushall()


def clobbered(stage: Stage, number: int) -> None:
    """Somebody puts something else where list and messages were, and later puts them back."""
    keys = (QUEUE, f"{QUEUE}.msgs")
    for _ in range(number):
        with stage.fault("the queue is a string"):
            with stage.redis.pipeline(transaction=True) as pipe:
                # So that there is something to be moved.
                pipe.hset(keys[1], "nothing", "{}")
                pipe.rpush(keys[0], "nothing")
                for key in keys:
                    pipe.rename(key, f"{key}.away")
                    pipe.set(key, "something else")
                pipe.execute()
            time.sleep(0.5)
            with stage.redis.pipeline(transaction=True) as pipe:
                for key in keys:
                    pipe.delete(key)
                    pipe.rename(f"{key}.away", key)
                pipe.hdel(keys[1], "nothing")
                pipe.execute()


def bad_policy(stage: Stage, number: int) -> None:
    """A policy that evicts is an alarm, even while there is memory."""
    for policy in round_robin(("allkeys-lru", "volatile-ttl", "allkeys-random"), number):
        with stage.fault(f"maxmemory-policy {policy}"):
            stage.redis.config_set("maxmemory-policy", policy)
            stage.an_alarm("maxmemory-policy")
            stage.redis.config_set("maxmemory-policy", "noeviction")


def streams_deleted(stage: Stage, number: int) -> None:
    """The stream of results is gone, with results that nobody had read: asked again, they come again."""
    for _ in range(number):
        with stage.fault("the reply stream is deleted"):
            stage.redis.delete(f"{NAMESPACE}:replies:{stage.producer.replyto}")


def nobody_reads(stage: Stage, number: int) -> None:
    """Results for somebody who never comes: their stream stays within its bounds."""
    for turn in range(number):
        with stage.fault("nobody reads"):
            stage.send_for_nobody(f"gone-{turn % 3}", 100)
    with suppress(RedisError):
        for turn in range(3):
            kept = int(stage.redis.xlen(f"{NAMESPACE}:replies:gone-{turn}"))
            # Trimmed by whole nodes of the stream.
            if kept > 2 * stage.settings.replies_maxlen + 200:
                stage.violations.append(f"a stream that nobody reads has {kept} entries")


def _restart_row(fsync: str) -> Row:
    never = fsync == "always"
    plan = Plan(
        pace=Pace() if never else RESENT, redis=FSYNC[fsync], redis_forgets=not never, answers_get_lost=True
    )
    named = "no append-only file" if fsync == "none" else f"appendfsync {fsync}"
    remark = (
        "" if never else "Producers send again what is not answered; `sent again` says how much that was."
    )
    return Row(
        f"7 {fsync}",
        f"Redis killed and restarted, {named}",
        restarts,
        f"redis {fsync}",
        plan,
        few=2,
        remark=remark,
    )


_SHORT_STREAMS = Plan(settings={**QUICK, "replies_maxlen": 2_000})

ROWS = (
    *(_restart_row(fsync) for fsync in FSYNC),
    Row("8", "Redis down for 1 to 8 s, once for 25 s and once for 120 s, while commands fail", outages, "redis always",
        LASTING, few=1),
    Row("9", "the answer to a script is lost: fetch, ack, publish, heartbeat, delays", lost_answers, "proxied",
        PROXIED, many=60, few=5),
    Row("9 enqueue", "the answer to the producer's enqueue is lost", lost_enqueues, "proxied", PROXIED, many=60, few=2),
    Row("10", "Redis turns read-only", read_only, "redis always", LASTING, few=1),
    Row("10 failover", "a replica takes over from a primary that is killed", failovers, "failover",
        Plan(proxied=True, pace=RESENT, redis_forgets=True, answers_get_lost=True, through_proxy=True), few=1),
    Row("11 full", "maxmemory reached, noeviction", full, "redis always", LASTING, few=1),
    Row("11 emptied", "FLUSHALL", emptied, "redis none", FORGETFUL, few=1),
    Row("11 clobbered", "the list of commands becomes a string for half a second", clobbered, "redis none",
        FORGETFUL, few=1),
    Row("11 policy", "maxmemory-policy set to one that evicts", bad_policy, "redis always", LASTING, few=1),
    Row("28 deleted", "the reply stream is deleted", streams_deleted, "redis none", FORGETFUL, few=1),
    Row("28 unread", "results that nobody reads, REPLIES_MAXLEN 2,000", nobody_reads, "messages", _SHORT_STREAMS,
        many=60, few=1),
)  # fmt: skip
