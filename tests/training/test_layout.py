import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.errors import ConfigError
from spoticell.training.layout import alphabetical_layout, chromosomal_layout, learned_layout, random_layout


def lay_out(kind: str, n_genes: int, grid: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if kind == "alphabetical":
        return alphabetical_layout([f"G{number:04d}" for number in rng.permutation(n_genes)], grid=grid)
    if kind == "chromosomal":
        return chromosomal_layout(n_genes, grid=grid)
    if kind == "random":
        return random_layout(n_genes, rng=rng, grid=grid)
    return learned_layout(rng.normal(size=(6, n_genes)), grid=grid)


KINDS = ["alphabetical", "chromosomal", "random", "learned"]


@pytest.mark.parametrize("kind", KINDS)
@given(n_genes=st.integers(2, 60), grid=st.integers(8, 9), seed=st.integers(0, 5))
def test_every_gene_gets_a_pixel_of_its_own(kind, n_genes, grid, seed):
    pixel_g = lay_out(kind, n_genes, grid, seed)
    assert len(set(pixel_g.tolist())) == n_genes
    assert 0 <= pixel_g.min() <= pixel_g.max() < grid * grid


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_input_gives_the_same_layout(kind):
    np.testing.assert_array_equal(lay_out(kind, 50, 9), lay_out(kind, 50, 9))


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_grid_has_room_and_one_gene_more_has_not(kind):
    assert len(lay_out(kind, 64, 8)) == 64
    with pytest.raises(ConfigError, match="64 pixels, too few for 65 genes"):
        lay_out(kind, 65, 8)


def test_genes_that_vary_together_lie_closer_than_chance():
    rng = np.random.default_rng(0)
    program_g = np.repeat(np.arange(8), 25)
    activity_kp = rng.normal(size=(40, 8))
    expression_kg = activity_kp[:, program_g] + 0.3 * rng.normal(size=(40, 200))

    def spread(pixel_g):
        place = np.stack(np.divmod(pixel_g, 15), axis=1)
        return np.mean([place[program_g == program].std(axis=0).sum() for program in range(8)])

    learned = spread(learned_layout(expression_kg, grid=15))
    chance = spread(random_layout(200, rng=rng, grid=15))
    assert learned < 0.6 * chance


def test_genes_that_never_vary_are_placed_too():
    expression_kg = np.zeros((5, 30))
    expression_kg[:, :3] = np.random.default_rng(0).normal(size=(5, 3))
    assert len(set(learned_layout(expression_kg, grid=6).tolist())) == 30


def test_one_cell_is_too_few_to_learn_from():
    with pytest.raises(ConfigError, match="at least two cells, not 1"):
        learned_layout(np.ones((1, 4)), grid=2)


def test_chromosomal_neighbours_are_neighbours_on_the_grid():
    row, column = np.divmod(chromosomal_layout(81, grid=9), 9)
    assert (np.abs(np.diff(row)) + np.abs(np.diff(column)) == 1).all()
