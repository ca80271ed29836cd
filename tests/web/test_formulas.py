"""No table that the page lets others download is run by a spreadsheet."""

import csv
import io

import anndata
from tests.conftest import tiny_adata
from tests.web.conftest import done, h5ad, run

from spoticell.io.formula import unguard

EVIL = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]


def test_names_that_are_formulas_are_marked_in_the_table_and_can_be_joined_again(shared, tmp_path):
    cells = tiny_adata()
    names = EVIL + cells.obs_names[len(EVIL) :].tolist()
    cells.obs_names = names
    cells.obs["batch"] = ["=cmd()", "b"] * (len(names) // 2) + ["b"] * (len(names) % 2)
    job = done(shared, h5ad(cells, tmp_path / "cells.h5ad"))
    job = run(shared, job, groups="batch")
    table = shared.get(job["links"]["types.csv"]).content.decode()
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [row["cell"] for row in rows[: len(EVIL)]] == [f"'{name}" for name in EVIL]
    assert [unguard(row["cell"]) for row in rows] == names
    assert {row["spoticell_group"] for row in rows} == {"'=cmd()", "b"}
    path = tmp_path / "annotated.h5ad"
    path.write_bytes(shared.get(job["links"]["annotated.h5ad"]).content)
    assert anndata.read_h5ad(path).obs_names.tolist() == names
