"""Section 2: the attributes of an envelope, and what becomes of them."""

import json
import time
from uuid import uuid4

import pytest

from tests.contract.wire import Wire, error_of, message, moment

TRACE = {
    "correlationid": "order-4711",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "vendor=1",
}


def test_a_result_is_a_cloud_event_from_interlock(wire: Wire) -> None:
    sent = wire.envelope("flow.upsert", {"name": f"f-{uuid4()}"})
    wire.send(sent)
    result = wire.answer(sent)
    assert result["specversion"] == "1.0"
    assert result["source"] == "interlock"
    assert result["type"] == "flow.upsert.result"
    assert result["datacontenttype"] == "application/json"
    assert result["causationid"] == sent["id"]
    assert result["subject"] == result["data"]["flow"]["id"]
    assert result["id"] != sent["id"]
    assert result["time"].endswith("Z")
    assert result["data"]["command"] == {"id": sent["id"], "type": "flow.upsert"}
    assert result["data"]["status"] == "OK"
    assert result["data"]["replayed"] is False
    assert result["data"]["error"] is None


def test_correlation_and_trace_are_carried_to_the_result_and_to_every_event(wire: Wire) -> None:
    result = wire.ask("flow_run.create", {"flow_name": "f", "state": {"type": "PENDING"}}, **TRACE)
    assert {name: result[name] for name in TRACE} == TRACE
    events = wire.events(2, cause=result["causationid"])
    assert [event["type"] for event in events] == ["flow_run.created", "flow_run.state_changed"]
    for event in events:
        assert {name: event[name] for name in TRACE} == TRACE


def test_what_a_command_does_not_carry_its_result_does_not_either(wire: Wire) -> None:
    assert TRACE.keys().isdisjoint(wire.ask("flow_run.create", {"flow_name": "f"}))


def test_run_events_carry_the_run_as_key_and_its_version_as_number(wire: Wire) -> None:
    run = wire.new_run()
    wire.set_state(run, "PENDING")
    wire.data("flow_run.set_labels", {"flow_run_id": run, "labels": {"a": 1}})
    wire.set_state(run, "RUNNING")
    events = wire.events(4, subject=run)
    assert [event["partitionkey"] for event in events] == 4 * [run]
    assert [event["sequence"] for event in events] == ["1", "2", "3", "4"]
    assert {event["source"] for event in events} == {"interlock"}
    assert {event["specversion"] for event in events} == {"1.0"}


def test_unknown_attributes_are_ignored(wire: Wire) -> None:
    result = wire.ask("flow.upsert", {"name": "f"}, ourattribute={"any": ["thing"]}, dataschema="urn:x")
    assert result["data"]["status"] == "OK"


def test_time_and_content_type_may_be_given_or_left_out(wire: Wire) -> None:
    given = wire.data("flow.upsert", {"name": "f"}, time=moment(), datacontenttype="application/json")
    assert given["status"] == "OK"
    refused = wire.data("flow.upsert", {"name": "f"}, datacontenttype="text/xml")
    assert error_of(refused)["code"] == "invalid_message"
    refused = wire.data("flow.upsert", {"name": "f"}, time="yesterday")
    assert [error["loc"] for error in error_of(refused)["errors"]] == [["time"]]


@pytest.mark.parametrize("source", ["billing", "team-7/billing:eu.west_1", "a" * 100])
def test_a_source_is_a_name(wire: Wire, source: str) -> None:
    assert wire.data("flow.upsert", {"name": "f"}, source=source)["status"] == "OK"


@pytest.mark.parametrize("source", ["", "a b", "a" * 101, "ü", 7])
def test_anything_else_is_no_source_and_its_sender_is_told(wire: Wire, source: object) -> None:
    error = error_of(wire.data("flow.upsert", {"name": "f"}, source=source))
    assert error["code"] == "invalid_message"
    assert error["errors"][0]["loc"] == ["source"]


