"""How rules come to a decision, shown with rules that only tell what is asked of them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from messages.errors import ErrorCode
from messages.results import Status
from messages.states import State, StateDetails, StateType
from tests.orchestration.builders import (
    CANCELLED,
    COMPLETED,
    FAILED,
    NO_ORDERS,
    NOW,
    PENDING,
    RUNNING,
    SCHEDULED,
    Outcome,
    a_flow_run,
    a_state,
    an_id,
    set_flow,
)
from workers.orchestration.decide import decide_flow_run
from workers.orchestration.decision import Effect, Failed, TakeSlots
from workers.orchestration.facts import FlowFacts, Orders
from workers.orchestration.policy import EVERY_TYPE, Policy, Rule, Transform, Types, all_except, only
from workers.orchestration.transition import FlowTransition
from workers.orchestration.verdicts import Abort, Amend, Reject, SetParameter, Verdict, Wait

Answer = Callable[[FlowTransition, State], Verdict | None]


class Story:
    """Rules that write down which of their hooks is called."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def rule(
        self,
        name: str,
        answer: Verdict | Answer | None = None,
        *,
        leaving: Types = EVERY_TYPE,
        entering: Types = EVERY_TYPE,
    ) -> Rule[FlowTransition]:
        def before(t: FlowTransition, proposed: State) -> Verdict | None:
            self.told.append(f"{name} before")
            return answer(t, proposed) if callable(answer) else answer

        return Rule(
            name=name,
            leaving=leaving,
            entering=entering,
            before=before,
            after=lambda _: self.told.append(f"{name} after"),
            cleanup=lambda _: self.told.append(f"{name} cleanup"),
        )

    def transform(self, name: str) -> Transform[FlowTransition]:
        return Transform(lambda _, state: self.told.append(f"{name} sees {state.name}"))


@pytest.fixture
def story() -> Story:
    return Story()


def propose(
    *entries: Rule[FlowTransition] | Transform[FlowTransition],
    start: StateType | None = PENDING,
    to: StateType = RUNNING,
    **details: Any,
) -> Outcome:
    orders = Orders(policy=Policy("of this test", entries))
    return set_flow(a_flow_run(start), a_state(to, NOW, **details), orders)


def a_rejection() -> Reject:
    return Reject("no", a_state(CANCELLED, NOW))


def test_a_rule_that_lets_pass_is_asked_once_and_told_once(story: Story) -> None:
    assert propose(story.rule("one")).status is Status.ACCEPT
    assert story.told == ["one before", "one after"]


def test_rules_are_left_in_the_opposite_order(story: Story) -> None:
    propose(story.rule("one"), story.transform("two"), story.rule("three"))
    assert story.told == ["one before", "three before", "three after", "two sees Running", "one after"]


@pytest.mark.parametrize(
    ("leaving", "entering"),
    [
        (only(SCHEDULED), EVERY_TYPE),
        (EVERY_TYPE, only(SCHEDULED)),
        (all_except(PENDING), EVERY_TYPE),
        (EVERY_TYPE, all_except(RUNNING)),
    ],
)
def test_a_rule_for_other_types_is_never_asked(story: Story, leaving: Types, entering: Types) -> None:
    propose(story.rule("one", leaving=leaving, entering=entering))
    assert story.told == []


def test_a_run_without_a_state_is_among_every_type(story: Story) -> None:
    propose(story.rule("one"), story.rule("two", leaving=all_except(RUNNING)), start=None)
    assert story.told == ["one before", "two before", "two after", "one after"]


def test_of_three_rules_the_first_cleans_up_the_second_goes_on_and_the_third_is_not_asked(
    story: Story,
) -> None:
    outcome = propose(story.rule("one"), story.rule("two", a_rejection()), story.rule("three"))
    assert outcome.verdict == "REJECT Cancelled"
    assert story.told == ["one before", "two before", "two after", "one cleanup"]


@pytest.mark.parametrize("answer", [a_rejection(), Reject("no"), Wait("later", 5), Abort("no")])
def test_a_rule_for_every_type_goes_on_after_its_own_verdict(story: Story, answer: Verdict) -> None:
    propose(story.rule("one", answer))
    assert story.told == ["one before", "one after"]


