"""The lines of docs/security.md: what they allow suffices for everything, and is used; what they do not is refused."""

import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from messages.client import Client
from messages.consumer import Consumer
from messages.enqueue import dramatiq_message
from messages.streams import connect
from tests.cli.command import Shell
from tests.crashes.processes import Fleet, until
from tests.docs.documents import PROJECT, blocks_of
from tests.security.own_servers import Door, own_valkey
from workers.settings import Settings

DOCUMENT = PROJECT / "docs" / "security.md"
(_BLOCK,) = [block for block in blocks_of(DOCUMENT) if block.language == "acl"]
LINES: dict[str, list[str]] = {
    words[1]: [word.strip("()") for word in words[2:]]
    for line in _BLOCK.text.splitlines()
    if (words := line.split())
}
PROCESSES, PRODUCER, CONSUMER, LOOKS = LINES
ADMIN_PASSWORD = "admin"
ADDRESSES = {PROCESSES: "127.0.0.2", PRODUCER: "127.0.0.3", CONSUMER: "127.0.0.4", LOOKS: "127.0.0.5"}
PATIENCE_S = 60.0


def allowed(user: str) -> set[str]:
    """The commands of a line."""
    return {word[1:] for word in LINES[user] if word.startswith("+")}


def keys(user: str) -> list[str]:
    """The key patterns of a line."""
    return [word.partition("~")[2] for word in LINES[user] if "~" in word]


def password(user: str) -> str:
    """The password of a line, as it stands there."""
    return next(word[1:] for word in LINES[user] if word.startswith(">"))


class Watched:
    """A Valkey with the users of the document, and a look at all that they ask of it."""

    def __init__(self, port: int) -> None:
        self.doors = {user: Door(port, address) for user, address in ADDRESSES.items()}
        # Nobody may ask for anything for long, and what is watched is to be watched all the same.
        url = f"redis://admin:{ADMIN_PASSWORD}@127.0.0.1:{port}/0"
        self.admin = Redis.from_url(url, socket_timeout=None)
        #: the words of each command, by user
        self.asked: dict[str, list[list[str]]] = defaultdict(list)
        self._monitor: Any = self.admin.monitor()  # type: ignore[no-untyped-call]
        self._monitor.__enter__()
        threading.Thread(target=self._listen, daemon=True).start()

    def url(self, user: str) -> str:
        """Where a user comes in."""
        return f"redis://{user}:{password(user)}@127.0.0.1:{self.doors[user].port}/0"

    def commands_of(self, user: str) -> set[str]:
        """What a user has asked for so far."""
        return {_named(words) for words in list(self.asked[user])}

    def close(self) -> None:
        """Closes the doors."""
        for door in self.doors.values():
            door.close()

    def _listen(self) -> None:
        users = {address: user for user, address in ADDRESSES.items()}
        try:
            for entry in self._monitor.listen():
                # Only the processes run scripts.
                is_script = entry["client_type"] == "lua"
                user = PROCESSES if is_script else users.get(entry["client_address"])
                if user is not None:
                    self.asked[user].append(entry["command"].split(" "))
        except (RedisError, OSError, ValueError):
            return  # the server is gone


def _named(words: list[str]) -> str:
    name = words[0].lower()
    return f"{name}|{words[1].lower()}" if name in ("xgroup", "script", "client") else name


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("acl")
    admin = f"user admin on >{ADMIN_PASSWORD} ~* &* +@all\nuser default off\n"
    (folder / "users.acl").write_text(admin + _BLOCK.text)
    with own_valkey(folder, "--aclfile", str(folder / "users.acl")) as port:
        watched = Watched(port)
        yield watched
        watched.close()


def settings_of(user: str, redis: Watched, settings: Settings) -> Settings:
    given = {
        **settings.model_dump(exclude_unset=True),
        "redis_url": redis.url(user),
        "namespace": "interlock",
    }
    return Settings(**{**given, "heartbeat_timeout": "2s", "clock_interval": "200ms"})


def shell_of(user: str, redis: Watched, settings: Settings) -> Shell:
    return Shell(
        settings.home, database_url=settings.database_url, redis_url=redis.url(user), namespace="interlock"
    )


