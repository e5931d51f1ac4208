"""Notifications reach their targets, at least once, and no more often than needed."""

import time
from typing import Any

import pytest

from tests.notify.conftest import Forward, Stream, wait_until
from tests.notify.target import OK, UNAVAILABLE, Webhook


def test_a_notification_is_delivered_once_and_acknowledged(
    stream: Stream, webhook: Webhook, start_forwarder: Forward
) -> None:
    start_forwarder(webhook.url)
    stream.tell("the <b>load</b> failed\nthe disk is full")
    wait_until(lambda: stream.is_done, "an acknowledgement")
    [taken] = webhook.seen
    assert taken["title"] == "Flow run red-fox is Failed"
    assert taken["message"] == "the <b>load</b> failed\nthe disk is full"
    assert taken["type"] == "failure"


def test_every_state_has_its_kind(stream: Stream, webhook: Webhook, start_forwarder: Forward) -> None:
    kinds = {
        "RUNNING": "info",
        "COMPLETED": "success",
        "PAUSED": "warning",
        "CRASHED": "failure",
        "?": "info",
    }
    for state in kinds:
        stream.tell(state, flow_run_state_type=state)
    start_forwarder(webhook.url)
    wait_until(lambda: stream.is_done, "all of them")
    assert {each["message"]: each["type"] for each in webhook.taken} == kinds


def test_nothing_is_lost_while_the_target_is_down(
    stream: Stream, second_webhook: Webhook, start_forwarder: Forward, caplog: pytest.LogCaptureFixture
) -> None:
    start_forwarder(second_webhook.url_with("s3cret"))
    told = [f"news {number}" for number in range(30)]
    for each in told:
        stream.tell(each)
    wait_until(lambda: "does not take" in caplog.text, "a word about the outage")
    time.sleep(0.5)
    assert not stream.is_done
    second_webhook.start()
    wait_until(lambda: stream.is_done, "all acknowledgements")
    assert sorted(second_webhook.texts) == sorted(told)
    assert caplog.text.count("does not take") == 1
    assert caplog.text.count("takes notifications again") == 1
    said = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert not [line for line in said if "s3cret" in line]


def test_one_that_is_refused_does_not_hold_up_the_others_and_is_kept(
    stream: Stream, webhook: Webhook, start_forwarder: Forward, caplog: pytest.LogCaptureFixture
) -> None:
    refused = ["too long"]
    webhook.answer = lambda came: UNAVAILABLE if came["message"] in refused else OK
    for each in ("too long", "one", "two", "three"):
        stream.tell(each)
    start_forwarder(webhook.url)
    wait_until(lambda: len(webhook.taken) == 3 and len(webhook.seen) > 6, "the others, and more tries")
    assert webhook.texts == ["one", "two", "three"]
    assert stream.unacknowledged == 1
    assert caplog.text.count("does not take") == 1
    refused.clear()
    wait_until(lambda: stream.is_done, "the last one")
    assert webhook.texts[3:] == ["too long"]


def test_a_target_that_has_taken_it_is_not_told_again_for_the_sake_of_another(
    stream: Stream, webhook: Webhook, second_webhook: Webhook, start_forwarder: Forward
) -> None:
    stream.tell("news")
    start_forwarder(webhook.url, second_webhook.url)
    wait_until(lambda: webhook.taken, "the first target")
    time.sleep(0.5)
    assert stream.unacknowledged == 1
    second_webhook.start()
    wait_until(lambda: stream.is_done, "the second target")
    assert (webhook.texts, second_webhook.texts) == (["news"], ["news"])


def test_two_forwarders_share_the_work(
    stream: Stream, webhook: Webhook, second_webhook: Webhook, start_forwarder: Forward
) -> None:
    def slowly(_came: dict[str, Any]) -> int:
        time.sleep(0.02)
        return OK

    webhook.answer = second_webhook.answer = slowly
    second_webhook.start()
    start_forwarder(webhook.url)
    start_forwarder(second_webhook.url)
    told = [f"news {number}" for number in range(40)]
    for each in told:
        stream.tell(each)
    wait_until(lambda: stream.is_done, "all of them")
    assert webhook.texts
    assert second_webhook.texts
    assert sorted(webhook.texts + second_webhook.texts) == sorted(told)


def test_what_is_in_hand_during_an_outage_is_not_taken_over(
    stream: Stream, webhook: Webhook, second_webhook: Webhook, start_forwarder: Forward
) -> None:
    stream.tell("mine")
    start_forwarder(second_webhook.url, claim_after_s=0.6)
    wait_until(lambda: stream.unacknowledged, "one that has it in hand")
    start_forwarder(webhook.url, claim_after_s=0.6)
    time.sleep(1.5)
    assert webhook.taken == []
    second_webhook.start()
    wait_until(lambda: stream.is_done, "the end of the outage")
    assert (webhook.texts, second_webhook.texts) == ([], ["mine"])


def test_one_that_is_stopped_leaves_what_it_could_not_deliver_to_the_next_at_once(
    stream: Stream, webhook: Webhook, second_webhook: Webhook, start_forwarder: Forward
) -> None:
    stream.tell("news")
    stop = start_forwarder(second_webhook.url)
    wait_until(lambda: stream.unacknowledged, "one that has it in hand")
    stop()
    start_forwarder(webhook.url)
    wait_until(lambda: stream.is_done, "the next one")
    assert webhook.texts == ["news"]


def test_what_is_no_notification_is_delivered_as_far_as_it_can_be_read(
    stream: Stream, webhook: Webhook, start_forwarder: Forward
) -> None:
    stream.tell("", flow_run_name=None, flow_run_state_name="Odd")
    start_forwarder(webhook.url)
    wait_until(lambda: stream.is_done, "an acknowledgement")
    assert webhook.texts == ["Flow run  is Odd"]


def test_a_new_group_begins_with_what_comes_unless_it_is_told_otherwise(
    stream: Stream, webhook: Webhook, second_webhook: Webhook, start_forwarder: Forward
) -> None:
    second_webhook.start()
    stream.tell("old")
    start_forwarder(webhook.url, group="late")
    start_forwarder(second_webhook.url, group="thorough", start="beginning")
    wait_until(lambda: {"late", "thorough"} <= stream.groups, "both groups")
    stream.tell("new")
    wait_until(lambda: webhook.taken and len(second_webhook.taken) == 2, "both")
    assert (webhook.texts, second_webhook.texts) == (["new"], ["old", "new"])
