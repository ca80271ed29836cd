import logging
import warnings

import anndata
import numpy as np
import pandas as pd
import pytest

import spoticell
from spoticell.errors import ConfigError, OutputError, SpoticellWarning

LABEL = "cell_type_ontology_term_id"
TERM = "spoticell_cell_type_ontology_term_id"


def test_a_result_holds_the_answers_of_a_file_without_writing_anything(tiny_h5ad, tiny_bundle, tiny_answers, tmp_path):
    before = sorted(tmp_path.iterdir())
    result = spoticell.annotate(tiny_h5ad, model=tiny_bundle)
    assert result.obs[TERM].tolist() == tiny_answers
    assert result.obs.index.tolist() == [f"cell-{row}" for row in range(31)]
    assert result.adata is None
    assert sorted(tmp_path.iterdir()) == before


def test_a_result_writes_the_csv_that_annotate_writes(tiny_h5ad, tiny_cells, tiny_bundle, tmp_path):
    spoticell.annotate(tiny_h5ad, tmp_path / "output.csv", model=tiny_bundle)
    for name, cells in (("file.csv", tiny_h5ad), ("object.csv", tiny_cells)):
        assert spoticell.annotate(cells, model=tiny_bundle).write(tmp_path / name) == tmp_path / name
        assert (tmp_path / name).read_bytes() == (tmp_path / "output.csv").read_bytes()


def test_the_result_of_a_file_says_how_an_h5ad_file_is_had(tiny_h5ad, tiny_bundle, tmp_path):
    with pytest.raises(OutputError, match="Give output= to annotate"):
        spoticell.annotate(tiny_h5ad, model=tiny_bundle).write(tmp_path / "out.h5ad")
    assert not (tmp_path / "out.h5ad").exists()


def test_the_result_of_an_object_is_written_as_h5ad_with_its_answers(tiny_cells, tiny_bundle, tiny_answers, tmp_path):
    result = spoticell.annotate(tiny_cells, model=tiny_bundle)
    result.write(tmp_path / "out.h5ad")
    assert anndata.read_h5ad(tmp_path / "out.h5ad").obs[TERM].tolist() == tiny_answers
    with pytest.raises(OutputError, match="there already"):
        result.write(tmp_path / "out.h5ad")
    assert result.write(tmp_path / "out.h5ad", overwrite=True).exists()


@pytest.mark.parametrize("name", ["out.csv", "out.h5ad"])
def test_an_object_is_annotated_and_written_at_once(tiny_cells, tiny_bundle, tiny_answers, tmp_path, name):
    spoticell.annotate(tiny_cells, tmp_path / name, model=tiny_bundle, report=tmp_path / "page.html")
    read = pd.read_csv(tmp_path / name) if name == "out.csv" else anndata.read_h5ad(tmp_path / name).obs
    assert read[TERM].tolist() == tiny_cells.obs[TERM].tolist() == tiny_answers
    page = (tmp_path / "page.html").read_text()
    assert "spoticell.annotate(adata" in page


def test_a_report_without_an_output_says_how_it_is_repeated_in_python(tiny_h5ad, tiny_bundle, tmp_path):
    spoticell.annotate(tiny_h5ad, model=tiny_bundle, report=tmp_path / "page.html")
    assert "spoticell.annotate(" in (tmp_path / "page.html").read_text()


def test_what_annotate_does_not_take_is_refused_with_what_it_takes(tiny_h5ad, tiny_bundle):
    with pytest.raises(ConfigError, match="cells are given as DataFrame; give the path of a file"):
        spoticell.annotate(pd.DataFrame(), model=tiny_bundle)
    with pytest.raises(ConfigError, match="copy is for AnnData objects"):
        spoticell.annotate(tiny_h5ad, model=tiny_bundle, copy=True)
    with pytest.raises(ConfigError, match="give the path of a file, or an AnnData object"):
        spoticell.check(np.ones((3, 3)), model=tiny_bundle)


def test_a_file_takes_layer_gene_column_and_key_as_an_object_does(tiny_cells, tiny_bundle, tiny_answers, tmp_path):
    tiny_cells.layers["umi"] = tiny_cells.X[::-1].copy()
    tiny_cells.write_h5ad(tmp_path / "in.h5ad")
    asked = {"model": tiny_bundle, "layer": "umi", "gene_column": "gene_id", "key_added": "run2"}
    spoticell.annotate(tmp_path / "in.h5ad", tmp_path / "out.h5ad", **asked)
    spoticell.annotate(tiny_cells, **asked)
    out = anndata.read_h5ad(tmp_path / "out.h5ad")
    pd.testing.assert_frame_equal(out.obs, tiny_cells.obs)
    assert out.obs["run2_cell_type_ontology_term_id"].tolist() == tiny_answers[::-1]
    assert set(out.obsm) == {"X_run2", "run2_probabilities"}
    assert out.uns["run2"]["input"]["gene_match"]["column"] == "gene_id"
    assert not [name for name in out.obs if name.startswith("spoticell")]


