"""Which cells of a training are for validation."""

import numpy as np
import pytest
from scipy import sparse

from spoticell.training.data.labelled import LabelledCells
from spoticell.training.validate import split

TYPES = [f"CL:{number:07}" for number in range(40)]


def labelled(labels, donors):
    """Cells of one data set, with these labels and donors."""
    return LabelledCells(
        sparse.csr_array((len(labels), 3), dtype=np.float32),
        np.array(labels, dtype=object),
        np.zeros(len(labels), dtype=np.intp),
        np.array(donors, dtype=object),
        ("some",),
        np.ones((1, 3), dtype=np.bool_),
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_type_that_one_donor_alone_has_is_learned_whoever_is_held_out(seed):
    donors = [f"d{number}" for number in range(20) for _ in range(10)]
    labels = [TYPES[number] if cell == 0 else "CL:0000084" for number in range(20) for cell in range(10)]
    cells = labelled(labels, donors)
    held_out_n = split(cells, (), rng=np.random.default_rng(seed))
    assert set(cells.label_n[~held_out_n]) == set(labels)
    assert len(set(cells.donor_n[held_out_n])) == 2
    assert set(cells.label_n[held_out_n]) == {"CL:0000084"}


def test_where_each_donor_has_a_type_of_its_own_single_cells_are_held_out():
    cells = labelled([term for term in TYPES for _ in range(5)], [f"d{term}" for term in TYPES for _ in range(5)])
    held_out_n = split(cells, (), rng=np.random.default_rng(0))
    assert held_out_n.sum() == 20
    assert set(cells.label_n[~held_out_n]) == set(TYPES)


def test_where_no_type_is_lost_whole_donors_are_held_out():
    cells = labelled(["CL:0000084", "CL:0000236"] * 100, np.repeat([f"d{number}" for number in range(20)], 10))
    held_out_n = split(cells, (), rng=np.random.default_rng(0))
    assert held_out_n.sum() == 20
    assert not set(cells.donor_n[held_out_n]) & set(cells.donor_n[~held_out_n])
