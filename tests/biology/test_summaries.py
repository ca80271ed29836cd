"""Sums and means among cells are found by plain names, or by values that agree."""

import numpy as np
import pytest
from scipy import sparse

from spoticell.biology.summaries import find_summaries, notes_on_names, plainly_summary

N_CELLS, N_GENES = 40, 300


def cells(seed=0):
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.gamma(0.3, 2.0, N_GENES) * rng.uniform(0.5, 2.0, (N_CELLS, 1))).astype(float)


def million(counts_nv):
    return 1e6 * counts_nv / counts_nv.sum(axis=1, keepdims=True)


SCALES = {"counts": lambda x: x, "millionths": million, "logs": lambda x: np.log1p(million(x) / 100)}


def found(values_nv, *names):
    every = [*(f"cell-{n}" for n in range(len(values_nv) - len(names))), *names]
    halves = [sparse.csr_array(half_nv, dtype=np.float32) for half_nv in np.array_split(values_nv, 2)]
    return [name for name, is_summary in zip(every, find_summaries(every, lambda: halves), strict=True) if is_summary]


@pytest.mark.parametrize("scale", SCALES)
def test_the_sum_and_the_mean_of_all_are_found_whatever_they_are_called(scale):
    values_nv = SCALES[scale](cells())
    for summary_v in (values_nv.sum(axis=0), values_nv.mean(axis=0).round(4)):
        assert found(np.vstack([values_nv, summary_v]), "WT") == ["WT"]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", ["lymph_1--cell_avg", "mean.B", "AvgTcell", "pseudobulk_T", "T cells (average)"])
def test_the_mean_of_some_is_found_by_a_hint_in_its_name(scale, name):
    values_nv = SCALES[scale](cells())
    assert found(np.vstack([values_nv, values_nv[:15].mean(axis=0)]), name) == [name]
    assert found(np.vstack([values_nv, values_nv[:15].mean(axis=0)]), "cluster_1") == ["cluster_1"][: scale == "counts"]


@pytest.mark.parametrize("scale", SCALES)
def test_cells_whose_names_only_hint_stay(scale):
    values_nv = SCALES[scale](cells())
    assert found(values_nv, "total_1") == []
    assert found(values_nv, *(f"total_{n}" for n in range(9))) == []
    assert found(values_nv, *(f"mean_{n}" for n in range(N_CELLS))) == []
    assert found(values_nv, "Summer_1", "meaningful", "totally") == []


def test_what_is_plainly_called_so_needs_no_values():
    values_nv = cells()
    assert found(values_nv, "Total", "MEAN", "Row sums", "sd") == ["Total", "MEAN", "Row sums", "sd"]
    assert plainly_summary("Average")
    assert plainly_summary("n_cells_by_counts")
    assert not plainly_summary("AAACCTGAGAAACCAT-1")


def test_cells_that_are_all_alike_are_no_sums_of_each_other():
    assert found(np.tile(cells()[0], (8, 1))) == []


def test_never_are_all_left_out():
    assert found(cells()[:2], "mean", "total") == []


@pytest.mark.parametrize("names", [[], ["mean"]])
def test_tiny_tables_are_left_alone(names):
    assert not find_summaries(names, lambda: [sparse.csr_array((len(names), 3))]).any()


def test_names_alone_give_a_note():
    assert notes_on_names(["AAAC-1", "total_1"]) == []
    assert notes_on_names(["AAAC-1", "AAAG-1", "total", "AAAT-1", "Mean"]) == [
        "'total', 'Mean' look like sums or means of cells, but are taken for cells. Take such rows out of the file."
    ]
    assert len(notes_on_names(["AAAC-1", "AAAG-1", "lymph_1--cell_avg"])) == 1
    assert notes_on_names(["mean_1", "mean_2", "mean_3"]) == []
