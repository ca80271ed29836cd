"""What is left of cells that are seen through some genes."""

import numpy as np
from benchmarks.lib.studies import within
from scipy import sparse


def test_counts_seen_through_genes_are_canonical_as_read_ones_are():
    counts_ng = sparse.csr_array(np.random.default_rng(0).poisson(1, (20, 50)).astype(np.float32))
    panel_g = np.arange(50) % 3 > 0
    seen_ng = within(counts_ng, panel_g)
    assert (seen_ng.toarray() == counts_ng.toarray() * panel_g).all()
    assert all((np.diff(row) > 0).all() for row in np.split(seen_ng.indices, seen_ng.indptr[1:-1]))
