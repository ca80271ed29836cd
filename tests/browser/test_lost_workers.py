"""A worker that is gone without a word hangs nothing, whoever waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata.utils import make_index_unique
from scipy import sparse
from tests.browser.cases import typical_cells

from spoticell.io.demo import DEMO

PATIENCE = 120_000
N_CELLS = 4400
"""More than two blocks, and as many as are shared out among workers."""
CORES = 3
GOES = "setTimeout(() => self.close(), 3000)"
"""Once the worker has begun, which takes a moment."""
CHANGED = """() => {
  const Whole = Blob;
  window.Blob = class extends Whole {
    constructor(parts, options) {
      super(options?.type === "text/javascript" ? [BEFORE, ...parts] : parts, options);
    }
  };
}"""
"""Puts some code before the engine's."""


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def opened(page: Any, address: str, before: str) -> None:
    """Open the page with some code before the engine's."""
    page.add_init_script(f"const BEFORE = {before!r}; ({CHANGED})();")
    page.goto(address)
    page.wait_for_selector("html[data-view=start] #version:not(:empty)")


def many_cells(folder: Path) -> Path:
    """Write some thousand cells."""
    table = typical_cells(N_CELLS)
    data = anndata.AnnData(
        sparse.csr_matrix(table.values_nv.astype(np.float32)),
        obs=pd.DataFrame(index=table.cells),
        var=pd.DataFrame(index=make_index_unique(pd.Index(table.genes))),
    )
    data.write_h5ad(folder / "many.h5ad")
    return folder / "many.h5ad"


def on_message(kind: str, what: str) -> str:
    """Give code by which a worker does this, and no more, when it gets a message."""
    condition = f"if (event.data.kind !== '{kind}') return;"
    return f"addEventListener('message', (event) => {{ {condition} event.stopImmediatePropagation(); {what}; }});"


@pytest.mark.parametrize(
    "kind", [pytest.param("lend", marks=pytest.mark.slow), "look", pytest.param("project", marks=pytest.mark.slow)]
)
def test_a_helper_that_is_gone_is_done_without(page: Any, address: str, tmp_path: Path, kind: str):
    cores = f"Object.defineProperty(navigator, 'hardwareConcurrency', {{ value: {CORES} }});"
    opened(page, address, f"{cores} if (self.name === 'spoticell hand') {on_message(kind, GOES)}")
    page.set_input_files("#file", many_cells(tmp_path))
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("html[data-view=result] #map[data-drawn]")
    assert "of 4,400 cells have a type" in page.inner_text("#result-lead")


@pytest.mark.parametrize("kind", ["load", "check", "run"])
def test_a_worker_that_is_gone_is_told(page: Any, address: str, kind: str):
    opened(page, address, on_message(kind, "throw new RangeError()" if kind == "load" else GOES))
    page.set_input_files("#file", DEMO)
    if kind == "run":
        page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("html[data-view=trouble]")
    assert "The reader crashed on this file" in page.inner_text("#trouble-text")
