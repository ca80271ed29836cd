"""What values are accepted as counts, from the file to the names of the cells."""

from contextlib import suppress

import numpy as np
import pytest
from scipy import sparse

import spoticell
from spoticell.errors import CountsError, SpoticellError


def named(adata, values, bundle):
    """Name the cells of other values than `adata` has."""
    adata = adata.copy()
    adata.X = sparse.csr_matrix(values)
    return spoticell.annotate(adata, model=bundle, on_progress=False).terms_n.tolist()


@pytest.fixture
def counts(tiny_cells):
    return tiny_cells.X.toarray()


def normalised(counts, target=1e4):
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) * target


@pytest.mark.rows(22)
def test_scaled_values_are_refused_unless_counts_lie_elsewhere(tiny_cells, tiny_bundle, tiny_answers, counts):
    tiny_cells.X = (counts - counts.mean(0)) / np.maximum(counts.std(0), 0.1)
    with pytest.raises(CountsError, match="scaled"):
        spoticell.annotate(tiny_cells, model=tiny_bundle, on_progress=False)
    tiny_cells.layers["counts"] = sparse.csr_matrix(counts)
    found = spoticell.annotate(tiny_cells, model=tiny_bundle, on_progress=False)
    assert found.terms_n.tolist() == tiny_answers


@pytest.mark.rows(24)
@pytest.mark.parametrize(
    "scale",
    [
        lambda counts: np.log1p(np.log1p(normalised(counts))),
        lambda counts: np.log2(1 + normalised(counts)),
        lambda counts: np.sqrt(normalised(counts)),
        lambda counts: normalised(counts, 1e6),
        lambda counts: np.log1p(normalised(counts, 2345)),
    ],
    ids=["log1p twice", "log2", "sqrt", "CPM", "another sum"],
)
def test_a_scale_is_undone_or_refused_and_never_taken_for_another(tiny_cells, tiny_bundle, tiny_answers, counts, scale):
    answers = tiny_answers
    with suppress(SpoticellError):
        answers = named(tiny_cells, scale(counts), tiny_bundle)
    assert answers == tiny_answers


@pytest.mark.rows(25)
@pytest.mark.parametrize("kind", ["float64", "int16", "uint16", "int64"])
def test_whole_numbers_of_any_type_are_the_same_counts(tiny_cells, tiny_bundle, tiny_answers, counts, kind):
    assert named(tiny_cells, counts.astype(kind), tiny_bundle) == tiny_answers


@pytest.mark.rows(26)
def test_counts_that_reads_of_several_genes_share_are_counts_all_the_same(
    tiny_cells, tiny_bundle, tiny_answers, counts
):
    rng = np.random.default_rng(0)
    shared = (counts > 0) & (rng.random(counts.shape) < 0.1)
    counts[shared] += rng.uniform(0.05, 0.95, shared.sum())
    assert named(tiny_cells, counts, tiny_bundle) == tiny_answers
