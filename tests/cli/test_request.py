import json
import re
from uuid import uuid4

import pytest

from tests.cli.command import Shell


def test_a_result_is_a_headline_and_what_came_of_it(shell: Shell) -> None:
    made = shell.run("request", "flow.upsert", '{"name": "etl"}')
    assert (made.status, made.err) == (0, "")
    headline, _, body = made.out.partition("\n")
    assert headline == "OK flow.upsert"
    assert json.loads(body)["flow"]["name"] == "etl"


def test_json_is_the_whole_result_on_one_line(shell: Shell) -> None:
    counted = shell.run("request", "flow_run.count", "--json")
    (line,) = counted.out.splitlines()
    result = json.loads(line)
    assert (result["status"], result["command"]["type"]) == ("OK", "flow_run.count")


def test_the_data_can_come_from_standard_input(shell: Shell) -> None:
    made = shell.run("request", "flow.upsert", "-", "--json", given='{"name": "from a pipe"}')
    assert json.loads(made.out)["flow"]["name"] == "from a pipe"


def test_an_error_is_told_with_its_reason_and_ends_with_1(shell: Shell) -> None:
    ident = str(uuid4())
    data = json.dumps({"flow_run_id": ident, "state": {"type": "RUNNING"}})
    refused = shell.run("request", "flow_run.set_state", data)
    assert refused.status == 1
    assert refused.out == f"ERROR flow_run.set_state  not_found: there is no flow run {ident}\n"


def test_an_abort_ends_with_1_and_a_reject_with_0(shell: Shell) -> None:
    made = shell.run("request", "flow_run.create", '{"flow_name": "etl"}', "--json")
    run = json.loads(made.out)["flow_run"]["id"]

    def propose(kind: str) -> tuple[int, str]:
        data = json.dumps({"flow_run_id": run, "state": {"type": kind}})
        ended = shell.run("request", "flow_run.set_state", data)
        return ended.status, ended.out.split()[0]

    assert propose("CANCELLED") == (0, "ACCEPT")
    assert propose("CRASHED") == (1, "ABORT")
    assert propose("RUNNING") == (0, "REJECT")


@pytest.mark.parametrize(
    ("kind", "data", "says"),
    [
        ("flow_rn.create", "{}", "did you mean 'flow_run.create'?"),
        ("flow_run.create", '{"flow_name": "etl", "nam": 1}', "data.nam: Extra inputs are not permitted"),
        ("flow_run.create", "{", "not JSON"),
        ("flow_run.create", "[]", "should be a JSON object"),
        ("batch", '{"commands": []}', "interlock send --wait"),
    ],
)
def test_what_cannot_be_right_is_not_even_sent(shell: Shell, kind: str, data: str, says: str) -> None:
    refused = shell.run("request", kind, data)
    assert refused.status == 2
    assert says in refused.err
    assert refused.out == ""


def test_no_answer_in_time_says_where_to_look(idle: Shell) -> None:
    silent = idle.run("request", "flow_run.count", "--timeout", "0.2")
    assert silent.status == 1
    assert "interlock doctor" in silent.err
    assert "Traceback" not in silent.err


def test_a_terminal_shows_colours(shell: Shell) -> None:
    with shell.at_a_terminal("request", "flow.upsert", '{"name": "etl"}') as terminal:
        assert terminal.end() == 0
    assert re.match("\x1b\\[32mOK\x1b\\[0m flow.upsert", terminal.seen)
