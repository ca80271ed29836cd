"""The Census as a source, on a stand-in; what it gives is compared with what the Census's own library gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from spoticell.biology.genes import load_vocabulary
from spoticell.corpus.build import build_store, look_over
from spoticell.corpus.recipe.parts import CensusSource, Keep
from spoticell.corpus.recipe.recipe import Recipe, load_recipe
from spoticell.corpus.sources import census as module
from spoticell.corpus.sources import soma as reader
from spoticell.corpus.sources.census import CensusCells, first_releases, open_census
from spoticell.corpus.sources.opening import open_sources
from spoticell.corpus.sources.source import CellTable
from spoticell.corpus.sources.tiledb import context
from spoticell.corpus.splits.make import read_split
from spoticell.corpus.store.store import Store
from spoticell.errors import ConfigError, DownloadError, FileFormatError

cellxgene_census = pytest.importorskip("cellxgene_census", reason="the extra 'census' is not installed")
import requests  # noqa: E402 - comes with the Census's library

pytestmark = pytest.mark.soma

RELEASE = "2025-11-08"
TENX = """assay in ["10x 3' v1", "10x 3' v2", "10x 3' v3", "10x 5' v2"]"""


@pytest.fixture(scope="module")
def uri(census_stand_in: Path) -> str:
    return str(census_stand_in / "census")


@pytest.fixture(scope="module")
def obs(uri: str) -> pd.DataFrame:
    """All cells of the stand-in, read by the library."""
    with cellxgene_census.open_soma(uri=uri, context=context()) as opened:
        return opened["census_data"]["homo_sapiens"].obs.read().concat().to_pandas()


@pytest.fixture
def cells(uri: str):
    """A source made as a recipe would ask for it."""
    return lambda **asked: CensusCells(CensusSource(census=RELEASE, **asked), name="census", copy=uri)


def kept(table: CellTable) -> set[int]:
    return set(table.cells.index[table.keep_n])


def labelled(obs: pd.DataFrame, chosen) -> set[int]:
    return set(obs["soma_joinid"][chosen & (obs["cell_type_ontology_term_id"] != "unknown")])


def test_without_a_filter_all_cells_with_a_label_are_kept_in_their_order(cells, obs):
    table = cells().table()
    assert kept(table) == labelled(obs, True)
    assert table.cells.index.tolist() == obs["soma_joinid"].tolist()
    assert table.left_out == {"no label": (obs["cell_type_ontology_term_id"] == "unknown").sum()}


@pytest.mark.parametrize(
    ("value_filter", "query"),
    [
        ("is_primary_data == True", "is_primary_data"),
        ("is_primary_data == False", "not is_primary_data"),
        (TENX, TENX),
        ("assay == 'Smart-seq2'", "assay == 'Smart-seq2'"),
        ("disease == 'normal'", "disease == 'normal'"),
        ("tissue_general in ['brain', 'pancreas']", "tissue_general in ['brain', 'pancreas']"),
        ("assay in ['inDrop', 'an assay of the future']", "assay == 'inDrop'"),
        (
            f"is_primary_data == True and {TENX} and disease != 'normal'",
            f"is_primary_data & {TENX} & disease != 'normal'",
        ),
        ("raw_sum > 150", "raw_sum > 150"),
    ],
)
def test_a_value_filter_gives_exactly_the_cells_that_pass_it(cells, obs, value_filter, query):
    table = cells(value_filter=value_filter).table()
    passing = obs.eval(query)
    assert 0 < passing.sum() < len(obs)
    assert table.cells.index.tolist() == obs["soma_joinid"][passing].tolist()
    assert kept(table) == labelled(obs, passing)


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ({"where": {"tissue": ["blood", "breast"]}}, "tissue in ['blood', 'breast']"),
        ({"where": {"is_primary_data": "True"}}, "is_primary_data"),
        ({"where_not": {"disease": "epilepsy"}}, "disease != 'epilepsy'"),
        ({"types": ["B cell"]}, "cell_type == 'B cell'"),
    ],
)
def test_the_filters_of_every_source_work_on_the_census_too(cells, obs, asked, query):
    assert kept(cells(**asked).table()) == labelled(obs, obs.eval(query))


def test_types_are_judged_by_cells_and_donors_after_the_other_filters(cells):
    value_filter = f"is_primary_data == True and {TENX}"
    passing = cells(value_filter=value_filter).table().cells.dropna()
    by_type = passing.groupby("cell_type_ontology_term_id", observed=True)
    n_cells = by_type.size()
    n_donors = (
        passing[passing["donor_id"] != "unknown"]
        .groupby("cell_type_ontology_term_id", observed=True)["donor_id"]
        .nunique()
    )
    fewest, narrowest = int(n_cells.sort_values().iloc[2]), int(n_donors.max())
    for keep, wanted in (
        ({"cells_per_type": fewest}, set(n_cells.index[n_cells >= fewest])),
        ({"donors_per_type": narrowest}, set(n_donors.index[n_donors >= narrowest])),
    ):
        asked = {"name": "rules", "sources": [{"census": RELEASE, "value_filter": value_filter}], "keep": keep}
        (table,) = look_over(Recipe.model_validate(asked), [cells(value_filter=value_filter)])
        assert 0 < len(wanted) < len(n_cells)
        assert kept(table) == set(passing.index[passing["cell_type_ontology_term_id"].isin(wanted)])


@pytest.mark.filterwarnings("ignore:Transforming to str index")
def test_counts_are_those_of_the_census_gene_by_gene(cells, uri):
    source = cells(value_filter="assay == 'Smart-seq2'")
    (block,) = source.blocks(source.table())
    with cellxgene_census.open_soma(uri=uri, context=context()) as opened:
        there = cellxgene_census.get_anndata(
            opened, "Homo sapiens", obs_coords=block.cells.index.astype(int).tolist(), var_column_names=["feature_id"]
        )
    place = pd.Index(there.var["feature_id"]).get_indexer(list(load_vocabulary().ids))
    assert (place >= 0).all()
    assert (block.counts_kg.toarray() == there.X.toarray()[:, place]).all()
    assert block.counts_kg.dtype == np.float32


def test_a_gene_that_a_data_set_does_not_measure_is_missing_and_not_zero(cells, uri):
    source = cells()
    measured = {name: genes for block in source.blocks(source.table()) for name, genes in block.measured.items()}
    with cellxgene_census.open_soma(uri=uri, context=context()) as opened:
        presence = cellxgene_census.get_presence_matrix(opened, "Homo sapiens").toarray()
        datasets = opened["census_info"]["datasets"].read().concat().to_pandas()
        var = opened["census_data"]["homo_sapiens"].ms["RNA"].var.read().concat().to_pandas()
    place = pd.Index(var["feature_id"]).get_indexer(list(load_vocabulary().ids))
    assert set(measured) == set(datasets["dataset_id"])
    for row, dataset in zip(datasets["soma_joinid"], datasets["dataset_id"], strict=True):
        assert (measured[dataset] == presence[row, place]).all()
    assert len({genes.sum() for genes in measured.values()}) > 1


def test_blocks_from_any_row_on_give_what_all_blocks_give(cells, monkeypatch):
    monkeypatch.setattr(reader, "BLOCK", 100)
    source = cells(value_filter="is_primary_data == True")
    table = source.table()
    blocks = list(source.blocks(table))
    rows = np.concatenate([block.row_k for block in blocks])
    assert rows.tolist() == np.flatnonzero(table.keep_n).tolist()
    assert [block.stop for block in blocks][-1] == len(table)
    again = list(source.blocks(table, start=blocks[2].stop))
    assert [block.row_k.tolist() for block in again] == [block.row_k.tolist() for block in blocks[3:]]
    assert (again[0].counts_kg != blocks[3].counts_kg).nnz == 0
    assert again[0].cells.equals(blocks[3].cells)


def test_nothing_is_read_where_no_row_is_left(cells):
    table = cells().table()
    assert list(cells().blocks(table, start=len(table))) == []


def test_progress_is_told_in_rows(cells, monkeypatch):
    monkeypatch.setattr(reader, "BLOCK", 500)
    told = []
    table = cells().table()
    list(cells().blocks(table, on_progress=lambda done, total: told.append((done, total))))
    assert told == sorted(told)
    assert told[-1] == (len(table), len(table))


def test_a_sample_tells_size_and_time(cells):
    source = cells(value_filter="assay == 'inDrop'")
    table = source.table()
    sample = source.sample(table)
    assert sample.cells == table.keep_n.sum()
    assert sample.nonzeros > 0
    assert sample.seconds > 0


def test_donors_of_one_name_are_one_person_within_a_collection_only(cells, obs, uri):
    table = cells().table().cells
    with cellxgene_census.open_soma(uri=uri, context=context()) as opened:
        datasets = opened["census_info"]["datasets"].read().concat().to_pandas().set_index("dataset_id")
    collection = obs["dataset_id"].astype(str).map(datasets["collection_id"])
    wanted = np.where(obs["donor_id"] == "unknown", "unknown", collection + ":" + obs["donor_id"].astype(str))
    assert table["donor_id"].tolist() == wanted.tolist()
    shared = table.groupby("donor_id", observed=True)["dataset_id"].nunique().drop("unknown")
    assert shared.max() > 1


def test_facts_name_the_release_and_no_place_of_this_machine(cells, uri, obs):
    facts = cells(value_filter="is_primary_data == True").facts()
    assert facts["release"] == RELEASE
    assert facts["cells_before_filter"] == len(obs)
    assert facts["value_filter"] == "is_primary_data == True"
    assert uri not in str(facts)


def test_a_data_set_came_out_with_the_first_release_that_has_it(census_stand_in, uri):
    first = first_releases([(str(census_stand_in / "earlier"), None), (RELEASE, uri)])
    assert set(first.values()) == {"2023-12-15", RELEASE}
    assert first_releases([(RELEASE, uri)]) == dict.fromkeys(first, RELEASE)


def test_the_shipped_recipe_follows_the_published_rules():
    recipe = load_recipe("census-human")
    (source,) = recipe.sources
    assert "is_primary_data == True" in source.value_filter
    assert source.value_filter.count("10x ") == 7
    assert (recipe.keep.cells_per_type, recipe.keep.donors_per_type) == (5000, 30)
    (split,) = recipe.splits
    assert split.by == "donor"
    assert split.shares == {"train": 0.7, "validation": 0.15, "test": 0.15}


def test_the_shipped_recipe_makes_a_store_of_the_stand_in_once_its_rules_fit_the_size(census_stand_in, tmp_path, obs):
    recipe = load_recipe("census-human").model_copy(update={"keep": Keep(cells_per_type=60, donors_per_type=10)})
    sources = open_sources(recipe, downloads=tmp_path, stand_in=str(census_stand_in))
    build_store(recipe, sources, tmp_path / "store")
    store = Store(tmp_path / "store")
    stored = pd.concat([shard.cells() for _, shard in store.shards()])
    assert 0 < len(store) < len(obs)
    assert set(stored["assay"]) == {"10x 3' v1", "10x 3' v2", "10x 3' v3", "10x 5' v2"}
    split = read_split(store.folder, "donors")
    side = pd.Series(split.side_of(stored))
    assert set(side) == {"train", "validation", "test"}
    known = (stored["donor_id"] != "unknown").to_numpy()
    assert (side[known].groupby(stored["donor_id"].to_numpy()[known]).nunique() == 1).all()


def test_a_run_that_broke_off_goes_on_and_gives_the_bytes_of_one_that_did_not(census_stand_in, tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "BLOCK", 100)
    recipe = Recipe.model_validate({"name": "all", "sources": [{"census": RELEASE}]})

    def build(folder: Path) -> None:
        build_store(
            recipe, open_sources(recipe, downloads=tmp_path, stand_in=str(census_stand_in)), folder, shard_cells=256
        )

    build(tmp_path / "whole")
    with monkeypatch.context() as patch:
        real, read = reader.read_counts, []

        def broken(*given):
            read.append(given)
            if len(read) > 7:
                raise DownloadError("the line is cut")
            return real(*given)

        patch.setattr(reader, "read_counts", broken)
        with pytest.raises(DownloadError):
            build(tmp_path / "broken")
    build(tmp_path / "broken")
    written = [
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "whole", tmp_path / "broken")
    ]
    assert written[0] == written[1]


def test_a_recipe_can_split_by_release(census_stand_in, tmp_path):
    text = f"""
