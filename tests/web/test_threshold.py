"""Answers shown at another threshold are those of a run with it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from tests.conftest import tiny_adata
from tests.web.conftest import checked, done, h5ad, run

from spoticell.annotation.options import Options
from spoticell.annotation.pipeline import annotate_source, look_at
from spoticell.io import open_cells
from spoticell.model.bundle import Bundle, load_bundle
from spoticell.model.calibration import Trust
from spoticell.web import demo, sink
from spoticell.web.grounds import GROUNDS_ALONE
from spoticell.web.kept import remember
from spoticell.web.sink import PageSink
from spoticell.web.task import RESULTS
from spoticell.web.threshold import show_at

DEMO = Path(demo.__file__).parent / "demo_cells" / "pbmc68k_reduced.h5ad"
LABEL = "cell_type_ontology_term_id"


@pytest.fixture
def client(shared):
    return shared


def mixed() -> anndata.AnnData:
    """Give cells of all depths, some a mixture of two types, some without counts."""
    rng, cells = np.random.default_rng(3), tiny_adata(per_type=40)
    counts = cells.X.toarray()
    part_n1 = rng.uniform(0, 1, size=(cells.n_obs, 1))
    counts = part_n1 * counts + (1 - part_n1) * counts[rng.permutation(cells.n_obs)]
    depth_n1 = rng.choice([0.0, 0.01, 0.1, 1.0], size=(cells.n_obs, 1), p=[0.05, 0.3, 0.3, 0.35])
    cells.X = sparse.csr_matrix(rng.poisson(counts * depth_n1).astype(np.float32))
    return cells


@pytest.fixture(scope="session")
def mixed_file(tmp_path_factory) -> bytes:
    return h5ad(mixed(), tmp_path_factory.mktemp("mixed") / "cells.h5ad")


def shown(client, job) -> dict[str, object]:
    """Give all that the page asks for and that depends on the threshold."""
    summary = client.get(job["links"]["summary"]).json()
    cells = [client.get(f"/api/jobs/{job['id']}/cells/{n}").json() for n in range(0, summary["cells"], 27)]
    # genes stand out from example cells, which are those of the run; the picture's address is the job's
    kept = [{name: value for name, value in cell.items() if name not in {"genes", "picture"}} for cell in cells]
    return {"summary": summary, "map": client.get(job["links"]["map"]).content, "cells": kept}


def moved(client, job, threshold: float) -> dict[str, object]:
    reply = client.put(f"/api/jobs/{job['id']}/threshold", json={"threshold": threshold})
    assert reply.status_code == 200, reply.text
    found = shown(client, job)
    assert reply.json() == found["summary"]
    return found


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"each_cell_alone": True}, marks=pytest.mark.slow),
        {"groups": LABEL, "by": "batch"},
    ],
)
@pytest.mark.parametrize("thresholds", [pytest.param((0.0, 0.85), marks=pytest.mark.slow), (0.3, 1.0)])
def test_answers_shown_at_a_threshold_are_those_of_a_run_with_it(client, mixed_file, asked, thresholds):
    job = run(client, checked(client, mixed_file), threshold=0.5, **asked)
    first, compositions = shown(client, job), set()
    for threshold in thresholds:
        other = shown(client, run(client, checked(client, mixed_file), threshold=threshold, **asked))
        found = moved(client, job, threshold)
        assert found["summary"].pop("saved_threshold") == 0.5
        assert other["summary"].pop("saved_threshold") == threshold
        assert found == other
        compositions.add(json.dumps(found["summary"]["types"]))
    assert len(compositions) > 1, "or nothing was shown"
    assert moved(client, job, 0.5) == first


def strict(bundle: Bundle) -> Bundle:
    """Give a model to which some of the demo's cells are strangers."""

    def stricter(trust: Trust) -> Trust:
        stranger = trust.stranger.model_copy(update={"intercept": trust.stranger.intercept + 6.0})
        return trust.model_copy(update={"stranger": stranger})

    together = bundle.manifest.together
    changes = {
        "trust": stricter(bundle.manifest.trust),
        "together": together.model_copy(update={"trust": stricter(together.trust)}),
    }
    return replace(bundle, manifest=bundle.manifest.model_copy(update=changes))