@pytest.mark.parametrize(
    ("attributes", "loc"),
    [
        ({"specversion": "0.3"}, ["specversion"]),
        ({"id": "not-a-uuid"}, ["id"]),
        ({"expirytime": "soon"}, ["expirytime"]),
        ({"data": [1, 2]}, ["data"]),
        ({"partitionkey": "k", "sequence": "01"}, ["sequence"]),
        ({"partitionkey": "k", "sequence": 1}, ["sequence"]),
        ({"partitionkey": "k"}, []),
        ({"sequence": "1"}, []),
    ],
)
def test_a_wrong_attribute_is_told_by_its_name(
    wire: Wire, attributes: dict[str, object], loc: list[str]
) -> None:
    error = error_of(wire.data("flow.upsert", **{"data": {"name": "f"}, **attributes}))
    assert error["code"] == "invalid_message"
    assert {"loc", "msg", "type"} == set(error["errors"][0])
    assert error["errors"][0]["loc"] == loc


def test_without_replyto_no_result_is_published_but_it_can_be_read(wire: Wire) -> None:
    silent = wire.envelope("flow.upsert", {"name": f"f-{uuid4()}"}, replyto=None)
    wire.send(silent)
    give_up_at = time.monotonic() + 10
    while not (read := wire.data("command.read", {"id": silent["id"]}))["found"]:
        assert time.monotonic() < give_up_at
    assert read["result"]["command"] == {"id": silent["id"], "type": "flow.upsert"}
    assert read["result"]["status"] == "OK"
    assert all(reply["causationid"] != silent["id"] for reply in wire.replies())


def test_each_reply_goes_to_the_name_that_its_command_gives(wire: Wire) -> None:
    other = f"other-{uuid4().hex}"
    sent = wire.envelope("flow.upsert", {"name": "f"}, replyto=other)
    replyto_other = Wire(wire.redis, wire.namespace, other)
    replyto_other.send(sent)
    replyto_other.answer(sent)
    assert [reply["causationid"] for reply in replyto_other.replies()] == [sent["id"]]
    assert wire.replies() == []


def test_a_message_that_cannot_be_read_stops_nobody_else(wire: Wire) -> None:
    for body in (
        "no json",
        "{}",
        "[]",
        '{"args": []}',
        '{"args": [1]}',
        '"text"',
        "\x00\x01",
        "{" * 5000,
        "",
    ):
        wire.put("commands", body)
        wire.put("queries", body)
    assert wire.data("flow.upsert", {"name": "f"})["status"] == "OK"
    assert wire.data("flow.read", {"name": "f"})["found"] is True


def test_a_delayed_message_is_looked_at_when_its_eta_has_come(wire: Wire) -> None:
    """dramatiq's delay: the message waits on `QUEUE.DQ`, its eta in milliseconds among its options."""
    begun = time.time()
    sent = [wire.envelope("flow.upsert", {"name": "f"}) for _ in range(2)]
    for queue, each in zip(("commands.DQ", "commands"), sent, strict=True):
        wire.put(queue, message(queue, each, eta=int((begun + 0.6) * 1000)))
    now = wire.envelope("flow.upsert", {"name": "f"})
    wire.send(now)
    wire.answer(now)
    assert time.time() < begun + 0.6
    for each in sent:
        assert wire.answer(each)["data"]["status"] == "OK"
        assert time.time() >= begun + 0.6
    assert time.time() < begun + 3


def test_options_of_dramatiq_that_concern_workers_change_nothing(wire: Wire) -> None:
    sent = wire.envelope("flow.upsert", {"name": "f"})
    options = {"max_retries": 0, "pipe_target": {"a": 1}, "on_retry_exhausted": "x", "time_limit": 1}
    wire.put("commands", message("commands", sent, **options))
    assert wire.answer(sent)["data"]["status"] == "OK"


def test_the_name_of_the_actor_does_not_matter_the_type_does(wire: Wire) -> None:
    sent = wire.envelope("flow.upsert", {"name": "f"})
    body = json.loads(message("commands", sent))
    wire.put("commands", json.dumps({**body, "actor_name": "something.else"}))
    assert wire.answer(sent)["data"]["command"]["type"] == "flow.upsert"
