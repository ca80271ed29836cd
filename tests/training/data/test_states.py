import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from spoticell.biology.genes import load_vocabulary
from spoticell.training.data.states import LEAST, MOST, load_states, switch_on

STATES = [np.array([1, 2, 3]), np.array([5])]


def cells(n, seed=0):
    return sparse.csr_array(np.random.default_rng(seed).poisson(200, size=(n, 8)).astype(np.float32))


@given(st.integers(0, 40), st.integers(1, 6), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_counts_are_only_added_and_only_to_genes_of_one_state_in_a_group(n, groups, share, seed):
    before, group_n = cells(n), np.arange(n) % groups
    kept = before.copy()
    after = switch_on(before, group_n, states=STATES, share=share, rng=np.random.default_rng(seed))
    added = after.toarray() - before.toarray()
    assert (added >= 0).all()
    assert after.dtype == before.dtype
    for group in range(groups):
        genes = set(np.flatnonzero(added[group_n == group].any(axis=0)))
        assert any(genes <= set(state) for state in STATES)
    assert (before != kept).nnz == 0


def test_a_state_adds_a_share_of_the_counts_within_its_bounds():
    before = cells(4000) * np.float32(50)
    after = switch_on(before, np.arange(4000), states=STATES, share=1, rng=np.random.default_rng(1))
    share_n = after.sum(axis=1) / before.sum(axis=1) - 1
    assert LEAST * 0.7 < share_n.min() < LEAST * 1.5
    assert MOST * 0.8 < share_n.max() < MOST * 1.2


def test_without_states_or_a_share_nothing_is_done():
    before, rng = cells(5), np.random.default_rng(0)
    assert switch_on(before, np.zeros(5, int), states=[], share=1, rng=rng) is before
    assert switch_on(before, np.zeros(5, int), states=STATES, share=0, rng=rng) is before


def test_the_packaged_states_are_of_known_genes_and_none_is_small():
    vocabulary = load_vocabulary()
    states = load_states(vocabulary)
    assert [len(state) for state in states] == [73, 49, 30]
    assert {"ISG15", "MX1"} <= {vocabulary.symbols[g] for g in states[0]}
