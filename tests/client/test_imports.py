"""What a service needs that uses the client."""

import subprocess
import sys

PROGRAM = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ImportError(f"{name} is not there")

BLOCKED = {"sqlalchemy", "dramatiq", "psycopg", "alembic", "pendulum", "typer", "rich", "store", "workers"}
sys.meta_path.insert(0, Blocked())
import messages.asyncapi, messages.client, messages.consumer, messages.enqueue, messages.registry
from messages.client import Client
try:
    Client("redis://127.0.0.1:1/0", "billing")
except messages.client.BrokerUnreachable:
    print("ok")
"""


def test_the_client_and_the_consumer_need_redis_and_pydantic_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("ok", "")
