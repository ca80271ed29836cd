"""A server that has an index of reference cells: neighbours of a cell, and matches in what is kept."""

from __future__ import annotations

import io
import sys

import anndata
import numpy as np
import pytest
from tests.conftest import write_tiny_bundle
from tests.web.conftest import done, h5ad, run
from typer.testing import CliRunner

import spoticell
from spoticell.cli.app import app


@pytest.fixture
def client(opened, tiny_index):
    return opened(index=tiny_index)


@pytest.fixture
def job(client, tiny_file):
    return done(client, tiny_file)


def test_a_cell_shows_its_nearest_reference_cells_and_what_they_say(client, job, tiny_cells, tiny_bundle, tiny_index):
    assert client.get("/api/info").json()["has_index"] is True
    cell = client.get(f"/api/jobs/{job['id']}/cells/0").json()
    assert [near["type"] for near in cell["neighbours"]] == ["B cell"] * 10
    similarities = [near["similarity"] for near in cell["neighbours"]]
    assert similarities == sorted(similarities, reverse=True)
    hits = spoticell.search(tiny_cells[[0]], tiny_index, k=10, model=tiny_bundle)
    assert [near["cell"] for near in cell["neighbours"]] == hits["reference"].tolist()
    np.testing.assert_allclose([near["p_value"] for near in cell["neighbours"]], hits["p"], atol=1e-4)
    match = cell["match"]
    assert match["text"] == f"{match['votes']} of 50 matches say “B cell”, from 3 studies."
    assert (match["term"], match["agrees"], match["novel"]) == (cell["term"], "agree", False)


def test_a_cell_without_counts_has_no_neighbours(client, job):
    cell = client.get(f"/api/jobs/{job['id']}/cells/30").json()
    assert (cell["neighbours"], cell["match"]) == ([], None)


def test_the_summary_counts_the_cells_whose_reference_cells_agree_on_no_type(client, job):
    cells = [client.get(f"/api/jobs/{job['id']}/cells/{n}").json() for n in range(31)]
    without = sum(not cell["match"] or cell["match"]["type"] == "unknown" for cell in cells)
    assert client.get(job["links"]["summary"]).json()["no_common_type"] == without > 0


def test_what_is_kept_has_the_matches_too_and_does_not_say_where_the_index_lies(client, job, tiny_index, tmp_path):
    kept = {name: client.get(job["links"][name]).content for name in ("annotated.h5ad", "types.csv", "report.html")}
    (tmp_path / "annotated.h5ad").write_bytes(kept["annotated.h5ad"])
    obs = anndata.read_h5ad(tmp_path / "annotated.h5ad").obs
    assert obs["spoticell_agrees"].tolist() == ["agree"] * 30 + ["unknown"]
    assert b"spoticell_match_cell_type" in kept["types.csv"]
    assert b"Matches with reference cells" in kept["report.html"]
    commands = client.get(job["links"]["commands"]).json()
    assert "--index tiny-index" in commands["shell"]
    assert "index='tiny-index'" in commands["python"]
    assert str(tiny_index).encode() not in b"".join([*kept.values(), *(word.encode() for word in commands.values())])


def test_matches_of_an_earlier_run_are_not_kept_by_a_server_without_an_index(
    shared, tiny_cells, tiny_bundle, tiny_index, tmp_path
):
    spoticell.annotate(tiny_cells, model=tiny_bundle, index=tiny_index)
    job = done(shared, h5ad(tiny_cells, tmp_path / "cells.h5ad"))
    obs = anndata.read_h5ad(io.BytesIO(shared.get(job["links"]["annotated.h5ad"]).content)).obs
    assert not [name for name in obs if "match" in name]


def other_bundle(folder):
    """Write a bundle that differs from the tiny one."""
    write_tiny_bundle(folder)
    manifest = folder / "bundle.json"
    manifest.write_text(manifest.read_text().replace('"tiny"', '"other"', 1))
    return folder


def test_cells_named_by_another_bundle_have_no_neighbours(opened, settings, tiny_file, tiny_index, tmp_path):
    client = opened(index=tiny_index, bundles=(str(other_bundle(tmp_path / "other")), *settings.bundles))
    job = done(client, tiny_file)
    assert job["settings"]["model"] == "other"
    cell = client.get(f"/api/jobs/{job['id']}/cells/0").json()
    assert (cell["neighbours"], cell["match"]) == (None, None)
    assert b"spoticell_match" not in client.get(job["links"]["types.csv"]).content
    again = run(client, job, model="tiny")
    assert again["findings"]["source"] == "cells.h5ad"
    assert client.get(f"/api/jobs/{job['id']}/cells/0").json()["match"]["agrees"] == "agree"
    assert b"spoticell_match" in client.get(job["links"]["types.csv"]).content


def serve(*options):
    return CliRunner().invoke(app, ["serve", "--no-browser", *map(str, options)])


def test_an_index_of_none_of_the_bundles_is_refused_at_the_start(tmp_path, tiny_index):
    other = other_bundle(tmp_path / "other")
    outcome = serve("--index", tiny_index, "--data-dir", tmp_path / "state", "--bundle", other)
    assert outcome.exit_code == 1
    assert "holds fingerprints of the bundle tiny" in outcome.stderr


def test_what_is_no_index_is_refused_at_the_start(tmp_path, tiny_bundle_folder):
    options = ("--data-dir", tmp_path / "state", "--bundle", tiny_bundle_folder)
    outcome = serve("--index", tmp_path / "nowhere", *options)
    assert (outcome.exit_code, "nowhere is not an index" in outcome.stderr) == (1, True)


def test_without_the_extra_for_searching_the_command_says_what_to_install(
    monkeypatch, tmp_path, tiny_bundle_folder, tiny_index
):
    monkeypatch.setitem(sys.modules, "faiss", None)
    outcome = serve("--index", tiny_index, "--data-dir", tmp_path / "state", "--bundle", tiny_bundle_folder)
    assert (outcome.exit_code, "pip install '.[search]'" in outcome.stderr) == (1, True)


def test_what_references_say_of_groups_and_answers_follows_the_threshold(client, tiny_file):
    groups = {"groups": "batch"}
    job = run(client, done(client, tiny_file), threshold=0.0, **groups)
    other = run(client, done(client, tiny_file), threshold=1.0, **groups)
    expected = client.get(other["links"]["summary"]).json()
    before = client.get(job["links"]["summary"]).json()
    assert any(group["agree"] for group in before["groups"])
    found = client.put(f"/api/jobs/{job['id']}/threshold", json={"threshold": 1.0}).json()
    for name in ("agree", "studies", "tissues"):
        assert [group[name] for group in found["groups"]] == [group[name] for group in expected["groups"]]
    assert found["no_common_type"] == expected["no_common_type"] is not None
