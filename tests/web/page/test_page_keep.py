"""Files to save say on the page, and in themselves, which cells a filter leaves out."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import expect
from tests.conftest import tiny_adata
from tests.web.page.conftest import name_cells

from spoticell.report import plots as pl


def kept(page: Any, file: str) -> Path:
    with page.expect_download() as download:
        page.locator(f"#take [data-file='{file}']").click()
    return Path(download.value.path())


def test_what_a_filter_leaves_out_is_marked_in_the_files_and_said_beside_them(page, tmp_path):
    cells = tiny_adata(per_type=30)
    cells.obs["depth"] = np.linspace(0, 1, cells.n_obs)
    cells.write_h5ad(tmp_path / "cells.h5ad")
    name_cells(page, tmp_path / "cells.h5ad")
    page.locator("#quality").get_by_label("Least counts").fill("150")
    table = page.locator("#take li", has_text="Table")
    expect(table).to_contain_text("spoticell_filtered")
    expect(page.locator("#take li", has_text="Report")).not_to_contain_text("spoticell_filtered")
    expect(page.locator("#shown")).to_contain_text(" of 181 cells")
    left, all_cells = re.search(r"(\d+) of (\d+) cells", page.locator("#chips").inner_text()).groups()
    out = int(all_cells) - int(left)
    assert 0 < out < int(all_cells)
    expect(table).to_contain_text(f"for the {out} cells that the filter leaves out")
    rows = list(csv.DictReader(kept(page, "types.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["spoticell_filtered"] for row in rows].count("True") == out
    page.get_by_role("button", name="Remove the filter").click()
    expect(table).not_to_contain_text("spoticell_filtered")
    assert "spoticell_filtered" not in kept(page, "types.csv").read_text(encoding="utf-8")


def test_the_code_of_a_run_is_saved_as_a_notebook(result):
    with result.expect_download() as download:
        result.get_by_role("button", name="Save as a notebook").click()
    assert download.value.suggested_filename == "cells.ipynb"
    saved = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    code = ["".join(cell["source"]) for cell in saved["cells"] if cell["cell_type"] == "code"]
    assert saved["nbformat"] == 4
    assert "\nresult = spoticell.annotate('cells.h5ad'" in code[0]
    for text in code:
        compile(text, "notebook", "exec")
    plots = re.findall(r"spoticell\.pl\.(\w+)", " ".join(code))
    assert set(plots) <= set(pl.__all__)
    assert plots
