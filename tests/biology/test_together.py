import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from spoticell.biology.together import MOST_LABELS, likeliest, read_together


def weights(n, c, seed):
    return np.random.default_rng(seed).dirichlet(np.full(c, 0.2), n).astype(np.float32)


def read(weight_nc, index_nk, closeness_nk):
    every = np.ones(weight_nc.shape[1], dtype=bool)
    return read_together(likeliest(weight_nc), every, np.arange(len(weight_nc)), index_nk, closeness_nk)


@given(n=st.integers(1, 8), c=st.integers(1, 80), k=st.integers(0, 4), seed=st.integers(0, 100))
def test_weights_stay_shares_of_one(n, c, k, seed):
    rng = np.random.default_rng(seed)
    weight_nc, voice_nk = read(weights(n, c, seed), rng.integers(0, n, (n, k)), rng.random((n, k), dtype=np.float32))
    np.testing.assert_allclose(weight_nc.sum(axis=1), 1, atol=1e-4)
    assert (weight_nc >= 0).all()
    assert voice_nk.shape == (n, k)


@given(seed=st.integers(0, 100))
def test_a_cell_without_close_neighbours_keeps_its_weights(seed):
    weight_nc = weights(5, 30, seed)
    read_nc, _ = read(weight_nc, np.zeros((5, 3), dtype=np.intp), np.zeros((5, 3), dtype=np.float32))
    np.testing.assert_allclose(read_nc, weight_nc, atol=1e-3)


def test_an_unsure_cell_goes_with_its_neighbours_and_a_sure_one_of_another_type_does_not():
    sure, unsure, other = [0.98, 0.01, 0.01], [0.4, 0.5, 0.1], [0.0, 0.0, 1.0]
    weight_nc = np.float32([sure, sure, sure, unsure, other])
    index_nk = np.array([[1, 2, 3]] * 3 + [[0, 1, 2]] * 2)
    read_nc, _ = read(weight_nc, index_nk, np.full((5, 3), 0.3, dtype=np.float32))
    assert read_nc.argmax(axis=1).tolist() == [0, 0, 0, 0, 2]
    assert read_nc[4, 2] > 0.9


def test_a_cell_without_weights_has_none_in_the_end_and_says_nothing():
    weight_nc = np.float32([[0.6, 0.4], [0.0, 0.0]])
    read_nc, voice_nk = read(weight_nc, np.array([[1], [0]]), np.ones((2, 1), dtype=np.float32))
    np.testing.assert_allclose(read_nc, weight_nc, atol=1e-3)
    assert not voice_nk.any()


def test_a_label_that_no_cell_has_a_weight_for_gets_none():
    weight_nc = np.float32([[0.7, 0.3, 0.0], [0.9, 0.1, 0.0]])
    spoken_c = np.array([True, True, False])
    index_nk, closeness_nk = np.array([[1], [0]]), np.ones((2, 1), dtype=np.float32)
    read_nc, _ = read_together(likeliest(weight_nc), spoken_c, np.arange(2), index_nk, closeness_nk)
    assert not read_nc[:, 2].any()


def test_few_labels_of_a_cell_are_kept():
    kept = likeliest(np.full((3, 400), 1 / 400, dtype=np.float32) + np.float32(np.arange(400) * 1e-6))
    assert isinstance(kept, sparse.csr_array)
    assert np.diff(kept.indptr).tolist() == [MOST_LABELS] * 3
