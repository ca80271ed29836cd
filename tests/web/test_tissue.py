"""Answers shown for another tissue are those of a run with it."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pytest
from tests.web.conftest import checked, done, run
from tests.web.test_threshold import DEMO, LABEL, mixed_file, shown  # noqa: F401 - a fixture

from spoticell.annotation.options import Options
from spoticell.annotation.pipeline import annotate_source, look_at
from spoticell.io import open_cells
from spoticell.model.bundle import load_bundle
from spoticell.web import grounds, sink
from spoticell.web.chances import probabilities
from spoticell.web.kept import remember
from spoticell.web.refusal import Refusal
from spoticell.web.sink import PageSink
from spoticell.web.task import RESULTS
from spoticell.web.threshold import show_at
from spoticell.web.tissue import MADE, show_for
from spoticell.web.weights import TISSUES

TISSUES_TOLD = (None, "any", "blood", "lung", "kidney")


@pytest.fixture
def client(shared):
    return shared


def told(client, job, tissue):
    return client.put(f"/api/jobs/{job['id']}/tissue", json={"tissue": tissue})


def moved(client, job, tissue):
    reply = told(client, job, tissue)
    assert reply.status_code == 200, reply.text
    found = shown(client, job)
    assert reply.json() == found["summary"]
    return found


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"each_cell_alone": True, "deny": ["B cell"]}, marks=pytest.mark.slow),
        {"groups": LABEL, "by": "batch"},
    ],
)
@pytest.mark.parametrize("tissues", [pytest.param(("blood", "any"), marks=pytest.mark.slow), ("blood", None)])
def test_answers_shown_for_a_tissue_are_those_of_a_run_with_it(client, mixed_file, asked, tissues):  # noqa: F811
    job = run(client, checked(client, mixed_file), tissue="lung", **asked)
    first, compositions = shown(client, job), set()
    for tissue in tissues:
        other = shown(client, run(client, checked(client, mixed_file), tissue=tissue, **asked))
        found = moved(client, job, tissue)
        assert found["summary"].pop("tissue") == {"shown": tissue, "saved": "lung"}
        assert other["summary"].pop("tissue") == {"shown": tissue, "saved": tissue}
        # which cells are mixed stays as the run found it
        for one in (found, other):
            cautions = one["summary"]["cautions"]
            one["summary"]["cautions"] = [caution for caution in cautions if caution["kind"] != "mixed"]
        assert found == other
        compositions.add(json.dumps(found["summary"]["types"]))
    assert len(compositions) > 1, "or nothing was shown"
    assert moved(client, job, "lung") == first


@pytest.fixture(scope="module", params=[pytest.param(True, marks=pytest.mark.slow), False], ids=["alone", "together"])
def runs(request, tmp_path_factory):
    """Give the folder of a run of some demo cells for each tissue, and the options of the first."""
    file, folders = tmp_path_factory.mktemp("demo") / "cells.h5ad", {}
    anndata.read_h5ad(DEMO)[:160].write_h5ad(file)
    first = Options("human-v1", threshold=0.5, each_cell_alone=request.param, groups="bulk_labels", threads=1)
    for tissue in TISSUES_TOLD:
        options, folder = replace(first, tissue=tissue), tmp_path_factory.mktemp(str(tissue))
        with open_cells(file) as source:
            findings = look_at(source, options)
            remember(findings, folder, bundle_sha256=options.bundle.sha256)
            page = PageSink(folder / RESULTS, upload=file, name="demo.h5ad", tell=lambda *_: None)
            annotate_source(source, options, [page], findings=findings)
        folders[tissue] = folder
    return folders, first


def kept(folder: Path) -> dict[str, bytes | str]:
    """Give all that is read of a result and that depends on the tissue."""
    results = folder / RESULTS
    names = [sink.TYPES, sink.NODES, sink.SCORES, grounds.BARRED]
    names += [grounds.GROUP_SUMS, *(path.relative_to(results) for path in results.glob("grounds*/*"))]
    names += [name for name in (sink.SINGLE, sink.SINGLE_SCORES) if (results / name).exists()]
    summary = json.loads((results / sink.SUMMARY).read_text(encoding="utf-8"))
    del summary["tissue"]
    for group in summary["groups"]:
        del group["genes"]
    unpacked = {"summary": json.dumps(summary), "map": gzip.decompress((results / sink.MAP).read_bytes())}
    n_cells = len(np.load(results / sink.TYPES))
    unpacked["probabilities"] = probabilities(results, np.arange(n_cells), load_bundle("human-v1")).tobytes()
    return unpacked | {str(name): (results / name).read_bytes() for name in names}


def test_all_that_is_kept_is_that_of_a_run_bit_by_bit(runs, tmp_path):
    folders, options = runs
    others = {tissue: kept(folders[tissue]) for tissue in TISSUES_TOLD}
    assert len({str(of_tissue) for of_tissue in others.values()}) > 2, "or no tissue changes an answer"
    folder = shutil.copytree(folders["blood"], tmp_path / "job")
    for tissue in ("lung", "any", "kidney", "blood", None):
        show_for(tissue, folder, replace(options, tissue=tissue))
        assert kept(folder) == others[tissue]
        assert not (folder / RESULTS / MADE).exists()


def test_the_probabilities_that_are_worked_out_are_those_of_the_run(runs):
    folders, options = runs
    for folder in folders.values():
        written_nm = anndata.read_h5ad(folder / RESULTS / sink.H5AD).obsm["spoticell_probabilities"]
        some = np.array([3, 5, 150])
        found_sm = probabilities(folder / RESULTS, some, options.bundle)
        assert (found_sm == np.asarray(written_nm)[some].astype(np.float16)).all()
        assert found_sm.max() > 0.1


def test_the_threshold_moves_on_from_the_tissue_that_is_shown(runs, tmp_path):
    folders, options = runs
    shown_at = []
    for tissue in ("kidney", "any"):
        folder = shutil.copytree(folders[tissue], tmp_path / tissue)
        show_for("lung", folder, replace(options, tissue="lung"))
        summary = show_at(0.8, folder, replace(options, threshold=0.8))
        assert (summary["tissue"]["shown"], summary["threshold"]) == ("lung", 0.8)
        assert "in lung" in summary["allowed"]
        assert summary["tissues"] is None
        shown_at.append(kept(folder))
    assert shown_at[0] == shown_at[1] != kept(folders["lung"])


def test_a_run_that_was_told_which_types_are_allowed_is_not_shown_for_another_tissue(client, tiny_file):
    job = run(client, checked(client, tiny_file), allow=["T cell"])
    assert client.get(job["links"]["summary"]).json()["tissue"] is None
    reply = told(client, job, "lung")
    assert reply.status_code == 409
    assert "Run again" in reply.json()["error"]


@pytest.mark.parametrize("lost", [TISSUES, "weights_alone.bin", "grounds"])
def test_results_of_an_older_release_are_not_shown_for_another_tissue(runs, tmp_path, lost):
    folders, options = runs
    folder = shutil.copytree(folders["lung"], tmp_path / "job")
    for path in (folder / RESULTS).glob(f"{lost}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    before = sorted(path.name for path in (folder / RESULTS).iterdir())
    with pytest.raises(Refusal, match="Run the job again"):
        show_for("any", folder, replace(options, tissue="any"))
    assert sorted(path.name for path in (folder / RESULTS).iterdir()) == before


def test_a_tissue_that_there_is_not_is_refused_and_other_names_are_understood(client, tiny_file):
    job = done(client, tiny_file)
    reply = told(client, job, "moon")
    assert reply.status_code == 422
    assert "there is no tissue 'moon'" in reply.json()["error"]
    assert moved(client, job, "PBMC")["summary"]["tissue"] == {"shown": "blood", "saved": None}


@pytest.mark.parametrize("body", [{}, {"tissue": 3}, {"tissue": "x" * 101}, {"tissue": "lung", "threshold": 0.5}])
def test_a_tissue_is_one_word(client, tiny_file, body):
    job = done(client, tiny_file)
    assert client.put(f"/api/jobs/{job['id']}/tissue", json=body).status_code == 422
