"""What the API answers when all is well."""

from __future__ import annotations

import io
import json
import re
import struct

import anndata
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.web.conftest import checked, done, h5ad, run, send, settled

from spoticell.report.picture import level_colors
from spoticell.web.inlined import needed, static_text

LATE = re.compile(r'import\("\./([\w-]+)\.js"\)')


@pytest.fixture
def client(shared):
    return shared


@pytest.fixture
def job(done_job):
    return done_job


def unpack_map(contents: bytes):
    (n,) = struct.unpack_from("<I", contents)
    x, y, score = (np.frombuffer(contents, "<f4", n, 4 + 4 * n * place) for place in range(3))
    types = np.frombuffer(contents, "<u2", n, 4 + 12 * n)
    assert len(contents) == 4 + 14 * n
    return x, y, score, types


def test_the_server_says_what_it_offers(client):
    info = client.get("/api/info").json()
    assert [bundle["name"] for bundle in info["models"]] == ["tiny"]
    assert info["models"][0]["n_labels"] == 6
    assert info["limits"] == {"file_bytes": 2_000_000, "cells": 1000}
    assert info["has_index"] is False
    assert "700 real blood cells" in info["demo"]


def test_an_upload_is_looked_at_before_anything_runs(client, tiny_file):
    job = checked(client, tiny_file, "my cells.h5ad")
    assert (job["state"], job["name"], job["settings"], job["position"]) == ("ready", "my cells.h5ad", None, None)
    assert job["findings"]["cells"] == 31
    assert job["findings"]["source"] == "my cells.h5ad"
    assert job["lines"][0].startswith("my cells.h5ad (h5ad): 31 cells")
    assert any("cells without any count" in warning for warning in job["warnings"])
    assert client.get(f"/api/jobs/{job['id']}/summary").status_code == 409


def test_what_was_found_is_not_looked_for_again(opened, tiny_file, settings):
    client = opened()
    job = checked(client, tiny_file)
    folder = settings.jobs_dir / job["id"]
    kept = json.loads((folder / "findings.json").read_text())
    kept["findings"]["warnings"] = ["remembered"]
    (folder / "findings.json").write_text(json.dumps(kept))
    assert run(client, job)["warnings"] == ["remembered"]


def test_the_cells_get_the_answers_that_the_command_line_gives(client, job, tiny_answers):
    table = pd.read_csv(io.BytesIO(client.get(job["links"]["types.csv"]).content))
    assert table["spoticell_cell_type_ontology_term_id"].tolist() == tiny_answers


def test_the_summary_counts_types_and_groups_them_by_level(client, job):
    summary = client.get(job["links"]["summary"]).json()
    assert (summary["cells"], summary["named"], summary["model"]) == (31, 30, "tiny")
    assert sum(kind["cells"] for kind in summary["types"]) == 30
    assert [kind["index"] for kind in summary["types"]] == list(range(len(summary["types"])))
    assert summary["unknown"] == {"cells": 1, "reasons": {"no counts in known genes": 1}}
    assert [level["name"] for level in summary["levels"]] == ["broad", "middle", "fine"]
    broad = {group["name"]: group["cells"] for group in summary["levels"][0]["groups"]}
    assert broad["T cell"] == 10
    for level in summary["levels"]:
        for place, group in enumerate(level["groups"]):
            assert [i for i, own in enumerate(level["group_of_type"]) if own == place] == group["types"]
    t_cell = next(kind for kind in summary["types"] if kind["term"] == "CL:0000625")
    assert t_cell["path"][0]["name"] == "T cell"
    assert t_cell["path"][-1] == {"term": "CL:0000625", "name": t_cell["name"], "short": "CD8 T"}


def test_the_map_has_a_place_a_score_and_a_type_for_each_cell(client, job):
    x, y, score, types = unpack_map(client.get(job["links"]["map"]).content)
    summary = client.get(job["links"]["summary"]).json()
    assert np.isnan(x[30])
    assert types[30] == 65535
    assert ((x[:30] >= 0) & (x[:30] <= 1) & (y[:30] >= 0) & (y[:30] <= 1)).all()
    np.testing.assert_array_equal(
        np.bincount(types[:30], minlength=len(summary["types"])), [kind["cells"] for kind in summary["types"]]
    )
    assert np.median(score[:30]) == pytest.approx(summary["score_median"], abs=1e-5)


