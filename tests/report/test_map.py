"""The map of fingerprints."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from spoticell.report import map as projection
from spoticell.report.map import MAPPED, choose_mapped, place_near, project


def groups(per_group: int = 40, *, d: int = 16) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth_n = np.repeat(np.arange(4), per_group)
    fingerprint_nd = rng.normal(size=(4, d))[truth_n] + 0.3 * rng.normal(size=(len(truth_n), d))
    return (fingerprint_nd / np.linalg.norm(fingerprint_nd, axis=1, keepdims=True)).astype(np.float32), truth_n


def test_groups_stay_together():
    fingerprint_nd, truth_n = groups()
    neighbours = KNeighborsClassifier(6).fit(project(fingerprint_nd), truth_n)
    assert neighbours.score(project(fingerprint_nd), truth_n) > 0.98


def test_the_same_fingerprints_give_the_same_map():
    fingerprint_nd, _ = groups()
    np.testing.assert_array_equal(project(fingerprint_nd), project(fingerprint_nd.copy()))


@pytest.mark.parametrize(
    "fingerprint_nd",
    [
        np.zeros((0, 8)),
        np.ones((1, 8)),
        np.eye(2),
        np.zeros((5, 8)),
        np.ones((50, 8)),
        np.eye(9),
        np.arange(12.0)[:, None],
        np.repeat(np.eye(4), 10, axis=0),
        np.vstack([np.zeros((99, 8)), np.ones((1, 8))]),
    ],
    ids=["none", "one", "two", "five blanks", "all alike", "nine", "one number", "four kinds", "one odd one"],
)
def test_whatever_the_cells_the_map_fits_the_unit_square(fingerprint_nd):
    positions_n2 = project(fingerprint_nd.astype(np.float32))
    assert positions_n2.shape == (len(fingerprint_nd), 2)
    assert ((positions_n2 >= -1e-6) & (positions_n2 <= 1 + 1e-6)).all()


def test_large_sets_are_thinned_out_the_same_way_every_time():
    chosen = choose_mapped(50_000)
    assert len(set(chosen.tolist())) == MAPPED
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, choose_mapped(50_000))


def test_cells_are_placed_among_their_like():
    fingerprint_nd, truth_n = groups(200)
    landmarks = np.arange(0, len(truth_n), 4)
    position_l2 = project(fingerprint_nd[landmarks])
    placed_n2 = place_near(fingerprint_nd, fingerprint_nd[landmarks], position_l2)
    assert KNeighborsClassifier(6).fit(position_l2, truth_n[landmarks]).score(placed_n2, truth_n) > 0.98


def test_a_cell_between_two_groups_joins_one_of_them():
    landmark_ld = np.repeat(np.eye(2), 3, axis=0)
    position_l2 = np.array([[0.1, 0.1]] * 3 + [[0.9, 0.9]] * 3)
    placed_n2 = place_near(np.full((20, 2), 0.5), landmark_ld, position_l2)
    assert (np.abs(placed_n2 - 0.5) > 0.35).all()


def test_equal_cells_lie_apart_but_close():
    fingerprint_nd, _ = groups(50)
    position_l2 = project(fingerprint_nd)
    placed_n2 = place_near(np.repeat(fingerprint_nd[:1], 100, axis=0), fingerprint_nd, position_l2)
    assert len(np.unique(placed_n2, axis=0)) > 90
    assert np.ptp(placed_n2, axis=0).max() < 0.06


@pytest.mark.parametrize("n_landmarks", [1, 2, 5])
def test_few_landmarks_are_enough(n_landmarks):
    landmark_ld = np.eye(8)[:n_landmarks]
    placed_n2 = place_near(np.eye(8), landmark_ld, project(landmark_ld))
    assert placed_n2.shape == (8, 2)
    assert ((placed_n2 >= 0) & (placed_n2 <= 1)).all()


def test_places_do_not_depend_on_how_many_are_placed_at_a_time(monkeypatch):
    fingerprint_nd, _ = groups()
    position_l2 = project(fingerprint_nd[:40])
    whole_n2 = place_near(fingerprint_nd, fingerprint_nd[:40], position_l2)
    monkeypatch.setattr(projection, "AT_ONCE", 7)
    np.testing.assert_allclose(place_near(fingerprint_nd, fingerprint_nd[:40], position_l2), whole_n2, atol=1e-6)
