"""The benchmarks answer cells as people's cells are answered."""

import numpy as np
from benchmarks.lib.answering import answer_together, open_runtime
from benchmarks.lib.studies import Cells

import spoticell
from spoticell.biology.genes import load_vocabulary
from spoticell.io.aligned import read_counts
from spoticell.io.demo import demo_cells
from spoticell.io.findings import inspect
from spoticell.io.in_memory import AnnDataCells
from spoticell.keys import UNKNOWN


def test_the_benchmarks_answer_both_looks_as_annotate_does():
    adata = demo_cells()[:120].copy()
    source = AnnDataCells(adata)
    found = inspect(source, load_vocabulary())
    unlabelled_n = np.full(adata.n_obs, UNKNOWN, dtype=object)
    cells = Cells("demo", read_counts(source, found), found.match.measured_g, unlabelled_n)
    answers = answer_together(cells, open_runtime("human-v1", 1))
    told = spoticell.annotate(adata, threads=1, on_progress=False).obs
    assert answers.term_n.tolist() == told["spoticell_cell_type_ontology_term_id"].tolist()
    assert answers.single_term_n.tolist() == told["spoticell_single_cell_type_ontology_term_id"].tolist()
    np.testing.assert_allclose(answers.score_n, told["spoticell_score"], atol=1e-3)