def test_notes_are_warnings_of_one_category_and_stand_in_the_findings(tiny_cells, tiny_bundle):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = spoticell.annotate(tiny_cells, model=tiny_bundle, allow=["B cell", "hepatocyte"])
    assert {note.category for note in caught} == {SpoticellWarning}
    assert {note.filename for note in caught} == {__file__}
    assert [str(note.message) for note in caught] == list(result.findings.warnings)
    assert "the model tiny knows neither hepatocyte (CL:0000182) nor a subtype." in result.findings.warnings
    with pytest.warns(SpoticellWarning, match="cells without any count"):
        spoticell.check(tiny_cells, model=tiny_bundle)


def test_the_lines_of_check_are_logged(tiny_cells, tiny_bundle, caplog):
    with caplog.at_level(logging.INFO, logger="spoticell"):
        spoticell.annotate(tiny_cells, model=tiny_bundle)
    said = [record.getMessage() for record in caplog.records]
    assert said == spoticell.check(tiny_cells, model=tiny_bundle).lines()
    assert said[0] == "AnnData (in memory): 31 cells, 200 genes"


def test_an_object_is_checked_and_stays_as_it_was(tiny_cells, tiny_bundle):
    before = tiny_cells.copy()
    found = spoticell.check(tiny_cells, model=tiny_bundle)
    assert (found.n_cells, found.matrix) == (31, "X")
    assert list(tiny_cells.obs) == list(before.obs)
    assert not tiny_cells.uns


def test_the_number_of_threads_reaches_the_index_from_objects_too(tiny_cells, tiny_bundle, tmp_path, monkeypatch):
    spoticell.build_index(tiny_cells, tmp_path / "index", model=tiny_bundle, study="mine")
    asked = []
    opened = spoticell.open_index

    def noting(index, *, threads=None):
        asked.append(threads)
        return opened(index, threads=threads)

    monkeypatch.setattr("spoticell.index.open_index", noting)
    spoticell.annotate(tiny_cells, model=tiny_bundle, index=tmp_path / "index", threads=1)
    assert asked == [1]


def test_an_object_becomes_an_index_and_finds_its_own_cells(tiny_cells, tiny_bundle, tmp_path):
    intake = spoticell.build_index(tiny_cells, tmp_path / "index", model=tiny_bundle, study="mine")
    assert (intake.cells, intake.unlabelled) == (30, 1)
    hits = spoticell.search(tiny_cells, tmp_path / "index", k=1, model=tiny_bundle)
    assert hits["reference"].tolist() == hits["cell"].tolist()
    assert set(hits["study"]) == {"mine"}
    counted = spoticell.search(tiny_cells, tmp_path / "index", tmp_path / "hits.csv", k=3, model=tiny_bundle)
    assert counted["hits"].tolist() == [3] * 30 + [0]
    assert len(pd.read_csv(tmp_path / "hits.csv")) == 90


@pytest.mark.parametrize("key", ["spoticell", "run2"])
def test_fingerprints_are_found_whatever_key_they_were_written_under(
    tiny_h5ad, tiny_bundle, tmp_path, monkeypatch, key
):
    spoticell.build_index(tiny_h5ad, tmp_path / "from-counts", model=tiny_bundle)
    (tmp_path / "named").mkdir()
    named = tmp_path / "named" / tiny_h5ad.name
    spoticell.annotate(tiny_h5ad, named, model=tiny_bundle, key_added=key)
    monkeypatch.setattr("spoticell.model.runtime.Runtime", None)
    spoticell.build_index(named, tmp_path / "from-fingerprints", model=tiny_bundle)
    segments = [
        spoticell.open_index(tmp_path / name).manifest.segments for name in ("from-counts", "from-fingerprints")
    ]
    assert segments[0] == segments[1]


def test_a_recipe_without_a_place_for_its_store_is_only_planned():
    with pytest.raises(ConfigError, match="give output, or dry_run=True"):
        spoticell.prepare("spoticell68")


class Screen:
    """A stream that is or isn't a terminal."""

    def __init__(self, *, terminal):
        self.terminal, self.text = terminal, ""

    def isatty(self):
        return self.terminal

    def write(self, text):
        self.text += text
        return len(text)

    def flush(self):
        pass


@pytest.mark.parametrize(("wanted", "terminal"), [(True, True), (False, True), (True, False)])
def test_a_bar_appears_if_it_is_wanted_and_work_takes_long_on_a_terminal(tiny_cells, monkeypatch, wanted, terminal):
    screen = Screen(terminal=terminal)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("spoticell.progress.PATIENCE", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    spoticell.check(tiny_cells, on_progress=wanted)
    assert ("reading" in screen.text) == (wanted and terminal)
