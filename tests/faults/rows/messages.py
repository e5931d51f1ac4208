"""Messages that nobody should send, and more of them than anybody would."""

import json
import random
import time
from typing import Any
from uuid import uuid4

from tests.crashes.processes import until
from tests.crashes.producer import dramatiq_message, envelope
from tests.faults.row import Row, round_robin
from tests.faults.stage import NAMESPACE, Plan, Stage

GIVEN_UP_WITHIN_S = 120.0
QUEUE = f"{NAMESPACE}:commands"
_ENDLESS = """
CREATE OR REPLACE FUNCTION never_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.labels->>'poison' = 'endless' THEN PERFORM pg_sleep(3600); END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER never_ends BEFORE UPDATE ON flow_run FOR EACH ROW EXECUTE FUNCTION never_ends();
"""
# Redis takes no string of more than 512 MiB.
_HUGE = {"100 MiB": 100 * 2**20, "500 MiB": 500 * 2**20}
_DEEP = "[" * 10_000 + "]" * 10_000


def other_contents(stage: Stage, number: int) -> None:
    """Copies of commands that were answered, with something else in them: everybody is told, nothing changes."""
    for _ in range(number):
        candidates = [each for ident, each in stage.traffic.sent.items() if stage.witness.has(ident)]
        victim = stage.author.random.choice(candidates[-200:])
        with stage.fault("same id, other payload"):
            stage.altered.add(victim["id"])
            stage.send_as_it_is({**victim, "data": {**victim["data"], "altered": True}})


