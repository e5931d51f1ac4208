import signal

from tests.embedded.conftest import Start
from tests.embedded.processes import are_gone, kill


def pid_in(line: str) -> int:
    return int(line.rpartition(" ")[2])


def test_a_crashed_child_is_started_again(start: Start) -> None:
    running = start("run_supervisor", "one=steady", "two=steady")
    first = running.line_with("one started")
    kill(pid_in(first))
    running.line_with("one ended with status -9, starting it again in 0.5 s")
    assert pid_in(running.line_with("one started")) != pid_in(first)


def test_sigterm_is_passed_on_once_and_the_end_is_clean(start: Start) -> None:
    running = start("run_supervisor", "one=steady", "two=steady")
    running.line_with("all are ready")
    running.signal(signal.SIGTERM)
    assert running.status() == 0
    assert [line for line in running.lines if "got" in line and "one" in line] == ["one got SIGTERM"]
    assert "two got SIGTERM" in running.lines


def test_a_child_that_does_not_end_in_time_is_killed(start: Start) -> None:
    running = start("run_supervisor", "one=stubborn")
    running.line_with("all are ready")
    running.signal(signal.SIGTERM)
    assert running.status() == 1
    assert any("one has not ended in time" in line for line in running.lines)


def test_a_second_ctrl_c_hurries(start: Start) -> None:
    running = start("run_supervisor", "one=stubborn")
    running.line_with("all are ready")
    running.signal(signal.SIGINT)
    running.line_with("one got SIGTERM")
    running.signal(signal.SIGINT)
    running.line_with("one got SIGINT")


def test_children_end_when_their_supervisor_is_killed(start: Start) -> None:
    running = start("run_supervisor", "one=steady", "two=steady")
    running.line_with("all are ready")
    family = running.family()
    running.signal(signal.SIGKILL)
    assert are_gone(family)


def test_a_child_that_refuses_to_start_ends_the_others(start: Start) -> None:
    running = start("run_supervisor", "one=steady", "two=refuses")
    assert running.status() == 3
    assert any("two ended with status 3 before it was ready" in line for line in running.lines)


def test_a_child_that_never_gets_ready_ends_the_others(start: Start) -> None:
    running = start("run_supervisor", "one=steady", "two=silent")
    assert running.status() == 1
    assert any("not ready within 2 s: " in line and "two" in line for line in running.lines)


def test_where_the_kernel_does_not_watch_a_warden_does(start: Start) -> None:
    running = start("run_from_thread")
    running.line_with("one started")
    family = running.family()
    assert len(family) == 3
    running.signal(signal.SIGKILL)
    assert are_gone(family)
    running.status()
    assert "one got SIGTERM" in running.lines
