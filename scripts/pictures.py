"""Draws the pictures of report and web page that the docs show, of the 700 blood cells that travel with the package.

    pictures.py FOLDER

FOLDER gets ``report.png``, ``cells.png`` and ``web-*.png``.  Needs playwright and Chromium; where it isn't found by
name ``SPOTICELL_CHROMIUM`` says where it is.  Look at them before they are kept.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

CELLS = files("spoticell").joinpath("web", "demo_cells", "pbmc68k_reduced.h5ad")
DESK = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}
PAPER = {"width": 1140, "height": 1445}
HEIGHT = 390
"""Of a picture of cells with their names, in pixels."""
SHOWN = ("Map of the fingerprints", "Cells on the gene grid")
"""Sections of the report that are drawn, below its head."""
CELL = "17"
"""Number of the cell that is looked at."""
FLAGS = "--no-sandbox --disable-gpu --use-gl=angle --use-angle=swiftshader --enable-unsafe-swiftshader"
PATIENCE = 120
PAUSE = 2000
"""Milliseconds until what was asked for stands still."""


def main() -> None:
    """Run the report and the page, draw them, and make the pictures small."""
    folder = Path(sys.argv[1])
    chromium = os.environ.get("SPOTICELL_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as temporary:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS.split())
        draw_report(browser, Path(temporary), folder)
        with served(Path(temporary) / "jobs") as url:
            draw_page(browser, url, folder)
        browser.close()
    for name in ("report.png", "cells.png", *(path.name for path in folder.glob("web-*.png"))):
        with Image.open(folder / name) as picture:
            few = picture.convert("RGB").quantize(256, kmeans=3, dither=Image.Dither.NONE)
        few.save(folder / name, optimize=True)


def draw_report(browser: Browser, temporary: Path, folder: Path) -> None:
    """Draw the head of a report, and its cells on the gene grid."""
    report = temporary / "report.html"
    answers = ["-o", str(temporary / "cells.csv"), "--report", str(report), "--quiet"]
    cells = shutil.copy(str(CELLS), temporary / "pbmc68k.h5ad")
    subprocess.run([sys.executable, "-m", "spoticell", "annotate", str(cells), *answers], check=True)
    page = browser.new_page(viewport=PAPER, color_scheme="light")
    page.goto(report.as_uri())
    page.evaluate(
        """shown => {
            const heads = [...document.querySelectorAll("main h2")].filter(head => !shown.includes(head.textContent));
            heads.forEach(head => head.closest("section").remove());
            document.querySelectorAll("nav, .key, main section > p").forEach(text => text.remove());
        }""",
        SHOWN,
    )
    page.screenshot(path=folder / "report.png")
    box = page.locator(".cells").bounding_box() or {}
    page.screenshot(path=folder / "cells.png", clip=box | {"height": HEIGHT}, full_page=True)
    page.close()


def draw_page(browser: Browser, url: str, folder: Path) -> None:
    """Draw the web page from the start to one cell and its neighbours."""
    page = opened(browser, url, DESK, "light")
    page.wait_for_selector("#start:visible")
    page.screenshot(path=folder / "web-start.png")
    page.set_input_files("#file", str(CELLS))
    page.wait_for_selector("#found:visible")
    page.screenshot(path=folder / "web-check.png")
    page.get_by_role("button", name="Name the cells").click()
    drawn(page)
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=folder / "web-result.png")
    link = page.url
    draw_type(page, folder)
    show_cell(page)
    neighbours = page.get_by_role("heading", name="Nearest reference cells")
    neighbours.evaluate("heading => heading.scrollIntoView({block: 'start'})")
    to_map(page)
    page.screenshot(path=folder / "web-neighbours.png")
    for name, window in (("web-cell", DESK), ("web-phone", PHONE)):
        page = opened(browser, link, window, "dark")
        drawn(page)
        if window is DESK:
            show_cell(page)
        page.screenshot(path=folder / f"{name}.png")
    page = opened(browser, f"{url}/atlas", DESK, "dark")
    page.wait_for_selector("#atlas-type canvas")
    page.wait_for_timeout(PAUSE)
    page.screenshot(path=folder / "web-atlas.png")


def draw_type(page: Page, folder: Path) -> None:
    """Draw the card of the commonest type."""
    page.locator("#types tbody button.name").first.click()
    to_map(page)
    page.wait_for_selector("#card .genes, #card .steps-of")
    page.wait_for_timeout(PAUSE)
    page.screenshot(path=folder / "web-type.png")
    page.get_by_role("button", name="All types").click()


def opened(browser: Browser, url: str, window: dict[str, int], colours: str) -> Page:
    """Open an address in a window of its own."""
    context = browser.new_context(
        viewport=window, color_scheme=colours, reduced_motion="reduce", is_mobile=window is PHONE
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(url)
    return page


def drawn(page: Page) -> None:
    """Wait until the map is there to be seen, and go to it."""
    page.wait_for_selector("#map[data-drawn]")
    to_map(page)
    page.wait_for_timeout(PAUSE)


def to_map(page: Page) -> None:
    """Put the map and what stands beside it into the window."""
    page.locator("#search").evaluate("box => window.scrollTo(0, box.getBoundingClientRect().top + scrollY - 16)")


def show_cell(page: Page) -> None:
    """Look at one cell."""
    page.locator("#tab-cell").click()
    page.locator("#which-cell").fill(CELL)
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_selector("#cell canvas, #cell img, #cell svg")
    page.wait_for_timeout(PAUSE)


@contextmanager
def served(jobs: Path) -> Iterator[str]:
    """Give the address of a server, as long as it is needed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    options = ["--no-browser", "--port", str(port), "--data-dir", str(jobs), "--index", "human-v1"]
    server = subprocess.Popen([sys.executable, "-m", "spoticell", "serve", *options], stderr=subprocess.DEVNULL)
    try:
        for _ in range(PATIENCE):
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                time.sleep(1)
        yield url
    finally:
        server.terminate()
        server.wait(30)


if __name__ == "__main__":
    main()
