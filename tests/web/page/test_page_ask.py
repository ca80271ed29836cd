"""Further questions on the page: tree, unsure cells, a type by sample, genes by condition, labels, columns."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.web.page.conftest import Server, until, window
from tests.web.page.test_page_access import check
from tests.web.page.test_page_columns import linked
from tests.web.test_threshold import mixed

N, N_STIM, OTHERS = 241, 121, 201
SHOWN = "(text) => document.querySelector('#shown').textContent === text"
B_CELLS = "CL:0000236"


@pytest.fixture(scope="module")
def server(tmp_path_factory, tiny_bundle_folder):
    """A server with a table of known markers."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "markers.csv").write_text("cell_type,gene\nB cell,MS4A1\n")
    server = Server(folder / "data", tiny_bundle_folder, "--markers", str(folder / "markers.csv"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def ask_link(server, tmp_path_factory) -> str:
    """Where a result with two conditions is, with labels of which many are no types, and with mixed, shallow cells."""
    cells = mixed()
    labels = cells.obs.pop("cell_type_ontology_term_id").astype(str).to_numpy(dtype=object)
    cells.obs["label"] = labels
    cells.obs["mine"] = np.where(labels == B_CELLS, "B cells", "cluster seven")
    cells.obs["condition"] = np.where(np.arange(cells.n_obs) % 2, "control", "stim")
    return linked(server, cells, tmp_path_factory.mktemp("ask") / "cells.h5ad")


@pytest.fixture
def asked(page: Any, ask_link: str) -> Any:
    page.goto(ask_link)
    page.wait_for_selector("#map[data-drawn]")
    page.wait_for_selector("#compare-place .part")
    return page


def tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''"))


@pytest.mark.slow
def test_the_tree_opens_and_closes_by_keyboard_and_colours_the_map(asked):
    tab(asked, "Tree")
    tree = asked.get_by_role("tree")
    tree.locator("[tabindex='0']").focus()
    top = focused(asked)
    asked.keyboard.press("End")
    assert focused(asked) != top
    asked.keyboard.press("Home")
    assert focused(asked) == top
    root = tree.get_by_role("treeitem").first
    if root.get_attribute("aria-expanded") == "false":
        asked.keyboard.press("ArrowRight")
    n_open = tree.get_by_role("treeitem").count()
    asked.keyboard.press("ArrowRight")
    assert focused(asked) != top, "to what lies below"
    asked.keyboard.press("ArrowLeft")
    if focused(asked) != top:
        asked.keyboard.press("ArrowLeft")
    asked.keyboard.press("ArrowLeft")
    assert (root.get_attribute("aria-expanded"), focused(asked)) == ("false", top)
    assert tree.get_by_role("treeitem").count() < n_open
    asked.keyboard.press("Enter")
    assert (root.get_attribute("aria-selected"), focused(asked)) == ("true", top)
    assert asked.locator("#key").inner_text() == "the types below it"
    name, cells, _ = top.split(", ")
    assert asked.locator("#shown").inner_text() == f"{name}: {cells.split()[0]} of {N} cells"
    check(asked, "tree")
    asked.reload()
    asked.wait_for_selector("#map[data-drawn]")
    assert asked.locator("#shown").inner_text().startswith(f"{name}: "), "the address keeps it"
    tab(asked, "Tree")
    assert tree.locator("[aria-selected=true]").first.get_attribute("aria-label") == top
    tree.locator("[aria-selected=true]").first.press(" ")
    assert asked.locator("#shown").inner_text() == f"{N} cells"


def test_a_place_of_the_tree_is_left_for_other_cells_and_for_other_answers(asked):
    tab(asked, "Tree")
    asked.locator("#tree .twisty", has_text="▸").or_(asked.locator("#tree .twisty", has_text="▾")).first.click()
    asked.locator("#tree .leaf").first.click()
    with asked.expect_download() as kept:
        asked.get_by_role("button", name="Save the map as a drawing (SVG)").click()
    name = asked.locator("#tree [aria-selected=true] .type-name").first.inner_text().split(",")[0]
    assert name in Path(kept.value.path()).read_text()
    tab(asked, "Types")
    asked.locator("#types .name").first.click()
    assert asked.locator("input[name=by][value=type]").is_checked()
    tab(asked, "Tree")
    asked.locator("#tree .leaf").first.click()
    asked.locator("#moved").fill("0.9")
    until(asked, "() => document.querySelector('input[name=by][value=type]').checked")
    assert f"{N} cells" in asked.locator("#shown").inner_text()
    asked.locator("#moved").fill("0.5")
    asked.locator("#unsaved").wait_for(state="hidden")


def test_the_tree_has_only_types_with_cells_that_are_looked_at(asked):
    tab(asked, "Tree")
    n_all = asked.locator("#tree > li").count()
    asked.locator("#unsure").check()
    until(asked, f"() => document.querySelectorAll('#tree > li').length < {n_all}")


def test_unsure_cells_are_walked_through_by_button_and_by_key(asked):
    tab(asked, "Unsure")
    asked.wait_for_selector("#unsure-cells .walk")
    check(asked, "unsure cells")
    n = int(asked.locator("#unsure-cells .unsure-reasons b").first.inner_text())
    assert n == asked.locator(".unsure-list li").count() > 2
    assert asked.get_by_role("button", name="← Previous").is_disabled()
    asked.get_by_role("button", name="Next →").click()
    asked.get_by_text(f"1 of {n}", exact=True).wait_for()
    asked.locator("#map").focus()
    asked.keyboard.press("n")
    asked.get_by_text(f"2 of {n}", exact=True).wait_for()
    asked.keyboard.press("p")
    asked.get_by_text(f"1 of {n}", exact=True).wait_for()
    asked.keyboard.press("p")
    until(asked, "() => document.querySelector('#said').textContent === 'That was the first.'")
    asked.locator("#search").press("n")
    assert (asked.locator("#search").input_value(), asked.locator(".unsure-list [aria-current]").count()) == ("n", 1)
    asked.get_by_text(f"1 of {n}", exact=True).wait_for()
    asked.locator(".unsure-list .plainly").nth(2).click()
    asked.get_by_text(f"3 of {n}", exact=True).wait_for()
    row = asked.locator(".unsure-list [aria-current]").inner_text()
    asked.get_by_role("button", name="Look at this cell").click()
    asked.wait_for_selector("#cell .sky canvas")
    assert asked.locator("#cell bdi").first.inner_text() in row


def test_unsure_cells_of_one_reason_are_lit_up_and_filters_are_kept_to(asked):
    tab(asked, "Unsure")
    asked.wait_for_selector("#unsure-cells .walk")
    reason = asked.locator("#unsure-cells .unsure-reasons button").nth(1)
    name, cells = reason.locator("span").inner_text(), int(reason.locator("b").inner_text())
    reason.click()
    until(asked, f"() => document.querySelectorAll('.unsure-list li').length === {cells}")
    until(asked, SHOWN, f"Unsure: {name}: {cells} of {N} cells")
    asked.get_by_role("radio", name="Column").check(force=True)
    asked.locator("#column").select_option("file condition")
    asked.get_by_role("button", name="Only stim").click()
    tab(asked, "Unsure")
    until(asked, f"() => document.querySelectorAll('.unsure-list li').length < {cells}")


def test_unsure_cells_of_one_type_are_listed_alone(asked):
    tab(asked, "Unsure")
    asked.wait_for_selector("#unsure-cells .walk")
    types = asked.get_by_label("Type of the unsure cells")
    name, cells = types.locator("option").nth(1).inner_text().removesuffix(")").split(" (")
    types.select_option(index=1)
    until(asked, f"() => document.querySelectorAll('.unsure-list li').length === {cells}")
    assert set(asked.locator(".unsure-list .type-name").all_inner_texts()) == {name}
    until(asked, SHOWN, f"Unsure cells, {name}: {cells} of {N} cells")
    assert f"called {name}" in asked.locator("#unsure-cells p").first.inner_text()
    all_cells = types.locator("option").first.inner_text().removesuffix(")").split(" (")[1]
    types.select_option(index=0)
    until(asked, SHOWN, f"Unsure cells: {all_cells} of {N} cells")


def test_a_type_has_its_share_in_each_sample_and_its_known_markers(asked):
    asked.locator("#types").get_by_role("button", name="B cell").click()
    asked.wait_for_selector("#card .in-samples li")
    assert asked.locator("#card .by-sample select").input_value() != ""
    names = [row.split()[0] for row in asked.locator("#card .in-samples li").all_inner_texts()]
    assert names == ["control", "stim"]
    asked.locator("#card .by-sample select").select_option(label="batch")
    until(asked, "() => document.querySelector('#card .in-samples li').textContent.startsWith('a')")
    asked.wait_for_selector("#card .apart li")
    marked = asked.locator("#card .apart .gene", has=asked.locator(".known"))
    assert [text.split("★")[0] for text in marked.all_inner_texts()] == ["MS4A1"]
    assert marked.get_attribute("title") == "Known marker of B cell. Colour the map by MS4A1"


def test_genes_are_plotted_by_type_and_condition(asked):
    tab(asked, "Genes")
    asked.locator("#compared").fill("MS4A1 NKG7")
    asked.locator("#split-by").select_option(label="type and condition")
    asked.wait_for_selector("#by-type svg")
    assert asked.get_by_role("group", name="Dot plot by type and condition").is_visible()
    asked.locator("#by-type").get_by_text("As a table").click()
    rows = asked.locator("#by-type tbody tr").count()
    assert rows % 2 == 0
    with asked.expect_download() as kept:
        asked.get_by_role("button", name="Save CSV").click()
    table = list(csv.DictReader(io.StringIO(Path(kept.value.path()).read_text())))
    assert len(table) == 2 * rows
    assert {row["condition"] for row in table} == {"control", "stim"}
    for kind in ("SVG", "PNG"):
        with asked.expect_download() as kept:
            asked.locator("#by-type").get_by_role("button", name=f"Save {kind}").click()
        assert kept.value.suggested_filename == f"genes.{kind.lower()}"
    asked.locator("#split-by").select_option("")
    asked.get_by_role("group", name="Dot plot", exact=True).wait_for()


def test_labels_that_are_types_are_judged_by_the_ontology_and_others_are_listed(asked):
    asked.locator("#cross").get_by_label("Labels", exact=True).select_option("file label")
    asked.wait_for_selector(".labelled .verdicts")
    assert "have a label that is understood as a type" in asked.locator(".labelled").inner_text()
    shares = [float(text.split("%")[0].split()[-1]) for text in asked.locator(".verdicts dd b").all_inner_texts()]
    assert sum(shares) == pytest.approx(100, abs=1)
    asked.locator("#cross").get_by_label("Labels", exact=True).select_option("file mine")
    asked.locator(".labelled", has_text="No figure of agreement is given: that takes 80%.").wait_for()
    assert asked.locator(".labelled .verdicts").count() == 0
    asked.locator(".unread").get_by_role("button", name="cluster seven").click()
    assert asked.locator("#shown").inner_text() == f"mine cluster seven: {OTHERS} of {N} cells"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("condition", f"{N} cells"), ("stim", f"condition: stim: {N_STIM} of {N} cells")],
)
def test_the_search_box_finds_columns_and_their_values(asked, text, shown):
    asked.locator("#search").fill(text)
    asked.locator("#hits [role=option]", has_text=text).first.wait_for()
    asked.keyboard.press("Enter")
    asked.locator("input[name=by][value=column]:checked").wait_for(state="attached")
    until(asked, SHOWN, shown)
    assert asked.locator("#column").input_value() == "file condition"


def test_what_the_server_refuses_is_said_where_it_was_asked(asked, browser, server, ask_link):
    page = window(browser, server)
    for part in ("shares*", "columns/*/labels", "unsure*", "columns/*/expression*"):
        page.route(f"**/api/jobs/*/{part}", lambda route: route.fulfill(status=500, json={"error": "Out of order."}))
    page.goto(ask_link)
    page.wait_for_selector("#map[data-drawn]")
    page.locator(".labelled", has_text="Out of order.").wait_for()
    page.locator("#types .name").first.click()
    page.locator("#card .by-sample", has_text="Out of order.").wait_for()
    tab(page, "Unsure")
    page.locator("#unsure-cells", has_text="Out of order.").wait_for()
    page.context.close()
