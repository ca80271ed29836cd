"""Running a result again without losing it, how long a run takes, and a result without names."""

from __future__ import annotations

import pytest
from tests.conftest import tiny_adata


@pytest.fixture
def own(page, cells_file):
    """A page with a finished result of its own, which a test may run again."""
    page.goto("/")
    page.set_input_files("#file", cells_file)
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")
    return page


def run_again(page, threshold):
    page.get_by_role("button", name="Run again").click()
    page.get_by_text("Settings", exact=True).click()
    page.get_by_role("slider", name="Threshold").fill(threshold)
    page.get_by_role("button", name="Name the cells").click()


def test_a_new_run_that_is_cancelled_leads_back_to_the_result(own, server):
    with server.holding():
        run_again(own, "0.9")
        own.locator("#hint", has_text="The earlier result is kept").wait_for()
        own.get_by_role("button", name="Cancel").click()
        own.locator("#result-notice", has_text="The new run was cancelled; this is the earlier result.").wait_for()
    assert "cells have a type" in own.locator("#result-lead").inner_text()
    own.reload()
    own.wait_for_selector("#result-notice:visible")
    run_again(own, "0.9")
    own.locator("#used", has_text="0.90").wait_for()
    assert own.locator("#result-notice").is_hidden()


def test_a_new_run_says_which_answers_are_others_than_before(own):
    assert own.locator("#renamed").is_hidden()
    run_again(own, "0.5")
    own.locator("#renamed-head", has_text="This run names all cells as the result before it did.").wait_for()
    own.get_by_role("button", name="Run again").click()
    own.get_by_label("Excluded types").fill("B cell")
    own.get_by_role("button", name="Name the cells").click()
    own.locator("#renamed-head", has_text="This run names 30 of 181 cells otherwise than the result before it.").click()
    assert own.locator("#renamed-list li").first.inner_text().startswith("30 from B cell to")
    own.locator("#moved").fill("0.9")
    own.wait_for_selector("#unsaved:visible")
    assert own.locator("#renamed").is_hidden(), "it is told of the answers of the run"


@pytest.mark.slow
def test_the_form_of_a_new_run_has_a_way_back(own):
    own.get_by_role("button", name="Run again").click()
    own.locator("#job-lead", has_text="when they are whole").wait_for()
    own.get_by_role("button", name="Back to the result").focus()
    own.keyboard.press("Enter")
    own.wait_for_selector("#result:visible")
    assert own.locator("#result-notice").is_hidden()


def test_a_file_that_was_never_run_has_no_way_back(page, cells_file):
    page.goto("/")
    page.set_input_files("#file", cells_file)
    page.get_by_role("button", name="Name the cells").wait_for()
    assert page.get_by_role("button", name="Back to the result").is_hidden()


@pytest.mark.slow
def test_the_time_is_said_before_and_during_a_run(page, server, cells_file):
    page.goto("/")
    page.set_input_files("#file", cells_file)
    page.locator("#job-lead", has_text="The cells can be named, in a").wait_for()
    with server.holding():
        page.get_by_role("button", name="Name the cells").click()
        page.locator("#percent", has_text="longer than expected").wait_for()
        bar = page.locator("#progress")
        # the server says a quarter, and says no more: the rest is the clock's
        while bar.evaluate("bar => bar.value") <= 0.5:
            page.wait_for_timeout(100)
    page.wait_for_selector("#map[data-drawn]")


def test_words_for_the_time_are_rounder_the_longer_it_is(page):
    page.goto("/")
    said = page.evaluate(
        "import('/static/js/clock.js').then(({ about }) => [1, 12.4, 43, 150, 7300].map((seconds) => about(seconds)))"
    )
    assert said == ["a few seconds", "about 12 seconds", "about 45 seconds", "about 3 minutes", "about 2 hours"]
    left = page.evaluate(
        "import('/static/js/clock.js').then(({ remaining }) => [12, 0, -9].map((rest) => remaining(rest, 12)))"
    )
    assert left == ["about 12 seconds left", "almost done", "longer than expected"]


def test_no_room_for_a_run_is_said_beside_the_settings(page, cells_file):
    full = {"status": 507, "json": {"error": "The server has no room for more files."}}
    page.route("**/run", lambda route: route.fulfill(**full))
    page.goto("/")
    page.set_input_files("#file", cells_file)
    page.get_by_role("button", name="Name the cells").click()
    page.locator("#run-refused", has_text="no room").wait_for()
    assert page.get_by_role("button", name="Name the cells").is_visible()


@pytest.mark.parametrize("cells", [30, pytest.param(1, marks=pytest.mark.slow)])
def test_a_result_in_which_no_cell_is_named_is_shown(page, tmp_path, cells):
    tiny = tiny_adata()
    tiny[tiny.obs["cell_type_ontology_term_id"] != "CL:0000057"][:cells].copy().write_h5ad(tmp_path / "none.h5ad")
    page.route("**/run", lambda route: route.continue_(post_data='{"threshold": 1, "allow": ["fibroblast"]}'))
    page.goto("/")
    page.set_input_files("#file", tmp_path / "none.h5ad")
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")
    held = min(cells, 26)
    assert page.locator("#result-lead").inner_text().startswith(f"0 of {held} cell")
    page.locator("#which-cell").evaluate("box => box.value = '0'")
    page.get_by_role("tab", name="One cell").click()
    page.get_by_role("button", name="Show", exact=True).click()
    page.locator("#cell", has_text="nknown").wait_for()
