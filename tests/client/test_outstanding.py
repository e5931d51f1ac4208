"""When commands are sent, sent again and given up, by a clock of the test's own."""

from concurrent.futures import Future

import pytest

from messages.client import Refused, Result, Status
from messages.client.outstanding import Letter, Outstanding
from workers.settings import Settings


def letter(name: str = "a", *, deadline: float | None = None, data: object = None) -> Letter:
    """A command under this id."""
    envelope = {"id": name, "type": "flow.upsert", "data": data}
    return Letter(envelope, Future(), deadline=deadline)


def query(name: str = "q") -> Letter:
    """A query under this id."""
    return Letter({"id": name, "type": "flow_run.count", "data": {}}, Future())


def ids(letters: list[Letter]) -> list[str]:
    """Which they are."""
    return [one.id for one in letters]


def answer(name: str, status: Status = Status.OK) -> Result:
    """The answer to a command."""
    return Result(status, {}, name)


def sent_at(outstanding: Outstanding, moments: list[float]) -> list[float]:
    """The moments at which something is due, if each is looked at."""
    due = []
    for now in moments:
        if letters := outstanding.due(now):
            outstanding.sent(letters, now)
            due.append(now)
    return due


def test_the_pause_before_a_resend_doubles_up_to_a_minute() -> None:
    outstanding = Outstanding()
    outstanding.add([letter()])
    seconds = [float(second) for second in range(300)]
    assert sent_at(outstanding, seconds) == [0, 5, 15, 35, 75, 135, 195, 255]


def test_a_query_is_sent_again_when_workers_have_given_up_the_first() -> None:
    outstanding = Outstanding()
    outstanding.add([query()])
    seconds = [float(second) for second in range(200)]
    due = sent_at(outstanding, seconds)
    assert due == [0, 15, 45, 105, 165]
    assert due[1] > Settings().query_timeout.total_seconds()


def test_a_query_is_sent_again_soon_once_redis_was_away() -> None:
    outstanding = Outstanding()
    outstanding.add([query("q"), letter("a")])
    outstanding.sent(outstanding.due(0), 0)
    outstanding.lost_touch(1)
    outstanding.lost_touch(2)
    assert outstanding.wait(2) == 3
    assert ids(outstanding.due(5)) == ["a"]
    again = outstanding.due(6)
    assert ids(again) == ["q"]
    outstanding.sent(again, 6)
    # The time that it had at first is no longer one.
    assert "q" not in ids(outstanding.due(35))
    assert "q" in ids(outstanding.due(36))


def test_what_waits_to_be_sent_is_not_due_twice_once_redis_was_away() -> None:
    outstanding = Outstanding()
    outstanding.add([query()])
    first = outstanding.due(0)
    outstanding.lost_touch(0)
    outstanding.not_sent(first, 0)
    outstanding.lost_touch(0)
    assert ids(outstanding.due(100)) == ["q"]


def test_commands_are_due_in_their_order() -> None:
    outstanding = Outstanding()
    outstanding.add([letter(name) for name in "abc"])
    first = outstanding.due(0, most=2)
    assert ids(first) == ["a", "b"]
    outstanding.not_sent(first, now=0)
    assert outstanding.due(0.01) == []
    assert ids(outstanding.due(1)) == ["a", "b", "c"]


def test_the_pause_after_trouble_doubles_up_to_five_seconds() -> None:
    outstanding = Outstanding()
    outstanding.add([letter()])
    pauses, now = [], 0.0
    for _ in range(9):
        now += outstanding.not_sent(outstanding.due(now), now)
        pauses.append(now)
        assert outstanding.wait(now - 0.05) == pytest.approx(0.05)
    assert pauses[-1] - pauses[-2] == pytest.approx(5)


def test_what_was_not_sent_is_not_due_twice() -> None:
    outstanding = Outstanding(first_resend=1)
    outstanding.add([letter()])
    outstanding.sent(outstanding.due(0), 0)
    outstanding.not_sent(outstanding.due(1), 1)
    assert ids(outstanding.due(100)) == ["a"]


def test_an_answer_is_for_one_command_once() -> None:
    outstanding = Outstanding()
    outstanding.add([letter("a"), letter("b")])
    assert ids(outstanding.answered(answer("a"))) == ["a"]
    assert outstanding.answered(answer("a")) == []
    assert ids(outstanding.due(0)) == ["b"]


def test_an_error_of_a_batch_is_for_all_that_it_carried() -> None:
    outstanding = Outstanding()
    outstanding.add([letter("a"), letter("b"), letter("c")])
    outstanding.sent_as_batch("batch", ["a", "b"])
    outstanding.answered(answer("a"))
    assert outstanding.answered(answer("batch")) == []
    assert ids(outstanding.answered(answer("batch", Status.ERROR))) == ["b"]


def test_a_command_is_given_up_at_its_deadline() -> None:
    outstanding = Outstanding()
    outstanding.add([letter("a", deadline=3), letter("b")])
    outstanding.sent(outstanding.due(0), 0)
    assert outstanding.wait(0) == 3
    assert ids(outstanding.overdue(2.9)) == []
    assert ids(outstanding.overdue(3)) == ["a"]
    assert ids(outstanding.due(5)) == ["b"]


def test_a_cancelled_command_is_not_sent() -> None:
    outstanding = Outstanding()
    cancelled = letter("a")
    outstanding.add([cancelled])
    assert isinstance(cancelled.promise, Future)
    cancelled.promise.cancel()
    assert not outstanding.any_waits()
    assert outstanding.due(0) == []
    assert len(outstanding) == 0


def test_where_one_id_is_reused_nothing_is_taken() -> None:
    outstanding = Outstanding()
    with pytest.raises(Refused):
        outstanding.add([letter("a"), letter("b", data=1), letter("b", data=2)])
    assert len(outstanding) == 0


def test_timers_of_answered_commands_do_not_pile_up() -> None:
    outstanding = Outstanding()
    for number in range(5_000):
        outstanding.add([letter(str(number), deadline=10**6)])
        outstanding.sent(outstanding.due(0), 0)
        outstanding.answered(answer(str(number)))
    assert len(outstanding._resends) + len(outstanding._deadlines) < 2_200


def test_nothing_waits_for_nothing() -> None:
    assert Outstanding().wait(0) is None
