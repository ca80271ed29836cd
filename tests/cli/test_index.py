import json
import shutil
from importlib import import_module

import anndata
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

pytest.importorskip("faiss", reason="searching needs faiss: pip install '.[search]'")

from tests.conftest import tiny_adata

import spoticell
from spoticell.api import annotate
from spoticell.cli.app import app
from spoticell.errors import SearchError
from spoticell.index import Index
from spoticell.index.folder import reader

RUNNER = CliRunner()


def run(*arguments):
    return RUNNER.invoke(app, [str(argument) for argument in arguments], prog_name="spoticell")


def assert_refused(result, message):
    assert result.exit_code == 1, result.output
    (line,) = (line for line in result.stderr.splitlines() if not line.startswith("note: "))
    assert line.startswith("spoticell: ")
    assert message in result.stderr
    assert result.stdout == ""


@pytest.fixture
def references(tmp_path):
    """Two labelled files of 31 cells; the second says more of its cells and calls a type by a name nobody knows."""
    first, second = tiny_adata(seed=1), tiny_adata(seed=2)
    second.obs["tissue"], second.obs["disease"] = "lung", "normal"
    second.obs["donor_id"] = ["x", "y"] * 15 + ["x"]
    second.obs["cell_type"] = "as the author says"
    terms = second.obs["cell_type_ontology_term_id"].astype(str).to_numpy()
    terms[:2] = "fancy cell"
    second.obs["cell_type_ontology_term_id"] = terms
    first.write_h5ad(tmp_path / "first.h5ad")
    second.write_h5ad(tmp_path / "second.h5ad")
    return tmp_path / "first.h5ad", tmp_path / "second.h5ad"


@pytest.fixture
def index_folder(references, tiny_bundle_folder, tmp_path):
    arguments = ("-o", tmp_path / "index", "-b", tiny_bundle_folder, "--study", "one", "--set", "tissue=blood")
    result = run("index", "build", *references, *arguments)
    assert result.exit_code == 0, result.output
    return tmp_path / "index"


def test_build_says_what_it_took_in_and_what_it_left_out(references, tiny_bundle_folder, tmp_path):
    result = run("index", "build", *references, "-o", tmp_path / "index", "-b", tiny_bundle_folder)
    assert result.stdout == ""
    notes = [line for line in result.stderr.splitlines() if line.startswith("note: ")]
    assert "1 label in 'cell_type_ontology_term_id' is not understood: 'fancy cell' (2 cells" in "\n".join(notes)
    assert "note: first.h5ad: only 200 known genes are measured" in "\n".join(notes)
    assert result.stderr.splitlines()[len(notes) :] == [
        "cells without a label that is understood: 4",
        f"58 cells taken in; the index holds 58. Written: {tmp_path / 'index'}",
    ]


def test_options_say_what_the_files_leave_open_and_no_more(index_folder):
    groups = Index(index_folder).groups
    first, second = (groups[groups["dataset"] == name] for name in ("first", "second"))
    assert set(first["tissue"]) == {"blood"}
    assert set(second["tissue"]) == {"lung"}
    assert set(groups["study"]) == {"one"}
    assert set(second["donor"]) == {"x", "y"}
    assert set(second["cell_type"]) == {"as the author says"}
    assert first.set_index("term").loc["CL:0000236", "cell_type"] == "B cell"


def test_cells_without_a_label_are_kept_where_that_is_asked_for(references, tiny_bundle_folder, tmp_path):
    result = run(
        "index", "build", *references, "-o", tmp_path / "i", "-b", tiny_bundle_folder, "--unlabelled", "--json"
    )
    outcome = json.loads(result.stdout)
    assert (outcome["cells_added"], outcome["unlabelled"], outcome["empty"]) == (60, 4, 2)
    assert outcome["labels_not_understood"] == {"fancy cell": 2}
    assert outcome["index"]["cells"] == 60
    assert (Index(tmp_path / "i").groups["term"] == "").any()


