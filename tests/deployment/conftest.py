"""What the tests of the deployment share."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def project() -> Path:
    """The folder of the whole project."""
    return PROJECT