@pytest.mark.parametrize("answer", [a_rejection(), Reject("no"), Wait("later", 5), Abort("no")])
def test_a_rule_that_turns_to_a_type_it_does_not_speak_for_is_done(story: Story, answer: Verdict) -> None:
    propose(story.rule("one", answer, entering=only(RUNNING)))
    assert story.told == ["one before"]


def test_a_replacement_of_the_same_type_disturbs_nobody(story: Story) -> None:
    other = a_state(RUNNING, NOW, name="Other")
    outcome = propose(story.rule("one"), story.rule("two", Reject("better", other)), story.rule("three"))
    assert outcome.verdict == "REJECT Other"
    assert story.told == [
        *("one before", "two before", "three before"),
        *("three after", "two after", "one after"),
    ]


def test_the_last_of_two_verdicts_stands(story: Story) -> None:
    other = a_state(RUNNING, NOW, name="Other")
    outcome = propose(story.rule("one", Reject("better", other)), story.rule("two", Wait("later", 7)))
    assert (outcome.status, outcome.decision.reason) == (Status.WAIT, "later")
    assert (outcome.written, outcome.decision.delay_seconds) == (None, 7)
    assert story.told[-2:] == ["two after", "one cleanup"]


def test_a_rejection_without_a_state_keeps_the_current_one(story: Story) -> None:
    outcome = propose(story.rule("one"), story.rule("two", Reject("no")), story.transform("three"))
    assert (outcome.status, outcome.decision.reason) == (Status.REJECT, "no")
    assert outcome.changed_nothing()
    assert story.told == ["one before", "two before", "two after", "one cleanup"]


@pytest.mark.parametrize("answer", [Wait("later", 5), Abort("no")])
def test_a_run_without_a_state_gets_the_rules_own_verdict(story: Story, answer: Wait | Abort) -> None:
    outcome = propose(story.rule("one", answer), start=None)
    assert outcome.status == type(answer).__name__.upper()
    assert outcome.decision.reason == answer.reason
    assert outcome.changed_nothing()


def test_a_run_without_a_state_cannot_be_told_to_keep_it(story: Story) -> None:
    outcome = propose(story.rule("one"), story.rule("two", Reject("no")), start=None)
    assert outcome.status is Status.ABORT
    assert outcome.changed_nothing()
    assert story.told == ["one before", "two before", "two cleanup", "one cleanup"]


def test_a_rule_that_breaks_aborts_and_changes_nothing(story: Story) -> None:
    def breaks(t: FlowTransition, _proposed: State) -> None:
        t.draft.run_count = 99
        t.effects.append(TakeSlots((an_id(),)))
        raise ZeroDivisionError

    outcome = propose(
        story.rule("one"), story.rule("two", breaks), story.rule("three"), story.transform("four")
    )
    assert outcome.status is Status.ABORT
    assert "two" in str(outcome.decision.reason)
    assert outcome.changed_nothing()
    assert story.told == ["one before", "two before", "two cleanup", "one cleanup"]


def break_down(*_: object) -> None:
    raise ZeroDivisionError("division by zero\nand all that led to it \x00")


def test_a_broken_rule_is_named_with_the_first_line_of_what_it_said(story: Story) -> None:
    decision = propose(story.rule("two", break_down)).decision
    assert decision.reason == "the rule two could not be applied: division by zero"
    assert decision.fault is not None
    assert decision.fault.rule == "two"
    assert isinstance(decision.fault.error, ZeroDivisionError)


@pytest.mark.parametrize("hook", ["after", "cleanup"])
def test_a_rule_that_breaks_after_the_verdict_aborts_and_changes_nothing(story: Story, hook: str) -> None:
    last = (
        story.rule("last", a_rejection(), entering=only(RUNNING)) if hook == "cleanup" else story.rule("last")
    )
    hooks: dict[str, Any] = {hook: break_down}
    broken = replace(story.rule("broken"), **hooks)
    outcome = propose(broken, last)
    assert outcome.status is Status.ABORT
    assert "broken" in str(outcome.decision.reason)
    assert outcome.changed_nothing()


def test_a_transform_that_breaks_aborts_and_changes_nothing(story: Story) -> None:
    outcome = propose(story.rule("one"), Transform(break_down))
    assert outcome.status is Status.ABORT
    assert "break_down" in str(outcome.decision.reason)
    assert outcome.changed_nothing()


