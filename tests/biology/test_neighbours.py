import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spoticell.biology import neighbours as module
from spoticell.biology.neighbours import NEIGHBOURS, Neighbours, find_neighbours


def clouds(*sizes, dims=4, seed=0):
    """Give cells in separate clouds, and the cloud of each."""
    rng = np.random.default_rng(seed)
    cloud_n = np.repeat(np.arange(len(sizes)), sizes)
    place_nd = rng.normal(size=(len(cloud_n), dims)) + 40 * cloud_n[:, None]
    return place_nd.astype(np.float32), cloud_n


def keys(n, seed=1):
    return np.random.default_rng(seed).permutation(n).astype(np.uint64)


@given(n=st.integers(1, 40), seed=st.integers(0, 5))
def test_a_cell_is_no_neighbour_of_itself_and_closeness_is_a_share(n, seed):
    place_nd, _ = clouds(n, seed=seed)
    found = find_neighbours(place_nd, keys(n))
    assert found.index_nk.shape == (n, min(NEIGHBOURS, n - 1))
    assert (found.index_nk != np.arange(n)[:, None]).all()
    assert ((found.closeness_nk >= 0) & (found.closeness_nk <= 1)).all()


def test_a_rare_type_of_few_cells_is_not_close_to_the_common_one_beside_it():
    place_nd, cloud_n = clouds(200, 6)
    found = find_neighbours(place_nd, keys(206))
    across_nk = cloud_n[found.index_nk] != cloud_n[:, None]
    assert across_nk[cloud_n == 1].any()
    assert found.closeness_nk[across_nk].max() < 1e-3 < found.closeness_nk[~across_nk].mean()


def test_alike_cells_at_one_place_are_close():
    found = find_neighbours(np.zeros((5, 3), dtype=np.float32), keys(5))
    assert np.isfinite(found.closeness_nk).all()
    assert found.closeness_nk.max() > 0


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 100))
@pytest.mark.parametrize("landmarks", [10_000, 60])
def test_another_order_of_the_cells_gives_the_same_neighbours(landmarks, seed):
    place_nd, _ = clouds(80, 40)
    order = np.random.default_rng(seed).permutation(len(place_nd))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LANDMARKS", landmarks)
        patch.setattr(module, "PART", 20)
        found, turned = find_neighbours(place_nd, keys(120)), find_neighbours(place_nd[order], keys(120)[order])
    for n in range(120):
        place = int(np.flatnonzero(order == n)[0])
        index_k, closeness_k = found.of(np.array([n]))
        turned_k, turned_closeness_k = turned.of(np.array([place]))
        assert set(index_k[closeness_k > 1e-6]) == set(order[turned_k[turned_closeness_k > 1e-6]])
        np.testing.assert_allclose(np.sort(closeness_k[0]), np.sort(turned_closeness_k[0]), atol=1e-4)


def test_many_cells_look_among_landmarks_only_and_find_their_own_kind(monkeypatch):
    monkeypatch.setattr(module, "LANDMARKS", 100)
    monkeypatch.setattr(module, "PART", 25)
    place_nd, cloud_n = clouds(500, 300, 100)
    found = find_neighbours(place_nd, keys(900))
    assert len(found.landmark_l) == 100
    index_nk, closeness_nk = found.of(np.arange(900))
    assert (cloud_n[index_nk] == cloud_n[:, None])[closeness_nk > 1e-3].all()
    assert (closeness_nk.max(axis=1) > 0.05).mean() > 0.95


def test_neighbours_of_parts_stay_within_them():
    place_nd, _ = clouds(30)
    parts = [np.arange(0, 30, 2), np.arange(1, 10, 2), np.array([11])]
    joined = Neighbours.join(30, [(cells, find_neighbours(place_nd[cells], keys(len(cells)))) for cells in parts])
    for cells in parts:
        index_bk, closeness_bk = joined.of(cells)
        assert np.isin(index_bk[closeness_bk > 0], cells).all()
    assert not joined.of(np.array([29]))[1].any()


def test_where_no_cell_can_have_neighbours_there_are_none():
    joined = Neighbours.join(3, [])
    index_bk, closeness_bk = joined.of(np.arange(3))
    assert index_bk.shape == closeness_bk.shape == (3, 0)


def test_parts_that_no_landmark_is_in_do_no_harm(monkeypatch):
    monkeypatch.setattr(module, "LANDMARKS", 60)
    monkeypatch.setattr(module, "PART", 20)
    found = find_neighbours(np.zeros((90, 3), dtype=np.float32), keys(90))
    assert (found.index_nk >= 0).all()
    assert found.closeness_nk.max() > 0