def test_info_shows_what_an_index_holds_and_checks_its_files(index_folder, monkeypatch):
    shown = run("index", "info", index_folder, "--check")
    assert shown.exit_code == 0
    facts = dict(line.split("  ", 1) for line in shown.stdout.splitlines())
    assert {name: facts[name].strip() for name in ("cells", "types", "studies", "datasets", "donors", "bundle")} == {
        "cells": "58",
        "types": "6",
        "studies": "1",
        "datasets": "2",
        "donors": "2",
        "bundle": "tiny",
    }
    assert json.loads(run("index", "info", index_folder, "--json").stdout)["segments"] == 1
    path = next(index_folder.glob("segments/*/names.parquet"))
    path.write_bytes(path.read_bytes()[::-1])
    assert_refused(run("index", "info", index_folder), "sha256 differs")
    monkeypatch.setattr(reader, "SEALED", 0)  # as of an index too large to be compared whenever it is opened
    assert run("index", "info", index_folder).exit_code == 0
    assert_refused(run("index", "info", index_folder, "--check"), "sha256 differs")


def test_add_and_merge(references, index_folder, tiny_bundle_folder, tmp_path):
    more = tiny_adata(seed=3)
    more.write_h5ad(tmp_path / "more.h5ad")
    added = run("index", "add", index_folder, tmp_path / "more.h5ad", "-b", tiny_bundle_folder, "--study", "two")
    assert "30 cells taken in; the index holds 88" in added.stderr
    again = run("index", "add", index_folder, tmp_path / "more.h5ad", "-b", tiny_bundle_folder, "--study", "two")
    assert_refused(again, "are in")
    result = run("index", "merge", index_folder, "-o", tmp_path / "tidy", "--json")
    assert "88 cells merged" in result.stderr
    assert (json.loads(result.stdout)["segments"], json.loads(result.stdout)["studies"]) == (1, 2)
    assert Index(tmp_path / "tidy").background is not None


def test_search_writes_a_line_a_hit(index_folder, tiny_bundle_folder, tiny_h5ad, tmp_path):
    result = run(
        "search", tiny_h5ad, "-i", index_folder, "-b", tiny_bundle_folder, "-k", 3, "-o", tmp_path / "hits.csv"
    )
    assert result.exit_code == 0, result.output
    assert (
        result.stderr.splitlines()[-1] == f"90 hits for 30 cells; 1 cells have none. Written: {tmp_path / 'hits.csv'}"
    )
    hits = pd.read_csv(tmp_path / "hits.csv", keep_default_na=False)
    assert list(hits.columns) == [
        "cell", "rank", "similarity", "p", "reference", "cell_type", "cell_type_ontology_term_id", "study", "dataset",
        "donor", "tissue", "disease", "assay", "url",
    ]  # fmt: skip
    assert hits["cell"].tolist() == [f"cell-{row}" for row in range(30) for _ in range(3)]
    assert hits["rank"].tolist() == [1, 2, 3] * 30
    index = Index(index_folder)
    annotate(tiny_h5ad, tmp_path / "named.h5ad", model=tiny_bundle_folder)
    found = index.search(spoticell_fingerprints(tmp_path / "named.h5ad"), k=3)
    assert hits["reference"].tolist() == index.names_of(found.row_nk[:30]).ravel().tolist()
    assert hits["similarity"].tolist() == found.similarity_nk[:30].ravel().astype(np.float64).round(6).tolist()
    groups = index.groups.iloc[index.group_of(found.row_nk[:30]).ravel()]
    assert hits["cell_type_ontology_term_id"].tolist() == groups["term"].tolist()
    assert hits["donor"].tolist() == groups["donor"].tolist()


def spoticell_fingerprints(path):
    return anndata.read_h5ad(path).obsm["X_spoticell"]


