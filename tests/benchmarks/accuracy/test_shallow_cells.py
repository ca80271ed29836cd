"""Which cells are thinned how far, and how the table sums up."""

import numpy as np
import pytest
from scipy import sparse

pytest.importorskip("torch", reason="the peers are networks, most of them")

from benchmarks.accuracy.shallow_cells import OURS, SHARES, Figures, mean, shallow, table
from benchmarks.lib.studies import Cells


def figures(row, set_name, share, macro, *, seed=0):
    found = {"macro_f1": macro, "hierarchical_f1": 0.5, "coverage": 1.0, "coarser": 0.0}
    return Figures(row, seed, set_name, share, 1000 * share, found)


def test_each_set_is_shown_whole_and_with_ever_fewer_counts():
    counts = sparse.csr_array(np.random.default_rng(0).poisson(3, (50, 400)).astype(np.float32))
    cells = Cells("some", counts, np.ones(400, dtype=bool), np.full(50, "CL:0000084", dtype=object))
    found = list(shallow([cells]))
    assert [share for share, _ in found] == list(SHARES)
    assert (found[0][1].counts_ng != counts).nnz == 0
    for share, fewer in found[1:]:
        assert fewer.counts_ng.sum() / counts.sum() == pytest.approx(share, rel=0.15)
        assert (fewer.counts_ng.toarray() <= counts.toarray()).all()


def test_a_set_counts_alike_however_many_seeds_it_has():
    rows = [figures(OURS, "a", 1.0, 0.2), figures(OURS, "a", 1.0, 0.4, seed=1), figures(OURS, "b", 1.0, 0.9)]
    assert mean(rows, "macro_f1") == pytest.approx(0.6)


def test_the_table_has_a_line_for_each_depth_and_a_column_for_each_peer():
    rows = [figures(name, "a", share, 0.5) for name in (OURS, "a peer") for share in SHARES]
    lines = table(rows)
    assert len(lines) == 2 + len(SHARES)
    assert lines[2] == "| 100% | 1,000 | 0.500 / 0.500 | 0.500 / 0.500 | 100.0% | 0.0% |"
