"""``spoticell doctor`` tells all that a report of a fault needs, and says what isn't well."""

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spoticell.cli import doctor, machine
from spoticell.cli.app import app
from spoticell.model import bundle
from spoticell.model.pull import pull_model
from spoticell.model.push import push_model

ROOT = Path(__file__).parents[2]
TESTED = {"B cells": {"cells": 95, "named": 94}}


def run(*arguments):
    return CliRunner().invoke(app, ["doctor", *arguments])


@pytest.fixture
def quick(monkeypatch):
    """Leave out the self-test, which takes two seconds."""
    monkeypatch.setattr(doctor, "name_known_cells", lambda: TESTED)


def test_one_screen_tells_versions_machine_models_and_how_the_test_went(quick):
    found = run()
    assert found.exit_code == 0, found.output
    assert found.stderr == ""
    lines = found.stdout.splitlines()
    assert len(lines) < 30
    for text in ("spoticell  ", "numpy 2", "onnxruntime 1", "usable", "GB total", "model human-v1", "temporary folder"):
        assert text in found.stdout
    assert "94 of 95 B cells named so" in found.stdout
    assert lines[-1].split() == ["result", "all", "is", "well"]


def test_the_same_is_had_as_json(quick):
    facts = json.loads(run("--json").stdout)
    assert facts["problems"] == []
    assert facts["self_test"] == TESTED
    assert facts["models"][0]["name"] == "human-v1"
    assert len(facts["models"][0]["sha256"]) == 64
    assert facts["libraries"]["anndata"]
    assert set(facts["extras"]) == {
        *("train", "search", "lance", "census"),
        *("cluster", "gpu", "hub", "remote", "web"),
    }


def test_the_packaged_cells_are_named_as_what_they_are():
    named = doctor.name_known_cells()
    assert [*named] == ["B cells", "T cells", "natural killer cells", "monocytes"]
    assert all(one["named"] >= doctor.ENOUGH * one["cells"] > 20 for one in named.values())


def assert_not_well(found, *texts):
    assert found.exit_code == 1
    assert "not well" in found.stdout.splitlines()[-1]
    for text in texts:
        assert f"spoticell: not well: {text}" in found.stderr


def test_a_model_that_was_changed_is_named(quick, monkeypatch, tmp_path):
    shutil.copytree(bundle.PACKAGED / "human-v1", tmp_path / "human-v1")
    monkeypatch.setattr(bundle, "PACKAGED", tmp_path)
    model = tmp_path / "human-v1" / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1])
    assert_not_well(run(), "model.onnx of the bundle")


def test_pulled_models_are_told_by_their_revision(quick, monkeypatch, tmp_path, tiny_bundle):
    monkeypatch.setenv("SPOTICELL_MODELS", str(tmp_path / "models"))
    push_model(tiny_bundle, tmp_path / "shelf")
    path = pull_model("tiny", tmp_path / "shelf", on_progress=False).path
    assert f"model tiny@{tiny_bundle.sha256[:12]}" in run().stdout
    (path / "genes.tsv").write_text("changed")
    assert_not_well(run(), "genes.tsv of the bundle")


def test_a_machine_without_models_is_not_well(quick, monkeypatch, tmp_path):
    monkeypatch.setattr(bundle, "PACKAGED", tmp_path)
    assert_not_well(run(), "models: FileNotFoundError: no model is installed")


def test_what_is_broken_does_not_keep_it_from_looking_at_the_rest(monkeypatch):
    def broken():
        raise ImportError(f"libgomp.so.1: no such file, sought in\n{Path.home()}/lib")

    monkeypatch.setattr(doctor, "name_known_cells", broken)
    found = run()
    assert_not_well(found, "self test: ImportError: libgomp.so.1: no such file, sought in ~/lib\n")
    assert "model human-v1" in found.stdout


def test_wrong_answers_to_the_packaged_cells_are_a_fault(monkeypatch):
    monkeypatch.setattr(doctor, "name_known_cells", lambda: {"B cells": {"cells": 95, "named": 20}})
    assert_not_well(run(), "too few B cells are named so")


def test_a_library_that_is_missing_and_a_folder_that_is_sealed_are_named(quick, monkeypatch):
    monkeypatch.setattr(machine, "LIBRARIES", ("numpy", "no-such-library"))
    sealed = {"path": "/sealed", "writable": False, "free": 0}
    monkeypatch.setattr(machine, "folder", lambda path: sealed)
    found = run()
    assert_not_well(found, "the library no-such-library is not installed", "/sealed can't be written to")
    assert "no-such-library missing" in found.stdout
    assert "NOT WRITABLE" in found.stdout


def test_the_libraries_it_asks_for_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    plain = {
        extra: {re.split(r"[\[>]", line)[0] for line in lines}
        for extra, lines in project["optional-dependencies"].items()
    }
    assert {extra: set(parts) for extra, parts in machine.EXTRAS.items()} == plain
    assert set(machine.LIBRARIES) <= {line.split(">=")[0] for line in project["dependencies"]}
