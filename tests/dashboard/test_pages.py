import re
from datetime import timedelta
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from store.dead_letters import as_bytea, insert
from store.transaction import transaction
from tests.cli.conftest import NOWHERE
from tests.clock.scene import Scene
from tests.dashboard.conftest import Opened
from workers.dashboard.reader import PAGE
from workers.now import now
from workers.settings import Settings

NOBODY = "01a207f1-0000-7000-8000-000000000000"
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"


def told(pages: TestClient, path: str) -> str:
    answer = pages.get(path)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def names(text: str) -> list[str]:
    return re.findall(r'<a href="/runs/[0-9a-f-]{36}">([^<]*)</a>', text)


def bury(scene: Scene, number: int = 1, body: bytes = b'{"broken"', reason: str = "no JSON") -> None:
    with transaction(scene.means.engine) as connection:
        for each in range(number):
            row = {
                "id": uuid4(),
                "created": now() - timedelta(seconds=each),
                "queue": "commands",
                "attempts": 0,
            }
            insert(connection, [{**row, "reason": f"{reason} {each}", "body": as_bytea(body)}])


def test_the_overview_shows_figures_and_what_needs_attention(scene: Scene, pages: TestClient) -> None:
    scene.flow_run({"type": "RUNNING"})
    text = told(pages, "/")
    assert re.search(r'href="/runs\?state=RUNNING"><i [^>]*>.</i>running <b>1</b>', text)
    assert "no worker is alive" in text
    assert "Commands" in text


def test_the_overview_stands_without_the_servers(open_pages: Opened, settings: Settings) -> None:
    away = {"database_url": f"postgresql://{NOWHERE}/interlock", "redis_url": f"redis://{NOWHERE}/0"}
    text = told(open_pages(changed=settings.model_copy(update=away)), "/")
    assert "PostgreSQL does not answer" in text
    assert "Redis does not answer" in text


@pytest.mark.parametrize("path", ["/runs", f"/runs/{NOBODY}", "/dead-letters"])
def test_pages_of_a_database_that_is_away_say_so_and_come_again(
    open_pages: Opened, settings: Settings, path: str
) -> None:
    away = settings.model_copy(update={"database_url": f"postgresql://{NOWHERE}/interlock"})
    answer = open_pages(changed=away).get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "The database does not answer" in answer.text
    assert 'http-equiv="refresh"' in answer.text


def test_runs_are_listed_and_found_by_state_flow_name_and_tag(scene: Scene, pages: TestClient) -> None:
    scene.flow_run({"type": "RUNNING"}, name="alpha", tags=["prod"])
    scene.flow_run({"type": "COMPLETED"}, name="beta", flow_name="report")
    assert sorted(names(told(pages, "/runs"))) == ["alpha", "beta"]
    for query, found in (
        ("state=RUNNING", ["alpha"]),
        ("flow=REP", ["beta"]),
        ("name=et", ["beta"]),
        ("tag=prod", ["alpha"]),
        ("tag=pro", []),
        ("state=RUNNING&flow=rep", []),
        ("state=NONSENSE&sort=NONSENSE", ["alpha", "beta"]),
    ):
        assert sorted(names(told(pages, f"/runs?{query}"))) == found, query


