"""Pulled models whose folders were damaged, or can't be read."""

from __future__ import annotations

import os
import warnings

import pytest
from tests.cli.test_app import assert_refused, run

from spoticell.errors import BundleError, SpoticellWarning
from spoticell.model import bundle as bundles
from spoticell.model import pulled
from spoticell.model.bundle import load_bundle
from spoticell.model.pull import pull_model
from spoticell.model.pulled import meant_revision, pulled_models, source_of


@pytest.fixture
def here(models, catalogue):
    """The folder of a model that was pulled."""
    return pull_model("tiny", catalogue, on_progress=False).path


@pytest.mark.parametrize("contents", [b"{", b"[]", b"\xff\xfe", b'{"from": 7}', b"{}", b""])
def test_a_damaged_record_is_passed_over_with_a_note_and_mended_by_a_pull(here, catalogue, contents):
    (here / "pulled.json").write_bytes(contents)
    for words in (("list",), ("info", "tiny")):
        shown = run("models", *words)
        assert (shown.exit_code, shown.stderr.count("pulled.json is damaged")) == (0, 1)
        assert "tiny" in shown.stdout
    pull_model("tiny", catalogue, on_progress=False)
    assert source_of(here) == str(catalogue)


@pytest.mark.parametrize("contents", [b"\xff\xfe", b"..", b"../../etc", b"", b"0123"])
def test_a_damaged_choice_of_revision_is_said_once_and_mended_by_a_pull(here, catalogue, contents):
    (here.parent / "meant").write_bytes(contents)
    shown = run("models", "list")
    assert (shown.exit_code, shown.stderr.count("meant is damaged")) == (0, 1)
    assert f"tiny@{here.name}" in shown.stdout
    assert_refused(run("models", "info", "tiny"), "meant is damaged: it names no revision")
    assert load_bundle(f"tiny@{here.name}").path == here
    with pytest.raises(BundleError, match="is damaged"):
        pull_model("tiny", catalogue, on_progress=False)
    pull_model("tiny", catalogue, overwrite=True, on_progress=False)
    assert meant_revision(here.parent) == here.name


def test_a_beginning_that_two_revisions_have_is_refused_with_both(models, here, another, monkeypatch):
    newer = another(date="2026-02-02")
    beside = here.with_name(f"{here.name[:6]}ffffff")
    newer.rename(beside)
    with pytest.raises(BundleError, match=f"several revisions of tiny .* {here.name[:6]}: .*{here.name}.*Name one"):
        load_bundle(f"tiny@{here.name[:6]}")
    assert load_bundle(f"tiny@{here.name}").path == here


@pytest.mark.parametrize("number", [13, 36])
def test_a_folder_of_models_that_cant_be_read_is_one_note_or_one_sentence(here, monkeypatch, number):
    def refuses(folder):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(pulled, "meant_revision", refuses)
    with pytest.warns(SpoticellWarning, match=f"can't be read .{os.strerror(number)}.*SPOTICELL_MODELS") as notes:
        assert pulled_models() == []
    assert len(notes) == 1
    with pytest.raises(BundleError, match="Name another one with SPOTICELL_MODELS"):
        load_bundle("tiny")
    assert load_bundle("human-v1").name == "human-v1"


def test_a_folder_of_models_with_too_long_a_name_is_said(monkeypatch, tmp_path, tiny_bundle_folder):
    monkeypatch.setenv("SPOTICELL_MODELS", str(tmp_path / ("y" * 300)))
    with pytest.warns(SpoticellWarning, match="can't be read"):
        assert pulled_models() == []
    with pytest.raises(BundleError, match="can't be read"):
        load_bundle("tiny")


def test_a_name_too_long_for_a_file_is_said_shortly():
    with pytest.raises(BundleError, match=r"^the bundle 'x{100}' can't be read: File name too long"):
        load_bundle("x" * 5_000)


def test_a_file_in_the_place_of_the_folder_of_models_is_no_trouble(monkeypatch, tmp_path):
    (tmp_path / "models").write_text("a file")
    monkeypatch.setenv("SPOTICELL_MODELS", str(tmp_path / "models"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pulled_models() == []


def test_the_shipped_model_and_a_pulled_one_that_begin_alike_are_told_apart(monkeypatch, another):
    shipped = load_bundle("human-v1")
    monkeypatch.setattr(bundles, "find_pulled", lambda text: another())
    with pytest.raises(BundleError, match=f"several revisions of human-v1 that begin with {shipped.sha256[:6]}"):
        load_bundle(f"human-v1@{shipped.sha256[:6]}")
    assert load_bundle("human-v1").path == shipped.path
