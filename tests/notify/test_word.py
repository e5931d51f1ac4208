"""`interlock notify` when it is used wrongly: one sentence that helps, and the contract's exit code."""

import sys

import pytest
from typer.testing import CliRunner

from workers.cli.main import app
from workers.notify.targets import without


@pytest.fixture(autouse=True)
def settings(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_REDIS_URL", redis_url)


def ends(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["notify", *args])
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("foo://s3cret", "target 1 (foo://...) is no URL that Apprise can use"),
        ("xoxb-s3cret", "target 1, which has no ://, is no URL that Apprise can use"),
        ("slack://s3cret", "target 1 (slack://...)"),
    ],
)
def test_a_url_that_cannot_be_used(url: str, why: str) -> None:
    status, text = ends("team", "--to", url)
    assert status == 2
    assert why in text
    assert "s3cret" not in text


def test_every_url_that_cannot_be_used_is_named() -> None:
    status, text = ends("team", "--to", "foo://a", "--to", "json://localhost", "--to", "bar://b")
    assert status == 2
    assert "target 1 (foo" in text
    assert "target 3 (bar" in text


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["team"], "say where to"),
        (["a b", "--to", "json://localhost"], "the stream's NAME"),
        (["team", "--to", "json://localhost", "--group", "a b"], "--group"),
        (
            ["team", "--to", "json://localhost", "--title", "{flow_run.name}"],
            "--title: a template may hold only",
        ),
        (["team", "--to-file", "/nowhere"], "/nowhere cannot be read"),
    ],
)
def test_wrong_usage(args: list[str], why: str) -> None:
    status, text = ends(*args)
    assert status == 2
    assert why in text


def test_urls_can_come_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_NOTIFY_URLS", "foo://a\nbar://b?to=c,d")
    status, text = ends("team")
    assert status == 2
    assert "target 1 (foo" in text
    assert "target 2 (bar" in text


def test_redis_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_REDIS_URL", "redis://127.0.0.1:1/0")
    status, text = ends("team", "--to", "json://localhost")
    assert status == 3
    assert "cannot be reached" in text


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    status, text = ends("team", "--to", "json://localhost")
    assert status == 1
    assert "interlock[server,notify]" in text


def test_nothing_of_a_url_is_left_in_a_reason() -> None:
    url = "https://bob:pa%2Fss@hooks.example/T0KEN/x?key=va%20lue"
    reason = "POST to hooks.example/t0ken failed for Bob (pa/ss): va lue\nHTTPSConnectionPool"
    assert without(url, reason) == "POST to ***/*** failed for *** (***): *** HTTPSConnectionPool"
