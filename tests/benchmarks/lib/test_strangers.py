"""Cells that no model of human types should name are found in the real data sets."""

from types import SimpleNamespace

import pytest
from benchmarks.lib.strangers import far_unknowns

from spoticell.errors import GeneMatchError
from spoticell.io import open_cells
from spoticell.io.findings import inspect
from spoticell.keys import UNKNOWN
from spoticell.model.bundle import load_bundle


@pytest.mark.slow
@pytest.mark.real
def test_each_kind_has_cells_without_a_term_and_enough_known_genes(data_folder):
    runtime = SimpleNamespace(bundle=load_bundle())
    found = list(far_unknowns(data_folder, runtime))
    assert [what for what, _ in found] == ["cell lines", *["malignant cells"] * 3, "mouse cells"]
    for _, cells in found:
        assert len(cells) > 100
        assert set(cells.term_n) == {UNKNOWN}
        assert cells.measured_g.sum() > 900
        assert cells.counts_ng.sum() > 0


@pytest.mark.real
def test_the_reader_itself_refuses_the_mouse_cells(data_folder):
    with (
        open_cells(data_folder / "trap" / "marques2016_mouse_oligo_scx.h5ad") as source,
        pytest.raises(GeneMatchError, match="look like mouse"),
    ):
        inspect(source, load_bundle().vocabulary)
