import json
from typing import Any

import pytest
from redis import Redis

from tests.cli.command import Shell
from tests.client.stand_in import event_of, result_of
from workers.cli.telling import told
from workers.settings import Settings


def publish(settings: Settings, stream: str, *envelopes: dict[str, Any]) -> None:
    with Redis.from_url(settings.redis_url) as redis:
        for envelope in envelopes:
            redis.xadd(f"{settings.namespace}:{stream}", {"event": json.dumps(envelope)})


def changed(name: str, **run: Any) -> dict[str, Any]:
    data = {
        "run": {"name": name, "flow_name": "etl", **run},
        "initial_state": {"type": "PENDING", "name": "Pending"},
        "validated_state": {"type": "RUNNING", "name": "Running", "message": None},
        "intended": {"from": "PENDING", "to": "RUNNING"},
        "status": "ACCEPT",
    }
    return event_of("flow_run.state_changed", time="2026-11-23T12:00:01.234567Z", data=data)


def test_events_are_shown_as_they_come_until_ctrl_c(idle: Shell, settings: Settings) -> None:
    publish(settings, "events", changed("before"))
    with idle.at_a_terminal("watch") as terminal:
        while "first" not in terminal.seen:
            # It does not say when it has begun to look.
            publish(settings, "events", changed("first"))
            terminal.look()
        publish(settings, "events", changed("second"))
        terminal.until("second")
        assert terminal.ctrl_c() == 0
    assert "before" not in terminal.seen
    assert "12:00:01.234" in terminal.seen
    assert "Traceback" not in terminal.seen


def test_what_the_stream_still_holds_can_be_shown_first(idle: Shell, settings: Settings) -> None:
    publish(settings, "events", changed("before"))
    with idle.at_a_terminal("watch", "--from-start") as terminal:
        terminal.until("before")


def test_json_lines_are_the_envelopes_for_another_program(idle: Shell, settings: Settings) -> None:
    envelopes = [changed(str(number)) for number in range(3)]
    publish(settings, "notifications:ops", *envelopes)
    seen = idle.pipe("interlock watch notifications ops --from-start --json | head -n 2")
    assert [json.loads(line) for line in seen.out.splitlines()] == envelopes[:2]
    assert (seen.status, seen.err) == (0, "")


@pytest.mark.parametrize("words", [("events", "NAME"), ("replies",), ("notifications",), ("nothing",)])
def test_a_stream_has_a_name_where_there_are_many_of_its_kind(idle: Shell, words: tuple[str, ...]) -> None:
    assert idle.run("watch", *words).status == 2


@pytest.mark.parametrize(
    ("envelope", "line"),
    [
        (
            changed("brave-otter"),
            "12:00:01.234  flow_run.state_changed    Pending → Running  etl/brave-otter  ",
        ),
        (event_of("flow_run.deleted", subject="x"), "              flow_run.deleted          x"),
        (result_of({"id": "7", "type": "flow.upsert"}), "              OK flow.upsert.result  7"),
        (
            event_of("notification", data={"message": "etl\x1b[2J is late"}),
            "              notification              etl�[2J is late",
        ),
        (event_of("flow_run.state_changed", subject="of another version"), None),
    ],
)
def test_an_envelope_in_one_line(envelope: dict[str, Any], line: str | None) -> None:
    shown = told(json.dumps(envelope).encode()).plain
    assert shown == line if line is not None else "of another version" in shown


def test_what_cannot_be_read_is_shown_all_the_same() -> None:
    assert told(b"\xff nonsense").plain == "� nonsense"
