"""Groups, samples and the second look, as the API is asked for them and gives them."""

from __future__ import annotations

import io
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from tests.conftest import tiny_adata
from tests.web.conftest import checked, h5ad, run

LABEL = "cell_type_ontology_term_id"
ASKED = {"groups": LABEL, "by": "batch", "threshold": 0.9}


@pytest.fixture
def client(shared):
    return shared


@pytest.fixture(scope="session")
def shallow_file(tmp_path_factory) -> bytes:
    """Cells of which some are so shallow that they are unsure alone."""
    rng, cells = np.random.default_rng(0), tiny_adata(per_type=40)
    depth_n = rng.choice([0.8, 0.01], size=cells.n_obs, p=[0.8, 0.2])
    cells.X = sparse.csr_matrix(rng.binomial(cells.X.toarray().astype(int), depth_n[:, None]).astype(np.float32))
    cells.obs["depth"] = np.arange(cells.n_obs)
    return h5ad(cells, tmp_path_factory.mktemp("shallow") / "cells.h5ad")


@pytest.fixture(scope="session")
def asked_job(shared, shallow_file) -> dict[str, Any]:
    """A job that was asked for groups and samples."""
    job = run(shared, checked(shared, shallow_file), **ASKED)
    assert job["state"] == "done", job["error"]
    return job


def table_of(client, job) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(client.get(job["links"]["types.csv"]).content)).fillna({"spoticell_group": ""})


def test_the_check_names_the_columns_that_can_tell_groups_or_samples(client, shallow_file):
    job = checked(client, shallow_file)
    assert job["findings"]["columns"] == [LABEL, "batch"]
    assert job["settings"] is None


def test_a_run_names_the_groups_of_a_column(client, asked_job):
    groups = client.get(asked_job["links"]["summary"]).json()["groups"]
    table = table_of(client, asked_job)
    assert {group["name"]: group["cells"] for group in groups} == table["spoticell_group"].value_counts().to_dict()
    of_b_cells = next(group for group in groups if group["name"] == "CL:0000236")
    assert (of_b_cells["term"], of_b_cells["novel"]) == ("CL:0000236", None)


def test_each_cell_has_the_place_of_its_group_in_the_summary(client, asked_job):
    names = [group["name"] for group in client.get(asked_job["links"]["summary"]).json()["groups"]]
    place_n = np.frombuffer(client.get(asked_job["links"]["groups"]).content, "<u2")
    assert [names[place] for place in place_n] == table_of(client, asked_job)["spoticell_group"].tolist()


def test_a_cell_without_a_group_is_in_none(client, tmp_path):
    cells = tiny_adata(per_type=10)
    cells.obs["cluster"] = ["one", "two"] * 30 + [None]
    job = run(client, checked(client, h5ad(cells, tmp_path / "cells.h5ad")), groups="cluster")
    place_n = np.frombuffer(client.get(job["links"]["groups"]).content, "<u2")
    assert place_n.tolist() == [0, 1] * 30 + [65535]


def test_the_summary_counts_types_by_sample(client, asked_job):
    samples = client.get(asked_job["links"]["summary"]).json()["samples"]
    assert (samples["by"], samples["samples"]) == ("batch", 2)
    assert [(bar["name"], bar["cells"]) for bar in samples["bars"]] == [("a", 121), ("b", 120)]
    for bar in samples["bars"]:
        assert sum(part["cells"] for part in bar["parts"]) == bar["cells"]
        assert [(part["name"], part["color"] is None) for part in bar["parts"]][-2:] == [
            ("other types", True),
            ("unknown", False),
        ]


def test_a_cell_says_what_it_would_be_called_alone_where_that_is_something_else(client, asked_job):
    table = table_of(client, asked_job)
    changed = table["spoticell_cell_type"] != table["spoticell_single_cell_type"]
    assert client.get(asked_job["links"]["summary"]).json()["changed_by_neighbours"] == changed.sum()
    row = int(np.flatnonzero(changed)[0])
    alone = client.get(f"/api/jobs/{asked_job['id']}/cells/{row}").json()["alone"]
    assert alone["type"] == table["spoticell_single_cell_type"][row]
    assert alone["term"] == table["spoticell_single_cell_type_ontology_term_id"][row]
    assert alone["score"] == pytest.approx(table["spoticell_single_score"][row], abs=1e-6)
    row = int(np.flatnonzero(~changed)[0])
    assert client.get(f"/api/jobs/{asked_job['id']}/cells/{row}").json()["alone"] is None


def test_the_run_can_be_repeated_elsewhere_with_its_groups_and_samples(client, asked_job):
    commands = client.get(asked_job["links"]["commands"]).json()
    assert f"--by batch --groups {LABEL}" in commands["shell"]
    assert f"by='batch', groups='{LABEL}'" in commands["python"]


def test_cells_named_alone_have_no_other_answer_and_no_groups(client, shallow_file):
    job = run(client, checked(client, shallow_file), each_cell_alone=True)
    summary = client.get(job["links"]["summary"]).json()
    assert [summary[name] for name in ("changed_by_neighbours", "groups", "samples")] == [None] * 3
    assert client.get(f"/api/jobs/{job['id']}/cells/0").json()["alone"] is None
    assert "--each-cell-alone" in client.get(job["links"]["commands"]).json()["shell"]
    refused = client.get(f"/api/jobs/{job['id']}/groups")
    assert (refused.status_code, "asked for no groups" in refused.json()["error"]) == (404, True)
    assert "groups" not in job["links"]


def test_groups_that_are_asked_to_be_found_are_named(client, shallow_file):
    job = run(client, checked(client, shallow_file), groups="auto")
    assert client.get(job["links"]["summary"]).json()["groups"][0]["name"] == "1"
    assert "--groups auto" in client.get(job["links"]["commands"]).json()["shell"]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (
            {"groups": "leiden"},
            f"cells.h5ad has no column 'leiden' that can tell groups or samples; it has '{LABEL}', 'ba",
        ),
        ({"by": "depth"}, "no column 'depth'"),
        ({"by": "auto"}, "no column 'auto'"),
        ({"groups": "auto", "each_cell_alone": True}, "groups are found while cells are read together"),
    ],
    ids=str,
)
def test_groups_and_samples_that_cannot_be_are_refused_before_the_run(client, shallow_file, order, words):
    job = checked(client, shallow_file)
    refused = client.post(f"/api/jobs/{job['id']}/run", json=order)
    assert (refused.status_code, words in refused.json()["error"]) == (422, True), refused.json()
    assert client.get(job["links"]["self"]).json()["state"] == "ready"


def test_a_file_whose_table_about_cells_is_damaged_offers_no_columns(client, tmp_path):
    path = tmp_path / "cells.h5ad"
    h5ad(tiny_adata(per_type=10), path)
    with h5py.File(path, "a") as file:
        del file["obs/batch"]
        file["obs/batch"] = np.arange(5)
    assert checked(client, path.read_bytes())["findings"]["columns"] == []
