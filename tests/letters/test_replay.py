"""Replaying a dead letter: it goes back once, it is applied once, and nothing of it is lost on the way."""

import json
from datetime import timedelta

import pytest

from messages.ids import uuid7
from store import dead_letters
from store.transaction import transaction
from tests.letters.conftest import Post
from tests.pipeline.workshop import batch, body_of, command
from workers.clock.duty import Means
from workers.clock.replays import send_replayed_letters
from workers.letters.replay import Fate
from workers.now import now


def test_a_command_that_was_given_up_is_applied_once_when_the_cause_is_gone(
    post: Post, poison: set[str]
) -> None:
    bad = post.bury()
    poison.clear()
    [treated] = post.replay()
    assert treated.fate is Fate.AGAIN
    assert (post.letters(), post.workshop.count("command"), post.workshop.count("flow")) == ([], 0, 0)
    post.tick()
    [result] = post.work()
    assert result["causationid"] == bad["id"]
    assert (result["data"]["status"], result["data"]["replayed"]) == ("OK", False)
    assert post.workshop.count("flow") == 1
    [again] = post.workshop.handle(bad)
    assert (again["id"], again["data"]["replayed"]) == (result["id"], True)
    post.workshop.rows("UPDATE attempt SET next_attempt_at = now() - interval '1 s' RETURNING 1")
    post.tick()
    assert (post.queued(), post.workshop.count("attempt")) == ([], 0)


def test_one_that_fails_again_has_all_its_attempts_anew_and_comes_back(post: Post, poison: set[str]) -> None:
    bad = post.bury()
    [first] = post.letters()
    post.replay()
    post.tick()
    assert post.work() == [], "the first of its new attempts"
    assert post.workshop.handle(bad) == post.work() == []
    [told] = post.work()
    assert told["data"]["error"]["code"] == "internal"
    [letter] = post.letters()
    assert letter.id != first.id
    assert (letter.command_id, letter.attempts) == (first.command_id, 3)


def test_it_may_have_expired_by_now(post: Post, poison: set[str]) -> None:
    post.bury(expirytime=(now() + timedelta(seconds=60)).isoformat())
    poison.clear()
    post.replay()
    # As if it took longer than that until the clock came round.
    long_ago = json.dumps({"expirytime": "2020-01-01T00:00:00Z"})
    post.workshop.rows(
        "UPDATE attempt SET envelope = (envelope::jsonb || %(past)s::jsonb)::json RETURNING 1", past=long_ago
    )
    post.tick()
    [result] = post.work()
    assert result["data"]["status"] == "OK"


def test_while_it_waits_for_its_try_a_copy_of_the_producer_waits_with_it(
    post: Post, poison: set[str]
) -> None:
    bad = post.bury()
    poison.clear()
    post.replay()
    assert post.workshop.handle(bad) == []
    [first] = post.work()
    assert (first["data"]["status"], first["data"]["replayed"]) == ("OK", False)
    assert post.workshop.count("flow") == 1


def test_a_second_replay_finds_nothing(post: Post, poison: set[str]) -> None:
    post.bury()
    [letter] = post.letters()
    assert len(post.replay(letter.id)) == 1
    assert post.replay(letter.id) == []
    assert post.workshop.count("attempt") == 1


def test_one_whose_transaction_fails_is_a_dead_letter_as_before(
    post: Post, poison: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = post.bury()

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dead_letters, "delete", dies)
    with pytest.raises(KeyboardInterrupt):
        post.replay()
    monkeypatch.undo()
    assert [str(letter.command_id) for letter in post.letters()] == [bad["id"]]
    assert (post.workshop.count("command"), post.workshop.count("attempt")) == (1, 0)


def test_a_command_that_was_applied_since_is_not_applied_again(post: Post, poison: set[str]) -> None:
    bad = post.bury()
    poison.clear()
    # Retention forgot its ERROR; then its producer sent it once more.
    post.workshop.rows("DELETE FROM command RETURNING 1")
    [applied] = post.workshop.handle(bad)
    assert applied["data"]["status"] == "OK"
    [treated] = post.replay()
    assert treated.fate is Fate.ENDED
    assert (len(post.letters()), post.workshop.count("attempt")) == (1, 0)


def test_an_id_that_another_command_has_used_since_stays_that_ones(post: Post, poison: set[str]) -> None:
    bad = post.bury()
    post.workshop.rows("DELETE FROM command RETURNING 1")
    post.workshop.handle(command("flow.upsert", {"name": "other"}, id=bad["id"]))
    [treated] = post.replay()
    assert treated.fate is Fate.ENDED


