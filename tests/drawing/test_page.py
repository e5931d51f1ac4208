"""The page in a browser: it zooms, pans, tells, searches, and no name gets the better of it."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from messages.answers import Graph
from messages.states import StateType
from tests.drawing.browser import Page, browser, fingers, needs_chromium, opened
from tests.drawing.builders import HOSTILE, TITLE, artifact, at, graph, large, node, state
from workers.drawing.html import as_fragment, as_html, script, style
from workers.drawing.title import Title

pytestmark = [needs_chromium, pytest.mark.xdist_group("browser")]
EXTRACT, TRANSFORM, LOAD, OTHER = (str(UUID(int=each)) for each in (1, 2, 3, 4))


@pytest.fixture(scope="module")
def driver() -> Iterator[webdriver.Chrome]:
    with browser() as driver:
        yield driver


def a_run() -> Graph:
    """Extract, transform, load, and something else beside."""
    return graph(
        node(1, 1, 10, label="extract"),
        node(2, 12, 30, label="transform", parents=[1], artifacts=[artifact(9, 20)]),
        node(3, 32, 50, label="load", parents=[2]),
        node(4, 5, 45, label="watch"),
        node(5, 6, label="ping", inside=[4]),
        end=60,
        states=[state(1, -1, StateType.PENDING), state(2, 0, StateType.RUNNING)],
    )


@pytest.fixture
def page(driver: webdriver.Chrome, tmp_path: Path) -> Page:
    return opened(driver, tmp_path, as_html(a_run(), now=at(100), title=TITLE))


def test_the_wheel_zooms_and_the_time_axis_gets_new_marks(page: Page) -> None:
    seconds, ticks = float(page.told("seconds")), page.told("ticks")
    assert ticks.split("|")[:2] == ["0 s", "10 s"]
    page.turn_wheel(-600)
    finer = page.until("ticks", other_than=ticks)
    assert float(page.told("seconds")) < seconds / 2
    assert "10 s" not in finer.split("|")[:1]
    page.turn_wheel(5000)
    page.until("ticks", other_than=finer)
    assert float(page.told("seconds")) == pytest.approx(seconds)


def test_it_can_be_dragged_when_zoomed(page: Page) -> None:
    before = page.told("ticks")
    page.turn_wheel(-900)
    zoomed = page.until("ticks", other_than=before)
    page.drag(300)
    assert page.until("ticks", other_than=zoomed) != before


def test_two_fingers_zoom_and_one_pans(driver: webdriver.Chrome, tmp_path: Path) -> None:
    with fingers(driver):
        page = opened(driver, tmp_path, as_html(a_run(), now=at(100), title=TITLE))
        seconds, ticks = float(page.told("seconds")), page.told("ticks")
        page.pinch(100, 400)
        finer = page.until("ticks", other_than=ticks)
        assert float(page.told("seconds")) == pytest.approx(seconds / 4, rel=0.05)
        page.swipe(300)
        moved = page.until("ticks", other_than=finer)
        assert float(page.told("seconds")) == pytest.approx(seconds / 4, rel=0.05)
        page.pinch(400, 50)
        page.until("ticks", other_than=moved)
        assert float(page.told("seconds")) == pytest.approx(seconds)
        assert page.complaints() == []


def test_a_page_leaves_no_gesture_on_its_picture_to_the_browser(page: Page) -> None:
    """Else a phone would zoom the whole page."""
    assert page.canvas.value_of_css_property("touch-action") == "none"


def test_a_click_tells_of_a_node_and_shows_what_belongs_to_it(page: Page) -> None:
    page.point_at(TRANSFORM, click=True)
    assert page.until("selected") == TRANSFORM
    panel = page.shown(".ig-more").text
    for words in (
        "transform",
        "Completed task run, 18 s",
        TRANSFORM,
        "Needs (1)",
        "Is needed by (1)",
        "artifact report",
    ):
        assert words in panel
    assert page.faint() == {OTHER, str(UUID(int=5))}


def test_pointing_at_a_node_tells_of_it_and_marks_its_relatives(page: Page) -> None:
    page.point_at(EXTRACT)
    assert "began 1 s after the start" in page.shown(".ig-tip").text
    assert page.faint() == {OTHER, str(UUID(int=5))}


def test_one_goes_from_node_to_node(page: Page) -> None:
    page.point_at(EXTRACT, click=True)
    page.until("selected")
    page.shown(".ig-more .ig-go").click()
    assert page.until("selected", other_than=EXTRACT) == TRANSFORM
    page.canvas.send_keys(Keys.ARROW_RIGHT)
    assert page.until("selected", other_than=TRANSFORM) == LOAD


def test_a_search_finds_by_name(page: Page) -> None:
    field = page.driver.find_element(By.TAG_NAME, "input")
    field.send_keys("LOA")
    assert page.until("found") == "1"
    assert page.faint() == {EXTRACT, TRANSFORM, OTHER, str(UUID(int=5))}
    field.send_keys(Keys.ENTER)
    assert page.until("selected") == LOAD


def test_nothing_is_amiss_in_the_console(page: Page) -> None:
    assert page.complaints() == []


def test_hostile_names_run_nothing(driver: webdriver.Chrome, tmp_path: Path) -> None:
    hostile = graph(
        node(1, 1, 2, label=HOSTILE, artifacts=[artifact(7, 1, HOSTILE)]),
        end=3,
        states=[state(5, 0, StateType.RUNNING, HOSTILE)],
    )
    title = Title(run_name=HOSTILE, flow_name=HOSTILE, state_name=HOSTILE)
    page = opened(driver, tmp_path, as_html(hostile, now=at(100), title=title))
    page.point_at(EXTRACT, click=True)
    assert "<img src=x onerror=alert(1)>" in page.shown(".ig-more h3").text
    assert driver.find_elements(By.TAG_NAME, "img") == []
    assert page.complaints() == []


def test_ten_thousand_nodes_can_be_looked_at(driver: webdriver.Chrome, tmp_path: Path) -> None:
    page = opened(driver, tmp_path, as_html(large(10_000, at_once=60), now=at(100), title=TITLE))
    ticks = page.told("ticks")
    page.turn_wheel(-1500)
    page.until("ticks", other_than=ticks)
    driver.find_element(By.TAG_NAME, "input").send_keys("task-9999" + Keys.ENTER)
    assert page.until("selected") == str(UUID(int=9999))
    assert page.complaints() == []


def test_several_pictures_fit_into_somebody_elses_page(driver: webdriver.Chrome, tmp_path: Path) -> None:
    pictures = "".join(as_fragment(a_run(), now=at(100), title=TITLE) for _ in range(2))
    opened(driver, tmp_path, f"<!doctype html><style>{style()}</style>{pictures}<script>{script()}</script>")
    assert len(driver.find_elements(By.TAG_NAME, "canvas")) == 2


def test_a_run_without_task_runs_has_a_page(driver: webdriver.Chrome, tmp_path: Path) -> None:
    waiting = graph(states=[state(1, -50, StateType.SCHEDULED)])
    page = opened(driver, tmp_path, as_html(waiting, now=at(-20), title=TITLE))
    page.canvas.send_keys(Keys.ARROW_RIGHT)
    assert page.complaints() == []
