"""Redis and PostgreSQL over TLS: certificates are verified, both ways, and what is wrong is told in one sentence."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from messages.client import BrokerUnreachable, Client
from tests.cli.command import Shell
from tests.crashes.processes import Fleet
from tests.security.tls import TlsDoor
from workers.settings import Settings


@dataclass(frozen=True)
class Secured:
    """Both servers behind TLS, which let in nobody without a certificate of theirs."""

    redis_port: int
    postgresql_port: int
    database: str
    files: Path

    def redis_url(self, *, ca: str = "ca.pem", client: str = "client.pem", host: str = "127.0.0.1") -> str:
        """With the files named, as docs/security.md shows it."""
        files = f"ssl_ca_certs={self.files / ca}&ssl_certfile={self.files / client}&ssl_keyfile={self.files / client}"
        return f"rediss://{host}:{self.redis_port}/0?{files}"

    def database_url(self, *, ca: str = "ca.pem", client: str = "client.pem") -> str:
        """As `redis_url`."""
        files = f"sslrootcert={self.files / ca}&sslcert={self.files / client}&sslkey={self.files / client}"
        return f"postgresql://{self.database.format(port=self.postgresql_port)}?sslmode=verify-full&{files}"


@pytest.fixture
def secured(settings: Settings, tmp_path: Path) -> Iterator[Secured]:
    ca, other = trustme.CA(), trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    other.cert_pem.write_to_path(tmp_path / "other-ca.pem")
    for name, issuer in (("client.pem", ca), ("other-client.pem", other)):
        issuer.issue_cert("client@example.org").private_key_and_cert_chain_pem.write_to_path(tmp_path / name)
        # libpq takes no key that others may read.
        (tmp_path / name).chmod(0o600)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    redis, database = urlsplit(settings.redis_url), urlsplit(settings.database_url)
    with ExitStack() as doors:
        redis_door = doors.enter_context(TlsDoor(redis.port or 6379, context))
        door = doors.enter_context(TlsDoor(database.port or 5432, context, postgresql=True))
        place = f"{database.username}@127.0.0.1:{{port}}{database.path}"
        yield Secured(redis_door.port, door.port, place, tmp_path)


def shell_for(settings: Settings, redis_url: str, database_url: str) -> Shell:
    return Shell(settings.home, redis_url=redis_url, database_url=database_url, namespace=settings.namespace)


def test_everything_works_over_tls(secured: Secured, settings: Settings) -> None:
    urls = {"redis_url": secured.redis_url(), "database_url": secured.database_url()}
    over_tls = Settings(**{**settings.model_dump(exclude_unset=True), **urls})
    with Fleet(over_tls) as fleet:
        fleet.start("worker", "relay", "clock")
        with Client(secured.redis_url(), "tls", namespace=settings.namespace) as client:
            assert client.create_flow_run(flow_name="f").result(30).status == "OK"
            assert client.request("flow_run.count", {}, timeout=30).data["count"] == 1
    shell = shell_for(settings, **urls)
    assert shell.run("migrate").status == 0
    assert shell.run("doctor").status in (0, 1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ca": "other-ca.pem"}, "certificate verify failed"),
        ({"client": "other-client.pem"}, ""),
        ({"host": "localhost"}, "certificate verify failed"),
    ],
)
def test_redis_with_a_wrong_certificate_is_told_in_one_sentence(
    secured: Secured, settings: Settings, wrong: dict[str, str], said: str
) -> None:
    url = secured.redis_url(**wrong)
    ended = shell_for(settings, url, settings.database_url).run("worker")
    assert ended.status == 3
    assert ended.err.count("\n") == 1
    assert ended.err.startswith("interlock: Redis at ")
    assert said in ended.err.lower()
    with pytest.raises(BrokerUnreachable):
        Client(url, "tls", namespace=settings.namespace)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"ca": "other-ca.pem"}, "certificate verify failed"), ({"client": "other-client.pem"}, "")],
)
def test_postgresql_with_a_wrong_certificate_is_told_in_one_sentence(
    secured: Secured, settings: Settings, wrong: dict[str, str], said: str
) -> None:
    ended = shell_for(settings, settings.redis_url, secured.database_url(**wrong)).run("worker")
    assert ended.status == 3
    assert ended.err.count("\n") == 1
    assert ended.err.startswith("interlock: the database at 127.0.0.1:")
    assert said in ended.err