def test_everything_works_with_these_lines_and_uses_all_that_they_allow(
    redis: Watched, settings: Settings
) -> None:
    with Fleet(settings_of(PROCESSES, redis, settings)) as fleet:
        worker, *_ = fleet.start("worker", "relay", "clock")
        with _told_what_was_refused(redis):
            converse(redis)
        _delay(redis)
        _leave_things_behind(redis)
        _replay(redis, settings)
        _start_by_words(redis, settings)
        _look(redis, settings)
        assert worker.stop() == 0
        _look_at_what_waits(redis, settings)
        assert "NOPERM" not in fleet.log().upper()
        assert "no permissions" not in fleet.log()
    log: Any = redis.admin.acl_log()
    refused = [(each["username"], each["object"]) for each in log]
    assert [each for each in refused if each[1] != "config|get"] == []
    for user in LINES:
        assert redis.commands_of(user) - {"auth"} == allowed(user), f"{DOCUMENT}: the commands of {user}"
        words = [word for words in redis.asked[user] for word in words]
        for pattern in keys(user):
            assert any(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), word) for word in words), pattern


@contextmanager
def _told_what_was_refused(redis: Watched) -> Iterator[None]:
    """Whoever adds a command or a key to a process finds here what to add to the document."""
    try:
        yield
    except Exception as error:
        log: Any = redis.admin.acl_log()
        refused = sorted({(each["username"], each["reason"], each["object"]) for each in log})
        raise AssertionError(f"{DOCUMENT} does not allow {refused}") from error


def converse(redis: Watched) -> None:
    """A producer with the Python client; consumers who share, die, and leave."""
    policy = {"notify": "team", "state_names": ["Completed"]}
    with Client(redis.url(PRODUCER), "billing") as client:
        assert client.request("notification_policy.upsert", policy, timeout=PATIENCE_S).status == "OK"
        run = client.create_flow_run(flow_name="f", state={"type": "RUNNING"})
        done = {"flow_run_id": run.id, "state": {"type": "COMPLETED"}}
        assert client.request("flow_run.set_state", done, timeout=PATIENCE_S).status == "ACCEPT"
        assert client.request("flow_run.count", {}, timeout=PATIENCE_S).data["count"] == 1
    options: Any = {"timeout": PATIENCE_S, "claim_after": 0.05}
    for stream in ("events", "notifications:team"):
        with Consumer(redis.url(CONSUMER), stream, "audit", name="one", **options) as events:
            next(events)  # left without an acknowledgement: comes again under this name
        with Consumer(redis.url(CONSUMER), stream, "audit", name="one", **options) as events:
            event = next(events)
            events.ack(event)
        with Consumer(redis.url(CONSUMER), stream, "audit", **{**options, "timeout": 0.2}) as events:
            for _ in events:
                pass


def _delay(redis: Watched) -> None:
    """Messages for later, as dramatiq's own producers send them; and one that is no message."""
    now_ms = int(redis.admin.time()[0]) * 1000
    for queue, key in (("commands", "commands"), ("commands", "commands.DQ"), ("queries", "queries.DQ")):
        kind = "flow.upsert" if queue == "commands" else "flow_run.count"
        command: dict[str, Any] = {"specversion": "1.0", "id": str(uuid4()), "source": "later", "type": kind}
        command["data"] = {"name": f"in {key}"} if queue == "commands" else {}
        ident, body = dramatiq_message(queue, {**command, "replyto": "later"}, delay_until_ms=now_ms + 1500)
        redis.admin.hset(f"interlock:{key}.msgs", ident, body)
        redis.admin.rpush(f"interlock:{key}", ident)
    until(lambda: redis.admin.xlen("interlock:replies:later") == 3, PATIENCE_S)


def _leave_things_behind(redis: Watched) -> None:
    """What a worker held that has died is taken over."""
    command = {"specversion": "1.0", "id": str(uuid4()), "source": "dead", "type": "flow.upsert"}
    ident, body = dramatiq_message("commands", {**command, "data": {"name": "left"}, "replyto": "dead"})
    redis.admin.hset("interlock:commands.msgs", ident, body)
    redis.admin.sadd("interlock:__acks__.dead@commands.commands", ident)
    redis.admin.zadd("interlock:__heartbeats__", {"dead@commands": 1})
    until(lambda: redis.admin.xlen("interlock:replies:dead") == 1, PATIENCE_S)


