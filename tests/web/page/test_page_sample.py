"""Sets of cells on the page: the card of a type, genes by type, a selection, and names that the reader gives."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from tests.web.page.conftest import PATIENCE, name_cells
from tests.web.page.test_page_access import check

PANEL = "#panel-types"


@pytest.fixture
def named(page, cells_file):
    """The page with a result of its own, whose cells can be given names."""
    name_cells(page, cells_file)
    return page


def press(page, name: str) -> None:
    page.locator("#types").get_by_role("button", name=name).click()
    page.wait_for_selector("#card .apart li")


def around(page, *corners: tuple[float, float]) -> None:
    """Draw around a part of the map, its corners as shares of its width and height."""
    page.get_by_role("group", name="Map", exact=True).get_by_role("button", name="Draw around cells").click()
    box = page.locator("#lasso-area").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()


ALL = ((0.01, 0.01), (0.9, 0.01), (0.9, 0.99), (0.01, 0.99))


def test_a_type_that_is_pressed_tells_what_it_is_and_by_which_genes_it_is_told(result):
    press(result, "B cell")
    # its parts come one by one
    card = result.locator("#card")
    expect(card).to_contain_text("30 cells (17%) are called so.", timeout=1000 * PATIENCE)
    expect(card).to_contain_text("A lymphocyte of B lineage that is capable of B cell mediated immunity.")
    assert "MS4A1" in result.locator("#card .apart").inner_text()
    link = result.locator("#card a")
    assert link.get_attribute("href").endswith("/ontologies/cl/classes?obo_id=CL%3A0000236")
    assert link.get_attribute("rel") == "noopener noreferrer"
    result.get_by_text("What 30 cells would be called otherwise.").or_(
        result.get_by_text("Nothing else is likely for these cells.")
    ).wait_for()
    expect(result.locator("#card .typical img")).to_have_count(6, timeout=1000 * PATIENCE)
    assert not result.locator("#types").is_visible()
    check(result, "card")


def test_a_gene_of_a_card_colours_the_map_and_the_card_stays(result):
    press(result, "B cell")
    result.locator("#card .apart .gene").first.click()
    result.locator("input[name=by][value=gene]:checked").wait_for(state="attached")
    assert result.locator("#card").is_visible()
    result.locator("input[name=by][value=type]").check(force=True)
    assert result.locator("#types").is_visible()


def test_a_typical_cell_of_a_card_can_be_looked_at(result):
    press(result, "fibroblast")
    result.locator("#card .typical button").first.click()
    result.locator("#cell .called", has_text="fibroblast").wait_for()


def test_the_keyboard_goes_into_a_card_and_back(result):
    result.locator("#types").get_by_role("button", name="B cell").focus()
    result.keyboard.press("Enter")
    result.wait_for_selector("#card .apart li")
    assert result.evaluate("document.activeElement.textContent") == "← All types"
    result.keyboard.press("Enter")
    assert "B cell" in result.evaluate("document.activeElement.textContent")
    assert result.locator("#shown").inner_text() == "181 cells"


def test_unknown_cells_have_a_card_without_a_term(result):
    result.locator("#types").get_by_role("button", name="unknown").click()
    result.get_by_text("1 cell (0.6%) stayed unknown.").wait_for()
    result.get_by_text("No gene is clearly higher here than in the other cells.").wait_for()
    assert result.locator("#card a").count() == 0


def test_a_card_that_can_not_be_filled_says_why(result):
    refuse = {"status": 409, "json": {"error": "Run the job again."}}
    for path in ("**/apart", "**/about?*"):
        result.route(path, lambda route: route.fulfill(**refuse))
    result.locator("#types .name").first.click()
    result.locator("#card .warning").nth(2).wait_for()
    assert result.locator("#card .warning").all_inner_texts() == ["Run the job again."] * 3


def test_several_genes_are_compared_by_type(result):
    result.get_by_role("tab", name="Genes").click()
    result.get_by_label("Genes to compare").fill("MS4A1, cd79a\nLYZ nonsense")
    result.locator("#gene-list").get_by_role("button", name="Compare").click()
    result.get_by_text("Not measured here, or several genes may be meant: nonsense.").wait_for()
    assert result.locator("#by-type svg circle title").count() == 3 * 7
    result.locator("#by-type").get_by_text("As a table").click()
    heads = result.locator("#by-type table thead th").all_inner_texts()
    assert heads == ["Type", "MS4A1", "CD79A", "LYZ"]
    check(result, "genes by type")
    with result.expect_download() as saved:
        result.get_by_role("button", name="Save CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text())))
    assert len(rows) == 3 * 7
    best = max((row for row in rows if row["gene"] == "MS4A1"), key=lambda row: float(row["share"]))
    assert (best["type"], best["ontology_term_id"], best["cells"]) == ("B cell", "CL:0000236", "30")
    with result.expect_download() as saved:
        result.locator("#by-type").get_by_role("button", name="Save SVG").click()
    assert saved.value.suggested_filename == "genes.svg"
    assert ET.fromstring(Path(saved.value.path()).read_text()).tag == "{http://www.w3.org/2000/svg}svg"


def test_the_spread_of_a_gene_is_drawn_and_follows_the_colours_of_the_page(result):
    result.get_by_role("tab", name="Genes").click()
    result.get_by_label("Genes to compare").fill("MS4A1")
    result.locator("#gene-list").get_by_role("button", name="Compare").click()
    result.locator("#by-type .gene").click()
    result.wait_for_selector("#spread svg")
    assert "B cell" in result.locator("#spread svg").get_attribute("aria-label")
    assert result.locator("#gene-name").inner_text() == "MS4A1"
    check(result, "spread")
    ground = "document.querySelector('#spread rect').getAttribute('fill')"
    before = result.evaluate(ground)
    result.get_by_role("button", name="Dark colours").click()
    assert result.evaluate(ground) != before
    with result.expect_download() as saved:
        result.locator("#spread").get_by_role("button", name="Save SVG").click()
    assert saved.value.suggested_filename == "MS4A1.svg"


def test_genes_that_can_not_be_compared_are_refused_in_a_sentence(result):
    for path in ("**/expression?*", "**/spread"):
        result.route(path, lambda route: route.fulfill(status=409, json={"error": "Run the job again."}))
    result.get_by_role("tab", name="Genes").click()
    result.get_by_label("Genes to compare").fill("MS4A1")
    result.locator("#gene-list").get_by_role("button", name="Compare").click()
    result.locator("#by-type .warning", has_text="Run the job again.").wait_for()
    result.unroute("**/expression?*")
    result.locator("#gene-list").get_by_role("button", name="Compare").click()
    result.locator("#by-type .gene").click()
    result.locator("#spread .warning", has_text="Run the job again.").wait_for()


def test_of_very_many_genes_the_first_are_compared(result):
    result.get_by_role("tab", name="Genes").click()
    result.get_by_label("Genes to compare").fill(" ".join(f"G{k}" for k in range(61)))
    result.locator("#gene-list").get_by_role("button", name="Compare").click()
    result.get_by_text("The first 60 of 61 are compared.").wait_for()


def test_cells_that_are_drawn_around_are_selected(result):
    around(result, *ALL)
    result.get_by_role("heading", name="180 cells selected").wait_for()  # one has no counts, and no place
    assert result.locator("#tab-chosen").get_attribute("aria-selected") == "true"
    assert result.locator("#lasso").get_attribute("aria-pressed") == "false"
    assert "Selection: 180 of 181 cells" in result.locator("#shown").inner_text()
    result.wait_for_selector("#chosen section .small:not(:has-text('…'))")
    check(result, "selection")
    result.get_by_role("button", name="Clear").click()
    assert result.get_by_text("No cells are selected").is_visible()
    assert result.locator("#shown").inner_text() == "181 cells"


def test_the_selection_is_what_lies_within_the_line_where_the_map_is_now(result):
    around(result, (0.01, 0.01), (0.5, 0.01), (0.5, 0.99), (0.01, 0.99))
    result.wait_for_selector("#chosen h3")
    half = int(result.locator("#chosen h3").inner_text().split()[0])
    contents = result.request.get(f"{result.url.replace('/jobs', '/api/jobs')}/map").body()
    x_n = np.frombuffer(contents[4 : 4 + 4 * 181], dtype="<f4")
    assert half == (x_n < 0.5).sum()
    for _ in range(4):
        result.get_by_role("button", name="Zoom in").click()
    around(result, *ALL)
    result.locator("#chosen h3, #chosen .warning", has_not_text=f"{half} cells").first.wait_for()
    shown = result.locator("#chosen h3")
    assert shown.count() == 0 or int(shown.inner_text().split()[0]) < 180


def test_a_line_around_nothing_says_so_and_escape_ends_the_drawing(result):
    around(result, (0.005, 0.01), (0.03, 0.01), (0.03, 0.05), (0.005, 0.05))
    result.get_by_text("There are no cells there.").wait_for()
    result.locator("#panel-chosen").get_by_role("button", name="Draw around cells").click()
    assert result.locator("#lasso").get_attribute("aria-pressed") == "true"
    result.keyboard.press("Escape")
    assert result.locator("#lasso").get_attribute("aria-pressed") == "false"


@pytest.mark.slow
def test_two_types_become_one_by_keyboard_and_the_name_is_kept_and_undone(named):
    page = named
    press(page, "B cell")
    page.get_by_role("button", name="Select these cells").click()
    page.get_by_role("heading", name="30 cells selected").wait_for()
    page.get_by_role("tab", name="Types").click()
    page.get_by_role("button", name="All types").click()
    press(page, "fibroblast")
    page.get_by_role("button", name="Add to the selection").click()
    page.get_by_role("heading", name="60 cells selected").wait_for()
    page.get_by_label("Call these cells").fill("memory")
    page.wait_for_selector("#name-terms option", state="attached")
    page.get_by_label("Call these cells").fill("=odd")
    page.get_by_role("button", name="Give name").click()
    page.locator("#given .names", has_text="=odd").wait_for()
    assert page.locator("#key").inner_text() == "names that you gave"
    assert page.locator("input[name=by]:checked").count() == 0
    check(page, "names given")
    page.reload()
    page.wait_for_selector("#map[data-drawn]")
    page.get_by_role("tab", name="Selection").click()
    page.locator("#given .names button").click()
    assert "=odd: 60 of 181 cells" in page.locator("#shown").inner_text()
    page.get_by_role("button", name="Colour the map").click()
    assert page.locator("#key").inner_text() == "names that you gave"
    with page.expect_download() as saved:
        page.locator("#take a", has_text="Table").click()
    words = [row["spoticell_curated"] for row in csv.DictReader(io.StringIO(Path(saved.value.path()).read_text()))]
    assert words.count("'=odd") == 60
    page.get_by_role("button", name="Undo the last").click()
    page.wait_for_selector("#given:empty", state="attached")


def test_what_is_shown_can_be_selected_without_drawing(result):
    result.locator("#below").fill("0.05")
    result.get_by_role("tab", name="Selection").click()
    result.get_by_role("button", name="Take what is shown").click()
    result.get_by_role("heading", name="1 cell selected").wait_for()
    assert "unknown" in result.locator("#chosen").inner_text()


def test_a_name_that_is_refused_leaves_the_form_as_it_is(result):
    result.get_by_role("tab", name="Selection").click()
    result.get_by_role("button", name="Take what is shown").click()
    result.route("**/curated", lambda route: route.fulfill(status=409, json={"error": "Try again."}))
    result.get_by_label("Call these cells").fill("mine")
    result.get_by_role("button", name="Give name").click()
    result.locator("#chosen .warning", has_text="Try again.").wait_for()
    assert result.get_by_label("Call these cells").input_value() == "mine"
