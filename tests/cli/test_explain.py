"""The command that says why."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from spoticell.annotation import explaining
from spoticell.cli.app import app


@pytest.fixture
def run(tiny_bundle_folder, tiny_h5ad):
    def ran(*arguments):
        words = ["explain", str(tiny_h5ad), "--model", str(tiny_bundle_folder), *map(str, arguments)]
        return CliRunner().invoke(app, words, prog_name="spoticell")

    return ran


def test_the_table_is_printed(run):
    done = run()
    assert done.exit_code == 0, done.output
    table = pd.read_csv(io.StringIO(done.stdout))
    assert table.columns[0] == "cell_type"
    assert "MS4A1" in table["gene"].tolist()
    assert "Worked out by occlusion, each cell alone." in done.stderr


def test_table_and_picture_are_written(run, tmp_path):
    table, picture = tmp_path / "why.csv", tmp_path / "why.png"
    done = run("-o", table, "--picture", picture, "--type", "B cell")
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert f"Written: {table}, {picture}" in done.stderr
    assert set(pd.read_csv(table)["cell_type"]) == {"B cell"}
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert run("-o", table).exit_code == 1
    assert run("--picture", picture, "--overwrite", "--quiet", "-o", table).exit_code == 0


def test_json_holds_genes_for_and_against(run):
    done = run("--cells", "cell-0", "--cells", "cell-6", "--genes", 3, "--json", "--quiet")
    told = json.loads(done.stdout)
    assert [one["name"] for one in told["explained"]] == ["cell-0", "cell-6"]
    assert [len(one["genes_for"]) for one in told["explained"]] == [3, 3]
    assert (told["of"], told["output"], told["picture"]) == ("cells", None, None)
    assert any("taken out in turn" in sentence for sentence in told["notes"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("-o", "why.txt"), "a table is written as .csv"),
        (("--picture", "why.gif"), "drawn as .png, .pdf or .svg"),
        (("--type", "no such type"), "is no id, name or synonym of a type"),
        (("--cells", "nobody"), "there is no cell 'nobody'"),
        (("--groups", "nothing"), "has no column 'nothing'"),
    ],
)
def test_what_can_not_be_is_said_in_a_sentence(run, arguments, sentence):
    done = run(*arguments)
    assert done.exit_code == 1
    assert sentence in " ".join(done.stderr.split())


def test_neighbours_that_spoke_are_told(run, monkeypatch):
    monkeypatch.setattr(explaining, "_changed", lambda *_: 2)
    assert "12 of 30 cells asked would be called otherwise alone: their neighbours spoke too." in run().stderr
