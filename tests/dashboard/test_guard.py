import pytest
from starlette.testclient import TestClient

from tests.dashboard.conftest import TOKEN, Opened
from workers.dashboard.guard import COOKIE, LOCAL_NAMES, Access, is_loopback

HTML = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def guarded(open_pages: Opened) -> TestClient:
    return open_pages(Access(TOKEN))


@pytest.mark.parametrize("path", ["/", "/events", "/runs", "/dead-letters", "/logout-not", "/login/../runs"])
def test_without_the_token_nothing_is_shown(guarded: TestClient, path: str) -> None:
    answer = guarded.get(path)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer tökén"]
)
def test_a_wrong_token_is_none(guarded: TestClient, given: str) -> None:
    assert guarded.get("/", headers={b"authorization": given.encode()}).status_code == 401


def test_the_token_opens_every_page(guarded: TestClient) -> None:
    for path in ("/", "/runs", "/dead-letters"):
        assert guarded.get(path, headers={"authorization": f"bearer {TOKEN}"}).status_code == 200


def test_a_browser_logs_in_once_and_comes_where_it_wanted(guarded: TestClient) -> None:
    sent = guarded.get("/runs?state=RUNNING", headers=HTML)
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=%2Fruns%3Fstate%3DRUNNING")
    form = guarded.get(sent.headers["location"], headers=HTML)
    assert 'value="/runs?state=RUNNING"' in form.text
    entered = guarded.post("/login", data={"token": TOKEN, "next": "/runs?state=RUNNING"})
    assert (entered.status_code, entered.headers["location"]) == (303, "/runs?state=RUNNING")
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in cookie
    assert guarded.get("/runs").status_code == 200
    guarded.post("/logout")
    assert guarded.get("/runs").status_code == 401


def test_a_wrong_token_does_not_log_in(guarded: TestClient) -> None:
    answer = guarded.post("/login", data={"token": "wrong"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_cookie_that_was_made_up_is_none(guarded: TestClient) -> None:
    for value in ("", "x", TOKEN, Access("another-token-altogether").cookie):
        assert guarded.get("/", headers={"cookie": f"{COOKIE}={value}"}).status_code == 401


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "/a\nb"]
)
def test_nobody_is_sent_elsewhere_after_logging_in(guarded: TestClient, wanted: str) -> None:
    answer = guarded.post("/login", data={"token": TOKEN, "next": wanted})
    assert answer.headers["location"] == "/"


def test_a_form_without_end_is_not_read(guarded: TestClient) -> None:
    assert guarded.post("/login", content=b"token=" + b"x" * 100_000).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8711", "localhost.evil", "", "0.0.0.0:8711"]
)
def test_on_this_machine_no_other_name_is_served(pages: TestClient, host: str) -> None:
    for path in ("/", "/static/style.css", "/login"):
        assert pages.get(path, headers={"host": host}).status_code == 421, path


@pytest.mark.parametrize("host", ["localhost:8711", "127.0.0.1:8711", "[::1]:8711", "LOCALHOST"])
def test_the_names_of_this_machine_are_served(pages: TestClient, host: str) -> None:
    assert pages.get("/", headers={"host": host}).status_code == 200


def test_behind_a_token_every_name_is_served(guarded: TestClient) -> None:
    headers = {"host": "interlock.example", "authorization": f"Bearer {TOKEN}"}
    assert guarded.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/nothing", "/static/style.css", "/runs?after=x", "/login"])
def test_every_answer_forbids_what_a_page_does_not_need(pages: TestClient, path: str) -> None:
    headers = pages.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_nothing_can_be_changed_from_here(pages: TestClient) -> None:
    for path in ("/", "/runs", "/dead-letters"):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert pages.request(method, path).status_code == 405


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_who_can_reach_an_address(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_without_a_token_everybody_knows_it() -> None:
    assert Access(None, LOCAL_NAMES).knows(None, None)
    assert not Access(None).is_token("")
