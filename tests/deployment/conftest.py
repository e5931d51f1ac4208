"""What the tests of the deployment share."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "slow: takes long; `make test` leaves it out, `make test-all` does not"
    )


@pytest.fixture
def project() -> Path:
    """The folder of the whole project."""
    return PROJECT