def _replay(redis: Watched, settings: Settings) -> None:
    """A message that nobody can read becomes a dead letter, and is sent again by the clock."""
    redis.admin.hset("interlock:commands.msgs", "x", "{}")
    redis.admin.rpush("interlock:commands", "x")
    shell = shell_of(LOOKS, redis, settings)

    def letters() -> int:
        with psycopg.connect(settings.database_url) as connection:
            return len(connection.execute("SELECT FROM dead_letter").fetchall())

    until(lambda: letters() == 1, PATIENCE_S)
    assert shell.run("deadletters", "replay", "--all", "--yes").status == 0
    until(lambda: "hsetnx" in redis.commands_of(PROCESSES), PATIENCE_S)


def _look(redis: Watched, settings: Settings) -> None:
    shell = shell_of(LOOKS, redis, settings)
    assert shell.run("doctor").status in (0, 1)
    assert shell.run("top", "--once").status == 0
    with connect(redis.url(LOOKS)) as watching:
        assert watching.xread({"interlock:events": "0"}, count=1)
        assert watching.xrevrange("interlock:events", count=1)


def _look_at_what_waits(redis: Watched, settings: Settings) -> None:
    redis.admin.hset("interlock:commands.msgs", "waits", "{}")
    redis.admin.rpush("interlock:commands", "waits")
    assert shell_of(LOOKS, redis, settings).run("top", "--once").status == 0


def _start_by_words(redis: Watched, settings: Settings) -> None:
    """The words look at the servers before they start: they do not get beyond a wrong word."""
    from workers.cli.preparing import require_servers

    require_servers(settings_of(PROCESSES, redis, settings))


FORBIDDEN = [
    (PRODUCER, "HGETALL interlock:commands.msgs"),
    (PRODUCER, "LRANGE interlock:commands 0 -1"),
    (PRODUCER, "DEL interlock:commands"),
    (PRODUCER, "EXPIRE interlock:commands.msgs 0"),
    (PRODUCER, "RPUSH interlock:replies:billing.1 x"),
    (PRODUCER, "XREAD STREAMS interlock:replies:shop.1 0"),
    (PRODUCER, "XREAD STREAMS interlock:events 0"),
    (PRODUCER, "XADD interlock:events * event {}"),
    (PRODUCER, "XADD interlock:replies:shop.1 * event {}"),
    (PRODUCER, "HSET interlock:commands.DQ.msgs x {}"),
    (PRODUCER, "PUBLISH interlock:relay x"),
    (CONSUMER, "XADD interlock:events * event {}"),
    (CONSUMER, "XADD interlock:notifications:team * event {}"),
    (CONSUMER, "DEL interlock:events"),
    (CONSUMER, "XTRIM interlock:events MAXLEN 0"),
    (CONSUMER, "XREADGROUP GROUP g c STREAMS interlock:replies:billing.1 >"),
    (CONSUMER, "HSET interlock:commands.msgs x {}"),
    (CONSUMER, "RPUSH interlock:commands x"),
    (LOOKS, "XADD interlock:events * event {}"),
    (LOOKS, "HSET interlock:commands.msgs x {}"),
    (LOOKS, "DEL interlock:events"),
    (LOOKS, "HGET other x"),
    (PROCESSES, "HSET other x y"),
    (PROCESSES, "DEL other:events"),
    (PROCESSES, "PUBLISH other x"),
    (PROCESSES, "XRANGE interlock:events - +"),
    *((user, command) for user in LINES for command in ("FLUSHALL", "KEYS *", "CONFIG GET *", "ACL LIST")),
]


@pytest.mark.parametrize(("user", "command"), FORBIDDEN)
def test_what_a_line_does_not_allow_is_refused(redis: Watched, user: str, command: str) -> None:
    with Redis.from_url(redis.url(user)) as client, pytest.raises(NoPermissionError):
        client.execute_command(*command.split(" "))


def test_each_line_begins_with_nothing() -> None:
    assert all("-@all" in words and "resetchannels" in words for words in LINES.values())
    assert not any(
        word in ("+@all", "allkeys", "allcommands", "~*", "&*") for words in LINES.values() for word in words
    )
