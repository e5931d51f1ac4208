from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

from tests.embedded.processes import Running
from tests.servers import quick_place

Start = Callable[..., Running]


@pytest.fixture
def new_home() -> Iterator[Path]:
    """A home that is not there yet."""
    with passable_folder() as folder:
        yield folder / "home"


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A home that all tests may start servers in, one after the other: quicker than a new one for each."""
    with passable_folder() as folder:
        yield folder / "home"


@contextmanager
def passable_folder() -> Iterator[Path]:
    """A folder that every user may pass through, as pytest's own are not."""
    folder = Path(mkdtemp(prefix="interlock-home-", dir=quick_place()))
    folder.chmod(0o755)
    yield folder
    rmtree(folder, ignore_errors=True)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts processes of the tests, and sees that none is left."""
    started: list[Running] = []

    def begin(module: str, *args: str) -> Running:
        started.append(Running(module, *args))
        return started[-1]

    yield begin
    for running in started:
        running.kill_all()
