"""What older clients are promised."""

import pytest

from messages.states import StateType
from tests.orchestration.builders import a_flow_run, set_flow
from workers.orchestration.facts import Orders


def forgets_pauses(orders: Orders) -> bool:
    """Whether the client is taken for one of 0.8.4 or later."""
    run = a_flow_run(StateType.FAILED, pause_keys={"k"})
    return not set_flow(run, StateType.PENDING, orders).run.empirical_policy.pause_keys


@pytest.mark.parametrize("version", ["0.8.3", "0.8.2", "0.8", "0", "0.8.3.9", "0.8.3rc1"])
def test_an_older_version_is_known_as_such(version: str) -> None:
    assert not forgets_pauses(Orders(api_version=version))
    assert not forgets_pauses(Orders(parameters={"api-version": version}))


@pytest.mark.parametrize("version", [None, "", "0.8.4", "0.8.10", "0.10", "1", "latest"])
def test_whatever_names_no_older_version_is_up_to_date(version: str | None) -> None:
    assert forgets_pauses(Orders(api_version=version))


def test_a_version_that_is_no_text_is_none() -> None:
    assert forgets_pauses(Orders(parameters={"api-version": 0}))