def repeats(stage: Stage, number: int) -> None:
    """Each command up to five times: at once, later, after the run has gone on."""
    for _ in range(number):
        candidates = [each for ident, each in stage.traffic.sent.items() if stage.witness.has(ident)]
        victims = stage.author.random.sample(candidates, min(20, len(candidates)))
        with stage.fault("20 old commands again"):
            for copies in range(1, 6):
                stage.send_as_it_is(*victims[: 20 // copies])


def permutations(stage: Stage, number: int) -> None:
    """A hundred commands of ten runs, in any order at all."""
    for _ in range(number):
        with stage.fault("100 commands of 10 runs shuffled"):
            commands = [command for _ in range(10) for command in _ten_of_a_run(stage)]
            stage.author.random.shuffle(commands)
            stage.traffic.send(commands)


def _ten_of_a_run(stage: Stage) -> list[dict[str, Any]]:
    run = stage.author.id()
    data: list[tuple[str, dict[str, Any]]] = [("flow_run.create", {"id": run, "flow_name": "load"})]
    for state in (
        "PENDING",
        "RUNNING",
        "PAUSED",
        "SCHEDULED",
        "PENDING",
        "RUNNING",
        "FAILED",
        "RUNNING",
        "COMPLETED",
    ):
        data.append(("flow_run.set_state", {"flow_run_id": run, "state": {"type": state}}))
    return [
        stage.author.command(kind, each, partitionkey=run, sequence=str(number))
        for number, (kind, each) in enumerate(data, 1)
    ]


def malformed_bodies(mark: str) -> dict[str, bytes]:
    """What is no message at all, or no message of ours; each with a mark by which it can be found again."""
    inner = envelope("flow_run.set_state", {"mark": mark})

    def wrapped(argument: str) -> bytes:
        return (
            b'{"queue_name":"commands","args":['
            + argument.encode(errors="surrogatepass")
            + b'],"m":"'
            + mark.encode()
            + b'"}'
        )

    text = json.dumps(inner)
    return {
        "no JSON": f"{{not json {mark}".encode(),
        "truncated": dramatiq_message("commands", inner, "flow_run.set_state")[1].encode()[:-9],
        "bad UTF-8": b'{"args":["\xff\xfe ' + mark.encode() + b'"]}',
        "nested 10,000 deep": wrapped(_DEEP),
        "NaN": wrapped('{"data":NaN}'),
        "1e400": wrapped('{"data":1e400}'),
        "a lone surrogate": wrapped('{"id":"\\ud800"}'),
        "an integer of 5,000 digits": wrapped('{"id":' + "9" * 5_000 + "}"),
        "the same key twice": wrapped(text[:-1] + ',"id":7,"id":8}'),
        "no arguments": json.dumps({"args": [], "m": mark}).encode(),
        "not an object": json.dumps([mark]).encode(),
        "two arguments": json.dumps({"args": [inner, inner]}).encode(),
    }


def malformed(stage: Stage, number: int) -> None:
    kinds = tuple(malformed_bodies(""))
    for kind in round_robin(kinds, number):
        mark = f"mark-{uuid4().hex}"
        with stage.fault(kind):
            stage.doomed.add(mark)
            stage.put(malformed_bodies(mark)[kind])


def bad_fields(stage: Stage, number: int) -> None:
    """Envelopes that can be read, with data that cannot be taken: each is answered with an ERROR."""
    run = stage.author.id()
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "NUL in a text": ("flow_run.create", {"flow_name": "a\x00b"}),
        "an unknown member": ("flow_run.create", {"flow_name": "f", "nmae": "x"}),
        "an unknown type": ("flow_run.explode", {"flow_run_id": run}),
        "SQL in a name": ("flow_run.update", {"flow_run_id": "'; DROP TABLE flow_run; --"}),
        "format strings": ("flow_run.set_state", {"flow_run_id": "%s{}{0}%n"}),
        "an integer of 400 digits": ("task_run.create", {"task_key": 10**400}),
        "a wrong type": ("flow_run.set_state", {"flow_run_id": run, "state": "RUNNING"}),
        "a number out of range": ("concurrency_limit.upsert", {"name": "x", "limit": 10**30}),
    }
    for kind in round_robin(tuple(kinds), number):
        with stage.fault(kind):
            command = stage.author.command(*kinds[kind])
            stage.traffic.send([command])
        error = stage.result_of(command["id"])["data"]["error"]
        if not error or error["code"] not in ("invalid_message", "unknown_type"):
            stage.violations.append(f"{kind} ended as {error}")


def oversize(stage: Stage, number: int) -> None:
    """300 KiB are taken; 2 and 10 MiB are refused with an answer; what is larger ends in the dead letters. The largest
    come late: the short run does without them."""
    sizes = {"300 KiB": 300 * 2**10, "2 MiB": 2 * 2**20, "10 MiB": 10 * 2**20, **_HUGE}
    for turn, usual in enumerate(round_robin(("300 KiB", "2 MiB", "10 MiB"), number)):
        kind = {9: "100 MiB", 19: "500 MiB", 29: "500 MiB"}.get(turn, usual)
        mark = f"mark-{uuid4().hex}"
        data = {"flow_name": mark, "parameters": {"p": "x" * sizes[kind]}}
        command = stage.author.command("flow_run.create", {**data, "id": stage.author.id()})
        with stage.fault(kind):
            if kind in _HUGE:
                stage.doomed.add(mark)
                stage.send_as_it_is(command)
            else:
                stage.traffic.send([command])
        if kind in _HUGE:
            until(lambda mark=mark: stage.is_buried(mark), 60, every_s=0.1, what="a dead letter")
            continue
        error = (stage.result_of(command["id"])["data"]["error"] or {}).get("code")
        if error != (None if kind == "300 KiB" else "too_large"):
            stage.violations.append(f"{kind} ended as {error}")


def forged(stage: Stage, number: int) -> None:
    """Options that make stock dramatiq do something are ignored; foreign reply addresses are refused."""
    options = {
        "eta": 10**18, "max_retries": 99, "pipe_target": {"queue_name": "commands", "actor_name": "x"},
        "on_retry_exhausted": "x", "time_limit": 1, "max_age": 1, "pipe_ignore": True,
    }  # fmt: skip
    names = ("replies:../x", "actor:commands/interlock.commands\x00", "a b", "actor:" + "x" * 500)
    for kind in round_robin(("options", "actor", "replyto"), number):
        with stage.fault(f"forged {kind}"):
            command = stage.author.command("flow_run.create", {"flow_name": "load", "id": stage.author.id()})
            if kind == "replyto":
                mark = f"mark-{uuid4().hex}"
                forged_one = {**command, "id": mark, "replyto": stage.author.random.choice(names)}
                stage.doomed.add(mark)
                stage.send_as_it_is(forged_one)
                continue
            stage.traffic.note(command)
            given = (
                {name: value for name, value in options.items() if name != "eta"} if kind == "options" else {}
            )
            ident, text = dramatiq_message(
                "commands", command, "os.system" if kind == "actor" else "x", **given
            )
            stage.redis.hset(f"{QUEUE}.msgs", ident, text)
            stage.redis.rpush(QUEUE, ident)


def poison(stage: Stage, number: int) -> None:
    """Commands that always raise, and one whose statement never ends: given up after three attempts, told as such."""
    with stage.servers.postgres.session() as connection:
        connection.execute(_ENDLESS)
    for kind in round_robin(("raise", "endless"), number):
        with stage.fault(f"poison: {kind}", wait=False):
            stage.poison(kind)
        time.sleep(0.3)
    with stage.fault("poison: raise"):
        stage.poison("raise")
    # One after the other, each as long as a statement may take, and as often as it is tried.
    longest_s = stage.settings.statement_timeout.total_seconds() * stage.settings.max_attempts * number
    until(
        lambda: all(stage.witness.has(ident) for ident in stage.poisoned),
        GIVEN_UP_WITHIN_S + longest_s,
        every_s=0.1,
        what="the end of what is given up",
    )


def crashing(stage: Stage, number: int) -> None:
    """Commands that end every worker that carries them out, two at a time: given up, and nobody else with them."""
    while stage.supervisor.deaths < number:
        deaths = stage.supervisor.deaths
        for _ in range(2):
            stage.poison("crash")
        until(
            lambda: all(stage.witness.has(ident) for ident in stage.poisoned),
            GIVEN_UP_WITHIN_S,
            every_s=0.1,
            what="the end of a command that kills",
        )
        for _ in range(stage.supervisor.deaths - deaths - 1):
            with stage.fault("a worker dies of a command", wait=False):
                pass
        with stage.fault("a worker dies of a command"):
            pass


def hot_run(stage: Stage, number: int) -> None:
    """64 commands at once on one run."""
    run = stage.author.id()
    stage.traffic.send([stage.author.command("flow_run.create", {"id": run, "flow_name": "load"})])
    for _ in range(number):
        with stage.fault("64 commands on one run"):
            for _ in range(64):
                state = {
                    "type": random.Random(time.time_ns()).choice(
                        ("PENDING", "RUNNING", "PAUSED", "SCHEDULED")
                    )
                }
                stage.traffic.send(
                    [stage.author.command("flow_run.set_state", {"flow_run_id": run, "state": state})]
                )


def hot_limit(stage: Stage, number: int) -> None:
    """So many runs at once want the only slot of a deployment."""
    deployment = stage.author.id()
    data = {"id": deployment, "name": "hot", "flow_name": "load", "concurrency_limit": 1}
    stage.traffic.send([stage.author.command("deployment.upsert", data)])
    stage.recovered(time.monotonic())
    for _ in range(number):
        runs = [stage.author.id() for _ in range(34)]
        with stage.fault("34 runs, one slot"):
            stage.traffic.send(
                [
                    stage.author.command(
                        "flow_run.create", {"id": run, "flow_name": "load", "deployment_id": deployment}
                    )
                    for run in runs
                ]
            )
            stage.recovered(time.monotonic())
            for state in ("PENDING", "COMPLETED"):
                for run in runs:
                    stage.traffic.send(
                        [
                            stage.author.command(
                                "flow_run.set_state", {"flow_run_id": run, "state": {"type": state}}
                            )
                        ]
                    )


ROWS = (
    Row("16 run", "64 commands at once on one run", hot_run, "messages", few=1),
    Row("16 limit", "a limit of 1, wanted by 34 runs at once (1,020 in all)", hot_limit, "messages", few=1),
    Row("17", "up to five copies of old commands", repeats, "messages", few=1),
    Row("17 altered", "the same id with another payload", other_contents, "messages", many=60, few=3),
    Row("18", "100 ordered commands of 10 runs in any order", permutations, "messages", few=1),
    Row("19", "what cannot be read: no JSON, bad UTF-8, nesting, NaN, numbers, surrogates", malformed, "messages",
        many=60, few=12),
    Row("19 fields", "what can be read and not be taken: NUL, unknown members and types, SQL, numbers", bad_fields,
        "messages", many=40, few=8),
    Row("20", "messages of 300 KiB, 2, 10, 100 and 500 MiB", oversize, "messages", few=3),
    Row("21", "forged actors, options and reply addresses", forged, "messages", many=60, few=3),
    Row("22 crash", "commands that end every worker that carries them out", crashing, "crashing",
        Plan(recovers_within_s=90), few=0),
    Row("22", "poison: always raises; a statement that never ends", poison, "messages", many=32, few=2),
)  # fmt: skip
