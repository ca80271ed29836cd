"""The deletion tests of explanations, on tiny cells."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.accuracy.explained_genes import Curves, curves, deletion, marked, report
from benchmarks.lib.studies import Cells
from scipy import sparse

from spoticell.biology.markers import Markers
from spoticell.model.reasons import Occlusion
from spoticell.model.runtime import Runtime

B_CELL = "CL:0000236"


@pytest.fixture
def runtime(tiny_bundle):
    return Runtime(tiny_bundle, threads=1)


@pytest.fixture
def cells(make_tiny_cells):
    """Cells with some of every gene, so that each marker counts."""
    made = make_tiny_cells(per_type=10)
    values = np.random.default_rng(0).poisson(np.where(made.X.toarray() > 20, 14, 2)).astype(np.float32)
    terms = made.obs["cell_type_ontology_term_id"].astype(str).to_numpy(dtype=object)
    return Cells("tiny", sparse.csr_array(values), np.ones(made.n_vars, dtype=bool), terms)


def test_genes_go_in_the_order_that_is_given():
    cell = sparse.csr_array(np.float32([[3, 0, 5, 7]]))
    kept = deletion(cell, np.array([2, 0, 1]), lambda rows: (rows.toarray() > 0) @ np.array([1, 0, 10, 100]))
    assert list(dict.fromkeys(kept.tolist())) == [111, 11, 10, 0]


def test_the_area_is_a_share_of_where_the_curve_begins():
    found = Curves({"way": np.array([[0.5, 0.5], [0.8, 0.0]])})
    assert found.area("way") == pytest.approx(0.75)
    assert found.area("way", 1) == pytest.approx(1.0)


def test_explained_genes_matter_more_than_random_ones(cells, runtime):
    found = curves(cells.sample(12), runtime, Occlusion(runtime), occlusion=3)
    assert len(found.way["occlusion"]) == 3
    assert found.area("explained") < 0.5 * found.area("random")
    assert found.area("explained", 3) == pytest.approx(found.area("occlusion"))


def test_markers_among_the_loudest_genes_are_counted_against_chance(cells, runtime, tiny_bundle):
    genes = tiny_bundle.vocabulary.by_symbol
    markers = [Markers({B_CELL: frozenset({genes["MS4A1"], genes["CD79A"]})}, ())]
    (row,) = marked(cells, runtime, Occlusion(runtime), markers)
    assert (row["term"], row["cells"], row["known"]) == (B_CELL, 10, 2)
    assert 0 < row["chance"] < 1
    lines = report({"tiny": curves(cells.sample(6), runtime, Occlusion(runtime), occlusion=2)}, [row])
    assert lines[2].startswith("| tiny | 6 |")
    assert "2.0 are known markers" in lines[-1]
