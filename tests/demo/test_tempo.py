from datetime import timedelta

import pytest

from tests.demo.builders import RECORDED, REPLAYED, RUN, recorded, seen, set_state
from workers.demo import score
from workers.demo.expiries import Looks
from workers.demo.recording import Recording, load
from workers.demo.tempo import Silences, Tempo

SPEED = 10.0


def tempo(*offsets_s: float) -> Tempo:
    return Tempo(RECORDED, REPLAYED, SPEED, Silences(offsets_s))


def at(seconds: float) -> str:
    return (RECORDED + timedelta(seconds=seconds)).isoformat()


def replayed(seconds: float) -> str:
    return (REPLAYED + timedelta(seconds=seconds)).isoformat()


def test_times_come_so_many_times_as_fast() -> None:
    assert tempo().moment(at(30)).isoformat() == replayed(3)


def test_a_long_silence_is_cut_to_five_seconds() -> None:
    cut = tempo(1, 2, 102, 103)

    assert [cut.at(offset).isoformat() for offset in (2, 102, 103)] == [
        replayed(0.2),
        replayed(0.7),
        replayed(0.8),
    ]


@pytest.mark.parametrize("offset", [3, 6, 7, 50, 101.9])
def test_moments_within_a_cut_silence_stay_within_it(offset: float) -> None:
    cut = tempo(1, 2, 102, 103)

    assert cut.at(2) <= cut.at(offset) <= cut.at(102)


def test_a_scheduled_time_gets_the_half_second_by_which_a_run_may_start_early() -> None:
    command = {
        "time": at(1),
        "data": {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": at(20)}}},
    }

    sent = tempo().envelope(command)

    assert sent["time"] == replayed(0.1)
    assert sent["data"]["state"]["state_details"]["scheduled_time"] == replayed(2.5)
    assert command["data"]["state"]["state_details"]["scheduled_time"] == at(20)  # type: ignore[index]


def test_retry_delays_are_as_fast_as_the_rest() -> None:
    policies = [{"retries": 1, "retry_delay": delay} for delay in (0, 1, [0, 1])]

    sent = [
        tempo().envelope({"data": {"empirical_policy": policy}})["data"]["empirical_policy"]
        for policy in policies
    ]

    assert sent == [
        {"retries": 1, "retry_delay": 0},
        {"retries": 1, "retry_delay_seconds": 0.6},
        {"retries": 1, "retry_delay": [0, 0]},
    ]


def test_who_falls_behind_goes_on_later() -> None:
    assert tempo().later(2).at(10).isoformat() == replayed(3)


def test_a_pause_expires_right_before_the_first_command_that_came_too_late_for_it() -> None:
    early = set_state("flow_run", RUN, {"type": "RUNNING"}, None, asked_s=5)
    late = set_state("flow_run", RUN, {"type": "RUNNING"}, None, asked_s=40)

    expires = Looks([early, late]).pause(RUN, at(10), tempo())

    assert expires == REPLAYED + timedelta(seconds=4) - timedelta(milliseconds=1)


def test_a_pause_that_nobody_let_expire_does_not_expire() -> None:
    resumed = set_state("flow_run", RUN, {"type": "RUNNING"}, None, asked_s=5)

    assert Looks([resumed]).pause(RUN, at(10), tempo()) > REPLAYED + timedelta(minutes=30)


def test_a_cached_result_lasts_for_those_who_got_it() -> None:
    details = {"cache_key": "k", "cache_expiration": at(10)}
    writer = set_state("task_run", RUN, {"type": "COMPLETED", "state_details": details}, None, asked_s=1)
    reader = set_state(
        "task_run", RUN, {"type": "RUNNING", "state_details": {"cache_key": "k"}}, None, asked_s=20
    )

    sent = score.envelope(writer, tempo(), Looks([writer, reader]))

    assert sent["data"]["state"]["state_details"]["cache_expiration"] == replayed(1.999)


def test_an_update_of_the_policy_brings_the_pause_keys_along() -> None:
    paused = {"type": "PAUSED", "state_details": {"pause_key": "1"}}
    update = {"flow_run_id": RUN, "empirical_policy": {"retries": 0}}
    commands = (
        recorded("flow_run.update", update, seen("OK")),
        set_state("flow_run", RUN, paused, seen("ACCEPT", "PAUSED", "Suspended")),
        recorded("flow_run.update", update, seen("OK")),
    )

    before, _, after = score.completed(Recording(commands)).commands

    assert before.data == update
    assert after.data["empirical_policy"] == {"retries": 0, "pause_keys": ["1"], "resuming": True}


@pytest.mark.parametrize(("full", "commands", "clients"), [(False, 205, 20), (True, 22_133, 20)])
def test_the_recordings_come_with_the_package(full: bool, commands: int, clients: int) -> None:
    recording = load(full=full)

    assert (len(recording.commands), len(recording.sources)) == (commands, clients)
    assert 1_130 < recording.seconds < 1_132
