import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from spoticell.biology.sample import CellSample, cell_keys


def cells(n, genes=30, seed=0):
    return sparse.csr_array(np.random.default_rng(seed).poisson(1.0, (n, genes)).astype(np.float32))


def sampled(values_nv, *, most, sizes):
    sample = CellSample(most)
    start = 0
    for size in sizes:
        block = values_nv[start : start + size]
        sample.add(block, np.zeros(block.shape[0]))
        start += size
    return sample.cells()


@given(seed=st.integers(0, 50), most=st.integers(1, 60))
def test_the_same_cells_are_kept_in_whatever_order_and_blocks_they_come(seed, most):
    values_nv = cells(50)
    order = np.random.default_rng(seed).permutation(50)
    _, _, place_s = sampled(values_nv, most=most, sizes=[50])
    kept_nv, _, turned_s = sampled(values_nv[order], most=most, sizes=[7, 20, 1, 22])
    assert sorted(order[turned_s]) == place_s.tolist()
    assert len(place_s) == min(most, 50)
    np.testing.assert_array_equal(kept_nv.toarray(), values_nv[order][turned_s].toarray())


def test_cells_without_values_are_passed_over_and_places_count_them():
    values_nv = sparse.csr_array(np.float32([[0, 0], [1, 2], [0, 0], [3, 0]]))
    kept_nv, _, place_s = sampled(values_nv, most=10, sizes=[2, 2])
    assert place_s.tolist() == [1, 3]
    assert kept_nv.toarray().tolist() == [[1, 2], [3, 0]]


def test_values_are_bounded_but_one_cell_is_always_kept():
    sample = CellSample(100, 40)
    sample.add(cells(30), np.zeros(30))
    assert sample.cells()[0].nnz <= 40
    sample = CellSample(100, 1)
    sample.add(cells(30), np.zeros(30))
    assert sample.cells()[0].shape[0] == 1


def test_keys_are_spread_and_differ_between_cells():
    key_n = cell_keys(cells(2000))
    assert len(np.unique(key_n)) == 2000
    assert abs((key_n < np.uint64(2**63)).mean() - 0.5) < 0.05