@pytest.mark.parametrize("sort", ["NAME_ASC", "ID_DESC", "START_TIME_DESC", "END_TIME_DESC"])
def test_pages_follow_each_other_and_show_every_run_once(scene: Scene, pages: TestClient, sort: str) -> None:
    for number in range(PAGE + 3):
        scene.flow_run(name=f"run-{number:03}")
    seen: list[str] = []
    path: str | None = f"/runs?sort={sort}&name=run-"
    while path is not None:
        text = told(pages, path)
        seen += names(text)
        following = re.search(r'rel="next" href="([^"]*)"', text)
        path = None if following is None else following[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == PAGE + 3


def test_a_cursor_that_is_none_is_refused(pages: TestClient) -> None:
    answer = pages.get("/runs?after=nonsense")
    assert answer.status_code == 400
    assert "no cursor" in answer.text


def test_a_nul_in_a_filter_finds_nothing_and_breaks_nothing(pages: TestClient) -> None:
    assert names(told(pages, "/runs?name=%00x")) == []


def test_a_run_shows_its_history_task_runs_slots_and_graph(scene: Scene, pages: TestClient) -> None:
    began = now() - timedelta(minutes=1)
    scene.do("concurrency_limit.upsert", {"name": "tag:db", "limit": 3}, began)
    run = scene.flow_run({"type": "RUNNING"}, began, name="alpha", parameters={"day": "2026-11-22"})
    task = scene.task_run(run, "load", at=began, name="load-orders", tags=["db"])
    answer = scene.do("task_run.set_state", {"task_run_id": str(task), "state": {"type": "RUNNING"}}, began)
    assert answer["status"] == "ACCEPT", answer
    text = told(pages, f"/runs/{run}")
    for part in ("alpha", "so far", "2026-11-22", "tag:db", 'class="ig-view"', "/static/graph.js"):
        assert part in text, part
    assert str(task) in text
    picture = pages.get(f"/runs/{run}/graph.svg")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert "load-orders" in picture.text


def test_a_run_that_has_no_graph_says_why(scene: Scene, pages: TestClient) -> None:
    run = scene.flow_run(name="bare")
    text = told(pages, f"/runs/{run}")
    assert "ig-view" not in text
    assert "nothing to draw" in text


@pytest.mark.parametrize(
    "path", ["/nothing", f"/runs/{NOBODY}", "/runs/1", f"/runs/{NOBODY}/graph.svg", "/static/x"]
)
def test_what_is_not_there_is_not_found(pages: TestClient, path: str) -> None:
    answer = pages.get(path)
    assert answer.status_code == 404
    assert "Not found" in answer.text


def test_dead_letters_are_shown_page_by_page(scene: Scene, pages: TestClient) -> None:
    bury(scene, PAGE + 1)
    first = told(pages, "/dead-letters")
    assert first.count("<details") == PAGE
    following = re.search(r'rel="next" href="([^"]*)"', first)
    assert following is not None
    assert told(pages, following[1]).count("<details") == 1


def test_no_name_becomes_markup(scene: Scene, pages: TestClient) -> None:
    run = scene.flow_run(
        {"type": "RUNNING", "name": HOSTILE, "message": HOSTILE},
        name=HOSTILE,
        flow_name=HOSTILE,
        tags=[HOSTILE],
        parameters={HOSTILE: HOSTILE},
        labels={HOSTILE: HOSTILE},
    )
    scene.task_run(run, "load", {"type": "RUNNING", "name": HOSTILE}, name=HOSTILE, tags=[HOSTILE])
    scene.do("concurrency_limit.upsert", {"name": "<img src=x onerror=alert(1)>", "limit": 1})
    bury(scene, body=HOSTILE.encode(), reason=HOSTILE)
    for path in (
        "/",
        "/runs",
        f"/runs/{run}",
        "/dead-letters",
        f"/runs/{run}/graph.svg",
        f"/runs?name={HOSTILE}&flow={HOSTILE}&tag={HOSTILE}",
    ):
        text = told(pages, path)
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert "{49}" not in text, path


def test_every_file_that_a_page_names_is_served_from_here(scene: Scene, pages: TestClient) -> None:
    run = scene.flow_run({"type": "RUNNING"})
    scene.task_run(run, "load", {"type": "RUNNING"})
    for path in ("/", "/runs", f"/runs/{run}", "/dead-letters"):
        text = told(pages, path)
        named = re.findall(r'(?:src|href)="([^"]*)"', text)
        assert named
        assert all(each.startswith("/") and not each.startswith("//") for each in named), named
        for each in named:
            if each.startswith("/static/"):
                assert pages.get(each).status_code == 200, each
        assert not re.search(r"\son[a-z]+=", text), path
