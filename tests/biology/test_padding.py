import numpy as np
import pytest
from scipy import sparse
from tests.strategies import cells_like_real_ones

from spoticell.biology.genes import load_vocabulary, match_genes
from spoticell.biology.padding import Seen, without_padding


def judged(counts_nv):
    """Match before and after, and the notes."""
    seen = Seen(counts_nv.shape[1])
    for start in range(0, counts_nv.shape[0], 16):
        seen.update(counts_nv[start : start + 16])
    match = match_genes({"index": load_vocabulary().ids[: counts_nv.shape[1]]})
    return match, *without_padding(match, seen)


def test_genes_that_fill_up_the_list_of_a_panel_are_taken_for_not_measured():
    panel_nv = cells_like_real_ones(np.random.default_rng(0), n=80, v=300, depth=300)
    spread_nv = sparse.csr_array((panel_nv.data, panel_nv.indices * 10, panel_nv.indptr), shape=(80, 3000))
    _, match, (note,) = judged(spread_nv)
    assert match.n_found == (panel_nv.sum(axis=0) > 0).sum()
    assert "of 3,000 known genes are in no cell, too many" in note


@pytest.mark.parametrize(("n", "depth"), [(25, 150), (100, 500), (300, 3000)])
def test_rare_genes_of_few_or_shallow_cells_are_measured(n, depth):
    before, after, notes = judged(cells_like_real_ones(np.random.default_rng(1), n=n, v=15_000, depth=depth))
    assert (after is before, notes) == (True, [])


def test_of_a_handful_of_cells_nothing_is_said():
    before, after, notes = judged(sparse.csr_array(np.tile([5, 0, 0, 0], (19, 100))))
    assert (after is before, notes) == (True, [])
