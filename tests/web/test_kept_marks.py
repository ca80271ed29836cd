"""Files to keep say which cells a filter leaves out."""

from __future__ import annotations

import csv
import io
import json

import anndata
import numpy as np
import pytest
from tests.web.conftest import done
from tests.web.test_sample_routes import at

RULE = {"file batch": {"keep": ["a"]}}


@pytest.fixture
def client(shared):
    return shared


@pytest.fixture(scope="module")
def job(shared, tiny_file):
    return done(shared, tiny_file, "mine.h5ad")


def kept(client, job, name, rules):
    return client.get(job["links"][name], params={"filter": json.dumps(rules)})


def read(reply, path) -> anndata.AnnData:
    path.write_bytes(reply.content)
    return anndata.read_h5ad(path)


def test_cells_that_a_filter_leaves_out_are_marked_and_stay(client, job, tmp_path):
    cells = read(kept(client, job, "annotated.h5ad", RULE), tmp_path / "kept.h5ad")
    plain = read(client.get(job["links"]["annotated.h5ad"]), tmp_path / "plain.h5ad")
    assert cells.obs["spoticell_filtered"].dtype == np.bool_
    assert cells.obs["spoticell_filtered"].tolist() == (cells.obs["batch"] != "a").tolist()
    assert 0 < cells.obs["spoticell_filtered"].sum() < cells.n_obs == plain.n_obs
    assert json.loads(cells.uns["spoticell"]["filter"]) == RULE
    assert "spoticell_filtered" not in plain.obs
    assert "filter" not in plain.uns["spoticell"]


def test_the_table_marks_the_same_cells(client, job, tmp_path):
    reply = kept(client, job, "types.csv", RULE)
    assert 'filename="mine.types.csv"' in reply.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(reply.text)))
    cells = read(kept(client, job, "annotated.h5ad", RULE), tmp_path / "kept.h5ad")
    assert [row["spoticell_filtered"] for row in rows] == cells.obs["spoticell_filtered"].astype(str).tolist()


def test_a_range_of_numbers_marks_cells_too(client, job, tmp_path):
    cells = read(
        kept(client, job, "annotated.h5ad", {"run counts": {"low": 300, "high": None}}), tmp_path / "kept.h5ad"
    )
    assert 0 < cells.obs["spoticell_filtered"].sum() < cells.n_obs
    assert cells.obs["spoticell_filtered"].tolist() == (cells.obs["spoticell_n_counts_used"] < 300).tolist()


def test_the_report_has_no_place_for_marks(client, job):
    assert kept(client, job, "report.html", RULE).content == client.get(job["links"]["report.html"]).content


def test_given_names_and_marks_stand_side_by_side(client, tiny_file):
    own = done(client, tiny_file, "both.h5ad")
    assert client.post(at(own, "curated"), json={"name": "mine", "types": [0]}).status_code == 200
    rows = list(csv.DictReader(io.StringIO(kept(client, own, "types.csv", RULE).text)))
    assert list(rows[0])[-2:] == ["spoticell_curated", "spoticell_filtered"]


@pytest.mark.parametrize("text", ["{", '{"file nothing": {"keep": []}}'])
def test_a_filter_that_can_not_be_is_refused(client, job, text):
    reply = client.get(job["links"]["types.csv"], params={"filter": text})
    assert (reply.status_code, "error" in reply.json()) == (422, True)
