import numpy as np
from scipy import sparse

from spoticell.biology.plausible import NEAR_GENES, alike
from spoticell.biology.scales import Kind


def marked_cells(v):
    """Cells of five types, each with few counts of its twelve markers and none of other genes."""
    rng = np.random.default_rng(0)
    marker_kv = np.kron(np.eye(5), np.ones(12))
    counts_nv = np.zeros((300, v), dtype=np.float32)
    counts_nv[:, :60] = rng.poisson(1.0 * marker_kv[rng.integers(5, size=300)])
    return sparse.csr_array(counts_nv)


def test_cells_seen_through_a_few_markers_may_be_close_to_each_other():
    assert alike(marked_cells(60)) is None


def test_cells_seen_through_many_genes_may_not():
    doubt = alike(marked_cells(NEAR_GENES))
    assert doubt is not None
    assert doubt.kind is Kind.SMOOTHED
    assert "far nearer to them than cells ever are" in doubt.evidence
