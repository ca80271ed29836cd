import json

import pytest
from typer.testing import CliRunner

import spoticell
from spoticell.cli.app import app

RUNNER = CliRunner()


def run(*arguments):
    return RUNNER.invoke(app, ["prepare", *map(str, arguments)], prog_name="spoticell")


@pytest.fixture
def recipe(tiny_cells, tmp_path):
    tiny_cells.obs["cell_type_ontology_term_id"] = ["clump"] * 5 + ["CL:0000084"] * 25 + ["unknown"]
    tiny_cells.write_h5ad(tmp_path / "cells.h5ad")
    path = tmp_path / "recipe.yaml"
    path.write_text("name: mine\nsources:\n  - file: cells.h5ad\n")
    return path


def test_it_ends_with_what_went_in_what_did_not_and_where_it_lies(recipe, tmp_path):
    result = run(recipe, "-o", tmp_path / "store")
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    notes = [line for line in result.stderr.splitlines() if line.startswith("note: ")]
    assert notes[0].startswith("note: labels that are not understood: 1, listed in unresolved_labels.tsv; say what")
    *lines, last = result.stderr.splitlines()[len(notes) :]
    assert lines == [
        "rows  cells  source",
        "  31     25  cells",
        "left out: 5 label not in the Cell Ontology",
        "left out: 1 no label",
    ]
    assert last.startswith("25 cells of 1 types, 1 data sets and 0 known donors. Written: ")


def test_json_is_the_summary_and_nothing_else_is_on_stdout(recipe, tmp_path):
    result = run(recipe, "-o", tmp_path / "store", "--json", "--quiet")
    outcome = json.loads(result.stdout)
    assert outcome.pop("output") == str(tmp_path / "store")
    assert [note.partition(":")[0] for note in outcome.pop("notes")] == [
        "labels that are not understood",
        "cells",
        "cells",
    ]
    assert outcome == json.loads((tmp_path / "store" / "summary.json").read_text())
    assert result.stderr == ""


def test_a_dry_run_tells_and_writes_nothing(recipe, tmp_path):
    result = run(recipe, "--dry-run")
    assert result.exit_code == 0
    assert "the commonest 'clump' (5)" in result.stderr
    assert result.stdout.splitlines()[-1].startswith("mine: 25 cells of 1 types, about ")
    assert {path.name for path in tmp_path.iterdir()} == {"cells.h5ad", "recipe.yaml"}
    told = json.loads(run(recipe, "--dry-run", "--json").stdout)
    assert (told["cells"], told["types"], told["sources"][0]["rows"]) == (25, {"CL:0000084": 25}, 31)


def test_a_dry_run_without_the_files_tells_what_the_recipe_states(tmp_path):
    result = run("spoticell68", "--dry-run", "--download-dir", tmp_path)
    assert "Liver (to be fetched; cells as the recipe states them)" in result.stdout
    assert "at most 2,500,225 cells of 68 types" in result.stdout


def test_recipes_of_the_package_are_listed_a_line_each():
    lines = run("--list").stdout.splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ["census-human", "22,200,000", "164"],
        ["mini", "12,829", "38"],
        ["spoticell68", "2,500,225", "68"],
    ]
    assert [one["name"] for one in json.loads(run("--list", "--json").stdout)] == [
        "census-human",
        "mini",
        "spoticell68",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nowhere.yaml", "-o", "store"], "There is no recipe 'nowhere.yaml'"), (["mini", "-o", "s"], "SPOTICELL_DATA")],
)
def test_what_can_not_be_is_one_line(arguments, message, monkeypatch):
    monkeypatch.delenv("SPOTICELL_DATA", raising=False)
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


@pytest.mark.parametrize("arguments", [[], ["mini"]])
def test_a_command_without_recipe_or_store_is_put_wrongly(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "is needed" in result.stderr


def test_a_column_of_labels_and_what_they_mean_may_be_given_beside_the_recipe(recipe, tiny_cells, tmp_path):
    tiny_cells.obs["mine"] = ["my cluster"] * 20 + ["B cells"] * 11
    tiny_cells.write_h5ad(tmp_path / "cells.h5ad")
    (tmp_path / "meanings.tsv").write_text("label\tcell_type\nmy cluster\tNK\n")
    result = run(recipe, "--dry-run", "--json", "--label-column", "mine", "--meanings", tmp_path / "meanings.tsv")
    assert set(json.loads(result.stdout)["types"]) == {"CL:0000236", "CL:0000623"}
    made = spoticell.prepare(recipe, dry_run=True, label_column="mine", meanings={"B cells": "unknown"})
    assert made.types == {}
