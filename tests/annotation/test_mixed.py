from dataclasses import replace

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from tests.conftest import tiny_adata

from spoticell import annotate
from spoticell.annotation import mixed as module
from spoticell.annotation.mixed import Marks, MixedTally
from spoticell.annotation.outputs import csv_rows, stale_columns, summary_record
from spoticell.annotation.reasons import MIXED, REASONS

COLUMN, SCORE = "spoticell_mixed", "spoticell_mixed_score"


def sample(*, doublets=12, seed=0):
    """Give cells of six types, and doublets of a B cell and a monocyte after them."""
    cells = tiny_adata(per_type=40, seed=seed)[:-1].copy()
    cells.X = sparse.csr_matrix(np.random.default_rng(seed).poisson(cells.X.toarray() + 0.05).astype(np.float32))
    term_n = cells.obs["cell_type_ontology_term_id"].to_numpy()
    one, other = (np.flatnonzero(term_n == term)[:doublets] for term in ("CL:0000236", "CL:0001054"))
    both = anndata.AnnData(sparse.csr_matrix(cells.X[one] + cells.X[other]), var=cells.var)
    both.obs_names = [f"doublet{n}" for n in range(doublets)]
    return anndata.concat([cells[:, both.var_names], both], merge="same", join="outer")


@pytest.fixture(scope="module")
def cells():
    return sample()


@pytest.fixture(scope="module")
def annotation(cells, tiny_bundle):
    return annotate(cells, model=tiny_bundle, copy=True)


def marked(annotation):
    """Say which cells are marked."""
    return annotation.obs[COLUMN].notna().to_numpy()


def test_doublets_are_marked_with_both_types_and_few_other_cells_are(annotation):
    marked_n = marked(annotation)
    assert marked_n[-12:].sum() >= 8
    assert marked_n[:-12].mean() < 0.02
    assert set(annotation.obs[COLUMN].dropna()[-8:]) == {"B cell + monocyte"}
    score_n = annotation.obs[SCORE].to_numpy()
    assert score_n[marked_n].min() >= module.BOUND > score_n[~marked_n].max()


def test_the_same_cells_in_another_order_are_marked_alike(cells, annotation, tiny_bundle):
    order = np.random.default_rng(1).permutation(len(cells))
    again = annotate(cells[order].copy(), model=tiny_bundle)
    assert again.obs[COLUMN].astype(str).tolist() == annotation.obs[COLUMN].astype(str).iloc[order].tolist()
    np.testing.assert_allclose(again.obs[SCORE], annotation.obs[SCORE].iloc[order], atol=1e-3)


def test_a_mixed_cell_is_told_wherever_answers_are(annotation):
    number = int(marked(annotation).sum())
    assert summary_record(annotation)["mixed"]["B cell + monocyte"] >= 8
    assert sum(summary_record(annotation)["mixed"].values()) == number
    (text,) = [caution.text for caution in annotation.cautions if caution.kind == "mixed"]
    assert text.startswith(f"{number} of 252 cells look like two cells of different types, mostly B cell + monocyte")
    assert (
        (annotation.obs["spoticell_reason"] == MIXED).sum() == (annotation.reason_n == REASONS.index(MIXED)).sum() > 0
    )
    assert next(csv_rows(annotation))[COLUMN].notna().sum() == number


def test_nothing_is_said_of_very_few(annotation):
    none = replace(annotation.mixed, pair_n=np.full(252, -1, dtype=np.int16))
    assert not [caution for caution in replace(annotation, mixed=none).cautions if caution.kind == "mixed"]


def test_each_cell_alone_marks_none_and_removes_the_columns_of_an_earlier_run(cells, tiny_bundle):
    alone = annotate(cells.copy(), model=tiny_bundle, each_cell_alone=True)
    assert alone.mixed is None
    assert {COLUMN, SCORE} <= set(stale_columns(alone))
    assert not {COLUMN, SCORE} & set(alone.obs)
    assert summary_record(alone)["mixed"] is None


def test_reads_are_not_looked_at(cells, tiny_bundle, monkeypatch):
    monkeypatch.setattr(module, "READS", 10)
    assert annotate(cells.copy(), model=tiny_bundle).mixed is None


def test_a_sample_of_one_type_has_no_doublets_of_two(cells, tiny_bundle):
    one = cells[(cells.obs["cell_type_ontology_term_id"] == "CL:0000236").to_numpy()].copy()
    found = annotate(one, model=tiny_bundle)
    assert not marked(found).any()
    assert not found.obs[SCORE].any()


def test_cells_without_counts_are_not_marked(cells, tiny_bundle):
    empty = cells[:5].copy()
    empty.X = sparse.csr_matrix(empty.shape, dtype=np.float32)
    empty.obs_names = [f"empty{n}" for n in range(5)]
    found = annotate(anndata.concat([cells, empty], merge="same"), model=tiny_bundle)
    assert not marked(found)[-5:].any()


def test_platelets_are_marked_on_leukocytes_alone(cells, tiny_bundle, monkeypatch):
    monkeypatch.setattr(module, "with_platelets", lambda counts_ng, *_: np.ones(counts_ng.shape[0], dtype=bool))
    found = annotate(cells.copy(), model=tiny_bundle)
    said, term_n = found.obs[COLUMN].to_numpy(dtype=object), cells.obs["cell_type_ontology_term_id"].to_numpy()
    assert set(said[term_n == "CL:0000624"]) == {"T cell + platelet"}
    assert pd.isna(said[term_n == "CL:0000057"]).all()
    assert "B cell + monocyte" in said, "a doublet stays one"


def test_marks_of_pairs_that_no_cell_has_are_no_category():
    marks = Marks(np.zeros(3, dtype=np.float32), np.int16([2, -1, 2]), ("a + b", "a + c", "b + c"))
    assert list(marks.words().categories) == ["b + c"]
    assert marks.counted() == {"b + c": 2}


def test_without_marked_blocks_there_are_no_marks():
    assert MixedTally(3).finish() is None