def test_the_map_can_be_had_unpacked(client, job):
    packed = client.get(job["links"]["map"])
    plain = client.get(job["links"]["map"], headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content


def test_genes_are_found_by_symbol_alias_and_id(client, job):
    def found(text):
        return [gene["symbol"] for gene in client.get(job["links"]["genes"], params={"q": text}).json()["genes"]]

    assert found("cd19") == ["CD19"]
    assert found("CD20") == ["MS4A1"]
    assert found("ENSG00000156738") == ["MS4A1"]
    assert set(found("CD8")) == {"CD8A", "CD8B"}
    assert found("nothing at all") == found("") == []


def test_a_gene_has_a_level_in_each_cell(client, job, tiny_cells):
    reply = client.get(f"{job['links']['genes']}/MS4A1")
    counts = tiny_cells[:, "MS4A1"].X.toarray()[:, 0]
    totals = [client.get(f"/api/jobs/{job['id']}/cells/{n}").json()["n_counts"] for n in range(len(counts))]
    values = np.log1p(1e4 * counts / np.maximum(totals, 1))
    most = np.quantile(values[values > 0], 0.99)
    levels = np.frombuffer(reply.content, np.uint8)
    assert float(reply.headers["x-gene-max"]) == pytest.approx(most, rel=1e-4)
    assert most < values.max(), "the highest is clipped"
    np.testing.assert_allclose(levels, np.ceil(255 * np.minimum(values / most, 1)), atol=1)
    np.testing.assert_array_equal(levels == 0, counts == 0)
    assert client.get(f"{job['links']['genes']}/NOT-A-GENE").status_code == 404


def test_types_are_found_by_everyday_names(client, job):
    (found,) = client.get(job["links"]["genes"], params={"q": "T cells"}).json()["types"]
    summary = client.get(job["links"]["summary"]).json()
    own = [kind for kind in summary["types"] if kind["path"][0]["name"] == "T cell"]
    assert (found["name"], found["cells"]) == ("T cell", sum(kind["cells"] for kind in own))
    assert sorted(found["types"]) == sorted(kind["index"] for kind in own)


def test_what_a_cell_may_be_excludes_each_other_and_sums_to_1(client, job):
    for n in range(31):
        cell = client.get(f"/api/jobs/{job['id']}/cells/{n}").json()
        ways = cell["alternatives"]
        assert sum(way["probability"] for way in ways) == pytest.approx(1, abs=0.002)
        if cell["term"] == "unknown":
            assert [way["role"] for way in ways] == ["rest"]
            continue
        assert (ways[0]["term"], ways[0]["role"]) == (cell["term"], "answer")
        assert ways[0]["probability"] == pytest.approx(cell["score"], abs=1e-4)
        chances = [step["probability"] for step in cell["path"]]
        assert chances == sorted(chances, reverse=True), "a broader type is never less likely"


def test_a_cell_shows_its_way_along_the_ontology_and_its_own_genes(client, job):
    cell = client.get(f"/api/jobs/{job['id']}/cells/0").json()
    assert (cell["name"], cell["term"], cell["type"]) == ("cell-0", "CL:0000236", "B cell")
    assert [step["role"] for step in cell["path"]][-1] in {"answer", "below"}
    answer = next(step for step in cell["path"] if step["role"] == "answer")
    assert answer["probability"] == pytest.approx(cell["score"], abs=1e-4)
    assert {gene["symbol"] for gene in cell["genes"][:4]} == {"MS4A1", "CD79A", "CD79B", "CD19"}
    assert cell["neighbours"] is None
    picture = Image.open(io.BytesIO(client.get(cell["picture"]).content))
    assert picture.size == (155, 155)
    row, column = max(cell["genes"], key=lambda gene: gene["counts"])["pixel"]
    assert picture.getpixel((column, row)) == len(level_colors()) - 1


def test_a_cell_is_found_by_its_name_too(client, job):
    assert client.get(f"/api/jobs/{job['id']}/cells/cell-1").json()["position"] == 1
    assert client.get(f"/api/jobs/{job['id']}/cells/cell-13").json()["position"] == 13
    assert client.get(f"/api/jobs/{job['id']}/cells/ell-1").status_code == 404
    assert client.get(f"/api/jobs/{job['id']}/cells/31").status_code == 404


def test_a_cell_without_counts_is_shown_as_unknown(client, job):
    cell = client.get(f"/api/jobs/{job['id']}/cells/30").json()
    assert (cell["term"], cell["score"], cell["genes"]) == ("unknown", 0, [])
    assert client.get(cell["picture"]).status_code == 200


def test_results_can_be_kept_under_the_name_of_the_upload(client, job, tmp_path):
    reply = client.get(job["links"]["annotated.h5ad"])
    assert reply.headers["content-disposition"] == 'attachment; filename="my_cells.annotated.h5ad"'
    (tmp_path / "out.h5ad").write_bytes(reply.content)
    assert "spoticell_cell_type" in anndata.read_h5ad(tmp_path / "out.h5ad").obs
    report = client.get(job["links"]["report.html"])
    assert "my cells.h5ad" in report.text
    assert report.headers["content-disposition"].startswith("attachment")


def test_the_run_can_be_repeated_elsewhere(client, job):
    commands = client.get(job["links"]["commands"]).json()
    assert commands["shell"].startswith("spoticell annotate 'my cells.h5ad' -o 'my cells.spoticell.h5ad'")
    assert "--model tiny" in commands["shell"]
    assert "spoticell.annotate('my cells.h5ad', 'my cells.spoticell.h5ad'" in commands["python"]


def test_nothing_says_where_the_model_lies_on_the_server(client, job, tiny_bundle_folder):
    links = ("summary", "commands", "annotated.h5ad", "types.csv", "report.html")
    told = [json.dumps(job).encode(), *(client.get(job["links"][name]).content for name in links)]
    assert str(tiny_bundle_folder).encode() not in b"".join(told)


def test_a_run_that_is_told_the_tissue_answers_with_its_types(client, tiny_file):
    assert "blood" in client.get("/api/info").json()["tissues"]
    again = run(client, done(client, tiny_file), tissue="PBMC")
    assert again["settings"]["tissue"] == "blood"
    summary = client.get(again["links"]["summary"]).json()
    assert summary["allowed"] == "5 of the 6 types that the model knows: in blood"
    assert summary["tissues"] is None
    assert "fibroblast" not in {kind["name"] for kind in summary["types"]}
    commands = client.get(again["links"]["commands"]).json()
    assert "--tissue blood" in commands["shell"]
    assert "tissue='blood'" in commands["python"]


def test_a_run_that_is_told_nothing_says_what_the_cells_show(client, job):
    summary = client.get(job["links"]["summary"]).json()
    assert summary["allowed"] is None
    assert summary["tissues"].startswith("The cells show no tissue by types of its own")


def test_a_run_answers_with_the_types_that_are_allowed(client, tiny_file):
    asked = {"allow": ["T cell", "CL:0000236"], "deny": ["CD4-positive, alpha-beta T cell"]}
    job = run(client, checked(client, tiny_file), **asked)
    assert {name: job["settings"][name] for name in asked} == asked
    summary = client.get(job["links"]["summary"]).json()
    assert {kind["term"] for kind in summary["types"]} == {"CL:0000236", "CL:0000625"}
    assert "among T cell (CL:0000084), B cell (CL:0000236)" in summary["allowed"]
    commands = client.get(job["links"]["commands"]).json()
    assert "--allow CL:0000084 --allow CL:0000236 --deny CL:0000624" in commands["shell"]
    assert "allow=['CL:0000084', 'CL:0000236'], deny=['CL:0000624']" in commands["python"]


def test_the_words_for_types_may_have_space_around_them(client, tiny_file):
    job = run(client, checked(client, tiny_file), deny=[" T cell\n"])
    assert job["settings"]["deny"] == ["T cell"]


@pytest.mark.parametrize("list_of_types", ["allow", "deny"])
def test_a_type_that_is_none_is_refused_with_others_near_it(client, tiny_file, list_of_types):
    job = checked(client, tiny_file)
    refused = client.post(f"/api/jobs/{job['id']}/run", json={list_of_types: ["fibroblats"]})
    assert refused.status_code == 422
    assert "'fibroblats' is no id, name or synonym" in refused.json()["error"]
    assert "'fibroblast'" in refused.json()["error"]
    assert client.get(job["links"]["self"]).json()["state"] == "ready"


def test_types_that_leave_no_answer_are_refused(client, tiny_file):
    job = checked(client, tiny_file)
    refused = client.post(f"/api/jobs/{job['id']}/run", json={"allow": ["fibroblast"], "deny": ["fibroblast"]})
    assert (refused.status_code, "no type is left to answer with" in refused.json()["error"]) == (422, True)


@pytest.mark.parametrize("types", [["T cell"] * 51, ["x" * 201], ["  "], "T cell", [3]], ids=repr)
def test_types_are_few_words_of_bounded_length(client, tiny_file, types):
    job = checked(client, tiny_file)
    assert client.post(f"/api/jobs/{job['id']}/run", json={"allow": types}).status_code == 422


def test_an_allowed_type_that_the_model_lacks_is_noted(client, tiny_file):
    job = run(client, checked(client, tiny_file), allow=["T cell", "hepatocyte"])
    assert "the model tiny knows neither hepatocyte (CL:0000182) nor a subtype." in job["warnings"]
    again = run(client, job, allow=["T cell"])
    assert not any("hepatocyte" in warning for warning in again["warnings"])


def test_a_tissue_that_is_none_is_refused_with_those_that_are(client, tiny_file):
    job = checked(client, tiny_file)
    refused = client.post(f"/api/jobs/{job['id']}/run", json={"tissue": "lunge"})
    assert refused.status_code == 422
    assert "there are adipose tissue, " in refused.json()["error"]


def test_a_run_in_which_no_cell_is_named_is_a_result_too(client, vague_cells, tmp_path):
    job = run(client, checked(client, h5ad(vague_cells, tmp_path / "alike.h5ad")), threshold=1)
    assert (job["state"], job["error"]) == ("done", None)
    summary = client.get(job["links"]["summary"]).json()
    assert (summary["named"], summary["types"], summary["score_median"]) == (0, [], None)
    x, _, _, types = unpack_map(client.get(job["links"]["map"]).content)
    assert (len(x), set(types.tolist())) == (31, {65535})
    cell = client.get(f"/api/jobs/{job['id']}/cells/0").json()
    assert (cell["type"], cell["genes"][0]["counts"] > 0) == ("unknown", True)
    for name in ("annotated.h5ad", "types.csv", "report.html"):
        assert client.get(job["links"][name]).status_code == 200


def test_a_job_can_be_run_again_with_another_threshold(client, tiny_file):
    job = done(client, tiny_file)
    asked = {"model": "tiny", "threshold": 0.5, "allow": [], "deny": [], "tissue": None}
    asked |= {"groups": None, "by": None, "condition": None, "markers": None}
    asked |= {"each_cell_alone": False, "cellxgene": False}
    assert job["settings"] == asked
    again = run(client, job, threshold=0.999999)
    assert again["settings"] == asked | {"threshold": 0.999999}
    assert client.get(job["links"]["summary"]).json()["threshold"] == 0.999999


def test_ordering_the_same_run_twice_changes_nothing(client, tiny_file):
    job = checked(client, tiny_file)
    first = client.post(f"/api/jobs/{job['id']}/run")
    second = client.post(f"/api/jobs/{job['id']}/run", json={})
    assert (first.status_code, second.status_code) == (202, 202)
    assert settled(client, second.json())["state"] == "done"


def test_events_tell_of_a_job_until_it_rests(client, tiny_file):
    job = send(client, tiny_file).json()
    reply = client.get(job["links"]["events"])
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = [block for block in reply.text.split("\n\n") if block.startswith("event: job")]
    states = [json.loads(block.split("data: ")[1])["state"] for block in events]
    assert set(states[:-1]) <= {"checking"}
    assert states[-1] == "ready"
    last = events[-1].split("id: ")[1].split("\n")[0]
    assert client.get(job["links"]["events"], headers={"Last-Event-ID": last}).status_code == 204


def test_a_deleted_job_is_gone_with_its_files(opened, tiny_file, settings):
    client = opened()
    job = done(client, tiny_file)
    assert client.delete(f"/api/jobs/{job['id']}").status_code == 204
    assert list(settings.jobs_dir.iterdir()) == []
    for path in ("", "/summary", "/map", "/cells/0", "/events"):
        assert client.get(f"/api/jobs/{job['id']}{path}").status_code == 404
    assert client.delete(f"/api/jobs/{job['id']}").status_code == 404


def test_the_demo_brings_its_own_cells(opened):
    client = opened(bundles=("human-v1",))
    job = settled(client, client.post("/api/jobs/demo").json())
    assert (job["state"], job["findings"]["cells"]) == ("ready", 700)
    job = run(client, job)
    summary = client.get(job["links"]["summary"]).json()
    assert {"monocyte", "T cell", "B cell"} <= {group["name"] for group in summary["levels"][0]["groups"]}


def test_the_page_is_served(client):
    assert client.get("/").headers["content-type"].startswith("text/html")
    assert client.get("/jobs/0123").status_code == 200


def test_all_modules_that_the_page_will_need_are_asked_for_at_once(client):
    def asked(path):
        return set(re.findall(r'rel="modulepreload" href="/static/js/([\w-]+)\.js"', client.get(path).text))

    assert asked("/") == set(needed("main"))
    assert asked("/jobs/0123") == set(needed("main", "result", "mine"))
    later = {late for name in asked("/jobs/0123") for late in LATE.findall(static_text(f"js/{name}.js"))}
    assert later == {"result", "mine", "atlas", "batch", "store"}, "a result needs the first two only"
