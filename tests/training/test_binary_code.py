import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spoticell.training.binary_code import fit_planes


def fingerprints(n: int, d: int, *, seed: int, types: int = 6) -> np.ndarray:
    """Cells in tight groups, as those of a trained network are."""
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=(types, d))
    cells = centre[rng.integers(0, types, n)] + rng.normal(scale=0.25, size=(n, d))
    return (cells / np.linalg.norm(cells, axis=1, keepdims=True)).astype(np.float32)


def recall(planes: np.ndarray, cells: np.ndarray) -> float:
    """Share of the ten nearest cells that are among the fifty nearest by code, the first 100 cells asking."""
    nearest = np.argsort(-(cells[:100] @ cells[100:].T), axis=1)[:, :10]
    bits = np.sign(cells @ planes.T)
    found = np.argsort(-(bits[:100] @ bits[100:].T), axis=1, kind="stable")[:, :50]
    return float(np.mean([np.isin(a, b).mean() for a, b in zip(nearest, found, strict=True)]))


def test_codes_find_more_neighbours_than_those_of_random_planes():
    cells = fingerprints(2000, 16, seed=0)
    rng = np.random.default_rng(1)
    planes = fit_planes(cells[1000:], bits=64, rng=rng)
    chance = rng.normal(size=planes.shape)
    assert recall(planes, cells[:1000]) > recall(chance, cells[:1000]) + 0.1


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 40), bits=st.integers(1, 16), seed=st.integers(0, 99))
def test_few_cells_give_as_many_unit_normals_as_many_cells(n, bits, seed):
    planes = fit_planes(fingerprints(n, 5, seed=seed), bits=bits, rng=np.random.default_rng(seed))
    assert planes.shape == (bits, 5)
    np.testing.assert_allclose(np.linalg.norm(planes, axis=1), 1, rtol=1e-5)


def test_planes_are_chosen_from_different_pairs():
    planes = fit_planes(fingerprints(300, 8, seed=2), bits=32, rng=np.random.default_rng(0))
    alike = np.abs(planes @ planes.T) - np.eye(32)
    assert alike.max() < 0.999


@pytest.mark.parametrize("n", [1, 50])
def test_cells_that_are_all_alike_get_planes_all_the_same(n):
    planes = fit_planes(np.ones((n, 4), dtype=np.float32) / 2, bits=8, rng=np.random.default_rng(0))
    assert np.isfinite(planes).all()
    assert len(np.unique(planes, axis=0)) == 8


def test_the_same_seed_gives_the_same_planes():
    cells = fingerprints(200, 6, seed=3)
    first, second = (fit_planes(cells, bits=8, rng=np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
