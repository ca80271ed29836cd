import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from spoticell.training.config import AugmentConfig
from spoticell.training.data.augment import distort, draw_panels, thin


@given(seed=st.integers(0, 100), thinning=st.floats(0, 1), smallest=st.floats(0.01, 1))
def test_thinning_only_takes_away_and_keeps_the_given_counts(seed, thinning, smallest):
    rng = np.random.default_rng(seed)
    before = sparse.csr_array(rng.poisson(2.0, size=(6, 9)).astype(np.float32))
    kept = before.copy()
    after = thin(before, config=AugmentConfig(thinning=thinning, smallest_depth=smallest), rng=rng)
    assert ((after.toarray() <= before.toarray()) & (after.toarray() >= 0)).all()
    assert (before != kept).nnz == 0


def test_cells_that_are_not_thinned_keep_fractions():
    counts = sparse.csr_array(np.array([[0.25, 3.5]], dtype=np.float32))
    after = thin(counts, config=AugmentConfig(thinning=0), rng=np.random.default_rng(0))
    np.testing.assert_array_equal(after.toarray(), counts.toarray())


def test_counts_beyond_a_million_do_not_break_thinning():
    counts = sparse.csr_array(np.array([[3e9, 1.0]], dtype=np.float32))
    after = thin(counts, config=AugmentConfig(thinning=1), rng=np.random.default_rng(0))
    assert 0 < after.toarray()[0, 0] <= 1e6


@given(seed=st.integers(0, 100), noise=st.floats(0.1, 3))
def test_cells_of_a_group_share_the_factors_of_their_genes_and_groups_differ(seed, noise):
    rng = np.random.default_rng(seed)
    before = sparse.csr_array(rng.poisson(1.0, size=(6, 30)).astype(np.float32) + np.eye(6, 30, dtype=np.float32))
    kept = before.copy()
    after = distort(before, np.array([0, 0, 0, 1, 1, 1]), config=AugmentConfig(gene_noise=noise), rng=rng)
    factors = np.divide(after.toarray(), before.toarray(), out=np.full((6, 30), np.nan), where=before.toarray() > 0)
    assert (before != kept).nnz == 0
    for group in (factors[:3], factors[3:]):
        known = ~np.isnan(group).all(axis=0)
        np.testing.assert_allclose(np.nanmin(group[:, known], axis=0), np.nanmax(group[:, known], axis=0), rtol=1e-5)
    assert not np.isclose(np.nanmax(factors[:3]), np.nanmax(factors[3:]))


def test_without_gene_noise_counts_stay_as_they_are():
    counts = sparse.csr_array(np.array([[0.25, 3.5]], dtype=np.float32))
    after = distort(counts, np.array([0]), config=AugmentConfig(gene_noise=0), rng=np.random.default_rng(0))
    np.testing.assert_array_equal(after.toarray(), counts.toarray())


def test_a_real_panel_keeps_its_own_genes():
    real = np.zeros(200, dtype=np.bool_)
    real[:20] = True
    config = AugmentConfig(panels=1, borrowed_panels=0, real_panels=1)
    panels = draw_panels(np.zeros((30, 200), dtype=np.bool_), config=config, real=[real], rng=np.random.default_rng(0))
    assert panels[:, :20].all()
    assert panels[:, 20:].mean() < 0.05


def test_a_borrowed_panel_is_that_of_the_other_data_set():
    borrowed = np.random.default_rng(0).random((5, 40)) < 0.5
    config = AugmentConfig(panels=1, borrowed_panels=1)
    panels = draw_panels(borrowed, config=config, real=[], rng=np.random.default_rng(0))
    np.testing.assert_array_equal(panels, borrowed)


def test_random_panels_have_all_sizes_down_to_the_smallest():
    config = AugmentConfig(panels=1, borrowed_panels=0, smallest_panel=0.02)
    panels = draw_panels(np.ones((300, 2000), dtype=np.bool_), config=config, real=[], rng=np.random.default_rng(0))
    share = panels.mean(axis=1)
    assert share.min() < 0.04
    assert share.max() > 0.8


@pytest.mark.parametrize("count", [1, 7, 32, 33, 400], ids=lambda count: f"{count} counts")
def test_thinned_counts_are_spread_as_binomial_ones(count):
    config = AugmentConfig(thinning=1, smallest_depth=0.2)
    cells = sparse.csr_array(np.full((60, 2000), count, dtype=np.float32))
    after_ng = thin(cells, config=config, rng=np.random.default_rng(0)).toarray()
    share_n = after_ng.mean(axis=1) / count
    assert 0.2 * 0.9 < share_n.min() < share_n.max() < 1
    np.testing.assert_allclose(after_ng.var(axis=1), count * share_n * (1 - share_n), rtol=0.25, atol=0.01)
