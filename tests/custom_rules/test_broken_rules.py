"""A rule that breaks is the failure of one command, and of nobody else's."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from messages.states import State, StateDetails, StateType
from store.transaction import Engine
from tests.custom_rules.conftest import Desk, moving
from workers.logs import TextLines
from workers.orchestration.policies import CORE_FLOW
from workers.orchestration.policy import EVERY_TYPE, Policy, Rule, Transform, rule
from workers.orchestration.transition import FlowTransition
from workers.orchestration.verdicts import Abort, Amend, Reject, SetParameter, Wait
from workers.policies.api import with_rules
from workers.policies.checked import checked
from workers.policies.known import RunPolicies

Answer = Callable[[FlowTransition, State], Any]
SECRET = "the parameters of somebody"
NUMBER: Any = 7
TEXT: Any = "CANCELLED"
HALF: Any = 1.5
EMPTY: Any = {}


def raising(_t: object, *_state: object) -> None:
    raise ValueError(SECRET)


def desk_with(engine: Engine, *rules: Rule[FlowTransition] | Transform[FlowTransition]) -> Desk:
    policy = checked(Policy("mine", (*CORE_FLOW.entries, *rules)), frozenset())
    return Desk(engine, RunPolicies({"core": CORE_FLOW, "mine": policy}, {}))


def answering(answer: Any) -> Rule[FlowTransition]:
    def mine(t: FlowTransition, proposed: State) -> Any:
        return answer(t, proposed) if callable(answer) else answer

    return rule(EVERY_TYPE, EVERY_TYPE)(mine)


def in_one_hook(hook: str) -> Rule[FlowTransition] | Transform[FlowTransition]:
    if hook == "transform":
        return Transform(raising)
    if hook == "before":
        return replace(answering(raising), name="raising")
    return replace(answering(None), name="raising", after=raising)


@pytest.mark.parametrize("hook", ["before", "after", "transform"])
def test_a_rule_that_raises_aborts_its_command_and_leaves_the_batch_unharmed(
    engine: Engine, hook: str
) -> None:
    desk = desk_with(engine, in_one_hook(hook))
    first, second, third = (desk.a_flow_run() for _ in range(3))
    answers = desk.send(
        moving(first, "PENDING", "core"), moving(second, "PENDING", "mine"), moving(third, "PENDING", "core")
    )
    assert [answer["status"] for answer in answers] == ["ACCEPT", "ABORT", "ACCEPT"]
    assert "raising" in answers[1]["details"]["reason"]
    assert (answers[1]["run"]["state_type"], answers[1]["run"]["version"]) == ("SCHEDULED", 2)


def test_the_traceback_is_logged_once_without_what_the_exception_says(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    desk = desk_with(engine, in_one_hook("before"))
    run = desk.a_flow_run()
    with caplog.at_level(logging.ERROR):
        desk.move(run, "PENDING", "mine")
    (record,) = caplog.records
    line = TextLines().format(record)
    assert "a rule broke" in line
    assert "rule=raising" in line
    assert "in raising" in line
    assert "ValueError" in line
    assert SECRET not in line


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (True, "bool is no verdict"),
        (lambda t, _: Wait("later", HALF), "whole number of seconds"),
        (lambda t, _: Wait("later", -1), "whole number of seconds"),
        (lambda t, _: Abort(NUMBER), "a reason is a text"),
        (lambda t, _: Abort("\x00"), "a reason is a text"),
        (lambda t, _: Reject("no", TEXT), "is a State"),
        (lambda t, _: Reject("no", t.initial), "has this state already"),
        (lambda t, s: Reject("no", replace(s, timestamp=t.now.replace(tzinfo=None))), "time zone"),
        (lambda t, _: Reject("no", t.new_state(StateType.FAILED, data=object())), "object"),
        (lambda t, _: Reject("no", t.new_state(StateType.FAILED, data="\x00")), "U+0000"),
        (lambda t, _: Reject("no", t.new_state(StateType.FAILED, name=NUMBER)), "a name is a text"),
        (lambda t, s: Reject("no", replace(s, state_details=EMPTY)), "are StateDetails"),
        (lambda t, _: Amend(name=NUMBER), "a name is a text"),
        (lambda t, _: Amend(details=EMPTY), "are StateDetails"),
    ],
)
def test_an_answer_that_cannot_be_carried_out_aborts(engine: Engine, answer: Any, said: str) -> None:
    desk = desk_with(engine, answering(answer))
    reply = desk.move(desk.a_flow_run(), "PENDING", "mine")
    assert reply["status"] == "ABORT"
    assert said in reply["details"]["reason"]


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (None, "ACCEPT Pending"),
        (SetParameter("colour", "red"), "ACCEPT Pending"),
        (Amend(name="Mine", details=StateDetails(pause_key="k")), "ACCEPT Mine"),
        (Wait("later", 5), "WAIT Scheduled"),
        (Abort("no"), "ABORT Scheduled"),
        (Reject("no"), "REJECT Scheduled"),
        (lambda t, _: Reject("no", t.new_state(StateType.FAILED, data={"a": 1})), "REJECT Failed"),
    ],
)
def test_a_sound_answer_is_carried_out(engine: Engine, answer: Any, verdict: str) -> None:
    desk = desk_with(engine, answering(answer))
    reply = desk.move(desk.a_flow_run(), "PENDING", "mine")
    assert f"{reply['status']} {reply['state']['name']}" == verdict


def test_with_rules_leaves_the_policy_it_builds_on_as_it_is() -> None:
    before = CORE_FLOW.entries
    with_rules(CORE_FLOW, answering(None), name="mine")
    assert CORE_FLOW.entries is before
