"""The threshold of a result, moved on the page."""

from __future__ import annotations

import pytest
from tests.web.page.conftest import PATIENCE, playwright
from tests.web.test_threshold import mixed

expect = playwright.expect
expect.set_options(timeout=1000 * PATIENCE)


@pytest.fixture(scope="module")
def mixed_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("mixed") / "cells.h5ad"
    mixed().write_h5ad(path)
    return path


def rows(page) -> list[str]:
    return page.locator("#types tbody tr").all_inner_texts()


def test_the_answers_follow_the_threshold_and_the_page_says_what_the_files_hold(page, mixed_file):
    page.goto("/")
    page.set_input_files("#file", mixed_file)
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")
    slider, unsaved, before = page.locator("#moved"), page.locator("#unsaved"), rows(page)
    expect(unsaved).to_be_hidden()
    slider.focus()
    page.keyboard.press("End")
    expect(unsaved).to_contain_text("Shown at threshold 0.95; the files to save are at 0.50.")
    assert rows(page) != before
    page.reload()
    page.wait_for_selector("#map[data-drawn]")
    expect(unsaved).to_contain_text("Shown at threshold 0.95")
    page.get_by_role("button", name="Back to 0.50").click()
    expect(unsaved).to_be_hidden()
    assert rows(page) == before


@pytest.mark.slow
def test_the_files_are_made_anew_at_the_threshold_that_is_shown(page, cells_file):
    page.goto("/")
    page.set_input_files("#file", cells_file)
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")
    page.locator("#moved").fill("0.9")
    page.get_by_role("button", name="Save with this threshold").click()
    expect(page.locator("#used")).to_contain_text("0.90")
    expect(page.locator("#unsaved")).to_be_hidden()
    assert page.locator("#moved").input_value() == "0.9"


def test_a_threshold_that_the_server_can_not_show_leaves_what_is_shown(result):
    before = rows(result)
    refusal = {"status": 409, "json": {"error": "These results are of another release. Run the job again."}}
    result.route("**/threshold", lambda route: route.fulfill(**refusal))
    result.locator("#moved").fill("0.9")
    expect(result.locator("#moved-wrong")).to_contain_text("Run the job again.")
    assert result.locator("#moved-out").inner_text() == "0.50"
    assert rows(result) == before