def test_in_an_order_its_turn_has_passed_and_it_is_replayed_only_if_that_is_allowed(
    post: Post, poison: set[str]
) -> None:
    bad = post.bury(partitionkey="k", sequence="1")
    after = command("flow.upsert", {"name": "after"}, partitionkey="k", sequence="2")
    assert [each["data"]["status"] for each in post.workshop.handle(after)] == ["OK"]
    poison.clear()
    [treated] = post.replay()
    assert treated.fate is Fate.OUT_OF_TURN
    assert len(post.letters()) == 1
    [treated] = post.replay(out_of_turn=True)
    assert treated.fate is Fate.AGAIN
    post.tick()
    [result] = post.work()
    assert (result["causationid"], result["data"]["status"]) == (bad["id"], "OK")
    [third] = post.workshop.handle(command("flow.upsert", {"name": "third"}, partitionkey="k", sequence="3"))
    assert third["data"]["status"] == "OK", "no number has moved"
    [again] = post.workshop.handle(bad)
    assert again["data"]["replayed"]


def test_out_of_turn_it_fails_and_is_given_up_like_any_other(post: Post, poison: set[str]) -> None:
    bad = post.bury(partitionkey="k", sequence="1")
    post.replay(out_of_turn=True)
    post.tick()
    assert [post.work(), post.work()] == [[], []]
    assert post.workshop.handle(bad) == []
    [told] = post.work()
    assert told["data"]["error"]["code"] == "internal"
    assert (len(post.letters()), post.workshop.count("attempt")) == (1, 0)


def test_what_could_not_be_read_goes_back_as_it_came(post: Post) -> None:
    body = b'\xff\x00 no "json"'
    post.workshop.handle_bodies(body)
    [treated] = post.replay()
    assert treated.fate is Fate.AS_IT_CAME
    assert post.letters() == [], "it is on its way"
    post.tick()
    assert post.queued() == [body]
    assert post.workshop.count("dead_letter") == 0
    post.work()
    [letter] = post.letters()
    assert letter.body == body, "and cannot be read by this version either"


def test_one_that_an_upgrade_can_read_is_applied(post: Post) -> None:
    good = command("flow.upsert", {"name": "good"})
    post.workshop.handle_bodies(b"[]")
    post.workshop.rows("UPDATE dead_letter SET body = %(body)s RETURNING 1", body=body_of(good))
    post.replay()
    post.tick()
    [result] = post.work()
    assert (result["causationid"], result["data"]["status"]) == (good["id"], "OK")


def test_one_of_a_batch_comes_back_in_a_message_of_its_own(post: Post) -> None:
    inner = {**command("flow.upsert", {"name": "x"}), "id": 7}
    post.workshop.handle(batch(inner, command("flow.upsert", {"name": "y"})))
    post.replay()
    post.tick()
    [body] = post.queued()
    assert json.loads(body)["args"] == [inner]
    [told] = post.work()
    assert told["data"]["error"]["message"].startswith("id:"), "it was read as far as before"


def test_a_clock_that_dies_after_it_has_sent_sends_no_second_message(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.workshop.handle_bodies(b"no json")
    post.replay()

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dead_letters, "delete", dies)
    with pytest.raises(KeyboardInterrupt):
        send_replayed_letters(post.means, now())
    monkeypatch.undo()
    assert post.workshop.count("dead_letter") == 1
    post.tick()
    assert (post.queued(), post.workshop.count("dead_letter")) == ([b"no json"], 0)


def test_without_redis_it_waits_in_the_database(post: Post) -> None:
    from tests.clock.scene import without_redis

    post.workshop.handle_bodies(b"no json")
    post.replay()
    away: Means = without_redis(post.means)
    with pytest.raises(Exception, match="onnect"):
        send_replayed_letters(away, now())
    post.tick()
    assert post.queued() == [b"no json"]


def test_what_was_kept_only_in_part_is_not_replayed(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    from workers.letters import replay as module

    monkeypatch.setattr(module, "LARGEST_KEPT", 7)
    post.workshop.handle_bodies(b"no json at all"[:7])
    [treated] = post.replay()
    assert treated.fate is Fate.CUT
    assert len(post.letters()) == 1


def test_portions_are_replayed_one_after_the_other(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    from workers.letters import replay as module

    monkeypatch.setattr(module, "AT_ONCE", 2)
    post.workshop.handle_bodies(*[f"no json {number}".encode() for number in range(5)])
    assert len(post.replay()) == 5
    with transaction(post.engine) as connection:
        assert dead_letters.count(connection, dead_letters.Criteria()) == 0
    post.tick()
    assert len(post.queued()) == 5


def test_a_letter_that_does_not_exist(post: Post) -> None:
    assert post.replay(uuid7()) == []