@pytest.mark.parametrize("alone", [pytest.param(True, marks=pytest.mark.slow), False])
def test_a_model_that_doubts_strange_cells_doubts_the_same_ones(tmp_path, alone):
    file, bundle, folders = tmp_path / "cells.h5ad", strict(load_bundle("human-v1")), {}
    anndata.read_h5ad(DEMO)[:160].write_h5ad(file)
    for threshold in (0.0, 0.3, 0.9):
        options = Options(bundle, threshold=threshold, each_cell_alone=alone, groups="bulk_labels", threads=1)
        folder = folders[threshold] = tmp_path / str(threshold)
        folder.mkdir()
        with open_cells(file) as source:
            findings = look_at(source, options)
            remember(findings, folder, bundle_sha256=options.bundle.sha256)
            page = PageSink(folder / RESULTS, upload=file, name="demo.h5ad", tell=lambda *_: None)
            annotate_source(source, options, [page], findings=findings)
    for threshold in (0.0, 0.9, 0.3):
        summary = show_at(threshold, folders[0.3], replace(options, threshold=threshold))
        expected = json.loads((folders[threshold] / RESULTS / sink.SUMMARY).read_text(encoding="utf-8"))
        assert summary | {"saved_threshold": threshold} == expected
        for name in (sink.TYPES, sink.NODES, sink.SCORES, *([] if alone else [sink.SINGLE, sink.SINGLE_SCORES])):
            found, of_run = (np.load(folders[key] / RESULTS / name) for key in (0.3, threshold))
            np.testing.assert_array_equal(found, of_run, err_msg=name)
    assert 0 < expected["unknown"]["cells"] < 160, "or no cell, or each, was doubted"


def test_the_files_to_keep_stay_as_they_were(client, mixed_file):
    job = run(client, checked(client, mixed_file), threshold=0.5)
    before = client.get(job["links"]["types.csv"]).content
    summary = moved(client, job, 0.9)["summary"]
    assert (summary["threshold"], summary["saved_threshold"]) == (0.9, 0.5)
    assert client.get(job["links"]["types.csv"]).content == before
    saved = pd.read_csv(io.BytesIO(before))["spoticell_cell_type"].value_counts().drop("unknown").to_dict()
    assert {kind["name"]: kind["cells"] for kind in summary["types"]} != saved


def test_a_new_run_shows_its_own_threshold_again(client, tiny_file):
    job = done(client, tiny_file)
    moved(client, job, 0.9)
    again = run(client, job, threshold=0.4)
    summary = client.get(again["links"]["summary"]).json()
    assert (summary["threshold"], summary["saved_threshold"]) == (0.4, 0.4)


def test_a_job_that_is_not_done_has_nothing_to_show(client, tiny_file):
    job = checked(client, tiny_file)
    reply = client.put(f"/api/jobs/{job['id']}/threshold", json={"threshold": 0.5})
    assert reply.status_code == 409
    assert "not done" in reply.json()["error"]


@pytest.mark.parametrize("body", [{}, {"threshold": 1.5}, {"threshold": -0.1}, {"threshold": 0.5, "tissue": "lung"}])
def test_a_threshold_that_can_not_be_is_refused(client, done_job, body):
    assert client.put(f"/api/jobs/{done_job['id']}/threshold", json=body).status_code == 422


def test_results_of_an_older_release_say_that_they_must_be_made_anew(opened, settings, tiny_file):
    client = opened()
    job = done(client, tiny_file)
    folder = settings.jobs_dir / job["id"] / "results" / GROUNDS_ALONE
    folder.rename(folder.with_name("elsewhere"))
    reply = client.put(f"/api/jobs/{job['id']}/threshold", json={"threshold": 0.5})
    assert reply.status_code == 409
    assert "Run the job again" in reply.json()["error"]
