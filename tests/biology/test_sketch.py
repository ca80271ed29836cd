import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from spoticell.biology.sketch import NUMBERS, Sketch


def kinds(n=60, genes=50, seed=0):
    rng = np.random.default_rng(seed)
    kind_n = np.arange(n) % 3
    mean_ng = np.where(np.arange(genes) % 3 == kind_n[:, None], 8.0, 1.0)
    return sparse.csr_array(rng.poisson(mean_ng).astype(np.float32)), kind_n


def test_cells_of_a_kind_are_nearer_to_each_other_than_to_others():
    counts_ng, kind_n = kinds()
    sketch_nk = Sketch(counts_ng)(counts_ng)
    apart_nn = ((sketch_nk[:, None] - sketch_nk[None]) ** 2).sum(axis=2)
    same_nn = kind_n[:, None] == kind_n
    assert apart_nn[same_nn].max() < apart_nn[~same_nn].min()


def test_depth_makes_no_difference():
    counts_ng, _ = kinds()
    sketch = Sketch(counts_ng)
    np.testing.assert_allclose(sketch(counts_ng * np.float32(7)), sketch(counts_ng), atol=1e-4)


def test_the_mean_squared_length_is_about_one_whatever_the_sample():
    for seed in range(3):
        counts_ng, _ = kinds(seed=seed)
        assert abs((Sketch(counts_ng)(counts_ng) ** 2).sum(axis=1).mean() - 1) < 0.05


@given(n=st.integers(1, 4), genes=st.integers(1, 4))
def test_few_cells_and_genes_have_a_short_sketch(n, genes):
    counts_ng = sparse.csr_array(np.ones((n, genes), dtype=np.float32))
    sketch_nk = Sketch(counts_ng)(counts_ng)
    assert len(sketch_nk) == n
    assert sketch_nk.shape[1] <= min(NUMBERS, max(n - 1, 0), max(genes - 1, 0))
    assert np.isfinite(sketch_nk).all()


def test_cells_without_counts_have_a_finite_sketch():
    counts_ng, _ = kinds()
    assert np.isfinite(Sketch(counts_ng)(sparse.csr_array((2, 50), dtype=np.float32))).all()


def test_counts_whose_indices_are_not_sorted_stay_as_they_are():
    counts_ng, _ = kinds()
    turned = sparse.csr_array(
        (counts_ng.data[::-1].copy(), counts_ng.indices[::-1].copy(), counts_ng.nnz - counts_ng.indptr[::-1]),
        shape=counts_ng.shape,
    )
    before = turned.copy()
    sketch_nk = Sketch(turned)(turned)
    np.testing.assert_array_equal(turned.toarray(), before.toarray())
    np.testing.assert_array_equal(turned.indices, before.indices)
    np.testing.assert_allclose(np.abs(sketch_nk[::-1]), np.abs(Sketch(counts_ng)(counts_ng)), atol=1e-3)
