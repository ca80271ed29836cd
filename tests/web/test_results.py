"""Genes and cells as they are told of a job that is done."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from spoticell.web import sink
from spoticell.web.arrays import CountsWriter
from spoticell.web.results import Results


@pytest.fixture
def results(tmp_path, tiny_bundle):
    """Four cells, three genes: one that is rare, one that all have, one that no cell has."""
    counts_ng = np.float32([[0, 10, 0], [1, 10, 0], [4, 20, 0], [400, 40, 0]])
    with CountsWriter(tmp_path / sink.COUNTS, n_genes=3) as writer:
        writer.append(sparse.csr_array(counts_ng))
    np.save(tmp_path / sink.TYPES, np.zeros(4, dtype=np.uint16))
    np.save(tmp_path / sink.N_COUNTS, np.float32([1000, 1000, 2000, 4000]))
    return Results(tmp_path, tiny_bundle)


def test_a_gene_is_seen_by_its_share_of_a_cells_counts(results):
    level_n, most = results.gene_levels(1)
    assert most == pytest.approx(np.log1p(100))
    assert level_n.tolist() == [255, 255, 255, 255], "all have it in the same share"


def test_one_extreme_cell_leaves_the_others_visible(results):
    level_n, most = results.gene_levels(0)
    assert most < np.log1p(1000)
    assert level_n[0] == 0
    assert level_n[3] == 255
    assert level_n[1] > 80


def test_a_gene_that_no_cell_has_is_nowhere(results):
    level_n, most = results.gene_levels(2)
    assert (level_n.tolist(), most) == ([0, 0, 0, 0], 0)
