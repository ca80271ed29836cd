"""Everyone can use the page: axe finds no fault in any state, light or dark, and nothing is wider than the window."""

from __future__ import annotations

from typing import Any

import pytest

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="these tests need axe-playwright-python")

WIDE = {"viewport": {"width": 1280, "height": 860}}
NARROW = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
# colours and widths don't depend on each other: each is looked at once
LOOKS = {"wide and light": {**WIDE, "color_scheme": "light"}, "narrow and dark": {**NARROW, "color_scheme": "dark"}}


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest) -> dict[str, Any]:
    return LOOKS[request.param]


def check(page: Any, state: str) -> None:
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    faults = [(fault["id"], [node["html"][:120] for node in fault["nodes"]]) for fault in found]
    assert faults == [], state
    # a phone widens its window to what stands in it
    wide = page.evaluate("document.documentElement.scrollWidth") - page.viewport_size["width"]
    assert wide <= 0, f"{state}: wider than the window by {wide} pixels"


def test_every_state_is_accessible_and_fits(page, server, cells_file, tmp_path):
    page.goto("/")
    page.wait_for_selector("#version:not(:empty)")
    check(page, "start")
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7 " + b"x" * 1000)
    page.set_input_files("#file", paper)
    page.wait_for_selector("#refused:visible")
    check(page, "refused")
    page.set_input_files("#file", cells_file)
    page.wait_for_selector("#run:visible")
    page.get_by_text("Settings", exact=True).click()
    check(page, "checked")
    page.get_by_label("Excluded types").fill("no type")
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#run-refused:visible")
    check(page, "a setting refused")
    page.get_by_label("Excluded types").fill("hepatocyte")
    with server.holding():
        page.get_by_role("button", name="Name the cells").click()
        page.locator("#stage", has_text="Naming cells").wait_for()
        check(page, "running")
        page.get_by_role("button", name="Cancel").click()
        page.locator("#job-eyebrow", has_text="Cancelled").wait_for()
    check(page, "cancelled")
    page.goto("/jobs/" + 32 * "0")
    page.get_by_role("heading", name="This result is gone").wait_for()
    check(page, "gone")


def test_every_state_of_a_result_is_accessible_and_fits(result):
    page = result
    check(page, "types")
    page.locator("#types .name").first.click()
    check(page, "highlighted")
    page.locator("#search").fill("c")
    page.wait_for_selector("#hits:visible")
    check(page, "search")
    page.keyboard.press("Escape")
    page.locator("#search").fill("")
    page.locator("#unsure").check()
    check(page, "unsure")
    page.get_by_role("tab", name="One cell").click()
    check(page, "no cell")
    page.locator("#which-cell").fill("3")
    page.keyboard.press("Enter")
    page.wait_for_selector("#cell .sky canvas")
    check(page, "cell")
    page.get_by_role("button", name="Delete", exact=True).click()
    check(page, "delete?")


def test_every_state_of_a_result_with_groups_is_accessible_and_fits(page, cells_file):
    page.goto("/")
    page.set_input_files("#file", cells_file)
    page.get_by_text("Settings", exact=True).click()
    page.locator("#groups").select_option("batch")
    page.locator("#by").select_option("batch")
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")
    page.get_by_role("tab", name="Groups").click()
    check(page, "groups")
    page.locator("#groups-table .name").first.click()
    check(page, "a group highlighted")
