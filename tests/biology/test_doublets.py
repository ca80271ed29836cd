import numpy as np
import pytest
from scipy import sparse

from spoticell.biology.doublets import Blends, make_doublets

APART = ~np.eye(3, dtype=bool)


def cells(rng, *, per_type=20):
    """Give cells of three types, each with genes of its own and one that all share."""
    rate_tg = np.full((3, 31), 0.1)
    for one in range(3):
        rate_tg[one, 10 * one : 10 * one + 10] = 6
    rate_tg[:, 30] = 10
    type_n = np.repeat(np.arange(3), per_type)
    return sparse.csr_array(rng.poisson(rate_tg[type_n]).astype(np.float32)), type_n


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_a_made_doublet_has_genes_of_both_types_and_no_more_counts_than_both_cells(rng):
    counts_ng, type_n = cells(rng)
    made = make_doublets(counts_ng, type_n, APART, 60, rng)
    for counts_g, pair in zip(made.counts_pg.toarray(), made.pair_p, strict=True):
        of_type = [counts_g[10 * one : 10 * one + 10].sum() for one in range(3)]
        assert set(np.argsort(of_type)[1:].tolist()) == set(made.pairs[pair])
    largest = counts_ng.sum(axis=1).max()
    assert made.counts_pg.sum(axis=1).max() <= 2 * largest
    assert (made.counts_pg.data % 1 == 0).all()


def test_rare_types_are_met_too_and_the_commoner_type_comes_first(rng):
    counts_ng, type_n = cells(rng)
    rare = np.concatenate([np.flatnonzero(type_n != 2), np.flatnonzero(type_n == 2)[:2]])
    made = make_doublets(counts_ng[rare], type_n[rare], APART, 200, rng)
    assert made.pairs == ((0, 1), (0, 2), (1, 2))
    shares = np.bincount(made.pair_p) / 200
    assert shares[0] > 0.5
    assert shares[1:].min() > 0.05


def test_types_that_do_not_exclude_each_other_make_no_doublet_and_unknown_cells_none(rng):
    counts_ng, type_n = cells(rng)
    apart = APART.copy()
    apart[0, 1] = apart[1, 0] = False
    type_n = np.where(np.arange(len(type_n)) == 0, -1, type_n)
    made = make_doublets(counts_ng, type_n, apart, 30, rng)
    assert all(2 in pair for pair in made.pairs)


def test_two_types_explain_a_doublet_better_and_a_cell_worse(rng):
    counts_ng, type_n = cells(rng)
    blends, made = Blends(counts_ng, type_n, APART), make_doublets(counts_ng, type_n, APART, 60, rng)
    assert (blends(made.counts_pg) > 0).mean() > 0.95
    assert (blends(cells(rng)[0]) < 0).mean() > 0.95


def test_a_cell_in_a_soup_of_all_cells_is_no_doublet(rng):
    counts_ng, type_n = cells(rng)
    soup_g = counts_ng.sum(axis=0) / counts_ng.sum() * 15
    in_soup = sparse.csr_array(counts_ng.toarray() + rng.poisson(soup_g, counts_ng.shape).astype(np.float32))
    assert (Blends(counts_ng, type_n, APART)(in_soup) < 0).mean() > 0.9


def test_cells_without_counts_say_nothing(rng):
    counts_ng, type_n = cells(rng)
    assert Blends(counts_ng, type_n, APART)(sparse.csr_array((1, 31), dtype=np.float32)).tolist() == [0]


def test_types_of_which_none_excludes_another_explain_no_cell_better_as_two(rng):
    counts_ng, type_n = cells(rng)
    assert not Blends(counts_ng, type_n, np.zeros((3, 3), dtype=bool))(counts_ng).any()
    nothing = sparse.csr_array(counts_ng.shape, dtype=np.float32)
    assert not Blends(nothing, type_n, APART)(counts_ng).any()


def test_counts_that_are_too_large_to_be_whole_numbers_are_no_fault(rng):
    counts_ng, type_n = cells(rng)
    counts_ng.data[0] = 1e30
    assert np.isfinite(make_doublets(counts_ng, type_n, APART, 60, rng).counts_pg.data).all()
