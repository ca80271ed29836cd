"""Two columns of one gene are added up unless their values are of different kinds."""

import numpy as np
import pytest
from scipy import sparse

from spoticell.biology.genes import LEFT_OUT, match_genes
from spoticell.biology.repeats import Repeats, without_odd
from spoticell.biology.vocabulary import load_vocabulary

N_CELLS, N_GENES, N_PROTEINS = 120, 400, 20


def genes(seed=0, n_cells=N_CELLS):
    """Counts of genes, every twentieth of them in most cells."""
    rng = np.random.default_rng(seed)
    means = np.where(np.arange(N_GENES) % 20 == 0, 15.0, 0.3)
    return rng.poisson(means, (n_cells, N_GENES)).astype(np.float32)


def proteins(seed=1, low=2.0, high=300.0):
    rng = np.random.default_rng(seed)
    return rng.poisson(np.geomspace(low, high, N_PROTEINS), (N_CELLS, N_PROTEINS)).astype(np.float32)


def odd(values_nv, target_v, names=None):
    repeats = Repeats(np.asarray(target_v), names or ["x"] * len(target_v))
    for start in range(0, len(values_nv), 50):
        repeats.update(sparse.csr_array(values_nv[start : start + 50]))
    return repeats.odd()


TARGETS = np.arange(N_GENES)
OWN = np.arange(5, N_GENES, N_GENES // N_PROTEINS)
"""Genes of the proteins."""


@pytest.mark.parametrize("scale", [lambda x: x, np.log1p, np.sqrt], ids=["counts", "logs", "square roots"])
def test_proteins_behind_the_genes_are_left_out_as_a_block(scale):
    unknown = -1
    found = odd(scale(np.hstack([genes(), proteins()])), [*TARGETS, *OWN[:-1], unknown])
    assert np.flatnonzero(found.other_v).tolist() == list(range(N_GENES, N_GENES + N_PROTEINS))
    assert not found.doubtful_v.any()


def test_proteins_before_the_genes_are_left_out_as_a_block():
    found = odd(np.hstack([proteins(), genes()]), [*OWN, *TARGETS])
    assert np.flatnonzero(found.other_v).tolist() == list(range(N_PROTEINS))


def test_proteins_that_few_cells_have_go_with_their_block():
    values = proteins()
    values[:, 3] = 0
    values[0, 3] = 1
    found = odd(np.hstack([genes(), values]), [*TARGETS, *OWN])
    assert found.other_v[N_GENES:].all()


def test_proteins_sorted_among_the_genes_are_left_out_and_doubt_is_told():
    order = np.argsort([*TARGETS, *(OWN + 0.5)])
    target_v = np.array([*TARGETS, *OWN])[order]
    found = odd(np.hstack([genes(), proteins()])[:, order], target_v)
    assert found.other_v.sum() == N_PROTEINS
    assert set(order[found.other_v]) == set(range(N_GENES, N_GENES + N_PROTEINS))
    assert "more such columns may be there" in found.notes(np.array(["x"] * len(order), dtype=object))[1]


@pytest.mark.parametrize("share", [0.5, 0.03])
def test_counts_split_between_two_columns_are_added_up(share):
    whole = genes().astype(int)
    part = np.random.default_rng(2).binomial(whole, share)
    found = odd(np.hstack([whole - part, part]), [*TARGETS, *TARGETS])
    assert not found.other_v.any()
    assert not found.doubtful_v.any()


def test_a_few_large_genes_whose_small_columns_lie_together_are_added_up():
    whole = genes().astype(int)
    part = np.random.default_rng(2).binomial(whole, 0.03)[:, ::20]
    whole[:, ::20] -= part
    found = odd(np.hstack([whole, part]), [*TARGETS, *TARGETS[::20]])
    assert not found.other_v.any()
    assert not found.doubtful_v.any()


@pytest.mark.parametrize(("name", "is_doubtful"), [("G205-1", True), ("CD20", True), ("KIAA0754", False)])
def test_a_single_pair_of_two_kinds_is_left_out_whole_unless_it_is_an_old_name(name, is_doubtful):
    names = [*(f"G{n}" for n in range(N_GENES)), name]
    found = odd(np.hstack([genes(), np.full((N_CELLS, 1), 90.0)]), [*TARGETS, 205], names)
    assert not found.other_v.any()
    assert np.flatnonzero(found.doubtful_v).tolist() == ([205, N_GENES] if is_doubtful else [])


ANTIGENS = [f"CD{n}" for n in range(12)] + ["ENG", "KIT", "TIGIT", "CCR7", "IL7R", "CD99", "HLA-DRA", "IgM"]


@pytest.mark.parametrize("low", [2.0, 0.1], ids=["in nearly all cells", "in few cells"])
def test_proteins_whose_genes_are_missing_are_told_by_names_and_values(low):
    names = [*(f"G{n}" for n in range(N_GENES)), *ANTIGENS]
    found = odd(np.hstack([genes(), proteins(low=low, high=low * 50)]), np.arange(len(names)), names)
    assert found.other_v[N_GENES:].all() == (low > 1)
    assert not found.other_v[:N_GENES].any()


def test_genes_of_antigens_stay_where_all_genes_are_in_most_cells():
    names = [*(f"G{n}" for n in range(N_GENES)), *ANTIGENS]
    assert not odd(np.hstack([genes() + 9, proteins()]), np.arange(len(names)), names).other_v.any()


@pytest.mark.parametrize("values", [np.zeros((5, 3)), np.zeros((0, 3))], ids=["without counts", "without cells"])
def test_empty_data_have_no_odd_columns(values):
    assert not odd(values, [0, 0, 1]).other_v.any()


def test_a_match_without_its_odd_columns_counts_what_is_left():
    symbols = list(load_vocabulary().symbols[:N_GENES])
    names = [*symbols, *(f"{symbols[place]}-1" for place in OWN)]
    match = match_genes({"index": names})
    assert match.n_repeated == N_PROTEINS
    repeats = Repeats(match.target_v, names)
    values_nv = sparse.csr_array(np.hstack([genes(), proteins()]))
    repeats.update(values_nv)
    rest, notes = without_odd(match, repeats.odd(), names)
    assert (rest.n_repeated, rest.n_found, rest.n_unmatched) == (0, N_GENES, N_PROTEINS)
    assert (rest.target_v[N_GENES:] == LEFT_OUT).all()
    np.testing.assert_array_equal(rest.kept(values_nv).toarray()[:, :N_GENES], genes())
    assert rest.kept(values_nv)[:, N_GENES:].nnz == 0
    assert notes[0].startswith("20 columns have values of another kind than genes")
    assert f"{symbols[5]}-1" in notes[0]
