"""The file's own columns on the page: colours, filters, comparisons, and its own maps."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from tests.conftest import tiny_adata
from tests.web.page.conftest import link_to_cells, name_cells
from tests.web.page.test_page_access import LOOKS, check

N = 181
ALL = re.compile("^181 cells$")
"""What is said where all cells are shown; the counts follow a filter with the next frame."""
B_CELLS = "CL:0000236"
TREATED_OF_B, OTHERS = 27, 31
"""Treated cells; one of the others has no label."""


@pytest.fixture(scope="module")
def columns_link(server, tmp_path_factory) -> str:
    """Where a result with columns and a map of the file is: of the treated cells many are B cells."""
    cells = tiny_adata(per_type=30)
    rng = np.random.default_rng(0)
    cells.obs["label"] = cells.obs.pop("cell_type_ontology_term_id").astype(str).replace({"unknown": None})
    is_b = (cells.obs["label"] == B_CELLS).to_numpy()
    is_treated = np.arange(N) % 5 == 0
    is_treated[is_b] = np.arange(30) < TREATED_OF_B
    cells.obs["condition"] = np.where(is_treated, "treated", "control")
    cells.obs["donor"] = [
        f"{word[0]}{number}" for word, number in zip(cells.obs["condition"], np.arange(N) % 3, strict=True)
    ]
    cells.obs["depth"] = np.linspace(0, 1, N)
    cells.obsm["X_umap"] = rng.normal(size=(N, 2))
    return linked(server, cells, tmp_path_factory.mktemp("columns") / "cells.h5ad")


def linked(server: Any, cells: Any, path: Any) -> str:
    cells.write_h5ad(path)
    return link_to_cells(server, path)


@pytest.fixture
def own(page: Any, columns_link: str) -> Any:
    return opened(page, columns_link)


def opened(page: Any, link: str) -> Any:
    page.goto(link)
    page.wait_for_selector("#map[data-drawn]")
    page.wait_for_selector("#compare-place .part")
    return page


@pytest.fixture
def coloured(own: Any) -> Any:
    """The page with its map coloured by the column that it offers first."""
    own.get_by_role("radio", name="Column").check(force=True)
    own.wait_for_selector("#one-column tbody tr")
    return own


def shown(page: Any) -> str:
    return str(page.locator("#shown").inner_text())


def until(page: Any, selector: str, words: str) -> None:
    page.locator(selector, has_text=words).first.wait_for()


def test_the_map_is_coloured_by_a_column_with_its_legend_beside_it(coloured):
    assert coloured.locator("#column").input_value() == "file condition"
    rows = coloured.locator("#one-column tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows] == ["control", "treated"]
    assert coloured.locator("#key").inner_text().split() == ["control", "treated"]
    coloured.locator("#one-column").get_by_role("button", name="treated", exact=True).click()
    assert shown(coloured).startswith("condition: treated: ")
    assert coloured.locator("#one-column .chosen").inner_text().startswith("treated")


def test_a_column_of_numbers_has_a_scale_and_two_ends(coloured):
    coloured.locator("#column").select_option("file depth")
    until(coloured, "#one-column", "The mean of 181 cells is 0.5.")
    assert coloured.locator("#key").inner_text().split() == ["depth", "0.0111", "0.989"]
    coloured.get_by_label("Least depth").fill("100")
    until(coloured, "#chips", "depth: from 0.5")
    until(coloured, "#shown", "91 of 181 cells")
    until(coloured, "#one-column", "The mean of 91 cells is 0.75.")
    assert " ".join(coloured.locator("#chips").inner_text().split()) == "depth: from 0.5 × 91 of 181 cells"
    coloured.get_by_label("Most depth").fill("40")
    until(coloured, "#chips", "depth: 0.5 to 0.505")
    coloured.get_by_role("button", name="Remove the filter depth").click()
    coloured.locator("#chips").wait_for(state="hidden")
    coloured.locator("#shown", has_text=ALL).wait_for()


def test_an_unticked_value_is_left_out_of_all_counts_until_its_filter_is_removed(coloured):
    n_all = coloured.locator("#types tbody tr").count()
    coloured.get_by_label("Look at control").uncheck()
    until(coloured, "#chips", "condition: treated")
    treated = TREATED_OF_B + OTHERS
    until(coloured, "#shown", f"{treated} of 181 cells")
    coloured.get_by_role("tab", name="Types").click()
    counts = coloured.locator("#types tbody td:nth-of-type(1)").all_inner_texts()
    assert sum(int(count.split()[0]) for count in counts) == treated
    coloured.get_by_role("tab", name="Column").click()
    until(coloured, "#composition .value", "47%")
    assert "control" in coloured.locator("#one-column tbody tr").first.inner_text(), "to be ticked again"
    coloured.get_by_role("button", name="Remove the filter condition: treated").click()
    coloured.locator("#chips").wait_for(state="hidden")
    assert coloured.locator("#types tbody tr").count() == n_all
    assert coloured.get_by_label("Look at control").is_checked()


def test_filters_combine_and_go_together(coloured):
    coloured.get_by_role("button", name="Only treated").click()
    coloured.locator("#column").select_option("file label")
    coloured.get_by_label(f"Look at {B_CELLS}").uncheck()
    until(coloured, "#chips", f"label: not {B_CELLS}")
    until(coloured, "#shown", "31 of 181 cells")
    coloured.get_by_label("Look at no value").uncheck()
    until(coloured, "#chips", f"label: not {B_CELLS}, no value")
    until(coloured, "#shown", "30 of 181 cells")
    coloured.get_by_role("button", name="Remove all filters").click()
    coloured.locator("#chips").wait_for(state="hidden")
    coloured.locator("#shown", has_text=ALL).wait_for()


def test_bad_cells_are_left_out_by_their_quality(own):
    own.locator("#quality").get_by_label("Least counts").fill("20")
    until(own, "#chips", "counts: from")
    until(own, "#shown", f" of {N} cells")
    assert int(shown(own).split()[0]) < N
    assert own.locator("#quality .out").count() > 0
    own.get_by_role("button", name="Remove the filter counts").click()
    own.locator("#map:focus").wait_for()
    assert own.locator("#quality .out").count() == 0
    assert own.locator("#quality").get_by_label("Least counts").input_value() == "0"


def test_no_cell_that_is_left_is_said(coloured):
    coloured.get_by_label("Look at control").uncheck()
    coloured.get_by_label("Look at treated").uncheck()
    until(coloured, "#chips", "condition: none")
    until(coloured, "#shown", "0 of 181 cells")
    assert coloured.locator("#cross .finding").inner_text() == "No cell is left."
    assert coloured.locator("#compare .finding").inner_text() == "No cell is left of one of the two values."


def test_what_grows_is_said_and_stands_first(own):
    assert own.locator("#compare .finding").inner_text().startswith("From control to treated, B cell grows most, from ")
    first = own.locator(".changes tbody tr").first
    assert first.inner_text().startswith("B cell")
    assert "+" in first.locator(".change").inner_text()
    assert own.locator(".changes .unclear").count() > 0
    own.locator(".changes tbody tr").first.locator(".part").nth(1).click()
    assert shown(own) == f"B cell, condition treated: {TREATED_OF_B} of 181 cells"
    own.locator(".changes .part[aria-pressed=true]").click()
    assert shown(own) == "181 cells"
    own.locator("#compare .cut i").first.click()
    assert ", condition control: " in shown(own)


def test_a_row_of_the_comparison_opens_its_type_and_lets_go(own):
    own.get_by_role("tab", name="Genes").click()
    opener = own.locator(".changes .name").first
    opener.click()
    own.locator("#card h3", has_text="B cell").wait_for()
    assert shown(own).startswith("B cell: ")
    assert own.evaluate("document.getElementById('card').getBoundingClientRect().top < window.innerHeight")
    assert opener.get_attribute("aria-pressed") == "true"
    opener.click()
    own.locator("#card").wait_for(state="hidden")
    assert shown(own) == "181 cells"


@pytest.mark.parametrize(("second", "is_said"), [(93, True), (49, False)])
def test_the_headline_says_that_cells_may_be_the_same_in_another_state(page, columns_link, second, is_said):
    def changed(route: Any) -> None:
        body = route.fetch().json()
        route.fulfill(json=body | {"notes": [*body["notes"], "A finer type may be so."], "states": [B_CELLS]})

    def about(route: Any) -> None:
        other = {"term": "CL:0002396", "name": "monocyte", "short": "CD16 mono", "cells": second}
        route.fulfill(json=route.fetch().json() | {"looked_at": 100, "confused": [other]})

    page.route("**/changes?*", changed)
    with page.expect_response("**/about?*") as asked:
        page.route("**/about?*", about)
        opened(page, columns_link)
    asked.value.finished()
    until(page, "#compare .remarks", "A finer type may be so.")
    said = "But 93% of the cells called B cell would else be CD16 mono: they may be the same cells in another state."
    if is_said:
        until(page, "#compare .finding", said)
    assert (said in page.locator("#compare .finding").inner_text()) == is_said
    with page.expect_response("**/changes?*") as again:
        page.locator("#compare").get_by_label("Types", exact=True).select_option("broad")
    again.value.finished()
    assert "would else be" not in page.locator("#compare .finding").inner_text()


def test_a_note_on_a_type_that_is_not_in_the_table_is_left_out(page, columns_link):
    def changed(route: Any) -> None:
        body = route.fetch().json()
        route.fulfill(json=body | {"notes": [*body["notes"], "Of no row here."], "states": ["CL:0000738"]})

    page.route("**/changes?*", changed)
    opened(page, columns_link)
    until(page, "#compare .remarks", "No difference is tested")
    assert "Of no row here." not in page.locator("#compare .remarks").inner_text()


def test_the_comparison_goes_either_way_at_any_level_and_is_tested_with_samples(own):
    own.get_by_label("from", exact=True).select_option("treated")
    own.get_by_label("to", exact=True).select_option("control")
    until(own, "#compare .finding", "From treated to control")
    assert "B cell shrinks most" in own.locator("#compare .finding").inner_text()
    own.locator("#compare").get_by_label("Types", exact=True).select_option("broad")
    own.locator("#compare").get_by_label("Samples").select_option("donor")
    until(own, "#compare .remarks", "over 3 and 3 samples")
    assert own.locator(".changes th", has_text="q").count() == 1
    own.locator("#compare").get_by_label("Samples").select_option("label")
    until(own, "#compare .remarks", "These columns can't be compared")
    own.get_by_label("to", exact=True).select_option("treated")
    until(own, "#compare .finding", "Choose two different values")


def test_a_column_of_many_values_has_a_bar_and_a_share_for_each(own):
    own.get_by_label("Compare by").select_option("donor")
    until(own, ".changes thead", "t2")
    assert own.locator("#compare .stacks li").count() == 6
    assert own.locator(".changes thead th").count() == 8


def test_answers_are_set_against_labels(own):
    finding = own.locator("#cross .finding").inner_text()
    assert "of 180 cells" in finding
    assert "have the commonest answer of their label" in finding
    field = own.get_by_role("button", name=f"{B_CELLS}, B cell: 30 cells, 100%")
    field.click()
    assert shown(own) == f"B cell, label {B_CELLS}: 30 of 181 cells"
    rows = own.locator(".cross tbody tr")
    assert rows.count() == 6
    for at in range(6):
        assert rows.nth(at).locator("td").nth(at).locator(".spot").inner_text() == "100", "the diagonal"
    own.locator("#cross").get_by_label("Types", exact=True).select_option("broad")
    own.locator("#cross").get_by_label("Labels", exact=True).select_option("condition")
    until(own, "#cross .finding", "of 181 cells")


def test_fields_are_reached_by_arrow_keys(own):
    own.locator(".cross .spot").first.focus()
    own.keyboard.press("ArrowRight")
    own.keyboard.press("ArrowUp")
    first = own.evaluate("document.activeElement.dataset.key")
    own.locator("#cross").get_by_label("Labels", exact=True).select_option("donor")
    until(own, ".cross thead", "donor")
    own.locator(".cross .spot").first.focus()
    own.keyboard.press("ArrowRight")
    own.keyboard.press("ArrowDown")
    assert own.evaluate("document.activeElement.className").startswith("spot")
    assert own.evaluate("document.activeElement.dataset.key") != first
    assert own.locator('.cross .spot[tabindex="0"]').count() == 1


def test_the_map_of_the_file_is_shown_and_ours_again(own):
    own.get_by_label("Which map").select_option("X_umap of the file")
    until(own, "#map-title", "Map X_umap of the file")
    own.get_by_label("Which map").select_option("Map of fingerprints")
    until(own, "#map-title", "Map of the fingerprints")


def test_a_column_that_does_not_come_leaves_the_map_as_it_is(own):
    refusal = {"status": 404, "json": {"error": "This job is gone."}}
    own.route("**/api/jobs/*/columns/*", lambda route: route.fulfill(**refusal))
    own.route("**/api/jobs/*/maps/*", lambda route: route.fulfill(**refusal))
    own.locator("#column").evaluate(
        "(box) => { box.value = 'file depth'; box.dispatchEvent(new Event('change', { bubbles: true })); }"
    )
    until(own, "#shown", "This job is gone.")
    assert own.get_by_role("radio", name="Type", exact=True).is_checked()
    own.get_by_label("Which map").select_option("X_umap of the file")
    until(own, "#shown", "This job is gone.")
    assert own.locator("#map-title").text_content() == "Map of the fingerprints"


@pytest.mark.slow
def test_one_of_many_columns_is_found_by_typing(page, browser, server, tmp_path):
    cells = tiny_adata(per_type=10)
    for number in range(20):
        cells.obs[f"batch_{number}"] = ["a", "b"] * 30 + ["a"]
    cells.obs["counts"] = np.linspace(5, 7, 61)
    cells.obs["many"] = [f"m{row % 30}" for row in range(61)]
    opened(page, linked(server, cells, tmp_path / "cells.h5ad"))
    page.get_by_role("radio", name="Column").check(force=True)
    page.get_by_role("combobox", name="Column", exact=True).fill("counts (of the run)")
    page.keyboard.press("Enter")
    until(page, "#one-column h3", "counts")
    assert "5" not in page.locator("#key").inner_text().split()
    page.get_by_role("combobox", name="Column", exact=True).fill("many")
    page.keyboard.press("Enter")
    until(page, "#key", "and 24 more")
    page.get_by_label("Compare by").select_option("many")
    until(page, "#compare .stacks", "The first 24 of 30 values are shown.")


def test_a_file_without_columns_has_nothing_to_compare(page, browser, server, tmp_path):
    cells = tiny_adata(per_type=10)
    cells.obs = cells.obs[[]]
    cells.write_h5ad(tmp_path / "cells.h5ad")
    name_cells(page, tmp_path / "cells.h5ad")
    page.locator("#compare-none").wait_for()
    assert page.locator("#cross").is_hidden()
    assert page.locator("#which-map").is_hidden()


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_columns_are_for_everyone(own):
    check(own, "compare")
    own.get_by_role("radio", name="Column").check(force=True)
    own.wait_for_selector("#one-column tbody tr")
    own.get_by_label("Look at control").uncheck()
    until(own, "#chips", "condition: treated")
    check(own, "filtered")
    own.locator("#column").select_option("file depth")
    until(own, "#one-column", "The mean of")
    check(own, "numbers")
