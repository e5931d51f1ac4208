"""A real browser without a screen: Debian's chromium, driven as a person drives it.

Where it is not installed the tests that need it are left out, but never in CI (`CI` is set there).
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE_S = 60.0
_STEPS = 8
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(
    not (CHROMIUM and DRIVER) and not os.environ.get("CI"), reason="chromium and chromium-driver are missing"
)


class Page:
    """A page with a picture, and what one does with it."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver
        self.view = driver.find_element(By.CSS_SELECTOR, ".ig-view")
        self.canvas = driver.find_element(By.TAG_NAME, "canvas")
        self.until("seconds")

    def told(self, name: str) -> str:
        """What the picture tells of itself."""
        return self.view.get_attribute(f"data-{name}") or ""

    def until(self, name: str, *, other_than: str = "") -> str:
        """Waits until the picture tells something else."""
        WebDriverWait(self.driver, PATIENCE_S).until(lambda _: self.told(name) not in ("", other_than))
        return self.told(name)

    def turn_wheel(self, by: int) -> None:
        """Over the middle of the picture."""
        origin = ScrollOrigin.from_element(self.canvas)
        ActionChains(self.driver).scroll_from_origin(origin, 0, by).perform()

    def drag(self, by: int) -> None:
        """The picture, to the right."""
        chain = ActionChains(self.driver).move_to_element(self.canvas).click_and_hold()
        chain.move_by_offset(by, 0).release().perform()

    def pinch(self, begin: int, end: int) -> None:
        """Two fingers beside each other around the middle of the picture, so many pixels apart at first and at last."""
        box = self.canvas.rect
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

        def fingers(apart: float) -> list[dict[str, float]]:
            return [{"x": x - apart / 2, "y": y, "id": 0}, {"x": x + apart / 2, "y": y, "id": 1}]

        self._touch("touchStart", fingers(begin))
        for step in range(1, _STEPS + 1):
            self._touch("touchMove", fingers(begin + (end - begin) * step / _STEPS))
        self._touch("touchEnd", [])

    def swipe(self, by: int) -> None:
        """One finger, over the middle of the picture, to the right."""
        box = self.canvas.rect
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self._touch("touchStart", [{"x": x, "y": y, "id": 0}])
        for step in range(1, _STEPS + 1):
            self._touch("touchMove", [{"x": x + by * step / _STEPS, "y": y, "id": 0}])
        self._touch("touchEnd", [])

    def _touch(self, kind: str, fingers: list[dict[str, float]]) -> None:
        self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    def pixel_of(self, node_id: str) -> tuple[float, float]:
        """Where the beginning of a node's bar is, from the middle of the picture."""
        at: list[float] = self.driver.execute_script(
            "const view = arguments[0].interlockGraph, place = view.place;"
            "const node = view.picture.nodes.find((each) => each.id === arguments[1]);"
            "return [place.x(node.begin) + 3 - place.width / 2, place.y(node.row + 0.5) - place.height / 2];",
            self.view,
            node_id,
        )
        return at[0], at[1]

    def point_at(self, node_id: str, *, click: bool = False) -> None:
        """Moves the mouse to a node."""
        x, y = self.pixel_of(node_id)
        chain = ActionChains(self.driver).move_to_element_with_offset(self.canvas, round(x), round(y))
        (chain.click() if click else chain).perform()

    def faint(self) -> set[str]:
        """The ids of the nodes that are drawn faintly."""
        ids: list[str] = self.driver.execute_script(
            "const view = arguments[0].interlockGraph, ink = new interlockInk(view);"
            "return view.picture.nodes.filter((node) => ink.fades(node)).map((node) => node.id);",
            self.view,
        )
        return set(ids)

    def shown(self, selector: str) -> WebElement:
        """Waits until there is such an element to be seen."""

        def find(driver: webdriver.Chrome) -> list[WebElement]:
            return [each for each in driver.find_elements(By.CSS_SELECTOR, selector) if each.is_displayed()]

        return WebDriverWait(self.driver, PATIENCE_S).until(find)[0]

    def complaints(self) -> list[str]:
        """What the browser says in its console."""
        entries: list[dict[str, str]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in entries if "favicon" not in entry["message"]]


@contextmanager
def fingers(driver: webdriver.Chrome) -> Iterator[None]:
    """While entered, pages that are opened have a touch screen."""
    _touch_screen(driver, there=True)
    try:
        yield
    finally:
        _touch_screen(driver, there=False)


def _touch_screen(driver: webdriver.Chrome, *, there: bool) -> None:
    driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": there, "maxTouchPoints": 5})


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    """A browser of one's own."""
    assert CHROMIUM, "install chromium"
    assert DRIVER, "install chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    # As root there is no sandbox, and containers have little shared memory.
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.add_argument("--window-size=1200,800")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def opened(driver: webdriver.Chrome, folder: Path, html: str) -> Page:
    """A page from a file."""
    file = folder / "run.html"
    file.write_text(html, encoding="utf-8")
    driver.get(file.as_uri())
    return Page(driver)
