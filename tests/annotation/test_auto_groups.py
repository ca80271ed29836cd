import numpy as np
import pytest

from spoticell.annotation.auto_groups import auto_groups
from spoticell.biology.neighbours import Neighbours, find_neighbours

CENTRES = np.float32([[0, 0], [40, 0], [0, 40]])


@pytest.fixture(scope="module")
def places():
    """Give cells of three kinds, far from each other: 90, 60 and 30 of them."""
    kind_n = np.repeat(np.arange(3), [90, 60, 30])
    return (CENTRES[kind_n] + np.random.default_rng(0).normal(size=(180, 2))).astype(np.float32), kind_n


def keys(n, seed=5):
    return np.random.default_rng(seed).permutation(n).astype(np.uint64)


def grouped(place_nd, key_n):
    return auto_groups(find_neighbours(place_nd, key_n), key_n)


def test_no_group_holds_cells_that_are_far_apart(places):
    place_nd, kind_n = places
    found = grouped(place_nd, keys(len(kind_n)))
    assert (found.code_n >= 0).all()
    assert all(len(set(kind_n[found.code_n == code])) == 1 for code in range(len(found.names)))


def test_groups_are_numbered_by_size_from_one(places):
    found = grouped(places[0], keys(180))
    sizes = np.bincount(found.code_n)
    assert found.names == tuple(str(number + 1) for number in range(len(sizes)))
    assert (np.diff(sizes) <= 0).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_cells_in_another_order_have_the_same_groups(places, seed):
    place_nd, key_n = places[0], keys(180)
    order = np.random.default_rng(seed).permutation(180)
    np.testing.assert_array_equal(grouped(place_nd[order], key_n[order]).code_n, grouped(place_nd, key_n).code_n[order])


def test_a_cell_that_is_no_landmark_goes_with_its_closest_one():
    close_nk = np.float32([[0.9], [0.9], [0.9], [0.9], [0.2], [0.2], [0.0]])
    index_nk = np.int32([[1], [0], [3], [2], [2], [0], [0]])
    found = auto_groups(Neighbours(np.arange(4), index_nk, close_nk))
    assert found.code_n[4] == found.code_n[2] == found.code_n[3]
    assert found.code_n[5] == found.code_n[0] == found.code_n[1] != found.code_n[2]
    assert found.code_n[6] == -1


def test_two_cells_are_no_group():
    close_nk, index_nk = np.float32([[0.9], [0.9], [0.9], [0.9], [0.9]]), np.int32([[1], [0], [3], [4], [2]])
    found = auto_groups(Neighbours(np.arange(5), index_nk, close_nk))
    assert -1 in found.code_n
    assert all((found.code_n == code).sum() > 2 for code in range(len(found.names)))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_cells_without_neighbours_are_in_no_group(n):
    index_nk, close_nk = np.full((n, 2), -1, dtype=np.int32), np.zeros((n, 2), dtype=np.float32)
    found = auto_groups(Neighbours(np.arange(n), index_nk, close_nk))
    assert found.names == ()
    assert found.code_n.tolist() == [-1] * n
