"""Samples, conditions and known markers on the page: offered with values, refused in words, told with the result."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.conftest import tiny_adata
from tests.web.page.test_page_access import check

MARKERS = "cell_type\tgene\nB cell\tMS4A1\nblob\tMS4A1\n"


def write(path: Any) -> None:
    """Write cells of six samples of two conditions; of the treated many are B cells."""
    cells = tiny_adata(per_type=30)
    is_b = (cells.obs.pop("cell_type_ontology_term_id") == "CL:0000236").to_numpy()
    n = np.arange(cells.n_obs)
    is_treated = np.where(is_b, n % 10 > 0, n % 2 > 0)
    cells.obs["condition"] = np.where(is_treated, "treated", "control")
    cells.obs["sample"] = [f"{word[0]}{k % 3}" for word, k in zip(cells.obs["condition"], n // 7, strict=True)]
    cells.obs["donor"] = [f"d{k % 4}" for k in n]
    cells.write_h5ad(path)


def test_two_conditions_are_chosen_compared_and_looked_at(page, tmp_path):
    write(tmp_path / "cells.h5ad")
    (tmp_path / "mine.tsv").write_text(MARKERS)
    (tmp_path / "none.csv").write_text("a,b\n1,2\n")
    page.goto("/")
    page.set_input_files("#file", tmp_path / "cells.h5ad")
    page.get_by_text("Settings", exact=True).click()

    # the form says what can't be before the server does
    options = page.locator("#condition option").all_inner_texts()
    assert "donor (4 values, two are needed)" in options
    page.locator("#condition").select_option("condition")
    assert "Choose the column of samples too" in page.locator("#condition-told").inner_text()
    page.locator("#by").select_option("donor")
    assert page.locator("#by-told").inner_text() == "4 values: d0, d1, d2, d3."
    assert "A sample of donor has cells of both control and treated" in page.locator("#condition-told").inner_text()
    page.get_by_role("button", name="Name the cells").click()
    page.locator("#run-refused", has_text="a sample has one condition").wait_for()
    page.locator("#by").select_option("sample")
    assert page.locator("#condition-told").inner_text() == "control is compared with treated."

    # a table of markers is read at once
    page.set_input_files("#markers", tmp_path / "none.csv")
    page.locator("#markers-told", has_text="has no column 'gene'").wait_for()
    page.set_input_files("#markers", tmp_path / "mine.tsv")
    page.locator("#markers-told", has_text="mine.tsv: 1 gene of 1 type; 1 name not understood").wait_for()
    check(page, "samples, conditions and markers chosen")
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")

    # the result tells the differences, and opens a type of theirs
    row = page.locator("#differences tbody tr", has_text="B cell").first
    shares, (p, q) = row.locator("td").all_inner_texts()[:2], row.locator("td").all_inner_texts()[3:]
    assert all(share.endswith("%") for share in shares)
    assert " to " in row.locator(".change").inner_text()
    assert (p, q) != ("–", "–")
    assert "Welch" in page.locator("#differences").inner_text()
    assert {"condition", "sample", "mine.tsv"} <= set(page.locator("#used dd").all_inner_texts())
    assert page.locator("#take a[data-file]").count() == 5
    row.get_by_role("button").click()
    page.locator("#shown", has_text="B cell").wait_for()

    # what the server counts follows the filter
    before = page.locator("#card .in-samples").inner_text()
    page.get_by_role("radio", name="Column").check(force=True)
    page.get_by_role("checkbox", name="Look at control").uncheck()
    page.get_by_role("tab", name="Types").click()
    page.locator("#card .in-samples li", has_text="c0").wait_for(state="detached")
    assert page.locator("#card .in-samples").inner_text() != before
    page.locator("#card", has_text="of those that the filters leave) are called so.").wait_for()
    page.locator("#card", has_text="others, all of those that the filters leave.").wait_for()
    assert page.locator("#sample-all").is_visible()
    check(page, "differences with a filter")

    # the next run is offered the same
    page.get_by_role("button", name="Run again").click()
    chosen = [page.locator(box).input_value() for box in ("#by", "#condition")]
    assert chosen == ["sample", "condition"]
    page.get_by_role("button", name="Don’t use it").click()
    assert not page.locator("#markers-told").is_visible()
