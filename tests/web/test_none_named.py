"""Runs in which there is little to name: they are done, and say so."""

from __future__ import annotations

import anndata
import numpy as np
import pytest
from scipy import sparse
from tests.conftest import tiny_adata
from tests.web.conftest import checked, h5ad, run


def empty_but_one(cells):
    counts_nv = cells.X.toarray()
    counts_nv[1:] = 0
    return anndata.AnnData(sparse.csr_matrix(counts_nv), obs=cells.obs, var=cells.var)


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        (
            "no fibroblast among them",
            lambda cells: cells[cells.obs["cell_type_ontology_term_id"] != "CL:0000057"].copy(),
        ),
        ("one cell", lambda cells: cells[:1].copy()),
        ("all but one without counts", empty_but_one),
    ],
)
def test_a_run_that_names_no_cell_is_done(opened, tmp_path, kind, cells, alone):
    client = opened()
    cells = cells(tiny_adata())
    job = checked(client, h5ad(cells, tmp_path / "cells.h5ad"))
    assert job["state"] == "ready", job["error"]
    job = run(client, job, threshold=1.0, allow=["fibroblast"], each_cell_alone=alone)
    assert job["state"] == "done", job["error"]
    summary = client.get(job["links"]["summary"]).json()
    assert (summary["cells"], summary["named"], summary["score_median"]) == (cells.n_obs, 0, None)
    assert (summary["types"], summary["unknown"]["cells"]) == ([], cells.n_obs)
    assert all(level["groups"] == [] for level in summary["levels"])
    assert len(client.get(job["links"]["map"]).content) == 4 + 14 * cells.n_obs
    found = client.get(f"{job['links']['self']}/cells/0").json()
    assert found["term"] == "unknown"
    columns = client.get(f"{job['links']['self']}/columns").json()["columns"]
    for place in (place for place, column in enumerate(columns) if column["kind"] == "category"):
        assert client.get(f"{job['links']['self']}/columns/{place}/expression?gene=CD3E").status_code == 200, place
    for name in ("annotated.h5ad", "types.csv", "report.html", "commands"):
        assert client.get(job["links"][name]).status_code == 200, name


@pytest.mark.parametrize("kind", ["no cell", "no counts", "one gene"])
def test_what_holds_nothing_to_name_is_refused_in_words(shared, tmp_path, kind):
    cells = tiny_adata()
    if kind == "no cell":
        cells = cells[:0].copy()
    elif kind == "one gene":
        cells = cells[:, :1].copy()
    else:
        cells.X = sparse.csr_matrix(cells.shape, dtype=np.float32)
    job = checked(shared, h5ad(cells, tmp_path / "cells.h5ad"))
    if job["state"] == "ready":
        job = run(shared, job)
        assert job["state"] == "done", job["error"]
    else:
        assert job["state"] == "failed"
        assert "report it" not in job["error"], job["error"]
