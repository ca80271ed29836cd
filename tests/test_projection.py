"""The map of fingerprints."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from spoticell.projection import MAPPED, choose_mapped, project


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
