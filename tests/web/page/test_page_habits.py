"""Small habits of the page: light, steady, and kind to the keyboard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.web.page.conftest import until

import spoticell

WATCH = """() => {
    window.shift = 0;
    const sum = (entries) => entries.reduce((all, {hadRecentInput, value}) => all + (hadRecentInput ? 0 : value), 0);
    const add = (list) => { window.shift += sum(list.getEntries()); };
    new PerformanceObserver(add).observe({type: "layout-shift", buffered: true});
}"""

DRAWN_ANEW = """([width, height]) => {
    const plot = document.getElementById("plot"), fills = window.innerWidth === width && window.innerHeight === height;
    return fills && plot.width === plot.clientWidth && plot.height === plot.clientHeight;
}"""

PLACES = {"http://www.w3.org/2000/svg", "https://www.ebi.ac.uk/ols4/ontologies/cl/classes?obo_id="}
"""A name, and where links to the Cell Ontology lead: nothing is fetched from either."""
STATIC = Path(spoticell.__file__).parent / "web" / "static"
WRITTEN = [path for path in STATIC.rglob("*.*") if path.is_file() and path.parent.name != "engine"]
"""What is written by hand: the engine is built."""


def test_the_page_weighs_little_and_its_files_are_short():
    assert sum(path.stat().st_size for path in WRITTEN) < 2_000_000
    lengths = {path.name: path.read_text(encoding="utf-8").count("\n") for path in WRITTEN}
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}
    assert sorted(lengths.values())[len(lengths) // 2] < 200


def test_no_file_builds_html_from_text_or_names_another_host():
    for path in WRITTEN:
        text = path.read_text(encoding="utf-8")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in text, path.name
        assert set(re.findall(r"https?://[^\s\"<]+", text)) <= PLACES, path.name


def test_the_start_needs_little_from_the_server(page):
    page.goto("/")
    page.wait_for_selector("#version:not(:empty)")
    entries = "['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind))"
    loaded = dict(page.evaluate(f"{entries}.map(({{name, transferSize}}) => [name, transferSize])"))
    assert not any("map.html" in name for name in loaded), "nothing is drawn yet"
    assert len(loaded) < 60
    assert sum(loaded.values()) < 150_000


def test_nothing_jumps_while_a_file_is_named(page, cells_file):
    page.goto("/")
    page.evaluate(WATCH)
    page.set_input_files("#file", cells_file)
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")
    page.wait_for_timeout(300)
    assert page.evaluate("window.shift") < 0.1, "above a tenth readers lose their place (web.dev/cls)"


def test_the_colours_follow_the_button_and_are_remembered(page):
    page.goto("/")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Dark colours").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark


def test_the_map_shows_the_same_in_a_window_of_another_size(result):
    frame = next(frame for frame in result.frames if "map.html" in frame.url)
    height = "(([low, high]) => high - low)(mapRange().y)"
    before = frame.evaluate(height)
    for width, tall in ((900, 1400), (1280, 860)):
        result.set_viewport_size({"width": width, "height": tall})
        room = result.locator("#map iframe").evaluate("({clientWidth, clientHeight}) => [clientWidth, clientHeight]")
        until(frame, DRAWN_ANEW, room)
    assert frame.evaluate(height) == pytest.approx(before, rel=0.01)


def test_the_keyboard_alone_is_enough(result):
    page = result
    page.locator("#types .name").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#types [aria-pressed=true]").count() == 1
    page.get_by_role("tab", name="Types").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#panel-tree").is_visible()
    while not page.locator("#panel-cell").is_visible():
        page.keyboard.press("ArrowRight")
    page.locator("#which-cell").focus()
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    page.get_by_text("Cell 5 · cell-5").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches(':focus-visible')")