def test_of_two_broken_rules_the_first_is_named(story: Story) -> None:
    first = replace(story.rule("first", break_down), cleanup=break_down)
    assert "first" in str(propose(replace(story.rule("zeroth"), cleanup=break_down), first).decision.reason)


def test_an_answer_that_is_no_verdict_aborts(story: Story) -> None:
    nonsense: Any = "no"
    outcome = propose(Rule(name="odd", leaving=EVERY_TYPE, entering=EVERY_TYPE, before=lambda *_: nonsense))
    assert outcome.status is Status.ABORT
    assert "str, which is no verdict" in str(outcome.decision.reason)
    assert outcome.changed_nothing()


def test_a_rule_without_hooks_is_simply_passed() -> None:
    def passes(_t: FlowTransition, _proposed: State) -> None: ...

    def turns(_t: FlowTransition, _proposed: State) -> Verdict:
        return Abort("no")

    bare = Rule(name="bare", leaving=EVERY_TYPE, entering=EVERY_TYPE, before=passes)
    assert propose(bare).status is Status.ACCEPT
    turning = Rule(name="turning", leaving=EVERY_TYPE, entering=EVERY_TYPE, before=turns)
    assert propose(bare, turning).status is Status.ABORT


def test_an_amended_state_is_written_under_its_new_name_with_its_new_details(story: Story) -> None:
    key = StateDetails(cache_key="k")
    outcome = propose(story.rule("one", Amend(details=key)), story.rule("two", Amend(name="Again")))
    assert outcome.verdict == "ACCEPT Again"
    assert outcome.written is not None
    assert outcome.written.state_details.cache_key == "k"
    assert outcome.run.state_name == "Again"


def test_later_rules_see_a_parameter_that_an_earlier_one_set(story: Story) -> None:
    seen: list[object] = []

    def look(t: FlowTransition, _proposed: State) -> None:
        seen.append(t.parameters.get("colour"))

    propose(
        story.rule("one", look), story.rule("two", SetParameter("colour", "red")), story.rule("three", look)
    )
    assert seen == [None, "red"]


def test_a_parameter_set_by_a_rule_does_not_reach_the_callers_own(story: Story) -> None:
    orders = Orders(policy=Policy("p", (story.rule("one", SetParameter("colour", "red")),)))
    set_flow(a_flow_run(PENDING), RUNNING, orders)
    assert orders.parameters == {}


def test_a_transform_sees_what_was_written_whoever_chose_it(story: Story) -> None:
    propose(story.transform("one"), story.rule("two", a_rejection()))
    assert story.told == ["two before", "two after", "one sees Cancelled"]


def test_a_failure_after_the_writing_fails_the_command() -> None:
    gone = Failed(ErrorCode.NOT_FOUND, "gone")
    orders = Orders(policy=Policy("p", (Transform(lambda _t, _state: gone),)))
    run = a_flow_run(PENDING)
    assert decide_flow_run(run, a_state(RUNNING), FlowFacts(), orders, now=NOW, new_id=an_id) == gone


def test_effects_keep_the_order_in_which_they_came_about() -> None:
    first, second = TakeSlots((an_id(),)), TakeSlots((an_id(),))

    def taking(effect: Effect) -> Answer:
        return lambda t, _proposed: t.effects.append(effect)

    story = Story()
    outcome = propose(story.rule("one", taking(first)), story.rule("two", taking(second)))
    assert outcome.effects == (first, second)


def test_an_unknown_policy_is_refused() -> None:
    for orders in (Orders(policy="lenient"), Orders(policy="lenient", client_version="3.0.0")):
        answer = decide_flow_run(a_flow_run(), a_state(FAILED), FlowFacts(), orders, now=NOW, new_id=an_id)
        assert isinstance(answer, Failed)
        assert answer.code is ErrorCode.INVALID_MESSAGE


def test_what_was_written_is_in_the_changes() -> None:
    outcome = set_flow(a_flow_run(RUNNING), COMPLETED, NO_ORDERS)
    written = outcome.written
    assert written is not None
    assert outcome.decision.changes["state"] is written
    assert outcome.run.state_id == written.id
    assert (outcome.run.state_type, outcome.run.state_name) == (COMPLETED, "Completed")
    assert outcome.run.state_timestamp == NOW
