import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, stats

from spoticell.biology.group_genes import FALSE, MOST_GENES, group_genes, telling
from spoticell.biology.vocabulary import load_vocabulary

PLENTY = 40
"""Cells of each group."""


def cells(*own, genes=30, per_group=PLENTY, high=8, seed=0):
    """Give counts of groups, each of which has more of the genes that are its own, and the groups."""
    code_s = np.repeat(np.arange(len(own)), per_group)
    mean_sg = np.full((len(code_s), genes), 1.0)
    for code, mine in enumerate(own):
        mean_sg[np.ix_(code_s == code, mine)] = high
    return sparse.csr_array(np.random.default_rng(seed).poisson(mean_sg).astype(np.float32)), code_s


def found(counts_sg, code_s, **asked):
    return [[gene.gene for gene in genes] for genes in group_genes(counts_sg, code_s, int(code_s.max()) + 1, **asked)]


def test_each_group_gets_the_genes_that_it_has_more_of():
    genes = found(*cells([3, 4], [7], [9]))
    assert (set(genes[0][:2]), genes[1][0], genes[2][0]) == ({3, 4}, 7, 9)


def test_genes_that_a_group_lacks_are_not_its_own():
    counts_sg, code_s = cells([], list(range(12)))
    assert not set(found(counts_sg, code_s)[0]) & set(range(12))


def test_the_figures_are_those_of_scipys_test():
    counts_sg, code_s = cells([0, 1], [2], high=3)
    own = group_genes(counts_sg, code_s, 2)[0]
    share_sg = counts_sg.toarray() * (1e4 / counts_sg.sum(axis=1, dtype=np.float64))[:, None]
    scaled_sg = np.log1p(share_sg).astype(np.float32)
    test = stats.mannwhitneyu(
        scaled_sg[code_s == 0], scaled_sg[code_s == 1], alternative="greater", method="asymptotic", axis=0
    )
    q_g = stats.false_discovery_control(test.pvalue)
    assert own
    for gene in own:
        assert gene.auc == pytest.approx(test.statistic[gene.gene] / PLENTY**2)
        assert gene.q == pytest.approx(q_g[gene.gene], rel=1e-3)


def test_groups_without_a_difference_have_next_to_no_genes():
    counts_sg, code_s = cells([], [], genes=300)
    assert sum(map(len, found(counts_sg, code_s))) <= 2


def test_the_clearest_genes_come_first_and_only_so_many():
    genes = group_genes(*cells(list(range(20)), [25]), 2)[0]
    assert len(genes) == MOST_GENES
    assert [gene.auc for gene in genes] == sorted((gene.auc for gene in genes), reverse=True)
    assert all(gene.q < FALSE for gene in genes)


def test_only_genes_that_may_be_given_are():
    counts_sg, code_s = cells([3, 4], [7])
    assert found(counts_sg, code_s, among_g=np.arange(30) != 3)[0][0] == 4


def test_too_few_cells_have_no_genes_and_a_cell_in_no_group_is_one_of_the_others():
    counts_sg, code_s = cells([3], [7])
    code_s[:PLENTY] = -1
    code_s[-2:] = 0
    assert found(counts_sg, code_s) == [[], [7]]


def test_no_cells_no_genes():
    assert group_genes(sparse.csr_array((0, 5), dtype=np.float32), np.zeros(0, dtype=np.intp), 2) == [(), ()]
    assert group_genes(sparse.csr_array((9, 5), dtype=np.float32), np.arange(9) % 2, 2) == [(), ()]


@given(seed=st.integers(0, 50))
def test_the_order_of_cells_changes_nothing(seed):
    counts_sg, code_s = cells([3, 4], [7], per_group=12, seed=seed)
    order = np.random.default_rng(seed).permutation(len(code_s))
    assert found(counts_sg[order], code_s[order]) == found(counts_sg, code_s)


def test_genes_of_ribosomes_and_mitochondria_do_not_tell_of_a_type():
    vocabulary = load_vocabulary()
    silent = {vocabulary.symbols[g] for g in np.flatnonzero(~telling(vocabulary))}
    assert {"RPL3", "RPS4X", "RPLP0", "RPSA", "MT-CO1"} <= silent
    assert not {"RPS6KA1", "RPS19BP1", "CD3E", "MTOR"} & silent
