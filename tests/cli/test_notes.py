"""Each note is told once, wherever a verb tells anything: in Python, on the command line, in JSON, in the report."""

import html
import json
import warnings

import pytest
from typer.testing import CliRunner

import spoticell
from spoticell.cli.app import app
from spoticell.errors import SpoticellWarning

RUNNER = CliRunner()
NOTES = ("only 200 known genes are measured", "cells without any count, which stay unknown: 1")


def run(*arguments):
    result = RUNNER.invoke(app, [str(argument) for argument in arguments], prog_name="spoticell")
    assert result.exit_code == 0, result.output
    return result


def noted(call, *arguments, **options):
    """The notes of a call in Python."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        call(*arguments, **options)
    return [str(one.message) for one in told if issubclass(one.category, SpoticellWarning)]


def of_the_cells(notes):
    assert len(notes) == len(NOTES)
    assert all(any(words in note for note in notes) for words in NOTES)
    return notes


def test_check(tiny_h5ad, tiny_bundle_folder):
    notes = of_the_cells(noted(spoticell.check, tiny_h5ad, model=tiny_bundle_folder))
    shown = run("check", tiny_h5ad, "-m", tiny_bundle_folder)
    assert [(shown.stdout + shown.stderr).count(note) for note in notes] == [1, 1]
    assert json.loads(run("check", tiny_h5ad, "-m", tiny_bundle_folder, "--json").stdout)["notes"] == notes


def test_annotate(tiny_h5ad, tiny_bundle_folder, tmp_path):
    notes = of_the_cells(noted(spoticell.annotate, tiny_h5ad, tmp_path / "a.csv", model=tiny_bundle_folder))
    page = tmp_path / "page.html"
    result = run("annotate", tiny_h5ad, "-o", tmp_path / "b.csv", "-m", tiny_bundle_folder, "--report", page, "--json")
    assert [result.stderr.count(note) for note in notes] == [1, 1]
    assert json.loads(result.stdout)["input"]["notes"] == notes
    assert all(html.escape(note, quote=False) in page.read_text() for note in notes)


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_index_build_and_search(tiny_h5ad, tiny_bundle_folder, tmp_path, quiet):
    pytest.importorskip("faiss")
    options = {"model": tiny_bundle_folder}
    built = of_the_cells(noted(spoticell.build_index, tiny_h5ad, tmp_path / "python", study="x", **options))
    result = run(
        "index", "build", tiny_h5ad, "-o", tmp_path / "cli", "-m", tiny_bundle_folder, "--study", "x", "--json", *quiet
    )
    assert [result.stderr.count(note) for note in built] == ([0, 0] if quiet else [1, 1])
    assert json.loads(result.stdout)["notes"] == built
    found = of_the_cells(noted(spoticell.search, tiny_h5ad, tmp_path / "python", **options))
    hits = ("-o", tmp_path / "hits.csv", "-m", tiny_bundle_folder, "--json", *quiet)
    result = run("search", tiny_h5ad, "-i", tmp_path / "cli", *hits)
    assert [result.stderr.count(note) for note in found] == ([0, 0] if quiet else [1, 1])
    assert json.loads(result.stdout)["notes"] == found


def test_evaluate(tmp_path):
    named = tmp_path / "named.csv"
    named.write_text(
        "cell,spoticell_cell_type_ontology_term_id,spoticell_score,label\n"
        + "a,CL:0000084,0.9,T\n" * 9
        + "b,CL:0000084,0.9,odd\n"
    )
    notes = noted(spoticell.evaluate, named)
    assert len(notes) == 2
    result = run("evaluate", named)
    assert [(result.stdout.count(note), result.stderr.count(note)) for note in notes] == [(1, 0), (1, 0)]
    assert json.loads(run("evaluate", named, "--json").stdout)["notes"] == notes


def test_an_index_of_labels_that_nobody_understands_is_refused_unless_that_is_asked_for(
    tiny_cells, tiny_bundle_folder, tmp_path
):
    pytest.importorskip("faiss")
    tiny_cells.obs["mine"] = ["my cluster"] * 20 + ["B cells"] * 11
    tiny_cells.write_h5ad(tmp_path / "cells.h5ad")
    (tmp_path / "meanings.csv").write_text("label,cell_type\nmy cluster,NK\n")
    build = ("index", "build", tmp_path / "cells.h5ad", "-m", tiny_bundle_folder, "--label-column", "mine", "--json")
    refused = RUNNER.invoke(app, [*map(str, build), "-o", str(tmp_path / "a")])
    assert refused.exit_code == 1
    assert "cells.h5ad: of 31 labelled cells 11 have a label that is understood. 1 label in 'mine'" in refused.stderr
    assert not (tmp_path / "a").exists()
    partly = json.loads(run(*build, "-o", tmp_path / "b", "--partial").stdout)
    assert (partly["unlabelled"], partly["labels_not_understood"]) == (20, {"my cluster": 20})
    whole = json.loads(run(*build, "-o", tmp_path / "c", "--meanings", tmp_path / "meanings.csv").stdout)
    assert (whole["unlabelled"], whole["index"]["types"]) == (0, 2)
