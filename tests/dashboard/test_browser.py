"""The pages in a real browser: what it loads, refuses, draws and keeps up to date.

With INTERLOCK_TEST_PICTURES=FOLDER the pictures are kept, for people to look at.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.clock.scene import Scene
from tests.drawing.browser import CHROMIUM, DRIVER, needs_chromium
from workers.now import now

pytestmark = needs_chromium

PATIENCE_S = 60.0
SIZES = {"wide": (1280, 900), "narrow": (390, 844)}


@pytest.fixture(scope="module")
def chrome() -> Iterator[Chrome]:
    options = ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.binary_location = CHROMIUM or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(DRIVER))
    driver.set_page_load_timeout(PATIENCE_S)
    yield driver
    driver.quit()


def keep(chrome: Chrome, folder: Path, name: str) -> Path:
    kept = Path(os.environ.get("INTERLOCK_TEST_PICTURES") or folder)
    picture = kept / f"dashboard-{name}.png"
    assert chrome.save_screenshot(str(picture))
    return picture


def look_as(chrome: Chrome, scheme: str, size: str) -> None:
    width, height = SIZES[size]
    chrome.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def complaints(chrome: Chrome) -> list[str]:
    return [each["message"] for each in chrome.get_log("browser")]  # type: ignore[no-untyped-call]


@pytest.fixture
def run_path(scene: Scene) -> str:
    began = now() - timedelta(minutes=2)
    run = scene.flow_run({"type": "RUNNING"}, began, name="alpha", tags=["prod"])
    for key in ("load", "clean", "save"):
        began += timedelta(seconds=20)
        scene.task_run(run, key, {"type": "RUNNING"}, began)
    return f"/runs/{run}"


@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_and_obeys_its_own_policy(
    chrome: Chrome, served: str, run_path: str, tmp_path: Path, scheme: str, size: str
) -> None:
    look_as(chrome, scheme, size)
    for name, path in (("overview", "/"), ("runs", "/runs"), ("run", run_path), ("letters", "/dead-letters")):
        chrome.get(f"{served}{path}")
        if name == "run":
            WebDriverWait(chrome, PATIENCE_S).until(lambda it: it.find_elements(By.TAG_NAME, "canvas"))
        assert complaints(chrome) == [], path
        widths = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        needed, given = chrome.execute_script(widths)
        assert needed <= given, path
        assert keep(chrome, tmp_path, f"{name}-{scheme}-{size}").stat().st_size > 5_000


def running_in(chrome: Chrome) -> str:
    return chrome.find_element(By.CSS_SELECTOR, "a.state-RUNNING").text


def test_the_overview_keeps_itself_up_to_date(chrome: Chrome, served: str, scene: Scene) -> None:
    chrome.get(served)
    # The page may be drawn anew between finding a part of it and reading it.
    waiting = WebDriverWait(chrome, PATIENCE_S, ignored_exceptions=[Exception])
    waiting.until(lambda it: running_in(it).endswith("running 0"))
    scene.flow_run({"type": "RUNNING"})
    waiting.until(lambda it: running_in(it).endswith("running 1"))
    assert complaints(chrome) == []


def test_a_hostile_name_is_a_name(chrome: Chrome, served: str, scene: Scene) -> None:
    name = "<img src=x onerror=\"document.title='broken'\">"
    run = scene.flow_run(
        {"type": "RUNNING", "message": name}, now() - timedelta(minutes=1), name=name, flow_name=name
    )
    scene.task_run(run, "load", {"type": "RUNNING"}, now() - timedelta(seconds=30), name=name)
    for path in ("/runs", f"/runs/{run}", "/"):
        chrome.get(f"{served}{path}")
        assert "broken" not in chrome.title.replace(name, "")
        assert not chrome.find_elements(By.CSS_SELECTOR, "img[src=x]")
    chrome.get(f"{served}/runs/{run}")
    assert chrome.find_element(By.TAG_NAME, "h1").text == name


def is_clicked(element: WebElement) -> bool:
    element.click()
    return True


def test_a_run_is_found_by_its_filters(chrome: Chrome, served: str, run_path: str, scene: Scene) -> None:
    scene.flow_run({"type": "RUNNING"}, name="beta")
    # The page may be drawn anew between finding a part of it and using it.
    redrawn = (NoSuchElementException, StaleElementReferenceException)
    waiting = WebDriverWait(chrome, PATIENCE_S, ignored_exceptions=redrawn)

    chrome.get(f"{served}/runs")
    waiting.until(lambda it: it.find_element(By.LINK_TEXT, "beta"))
    chrome.find_element(By.NAME, "tag").send_keys("prod")
    chrome.find_element(By.CSS_SELECTOR, ".filters button").click()
    waiting.until(lambda it: "tag=prod" in it.current_url and not it.find_elements(By.LINK_TEXT, "beta"))
    waiting.until(lambda it: is_clicked(it.find_element(By.LINK_TEXT, "alpha")))
    waiting.until(lambda it: it.current_url == f"{served}{run_path}")
