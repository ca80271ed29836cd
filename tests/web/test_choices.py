"""Samples and conditions of a run, as the API offers, takes and refuses them; and the tables that are left."""

from __future__ import annotations

import io
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from tests.conftest import tiny_adata
from tests.web.conftest import checked, h5ad, run

from spoticell.errors import ConfigError
from spoticell.web.choices import check_columns
from spoticell.web.job_schemas import RunOrder

ASKED = {"by": "donor", "condition": "condition", "groups": "batch", "cellxgene": True}


@pytest.fixture(scope="module")
def cells() -> anndata.AnnData:
    """Cells of six donors of two conditions: B cells are mostly in one."""
    cells = tiny_adata(per_type=40)
    rng = np.random.default_rng(0)
    is_b = (cells.obs["cell_type_ontology_term_id"] == "CL:0000236").to_numpy()
    is_treated = np.where(is_b, rng.random(cells.n_obs) < 0.9, rng.random(cells.n_obs) < 0.5)
    cells.obs["condition"] = np.where(is_treated, "treated", "control")
    cells.obs["donor"] = [f"{word[0]}{rng.integers(3)}" for word in cells.obs["condition"]]
    cells.obs = cells.obs.rename(columns={"cell_type_ontology_term_id": "label"})
    return cells


@pytest.fixture(scope="module")
def file(cells, tmp_path_factory) -> bytes:
    return h5ad(cells, tmp_path_factory.mktemp("choices") / "cells.h5ad")


@pytest.fixture(scope="module")
def ready(shared, file) -> dict[str, Any]:
    return checked(shared, file)


@pytest.fixture(scope="module")
def job(shared, file) -> dict[str, Any]:
    job = run(shared, checked(shared, file), **ASKED)
    assert job["state"] == "done", job["error"]
    return job


@pytest.fixture(scope="module")
def told(shared, job) -> dict[str, Any]:
    return shared.get(job["links"]["summary"]).json()


def table(client, job, name) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(client.get(job["links"][name]).content))


def test_the_check_tells_values_and_which_columns_tell_the_samples_of_a_condition(ready):
    of = {choice["name"]: choice for choice in ready["findings"]["choices"]}
    assert list(of) == ready["findings"]["columns"]
    assert (of["donor"]["values"], of["donor"]["n_values"]) == (["c0", "c1", "c2", "t0", "t1", "t2"], 6)
    assert (of["condition"]["samples"], of["donor"]["samples"]) == (["condition", "donor"], None)
    assert "donor" not in of["batch"]["samples"]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"condition": "condition"}, "choose the column that says from which sample"),
        ({"condition": "donor", "by": "donor"}, "the column 'donor' has 6 values ('c0', 'c1', "),
        ({"condition": "condition", "by": "batch"}, "a sample of 'batch' has cells of both 'control' and 'treated'"),
        ({"condition": "barcode", "by": "batch"}, "no column 'barcode'"),
    ],
    ids=str,
)
def test_columns_that_can_not_serve_are_refused_in_words_before_the_run(shared, ready, order, words):
    refused = shared.post(f"/api/jobs/{ready['id']}/run", json=order)
    assert (refused.status_code, words in refused.json()["error"]) == (422, True), refused.json()


def test_a_file_that_an_older_server_checked_is_not_refused(ready):
    order = RunOrder(by="batch", condition="condition")
    with pytest.raises(ConfigError, match="cells of both"):
        check_columns(order, ready["findings"], name="cells.h5ad")
    older = {name: value for name, value in ready["findings"].items() if name not in {"columns", "choices"}}
    check_columns(order, older, name="cells.h5ad")


def test_a_run_tells_how_the_types_differ_between_its_conditions(shared, job, told):
    found, rows = told["differences"], table(shared, job, "differences.csv")
    assert (found["condition"], found["conditions"], found["samples"]) == ("condition", ["control", "treated"], [3, 3])
    assert "Welch" in found["method"]
    assert [change["name"] for change in found["changes"]] == rows["cell_type"].tolist()
    of_b = next(change for change in found["changes"] if change["term"] == "CL:0000236")
    own = rows.set_index("term").loc["CL:0000236"]
    names = {"first": "share_first", "second": "share_second", "low": "low", "high": "high", "p": "p", "q": "q"}
    for name, column in names.items():
        assert of_b[name] == pytest.approx(own[column])
    assert of_b["low"] < of_b["difference"] < of_b["high"]
    assert {bar["condition"] for bar in told["samples"]["bars"]} == {"control", "treated"}


def test_differences_follow_the_threshold_that_is_shown(shared, job, told):
    where = f"/api/jobs/{job['id']}/threshold"
    moved = shared.put(where, json={"threshold": 1}).json()["differences"]
    again = shared.put(where, json={"threshold": told["threshold"]}).json()["differences"]
    assert moved["changes"] != told["differences"]["changes"]
    assert again == told["differences"]


def test_tables_of_samples_groups_and_conditions_are_left_to_keep(shared, job, told, done_job):
    assert set(table(shared, job, "composition.csv")["sample"]) == {"c0", "c1", "c2", "t0", "t1", "t2"}
    assert table(shared, job, "groups.csv")["group"].tolist() == [group["name"] for group in told["groups"]]
    assert "groups.csv" not in done_job["links"]
    refused = shared.get(f"/api/jobs/{done_job['id']}/files/groups.csv")
    assert (refused.status_code, "asked for nothing" in refused.json()["error"]) == (404, True)


def test_the_column_for_cellxgene_is_in_the_annotated_file(shared, job):
    with h5py.File(io.BytesIO(shared.get(job["links"]["annotated.h5ad"]).content)) as file:
        assert "cell_type_ontology_term_id" in file["obs"]


def test_the_run_can_be_repeated_elsewhere_with_its_conditions(shared, job):
    words = shared.get(job["links"]["commands"]).json()
    assert "--by donor --condition condition" in words["shell"]
    assert "condition='condition'" in words["python"]
