"""Pulls into a folder where something is in the way, and of models that are none."""

from __future__ import annotations

import json
import os

import pytest
from tests.cli.test_app import run

from spoticell.errors import BundleError, ConfigError, OutputError
from spoticell.io.sealed import record_of
from spoticell.model import pull
from spoticell.model.catalogue import CATALOGUE
from spoticell.model.pull import pull_model


@pytest.fixture(params=["a folder", "a server"])
def place(request, catalogue, server):
    """Where the model is pulled from."""
    return catalogue if request.param == "a folder" else server.url


@pytest.fixture
def part(models, tiny_bundle):
    """Where the model lies while it is fetched."""
    path = models / "tiny" / f"{tiny_bundle.sha256[:12]}.part"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def victim(tmp_path):
    path = tmp_path / "victim"
    path.write_text("of somebody else")
    return path


@pytest.mark.parametrize(
    "name", ["model.onnx", "model.onnx.part", "model.onnx.part.tag", "model.onnx.json", "pulled.json"]
)
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_planted_link_is_not_written_through(place, part, victim, link, name):
    link(victim, part / name)
    assert pull_model("tiny", place, on_progress=False).name == "tiny"
    assert victim.read_text() == "of somebody else"


@pytest.mark.parametrize("name", ["meant", "lock", "pulled.json"])
def test_a_planted_link_beside_the_model_is_not_written_through(models, catalogue, victim, name):
    path = pull_model("tiny", catalogue, on_progress=False).path
    planted = path / name if name == "pulled.json" else path.parent / name
    planted.unlink(missing_ok=True)
    planted.symlink_to(victim)
    pull_model("tiny", catalogue, overwrite=True, on_progress=False)
    assert victim.read_text() == "of somebody else"


def test_a_link_in_the_place_of_the_passing_folder_is_not_followed(place, part, tmp_path, tiny_bundle):
    part.rmdir()
    (tmp_path / "elsewhere").mkdir()
    part.symlink_to(tmp_path / "elsewhere")
    assert pull_model("tiny", place, on_progress=False).sha256 == tiny_bundle.sha256
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_or_folder_of_the_wrong_kind_in_the_passing_folder_is_replaced(place, part, tiny_bundle):
    (part / "model.onnx").mkdir()
    assert pull_model("tiny", place, on_progress=False).sha256 == tiny_bundle.sha256


def test_a_file_in_the_place_of_the_passing_folder_is_replaced(catalogue, part, tiny_bundle):
    part.rmdir()
    part.write_text("a file")
    assert pull_model("tiny", catalogue, on_progress=False).sha256 == tiny_bundle.sha256


def test_a_file_in_the_place_of_the_model_is_replaced_only_when_told(catalogue, part, tiny_bundle):
    part.with_suffix("").write_text("a file")
    with pytest.raises(BundleError, match="is there already and was changed"):
        pull_model("tiny", catalogue, on_progress=False)
    assert pull_model("tiny", catalogue, overwrite=True, on_progress=False).sha256 == tiny_bundle.sha256


def test_a_file_in_the_place_of_the_name_is_said(models, catalogue):
    models.mkdir()
    (models / "tiny").write_text("a file")
    with pytest.raises(OutputError, match="tiny can't be written: something else is in its place"):
        pull_model("tiny", catalogue, on_progress=False)


def test_a_folder_in_the_place_of_the_lock_is_said(catalogue, part):
    (part.parent / "lock").mkdir()
    with pytest.raises(OutputError, match="tiny can't be written: a folder is in its place"):
        pull_model("tiny", catalogue, on_progress=False)


def test_a_network_that_is_none_is_refused_though_its_hash_is_right(models, catalogue):
    network = next(catalogue.rglob("model.onnx"))
    manifest = network.with_name("bundle.json")
    network.write_bytes(b"junk")
    fields = json.loads(manifest.read_text())
    size = fields["files"]["model.onnx"]["bytes"]
    fields["files"]["model.onnx"] = record_of(network).model_dump()
    before = manifest.stat().st_size
    manifest.write_text(json.dumps(fields))
    offered = json.loads((catalogue / CATALOGUE).read_text())
    offered["models"][0]["bytes"] += manifest.stat().st_size - before + len(b"junk") - size
    offered["models"][0]["sha256"] = record_of(manifest).sha256
    (catalogue / CATALOGUE).write_text(json.dumps(offered))
    with pytest.raises(BundleError, match="network"):
        pull_model("tiny", catalogue, on_progress=False)
    assert list(models.iterdir()) == []


def test_two_revisions_for_one_model_are_refused(catalogue):
    with pytest.raises(ConfigError, match="names one revision, and abcdef is another"):
        pull_model("tiny@012345", catalogue, revision="abcdef", on_progress=False)


def test_an_interrupted_pull_says_what_stays_and_goes_on(models, catalogue, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pull, "_compare", interrupted)
        stopped = run("models", "pull", "tiny", "--from", catalogue, "-q")
    assert stopped.exit_code == 130
    assert "interrupted; what was fetched stays in" in stopped.stderr
    assert "the same command goes on with it" in stopped.stderr
    assert run("models", "pull", "tiny", "--from", catalogue, "-q").exit_code == 0