def test_the_first_line_of_a_csv_of_hits_is_this(index_folder, tiny_bundle_folder, tiny_h5ad, tmp_path):
    run("search", tiny_h5ad, "-i", index_folder, "-b", tiny_bundle_folder, "-k", 1, "-o", tmp_path / "hits.csv", "-q")
    run("search", tiny_h5ad, "-i", index_folder, "-b", tiny_bundle_folder, "-k", 1, "-o", tmp_path / "more.csv", "-q")
    lines = (tmp_path / "hits.csv").read_text().splitlines()
    assert len(lines) == 31
    assert lines[1].startswith("cell-0,1,0.9")
    assert lines[1].split(",")[5:] in (
        ["B cell", "CL:0000236", "one", "first", "", "blood", "", "", ""],
        ["as the author says", "CL:0000236", "one", "second", "x", "lung", "normal", "", ""],
    )
    assert (tmp_path / "hits.csv").read_bytes() == (tmp_path / "more.csv").read_bytes()


def test_conditions_of_a_search_hold(index_folder, tiny_bundle_folder, tiny_h5ad, tmp_path):
    arguments = ("-i", index_folder, "-b", tiny_bundle_folder, "-o", tmp_path / "hits.csv")
    result = run("search", tiny_h5ad, *arguments, "--where", "tissue=lung", "-w", "donor!=x", "--json", "-k", 100)
    assert json.loads(result.stdout)["cells_without_hits"] == 1
    hits = pd.read_csv(tmp_path / "hits.csv", keep_default_na=False)
    assert set(hits["dataset"]) == {"second"}
    assert set(hits["donor"]) == {"y"}
    assert hits.groupby("cell").size().unique().tolist() == [14]
    assert_refused(run("search", tiny_h5ad, *arguments, "--overwrite", "-w", "tissue=lungs"), "did you mean 'lung'")
    assert len(pd.read_csv(tmp_path / "hits.csv")) == len(hits)


def test_python_gives_the_same_table_for_a_file_an_object_and_an_annotated_file(
    index_folder, tiny_bundle, tiny_h5ad, tiny_cells, tmp_path
):
    of_file = spoticell.search(tiny_h5ad, index_folder, k=2, model=tiny_bundle)
    pd.testing.assert_frame_equal(spoticell.search(tiny_cells, Index(index_folder), k=2, model=tiny_bundle), of_file)
    annotate(tiny_h5ad, tmp_path / "named.h5ad", model=tiny_bundle)
    pd.testing.assert_frame_equal(
        spoticell.search(tmp_path / "named.h5ad", index_folder, k=2, model=tiny_bundle), of_file
    )


@pytest.mark.parametrize("background", [{"nearest": [1e300]}, {"stranger": [0.9, 0.1]}, {"nearest_to": None}])
def test_a_damaged_background_is_refused_in_a_sentence(index_folder, tiny_bundle, tiny_h5ad, background):
    manifest = index_folder / "index.json"
    fields = json.loads(manifest.read_text())
    whole = {"unit": "study", "units": 2, "cells": 3, "nearest": [0.5], "stranger": [0.5]}
    manifest.write_text(json.dumps(fields | {"background": whole | background}))
    with pytest.raises(SearchError, match=r"the background of the index .* is damaged: .* Build the index again"):
        spoticell.search(tiny_h5ad, index_folder, model=tiny_bundle)


def test_fingerprints_of_annotated_files_are_taken_as_they_are(references, tiny_bundle, tmp_path, monkeypatch):
    spoticell.build_index(references, tmp_path / "from-counts", model=tiny_bundle)
    (tmp_path / "named").mkdir()
    for path in references:
        annotate(path, tmp_path / "named" / path.name, model=tiny_bundle)
    monkeypatch.setattr("spoticell.model.runtime.Runtime", None)
    named = [tmp_path / "named" / path.name for path in references]
    spoticell.build_index(named, tmp_path / "from-fingerprints", model=tiny_bundle)
    segments = [Index(tmp_path / name).manifest.segments for name in ("from-counts", "from-fingerprints")]
    assert segments[0] == segments[1]


def test_fingerprints_of_another_bundle_are_not_taken(references, tiny_bundle, tmp_path):
    annotate(references[0], tmp_path / "named.h5ad", model=tiny_bundle)
    other = shutil.copytree(tiny_bundle.path, tmp_path / "other")
    fields = json.loads((other / "bundle.json").read_text()) | {"description": "another one"}
    (other / "bundle.json").write_text(json.dumps(fields))
    intake = spoticell.build_index(tmp_path / "named.h5ad", tmp_path / "index", model=other)
    assert intake.cells == 30
    with pytest.raises(SearchError, match="can't be compared"):
        spoticell.search(references[0], tmp_path / "index", model=tiny_bundle)


