"""Annotated cells of the tiny bundle, and no windows."""

from __future__ import annotations

import anndata
import pytest
from matplotlib import pyplot as plt

from spoticell.api import annotate


@pytest.fixture(autouse=True)
def _no_window():
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def annotated_once(make_tiny_cells, tiny_bundle):
    cells = make_tiny_cells()
    return annotate(cells, model=tiny_bundle, threads=1).adata


@pytest.fixture
def cells(annotated_once) -> anndata.AnnData:
    """`tiny_cells` with answers: five cells of each of six types, and one unknown."""
    return annotated_once.copy()
