"""Every Python block of the documents is run as it stands, each in a process of its own, against a real Interlock.

But for those marked as an `excerpt`: these show a part of a file, and are compiled.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis

from tests.crashes.processes import Fleet
from tests.docs.documents import PROJECT, Block, blocks, blocks_of
from tests.servers import Servers, fresh_database
from workers.settings import Settings

# One Interlock for all of them, in the default namespace, as the examples have it.
pytestmark = pytest.mark.xdist_group("documents")

WRITTEN = "redis://127.0.0.1:6379/0"
# A database of Redis where no other test is.
OWN_DATABASE = "/15"
PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def redis_of_the_examples(
    servers: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of the Redis of an Interlock that runs as long as the examples do."""
    url = urlsplit(servers.redis_url)._replace(path=OWN_DATABASE).geturl()
    with fresh_database(servers, template_database) as database_url, Redis.from_url(url) as redis:
        _clear(redis)
        home = tmp_path_factory.mktemp("examples")
        with Fleet(Settings(database_url=database_url, redis_url=url, home=home)) as fleet:
            fleet.start("worker", "relay")
            yield url
        _clear(redis)


def _clear(redis: Redis) -> None:
    keys = list(redis.scan_iter(match="interlock:*", count=1000))
    if keys:
        redis.unlink(*keys)


@pytest.mark.parametrize(
    "document", sorted({block.document for block in blocks("python")}), ids=lambda path: path.name
)
def test_python_examples_run_as_they_stand(document: Path, redis_of_the_examples: str) -> None:
    """In their order, as a reader tries them: what one has done the next one may find."""
    for block in blocks_of(document):
        if block.language == "python":
            _run(block, redis_of_the_examples)


def _run(block: Block, redis_url: str) -> None:
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", block.text.replace(WRITTEN, redis_url)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert process.returncode == 0, f"{block}\n{process.stderr}"
    assert process.stdout.strip(), f"{block}: an example shows something"


@pytest.mark.parametrize("block", blocks("python excerpt"), ids=str)
def test_excerpts_are_python(block: Block) -> None:
    compile(block.text, str(block.document), "exec")
