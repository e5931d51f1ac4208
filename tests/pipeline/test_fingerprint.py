"""What tells two commands of one id apart."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.messages.examples import envelope
from tests.messages.test_canonical import shuffled
from workers.pipeline.fingerprint import fingerprint


def test_a_fingerprint_does_not_depend_on_the_order_of_keys_nor_on_the_process() -> None:
    command = envelope("flow_run.create")
    program = (
        "import json, sys; from workers.pipeline.fingerprint import fingerprint;"
        "print(fingerprint(json.load(sys.stdin)).hex())"
    )
    other = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(shuffled(command)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == fingerprint(command).hex()
    assert len(fingerprint(command)) == 16


@pytest.mark.parametrize(
    ("name", "value"),
    [("type", "x"), ("source", "x"), ("data", {}), ("partitionkey", "x"), ("sequence", "9")],
)
def test_a_fingerprint_tells_contents_apart(name: str, value: Any) -> None:
    command = envelope("flow_run.create")
    assert fingerprint({**command, name: value}) != fingerprint(command)


@pytest.mark.parametrize("name", ["time", "replyto", "correlationid", "traceparent", "signature", "unknown"])
def test_a_fingerprint_leaves_out_what_a_sender_may_change_when_it_sends_again(name: str) -> None:
    command = envelope("flow_run.create")
    assert fingerprint({**command, name: "x"}) == fingerprint(command)
