"""The page says why: the genes that speak for what a cell, a type or a group is called, and against it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.web.page.conftest import link_to_cells
from tests.web.page.test_page_access import axe

from spoticell.web import demo

DEMO = Path(demo.__file__).parent / "demo_cells" / demo.NAME


@pytest.fixture(scope="module")
def server(started):
    return started("human-v1")


@pytest.fixture(scope="module")
def link(server):
    """The demo, named with groups."""
    return link_to_cells(server, DEMO, groups="auto")


def show_cell(page, which):
    page.get_by_role("tab", name="One cell").click()
    page.fill("#which-cell", which)
    page.press("#which-cell", "Enter")
    page.get_by_text(f"Cell {which} ·").wait_for()


def test_a_cell_says_why_once_it_is_asked_and_the_next_one_at_once(result):
    show_cell(result, "12")
    box = result.locator("#cell details.why")
    assert box.locator(".voices").count() == 0
    box.get_by_text("Why: genes for and against").click()
    ahead = box.get_by_role("list", name="Speak for it").get_by_role("button")
    ahead.first.wait_for()
    assert ahead.count() == 10
    assert box.get_by_role("list", name="Speak against").get_by_role("listitem").first.inner_text().count("−") == 1
    assert "to the probability of" in box.inner_text()
    show_cell(result, "13")
    result.locator("#cell details.why[open] .voices").wait_for()
    assert "Alone, without its neighbours, this cell is " in result.locator("#cell .why-told").inner_text()
    wide = result.locator("#cell details.why").bounding_box()["width"]
    assert result.locator("#cell .why-told").bounding_box()["width"] > 0.8 * wide


def test_a_gene_that_speaks_colours_the_map(result):
    show_cell(result, "12")
    result.locator("#cell details.why summary").click()
    gene = result.locator("#cell .voices .gene").first
    symbol = gene.inner_text().strip()
    gene.click()
    result.get_by_text(f"The map is coloured by {symbol}.").wait_for(state="attached")


def test_the_grid_says_what_each_gene_adds(result):
    show_cell(result, "12")
    result.locator("#cell details.why summary").click()
    sky = result.locator("#cell .why-told .sky")
    sky.focus()
    sky.press("ArrowRight")
    told = result.locator("#cell .why-told .told").inner_text()
    assert "to the probability" in told


def test_a_type_says_why_beside_the_genes_that_tell_it_apart(result):
    result.locator("#types [data-key]:not([data-key^='by '])").first.click()
    card = result.locator("#card")
    card.get_by_text("Genes that tell them from the other cells").wait_for()
    card.locator("details.why summary").click()
    card.get_by_text("on average over 50 of").wait_for()


def test_a_group_says_why_in_a_box_that_the_keyboard_closes(result):
    result.get_by_role("tab", name="Groups").click()
    result.locator("#groups-table .why-button").first.click()
    box = result.get_by_role("dialog")
    box.locator(".voices").wait_for()
    assert box.get_attribute("aria-label").startswith("Why Group ")
    found = axe.Axe().run(result, context=".why-box", options={"resultTypes": ["violations"]})
    assert found.response["violations"] == []
    result.keyboard.press("Escape")
    box.wait_for(state="detached")
    result.locator("#groups-table .why-button").first.click()
    box.locator(".voices .gene").first.click()
    box.wait_for(state="detached")


def test_a_question_that_the_server_refuses_is_told(result):
    result.route("**/why?**", lambda route: route.fulfill(status=404, json={"error": "Nobody can say."}))
    show_cell(result, "12")
    result.locator("#cell details.why summary").click()
    result.locator("#cell .why-told").get_by_text("Nobody can say.").wait_for()


def test_the_box_fits_the_window(result):
    box = result.get_by_role("dialog")
    for width in (390, 1280, 1920):
        result.set_viewport_size({"width": width, "height": 900})
        result.get_by_role("tab", name="Groups").click()
        result.locator("#groups-table .why-button").first.click()
        box.locator(".voices").wait_for()
        assert result.evaluate(
            "() => document.querySelector('.why-box').scrollWidth <= document.querySelector('.why-box').clientWidth"
        ), width
        assert result.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), width
        result.keyboard.press("Escape")
        box.wait_for(state="detached")
