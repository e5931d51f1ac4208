import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from tests.cli.command import Shell
from workers.settings import Settings


def lines(*envelopes: Any) -> str:
    return "".join(json.dumps(envelope) + "\n" for envelope in envelopes)


def upsert(name: str, **attributes: Any) -> dict[str, Any]:
    return {"type": "flow.upsert", "data": {"name": name}, **attributes}


def queued(settings: Settings, queue: str = "commands") -> list[dict[str, Any]]:
    key = f"{settings.namespace}:{queue}"
    with Redis.from_url(settings.redis_url) as redis:
        return [json.loads(redis.hget(f"{key}.msgs", ident) or b"") for ident in redis.lrange(key, 0, -1)]


def test_each_line_is_put_on_its_queue_in_order(idle: Shell, settings: Settings, tmp_path: Path) -> None:
    query = {"type": "flow_run.count", "replyto": "me"}
    (tmp_path / "some.jsonl").write_text(lines(upsert("a"), query) + "\n" + lines(upsert("b")))
    sent = idle.run("send", "some.jsonl")
    assert (sent.status, sent.err) == (0, "sent 3 envelopes\n")
    assert [message["args"][0]["data"]["name"] for message in queued(settings)] == ["a", "b"]
    assert [message["actor_name"] for message in queued(settings, "queries")] == ["flow_run.count"]


def test_what_a_line_leaves_out_is_filled_in_and_the_rest_stays(idle: Shell, settings: Settings) -> None:
    ident = str(uuid4())
    whole = upsert("b", id=ident, source="billing", time="2026-11-23T12:00:00Z", correlationid="c")
    assert idle.run("send", "--source", "me", given=lines(upsert("a"), whole)).status == 0
    first, second = (message["args"][0] for message in queued(settings))
    assert (first["specversion"], first["source"]) == ("1.0", "me")
    assert {"id", "time"} < set(first)
    assert second == {"specversion": "1.0", **whole}


def test_one_wrong_line_keeps_all_from_being_sent(idle: Shell, settings: Settings) -> None:
    wrong = [
        upsert("a"),
        upsert("b", source="not a source"),
        {"type": "flow.upser", "data": {}},
        {"type": "flow.upsert", "data": {"nam": "c"}},
        [],
        {"type": "batch", "data": {"commands": [upsert("d")]}},
    ]
    refused = idle.run("send", given=lines(*wrong) + "nonsense\n")
    assert refused.status == 2
    assert queued(settings) == []
    assert "nothing was sent: 6 of 7 envelopes" in refused.err
    for told in (
        "line 2: source: ",
        "line 3: there is no type 'flow.upser'; did you mean 'flow.upsert'?",
        "line 4: data.name: Field required",
        "line 4: data.nam: Extra inputs are not permitted",
        "line 5: should be a JSON object",
        "line 6: data.commands.0: specversion: Field required",
        "line 7: not JSON",
    ):
        assert told in refused.err


def test_only_the_first_faults_of_many_are_listed(idle: Shell) -> None:
    refused = idle.run("send", given="nonsense\n" * 1_000)
    assert "1000 of 1,000 envelopes" in refused.err
    assert len(refused.err.splitlines()) < 30


def test_a_signed_line_is_sent_as_it_is(idle: Shell, settings: Settings) -> None:
    signed = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "s",
        **upsert("a"),
        "signature": "v1:k:AAAA",
    }
    assert idle.run("send", given=lines(signed)).status == 0
    assert queued(settings)[0]["args"] == [signed]


def test_results_are_printed_with_the_lines_that_they_answer(shell: Shell) -> None:
    missing = {
        "type": "flow_run.set_state",
        "data": {"flow_run_id": str(uuid4()), "state": {"type": "RUNNING"}},
    }
    answered = shell.run("send", "--wait", given="\n" + lines(upsert("a"), missing))
    assert answered.status == 1
    first, second = sorted(answered.out.splitlines())
    assert first == "2: OK flow.upsert"
    assert second.startswith("3: ERROR flow_run.set_state  not_found: ")
    assert "2 envelopes answered: 1 ERROR, 1 OK" in answered.err


def test_results_as_json_are_one_on_a_line(shell: Shell) -> None:
    answered = shell.run("send", "-", "--wait", "--json", given=lines(*(upsert(f"f{n}") for n in range(50))))
    assert answered.status == 0
    results = [json.loads(line) for line in answered.out.splitlines()]
    assert {result["flow"]["name"] for result in results} == {f"f{n}" for n in range(50)}


@pytest.mark.parametrize(
    ("envelope", "says"),
    [
        (upsert("a", replyto="elsewhere"), "has a replyto"),
        (upsert("a", id=str(uuid4()), source="s", specversion="1.0", signature="v1:k:A"), "is signed"),
        (
            {
                "type": "batch",
                "data": {"commands": [upsert("d", specversion="1.0", source="s", id=str(uuid4()))]},
            },
            "a batch has no answer of its own",
        ),
    ],
)
def test_what_could_not_be_answered_here_is_refused_with_wait(idle: Shell, envelope: Any, says: str) -> None:
    refused = idle.run("send", "--wait", given=lines(envelope))
    assert refused.status == 2
    assert f"line 1: {says}" in refused.err


def test_results_that_do_not_come_are_named(idle: Shell) -> None:
    silent = idle.run("send", "--wait", "--timeout", "0.3", given=lines(upsert("a"), upsert("b")))
    assert silent.status == 1
    assert "2 envelopes without one (line 1, 2)" in silent.err
    assert "interlock doctor" in silent.err


def test_a_file_that_is_not_there_is_wrong_usage(idle: Shell) -> None:
    refused = idle.run("send", "nowhere.jsonl")
    assert (refused.status, refused.err) == (
        2,
        "interlock: nowhere.jsonl cannot be read: No such file or directory\n",
    )


def test_a_reader_that_has_seen_enough_is_no_failure(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "many.jsonl").write_text(lines(*(upsert(f"f{n}") for n in range(2_000))))
    seen = shell.pipe("interlock send many.jsonl --wait | head -n 1")
    assert (seen.status, len(seen.out.splitlines())) == (0, 1)
    assert "Traceback" not in seen.err
    assert "Exception" not in seen.err


def test_a_bar_shows_on_the_terminal_how_far_it_has_come(idle: Shell, tmp_path: Path) -> None:
    (tmp_path / "many.jsonl").write_text(lines(*(upsert(f"f{n}") for n in range(3_000))))
    with idle.at_a_terminal("send", "many.jsonl") as terminal:
        assert terminal.end() == 0
    assert "/3000" in terminal.seen
    assert "sent 3,000 envelopes" in terminal.seen


def test_ctrl_c_while_waiting_is_quiet(idle: Shell, settings: Settings) -> None:
    with idle.at_a_terminal("send", "--wait") as terminal:
        terminal.until("Ctrl-D ends them")
        terminal.type(lines(upsert("a")) + "\x04")
        while not queued(settings):
            assert terminal.process.poll() is None, terminal.seen
        assert terminal.ctrl_c() == 130
    assert "Traceback" not in terminal.seen
