"""Groups and samples: asked for in the settings, looked at beside the map."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from tests.conftest import tiny_adata
from tests.web.page.conftest import link_to_cells

COLUMN = "cluster"


@pytest.fixture(scope="module")
def grouped_link(server, tmp_path_factory) -> str:
    """Where a result with groups and samples is; the tests share it."""
    path = tmp_path_factory.mktemp("grouped") / "cells.h5ad"
    cells = tiny_adata(per_type=30)
    cells.obs[COLUMN] = [f"c{1 + row // 18}" for row in range(cells.n_obs - 1)] + [None]
    cells.write_h5ad(path)
    return link_to_cells(server, path, groups=COLUMN, by="batch")


@pytest.fixture
def grouped(page: Any, grouped_link: str) -> Any:
    page.goto(grouped_link)
    page.wait_for_selector("#map[data-drawn]")
    page.get_by_role("tab", name="Groups").click()
    return page


def test_groups_are_listed_with_type_share_and_genes(grouped):
    rows = grouped.locator("#groups-table tbody tr")
    names = [name.split(":")[0].strip() for name in rows.locator(".name").all_inner_texts()]
    assert names == [f"c{number}" for number in range(1, 11)], "in the order in which people count"
    assert rows.first.inner_text().startswith("c1: B cell")
    assert rows.first.locator("td").last.inner_text() == "100%"
    assert rows.first.locator(".gene").all_inner_texts()


def test_a_group_that_is_pressed_is_highlighted_until_it_is_pressed_again(grouped):
    grouped.locator("#groups-table .name").first.click()
    assert grouped.locator("#shown").inner_text() == "Group c1: 18 of 181 cells"
    assert "c1" in grouped.locator("#groups-table [aria-pressed=true]").inner_text()
    grouped.locator("#groups-table [aria-pressed=true]").click()
    assert grouped.locator("#shown").inner_text() == "181 cells"


def test_a_gene_of_a_group_colours_the_map(grouped):
    gene = grouped.locator("#groups-table .gene").first
    symbol = gene.inner_text()
    gene.click()
    grouped.locator("#gene-name", has_text=symbol).wait_for()


def test_groups_can_be_sorted_without_changing_the_order_of_types(grouped):
    grouped.locator("#groups-table").get_by_role("button", name="Cells").click()
    assert grouped.locator("#groups-table [aria-sort=descending]").inner_text().endswith("Cells")
    assert grouped.locator("#types [aria-sort=descending]").count() == 1


def test_one_cell_says_in_which_group_it_is(grouped):
    grouped.get_by_role("tab", name="One cell").click()
    for number, words in (("7", "Cell 7 · cell-7 · group c1"), ("180", "Cell 180 · cell-180")):
        grouped.locator("#which-cell").fill(number)
        grouped.get_by_role("button", name="Show", exact=True).click()
        grouped.get_by_text(words, exact=True).wait_for()


def test_one_cell_says_what_it_would_be_called_alone(grouped):
    def answer(route: Any) -> None:
        told = route.fetch().json()
        alone = {"term": "CL:0000786", "type": "plasma cell", "score": 0.41}
        route.fulfill(json=told | {"alone": alone if told["position"] == 7 else alone | {"term": "unknown"}})

    grouped.route(re.compile(r"/cell\?cell="), answer)
    grouped.get_by_role("tab", name="One cell").click()
    for number, words in (("7", "called plasma cell, with a score of 0.41."), ("8", "it would be unknown.")):
        grouped.locator("#which-cell").fill(number)
        grouped.get_by_role("button", name="Show", exact=True).click()
        grouped.get_by_text(words).wait_for()


def test_the_types_of_each_sample_are_a_bar(grouped):
    assert grouped.get_by_role("heading", name="Composition by batch").is_visible()
    assert grouped.locator("#sample-bars li").all_inner_texts() == ["a\n91 cells", "b\n90 cells"]
    widths = grouped.locator("#sample-bars .cut i").evaluate_all("all => all.map(i => i.style.flexGrow)")
    assert np.sum(np.array(widths, dtype=float)) == 181
    assert grouped.locator("#sample-key li").count() == 7


def test_the_settings_of_the_run_are_listed_and_kept_for_the_next(grouped):
    used = grouped.locator("#used").inner_text().split("\n")
    assert (COLUMN in used, "batch" in used) == (True, True)
    grouped.get_by_role("button", name="Run again").click()
    grouped.get_by_text("Settings", exact=True).click()
    assert grouped.locator("#groups").input_value() == COLUMN
    assert grouped.locator("#by").input_value() == "batch"


def test_a_run_without_groups_has_no_tab_for_them(result):
    assert result.get_by_role("tab", name="Groups").count() == 0
    assert not result.locator("#samples").is_visible()
    result.get_by_role("tab", name="Types").focus()
    result.keyboard.press("ArrowRight")
    result.keyboard.press("ArrowRight")
    assert result.locator("#panel-cell").is_visible(), "the next but the tree"


def test_groups_cannot_be_found_where_each_cell_is_named_alone(page, cells_file):
    page.goto("/")
    page.set_input_files("#file", cells_file)
    page.get_by_text("Settings", exact=True).click()
    page.locator("#groups").select_option("Found automatically")
    page.get_by_label("Name each cell alone").check()
    page.get_by_role("button", name="Name the cells").click()
    page.locator("#run-refused", has_text="Groups are found while cells are read together").wait_for()


def test_a_group_says_what_its_reference_cells_say(grouped):
    said = {"agree": 0.95, "studies": [{"study": "Kang", "cells": 12}], "tissues": [{"tissue": "blood", "cells": 11}]}

    def more(route):
        summary = route.fetch().json()
        first, *others = summary["groups"]
        route.fulfill(json=summary | {"groups": [first | said, *others]})

    grouped.route("**/summary", more)
    grouped.reload()
    grouped.wait_for_selector("#map[data-drawn]")
    grouped.get_by_role("tab", name="Groups").click()
    rows = grouped.locator("#groups-table tbody tr")
    assert "References: 95% say so. Nearest: Kang (12); tissue: blood (11)" in rows.first.inner_text()
    assert "References" not in rows.nth(1).inner_text()
