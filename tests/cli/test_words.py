"""Words of others can't steer a terminal, whichever command prints them."""

from __future__ import annotations

import json
import shutil
import unicodedata

import pytest
from tests.cli.test_app import run

from spoticell.cli.words import escaped, one_line
from spoticell.model.catalogue import CATALOGUE
from spoticell.model.push import push_model

EVIL = "\x1b[2J\x1b[31mEVIL\nfake line\r\t\u202e\x9b31m\x1b]0;title\x07" + "y" * 15_000


def assert_plain(text):
    assert not [sign for sign in text if sign != "\n" and unicodedata.category(sign).startswith("C")]
    assert max(map(len, text.splitlines())) < 700


@pytest.fixture
def shelf(tmp_path, monkeypatch, tiny_bundle_folder):
    """Offers a model whose every word is meant to do harm; the model itself lies in ``evil``."""
    monkeypatch.setenv("SPOTICELL_MODELS", str(tmp_path / "models"))
    evil = shutil.copytree(tiny_bundle_folder, tmp_path / "evil")
    manifest = json.loads((evil / "bundle.json").read_text())
    origin = dict.fromkeys(("name", "accession", "licence"), EVIL) | {"cells": 7}
    manifest |= dict.fromkeys(("description", "licence", "spoticell_version", "ontology_version"), EVIL)
    manifest |= {"sources": [origin], "figures": {EVIL: {EVIL: 0.5}}}
    (evil / "bundle.json").write_text(json.dumps(manifest))
    push_model(tiny_bundle_folder, tmp_path / "shelf")
    path = tmp_path / "shelf" / CATALOGUE
    offered = json.loads(path.read_text())
    offered["models"][0] |= dict.fromkeys(("description", "licence", "spoticell_version", "date"), EVIL)
    path.write_text(json.dumps(offered))
    return tmp_path / "shelf"


def test_a_catalogue_cant_steer_the_terminal(shelf):
    shown = run("models", "list", "--from", shelf)
    assert shown.exit_code == 0
    assert "EVIL fake line" in shown.stdout
    assert_plain(shown.stdout)


def test_a_bundle_cant_steer_the_terminal(shelf, tmp_path):
    shown = run("models", "info", tmp_path / "evil")
    assert shown.exit_code == 0
    assert shown.stdout.count("EVIL fake line") >= 5
    assert_plain(shown.stdout)


def test_json_is_escaped_and_reads_the_same(shelf, tmp_path):
    shown = run("models", "info", tmp_path / "evil", "--json").stdout
    assert not [sign for sign in shown if sign != "\n" and unicodedata.category(sign).startswith("C")]
    assert json.loads(shown)["description"] == EVIL


def test_an_error_is_one_plain_line_of_a_length_that_can_be_read(shelf):
    refused = run("models", "pull", "\x1b[31m\u202e" + "x" * 5_000, "--from", shelf)
    assert refused.exit_code == 1
    assert_plain(refused.stderr)
    assert run("models", "info", "x" * 5_000).stderr.count("x") < 120


@pytest.mark.parametrize(
    ("text", "most", "line"),
    [
        ("B  cell\n", 9, "B cell"),
        ("naïve B cell", 12, "naïve B cell"),
        ("naïve B cell", 11, "naïve B ..."),
        ("", 5, ""),
    ],
)
def test_words_that_do_no_harm_stay_and_long_ones_are_cut(text, most, line):
    assert one_line(text, most) == line
    assert escaped(json.dumps(text, ensure_ascii=False)) == json.dumps(text, ensure_ascii=False)
