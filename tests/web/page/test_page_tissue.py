"""The tissue of a result, changed on the page, and what the page says before the answers are trusted."""

from __future__ import annotations

import pytest
from tests.web.page.conftest import PATIENCE, playwright, until
from tests.web.page.test_page_threshold import rows
from tests.web.test_threshold import mixed

expect = playwright.expect
expect.set_options(timeout=1000 * PATIENCE)
SAID = [{"kind": "program", "text": "1,279 cells show the interferon programme strongly."}]


@pytest.fixture(scope="module")
def mixed_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("mixed") / "cells.h5ad"
    mixed().write_h5ad(path)
    return path


def named(page, file) -> None:
    page.goto("/")
    page.set_input_files("#file", file)
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")


def test_the_answers_follow_the_tissue_and_are_saved_with_it(page, mixed_file):
    named(page, mixed_file)
    tissue, unsaved, before = page.get_by_label("Tissue").last, page.locator("#unsaved"), rows(page)
    expect(tissue).to_have_value("")
    tissue.select_option("kidney")
    expect(unsaved).to_contain_text("Shown for kidney; the files to save are as the cells show their tissue.")
    expect(page.locator("#result-lead")).to_contain_text("in kidney")
    own = "Mixed cells are those that the run found, with its own tissue."
    expect(page.locator("#cautions li[data-kind=mixed]")).to_contain_text(own)
    page.get_by_role("tab", name="Unsure").click()
    expect(page.locator("#unsure-cells")).to_contain_text(own)
    page.get_by_role("tab", name="Types").click()
    page.locator("#moved").fill("0.9")
    expect(unsaved).to_contain_text("Shown at threshold 0.90 and for kidney; the files to save are at 0.50 and as the")
    page.get_by_role("button", name="Back to what is saved").click()
    expect(unsaved).to_be_hidden()
    assert rows(page) == before
    tissue.select_option("any")
    page.get_by_role("button", name="Save with this tissue").click()
    expect(page.locator("#used")).to_contain_text("Any")
    expect(unsaved).to_be_hidden()
    expect(tissue).to_have_value("any")


def test_a_tissue_that_the_server_can_not_show_leaves_what_is_shown(result):
    before = rows(result)
    result.route("**/tissue", lambda route: route.fulfill(status=409, json={"error": "Run the job again."}))
    result.locator("#moved-tissue").select_option("lung")
    expect(result.locator("#moved-wrong")).to_contain_text("Run the job again.")
    expect(result.locator("#moved-tissue")).to_have_value("")
    expect(result.locator("#moved-busy")).to_be_hidden()
    assert rows(result) == before


@pytest.mark.parametrize(("told", "seen"), [(SAID, True), ([], False)])
def test_what_to_know_stands_above_the_map_where_there_is_something(result, told, seen):
    def more(route):
        summary = route.fetch().json()
        route.fulfill(json=summary | {"cautions": told, "tissue": None})

    result.route("**/summary", more)
    result.reload()
    result.wait_for_selector("#map[data-drawn]")
    until(result, "(n) => document.querySelectorAll('#cautions li').length === n", len(told))
    expect(result.locator("#cautions")).to_be_visible(visible=seen)
    assert result.locator("#cautions").inner_text() == "".join(one["text"] for one in told)
    expect(result.locator("#moved-tissues")).to_be_hidden()