name: newer
sources:
  - census: "{RELEASE}"
    uri: {census_stand_in / "census"}
    earlier: ["{census_stand_in / "earlier"}"]
splits:
  - {{name: newer, by: release, after: 2024-07-01, shared_donors: drop}}
"""
    (tmp_path / "newer.yaml").write_text(text)
    recipe = load_recipe(tmp_path / "newer.yaml")
    build_store(recipe, open_sources(recipe, downloads=tmp_path), tmp_path / "store")
    split = read_split(tmp_path / "store", "newer")
    assert len(split.members["test"]) == 2
    assert split.cells["test"] > 0
    assert split.cells["dropped"] > 0


def test_a_copy_of_another_release_is_refused(census_stand_in):
    source = CensusCells(CensusSource(census=RELEASE), name="census", copy=str(census_stand_in / "earlier"))
    with pytest.raises(ConfigError, match=r"is the Census of 2023-12-15; the recipe asks for 2025-11-08"):
        source.table()


def test_what_is_no_census_is_refused(uri, tmp_path):
    human = f"{uri}/census_data/homo_sapiens"
    with pytest.raises(FileFormatError, match="is no Census"), open_census(RELEASE, human):
        pass
    with pytest.raises(FileFormatError, match="there is nothing that TileDB can open"), open_census(str(tmp_path)):
        pass


def test_a_census_without_its_own_matrix_of_measured_genes_measures_the_genes_that_it_lists(cells, monkeypatch):
    monkeypatch.setattr(module, "PRESENCE", "no such matrix")
    source = cells(value_filter="assay == 'inDrop'")
    (block,) = source.blocks(source.table())
    assert all(measured.all() for measured in block.measured.values())


def test_data_sets_can_not_be_named_by_the_recipe():
    with pytest.raises(ConfigError, match="take 'dataset' out of the recipe"):
        CensusCells(CensusSource(census=RELEASE, dataset="tissue"), name="census")


@pytest.mark.parametrize(
    ("value_filter", "problem"),
    [("assay = 'inDrop' please", "Could not parse"), ("mood == 'good'", "mood does not exist")],
)
def test_a_filter_that_can_not_be_is_refused_with_what_is_wrong(cells, value_filter, problem):
    with pytest.raises(ConfigError, match=f"The filter .* can't be used: .*{problem}"):
        cells(value_filter=value_filter).table()


def test_a_filter_that_no_cell_passes_is_refused(cells):
    with pytest.raises(FileFormatError, match="no cell passes the filter \"donor_id == 'nobody'\""):
        cells(value_filter="donor_id == 'nobody'").table()


def test_a_release_is_asked_for_by_its_name(monkeypatch, uri):
    asked = []

    def open_soma(*, census_version, context):
        asked.append((census_version, context.tiledb_config["soma.init_buffer_bytes"]))
        return real(uri=uri, context=context)

    real = cellxgene_census.open_soma
    monkeypatch.setattr(cellxgene_census, "open_soma", open_soma)
    with open_census(RELEASE) as opened:
        assert "census_data" in opened
    assert asked == [(RELEASE, 64 * 2**20)]


@pytest.mark.parametrize(
    ("error", "told", "problem"),
    [
        (requests.ConnectionError("no route"), DownloadError, "can't be reached. Try again with a network, or give"),
        (ValueError("not valid"), ConfigError, "There is no Census release '2025-11-08'"),
    ],
)
def test_a_release_that_can_not_be_had_is_told_in_a_sentence(monkeypatch, error, told, problem):
    def fail(**_):
        raise error

    monkeypatch.setattr(cellxgene_census, "open_soma", fail)
    with pytest.raises(told, match=problem), open_census(RELEASE):
        pass


def test_a_recipe_may_say_nothing_else_about_the_census():
    with pytest.raises(ValidationError, match="organism"):
        CensusSource(census=RELEASE, organism="mus_musculus")
