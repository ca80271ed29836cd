"""SOMA experiments as sources, written here by hand or part of the stand-in of the Census."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spoticell.biology.genes import load_vocabulary
from spoticell.corpus.recipe.parts import SomaSource
from spoticell.corpus.sources.soma import ExperimentCells
from spoticell.corpus.sources.tiledb import context, open_soma
from spoticell.errors import ConfigError, CountsError, FileFormatError

pytestmark = pytest.mark.soma


def test_without_the_library_a_sentence_names_what_to_install(monkeypatch, tmp_path):
    def missing(name):
        if name == "tiledbsoma":
            raise ModuleNotFoundError(name)
        return import_module(name)

    monkeypatch.setattr("spoticell.extras.import_module", missing)
    with pytest.raises(ConfigError, match=r"needs tiledbsoma. Install the extra 'census': pip install '\.\[census\]'"):
        ExperimentCells(SomaSource(soma="x"), tmp_path, name="x").table()


@pytest.fixture(scope="module")
def soma():
    return pytest.importorskip("tiledbsoma", reason="the extra 'census' is not installed")


@pytest.fixture
def write(soma, tmp_path: Path):
    """Write an experiment of six cells and some genes, as text columns and with a gap in its join ids."""
    import pyarrow as pa  # noqa: PLC0415

    def write_experiment(*, value: float = 2.0, genes: list[str] | None = None, **columns) -> Path:
        genes = genes or list(load_vocabulary().ids[:100])
        ids = [0, 1, 2, 4, 5, 7]
        obs = pd.DataFrame({"soma_joinid": ids, "cell_type": ["T cell", "B cell"] * 3, **columns})
        var = pd.DataFrame({"soma_joinid": range(len(genes)), "var_id": genes})
        path = tmp_path / "experiment"
        with soma.Experiment.create(str(path)) as experiment:
            rna = experiment.add_new_collection("ms").add_new_collection("RNA", soma.Measurement)
            layer = rna.add_new_collection("X").add_new_sparse_ndarray("raw", type=pa.float32(), shape=(8, len(genes)))
            places = {"soma_dim_0": ids, "soma_dim_1": ids}
            layer.write(pa.table({**places, "soma_data": pa.array([value] * 6, pa.float32())}))
            for parent, name, table in ((experiment, "obs", obs), (rna, "var", var)):
                arrow = pa.Table.from_pandas(table, preserve_index=False)
                end = int(table["soma_joinid"].max())
                frame = parent.add_new_dataframe(
                    name, schema=arrow.schema, index_column_names=["soma_joinid"], domain=[(0, end)]
                )
                frame.write(arrow)
        return path

    return write_experiment


def source(path: Path, **asked) -> ExperimentCells:
    return ExperimentCells(SomaSource(soma="somewhere", **asked), path, name="mine")


def test_an_experiment_gives_its_cells_in_the_order_of_their_ids(write):
    cells = source(write(donor_id=list("ppqqrr")))
    table = cells.table()
    (block,) = cells.blocks(table)
    assert block.cells.index.tolist() == ["0", "1", "2", "4", "5", "7"]
    assert block.row_k.tolist() == [0, 1, 2, 3, 4, 5]
    assert block.counts_kg.toarray()[np.arange(6), [0, 1, 2, 4, 5, 7]].tolist() == [2.0] * 6
    assert block.cells["donor_id"].tolist() == ["mine:p", "mine:p", "mine:q", "mine:q", "mine:r", "mine:r"]
    assert set(block.cells["dataset_id"]) == {"mine"}
    assert set(block.cells["tissue"]) == {"unknown"}


def test_the_genes_of_an_experiment_are_those_that_it_measures(write):
    cells = source(write())
    (block,) = cells.blocks(cells.table())
    assert np.flatnonzero(block.measured["mine"]).tolist() == list(range(100))


def test_columns_that_the_recipe_names_are_used(write):
    path = write(who=list("aabbcc"), place=["liver"] * 6)
    table = source(path, donor="who", tissue="place", study="a study", where={"who": ["a", "b"]}).table()
    assert table.keep_n.tolist() == [True] * 4 + [False] * 2
    assert table.cells["donor_id"].tolist()[:2] == ["a study:a"] * 2
    assert set(table.cells["tissue"]) == {"liver"}


def test_cells_without_a_value_are_unknown(write):
    table = source(write(disease=["normal", None, "", "lupus", "unknown", "na"])).table()
    assert table.cells["disease"].tolist() == ["normal", "unknown", "unknown", "lupus", "unknown", "unknown"]


def test_numbers_and_truth_values_are_words(write):
    path = write(age=[1, 2, 3, 1, 2, 3], good=[True, False] * 3)
    table = source(path, donor="age", where={"good": "True"}).table()
    assert table.cells["donor_id"].tolist()[:3] == ["mine:1", "mine:2", "mine:3"]
    assert table.keep_n.tolist() == [True, False] * 3


@pytest.mark.parametrize("value", [0.5, -1.0, float("nan"), float("inf")])
def test_a_layer_that_holds_no_counts_is_refused(write, value):
    cells = source(write(value=value))
    with pytest.raises(CountsError, match=r"can't be a count\. Give the layer with the raw counts"):
        list(cells.blocks(cells.table()))


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"measurement": "ATAC"}, "has no measurement 'ATAC'; it has 'RNA'"),
        ({"layer": "counts"}, "the measurement 'RNA' has no layer 'counts'; it has 'raw'"),
    ],
)
def test_what_an_experiment_lacks_is_named_beside_what_it_has(write, asked, problem):
    cells = source(write(), **asked)
    with pytest.raises(FileFormatError, match=problem):
        list(cells.blocks(cells.table()))


def test_what_is_no_experiment_is_refused(soma, tmp_path, census_stand_in):
    with pytest.raises(FileFormatError, match="there is nothing that TileDB can open"):
        source(tmp_path / "nothing").table()
    with pytest.raises(FileFormatError, match="is a SOMACollection; an experiment is needed"):
        source(census_stand_in / "census").table()


def test_the_human_cells_of_a_census_are_an_experiment_too(census_stand_in):
    cells = source(census_stand_in / "census" / "census_data" / "homo_sapiens", value_filter="assay == 'inDrop'")
    table = cells.table()
    assert cells.sample(table).cells == table.keep_n.sum() > 0
    assert cells.facts()["value_filter"] == "assay == 'inDrop'"


def test_all_that_is_open_shares_one_set_of_threads_and_buffers(write):
    path = str(write())
    with open_soma(path) as first, open_soma(path) as second:
        assert first.context is second.context is context()
