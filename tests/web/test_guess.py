"""What the check says of cells before they are named."""

from __future__ import annotations

from dataclasses import replace

import anndata
import numpy as np
import pytest
from scipy import sparse
from tests.conftest import tiny_adata
from tests.web.conftest import checked, h5ad, run

from spoticell.annotation.options import Options
from spoticell.annotation.pipeline import annotate_source, look_at
from spoticell.io import open_cells
from spoticell.model.bundle import load_bundle
from spoticell.web.guess import guess, kept_looks


def looks_of(path, options):
    with open_cells(path) as source:
        return guess(look_at(source, options), source, options)


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory):
    """Cells with a count in many genes, a fifth of them nearly empty."""
    vocabulary, rng = load_bundle("human-v1").vocabulary, np.random.default_rng(0)
    rate_g, depth_n1 = rng.gamma(0.3, size=6000), np.where(np.arange(60) < 12, 0.05, 1)[:, None]
    counts = rng.poisson(rate_g * depth_n1).astype(np.float32)
    cells = anndata.AnnData(sparse.csr_matrix(counts))
    cells.var_names = vocabulary.symbols[:6000]
    path = tmp_path_factory.mktemp("whole") / "cells.h5ad"
    cells.write_h5ad(path)
    return path


def test_the_check_says_what_some_cells_look_like_and_a_run_keeps_it(shared, tmp_path):
    job = checked(shared, h5ad(tiny_adata(per_type=10), tmp_path / "cells.h5ad"))
    looks = job["findings"]["looks"]
    assert looks["kinds"][0]["share"] >= 0.05
    assert looks["columns"] == {"number": 2, "named": ["batch", "cell_type_ontology_term_id"]}
    assert looks["shallow"] is None, "on a panel whole cells have few counts"
    assert run(shared, job)["findings"]["looks"] == looks


def test_the_tissues_are_those_that_a_run_finds(tiny_h5ad, tiny_bundle):
    options = Options(tiny_bundle)
    looks = looks_of(tiny_h5ad, options)
    with open_cells(tiny_h5ad) as source:
        found = annotate_source(source, options).tissues
    assert looks["tissues"] == found.shares
    assert found.describe().startswith(looks["says"].removesuffix(".")), "the words are the same"


def test_cells_with_hardly_any_counts_are_counted(whole_file):
    looks = looks_of(whole_file, Options("human-v1", threads=1))
    assert looks["shallow"] == pytest.approx(0.2)
    assert looks["cells"] == 60
    assert not looks["blood"]


def test_a_model_of_another_ontology_is_not_asked(tiny_h5ad, tiny_bundle):
    other = replace(tiny_bundle, manifest=tiny_bundle.manifest.model_copy(update={"ontology_version": "1999-01-01"}))
    looks = looks_of(tiny_h5ad, Options(other))
    assert (looks["cells"], looks["kinds"], looks["tissues"]) == (0, [], {})


def test_a_job_of_an_older_release_has_no_guess(tmp_path):
    assert kept_looks(tmp_path) == {}