def test_what_can_not_be_is_one_line(references, index_folder, tiny_bundle_folder, tiny_h5ad, tmp_path):
    out = ("-o", tmp_path / "hits.csv", "-b", tiny_bundle_folder)
    assert_refused(run("search", tiny_h5ad, "-i", tmp_path, *out), "holds no index.json")
    assert_refused(run("search", tiny_h5ad, "-i", index_folder, *out, "-k", 20_000), "from 1 to 10,000")
    assert_refused(run("search", tiny_h5ad, "-i", index_folder, "-o", tmp_path / "hits.h5ad"), "written as .csv")
    assert_refused(run("search", tiny_h5ad, "-i", index_folder, "-o", tmp_path / "hits.csv"), "no bundle 'tiny'")
    assert_refused(run("search", tmp_path / "none.h5ad", "-i", index_folder, *out), "no such file")
    assert_refused(run("index", "add", index_folder, tmp_path / "none.h5ad", "-b", tiny_bundle_folder), "no such file")
    assert_refused(run("index", "build", references[0], "-o", index_folder, "-b", tiny_bundle_folder), "index already")
    assert_refused(run("index", "merge", index_folder, index_folder, "-o", tmp_path / "m"), "more than one")
    facts = ("-o", tmp_path / "i", "-b", tiny_bundle_folder, "--set", "organ=liver")
    assert_refused(run("index", "build", references[0], *facts), "doesn't hold 'organ'")
    bare = tiny_adata()
    del bare.obs["cell_type_ontology_term_id"]
    bare.write_h5ad(tmp_path / "bare.h5ad")
    bare = run("index", "build", tmp_path / "bare.h5ad", "-o", tmp_path / "i", "-b", tiny_bundle_folder)
    assert_refused(bare, "has no labels")
    assert not (tmp_path / "i").exists()
    assert not (tmp_path / "hits.csv").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["index", "build", "in.h5ad"],
        ["index", "build", "in.h5ad", "-o", "i", "--set", "tissue"],
        ["index", "add", "i"],
        ["index", "merge", "i"],
        ["search", "in.h5ad", "-i", "i"],
        ["search", "in.h5ad", "-i", "i", "-o", "hits.csv", "-k", "0"],
    ],
    ids=" ".join,
)
def test_commands_put_wrongly_exit_with_2(arguments):
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("library", ["faiss", "pyarrow"])
def test_without_the_libraries_of_searching_a_sentence_names_what_to_install(
    monkeypatch, references, tiny_bundle_folder, tmp_path, library
):
    def missing(name):
        if name.partition(".")[0] == library:
            raise ModuleNotFoundError(name)
        return import_module(name)

    monkeypatch.setattr("spoticell.extras.import_module", missing)
    result = run("index", "build", references[0], "-o", tmp_path / "i", "-b", tiny_bundle_folder)
    assert_refused(result, f"search needs {library}. Install the extra 'search': pip install '.[search]' in your clone")
    assert not (tmp_path / "i").exists()


def test_an_index_without_the_libraries_of_searching_is_not_called_damaged(
    monkeypatch, references, index_folder, tiny_bundle_folder, tmp_path
):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("spoticell.extras.import_module", missing)
    arguments = ("-o", tmp_path / "out.csv", "-b", tiny_bundle_folder, "--index", index_folder)
    assert_refused(run("annotate", references[0], *arguments), "spoticell: search needs pyarrow. Install the extra")


@pytest.mark.parametrize(
    "command", [["index", "build"], ["index", "add"], ["index", "info"], ["index", "merge"], ["search"], ["index"]]
)
def test_the_help_of_every_command_has_an_example(command):
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert f"Example: spoticell {' '.join(command)}" in result.stdout.replace("\n", " ")
