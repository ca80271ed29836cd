"""The stand-in has the layout of the Census, so what works with it has a chance with the Census itself."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from spoticell.biology.genes import load_vocabulary
from spoticell.corpus.original import original_datasets
from spoticell.corpus.sources.tiledb import context

cellxgene_census = pytest.importorskip("cellxgene_census", reason="the extra 'census' is not installed")

pytestmark = pytest.mark.soma

OBS = [
    "soma_joinid",
    "dataset_id",
    "assay",
    "assay_ontology_term_id",
    "cell_type",
    "cell_type_ontology_term_id",
    "development_stage",
    "development_stage_ontology_term_id",
    "disease",
    "disease_ontology_term_id",
    "donor_id",
    "is_primary_data",
    "observation_joinid",
    "self_reported_ethnicity",
    "self_reported_ethnicity_ontology_term_id",
    "sex",
    "sex_ontology_term_id",
    "suspension_type",
    "tissue",
    "tissue_ontology_term_id",
    "tissue_type",
    "tissue_general",
    "tissue_general_ontology_term_id",
    "raw_sum",
    "nnz",
    "raw_mean_nnz",
    "raw_variance_nnz",
    "n_measured_vars",
]
"""Columns about cells in the Census schema 2.4.0."""


@pytest.fixture
def census(census_stand_in: Path):
    with cellxgene_census.open_soma(uri=str(census_stand_in / "census"), context=context()) as opened:
        yield opened


def read(frame) -> pd.DataFrame:
    return frame.read().concat().to_pandas()


def test_the_census_library_opens_it_and_its_tables_are_those_of_the_schema(census):
    human = census["census_data"]["homo_sapiens"]
    assert sorted(census["census_info"]) == ["datasets", "organisms", "summary", "summary_cell_counts"]
    assert human.obs.schema.names == OBS
    var = ["soma_joinid", "feature_id", "feature_name", "feature_type", "feature_length", "nnz", "n_measured_obs"]
    assert human.ms["RNA"].var.schema.names == var
    assert human.ms["RNA"].X["raw"].schema.field("soma_data").type == "float"


@pytest.mark.filterwarnings("ignore:Transforming to str index")
def test_the_census_library_gives_cells_as_anndata(census):
    brain = cellxgene_census.get_anndata(census, "Homo sapiens", obs_value_filter="tissue_general == 'brain'")
    obs = read(census["census_data"]["homo_sapiens"].obs)
    assert brain.n_obs == (obs["tissue_general"] == "brain").sum() > 0
    assert np.allclose(np.asarray(brain.X.sum(axis=1)).ravel(), brain.obs["raw_sum"])
    assert (brain.X.getnnz(axis=1) == brain.obs["nnz"]).all()


def test_there_are_several_of_everything_that_is_filtered_by(census):
    obs = read(census["census_data"]["homo_sapiens"].obs)
    for column in ("dataset_id", "donor_id", "assay", "tissue", "disease", "is_primary_data", "cell_type"):
        assert obs[column].nunique() > 1
    assert {"Smart-seq2", "10x 3' v2"} <= set(obs["assay"])
    assert "unknown" in set(obs["donor_id"])


def test_cells_that_are_not_primary_are_those_of_another_data_set_again(census):
    human = census["census_data"]["homo_sapiens"]
    obs = read(human.obs)
    copies = obs[~obs["is_primary_data"]]
    originals = obs[obs["is_primary_data"]].set_index("observation_joinid").loc[copies["observation_joinid"]]
    assert (originals["raw_sum"].to_numpy() == copies["raw_sum"].to_numpy()).all()
    assert not set(originals["dataset_id"]) & set(copies["dataset_id"])


def test_counts_of_cells_and_the_presence_matrix_agree_with_the_matrix(census):
    human = census["census_data"]["homo_sapiens"]
    obs, var, datasets = read(human.obs), read(human.ms["RNA"].var), read(census["census_info"]["datasets"])
    entries = human.ms["RNA"].X["raw"].read().tables().concat().to_pandas()
    assert (entries["soma_dim_1"].value_counts().reindex(var["soma_joinid"], fill_value=0) == var["nnz"]).all()
    presence = cellxgene_census.get_presence_matrix(census, "Homo sapiens").toarray()
    for row, dataset in zip(datasets["soma_joinid"], datasets["dataset_id"], strict=True):
        own = entries[entries["soma_dim_0"].isin(obs["soma_joinid"][obs["dataset_id"] == dataset])]
        assert np.array_equal(np.unique(own["soma_dim_1"]), np.flatnonzero(presence[row]))
    assert (
        datasets["dataset_total_cell_count"] == obs["dataset_id"].value_counts()[datasets["dataset_id"]].array
    ).all()


def test_the_summary_counts_its_cells(census):
    summary = read(census["census_info"]["summary"]).set_index("label")["value"]
    counts = read(census["census_info"]["summary_cell_counts"])
    obs = read(census["census_data"]["homo_sapiens"].obs)
    assert int(summary["total_cell_count"]) == len(obs)
    assert int(summary["unique_cell_count"]) == obs["is_primary_data"].sum()
    for category in ("all", "assay", "cell_type", "disease", "tissue"):
        assert counts["total_cell_count"][counts["category"] == category].sum() == len(obs)


def test_the_earlier_release_lacks_some_data_sets(census, census_stand_in):
    now = set(read(census["census_info"]["datasets"])["dataset_id"])
    with cellxgene_census.open_soma(uri=str(census_stand_in / "earlier"), context=context()) as earlier:
        assert set(read(earlier["census_info"]["datasets"])["dataset_id"]) < now


def test_stand_ins_of_the_seven_files_have_types_and_diseases_to_keep_and_to_leave_out():
    script = import_module("scripts.stand_ins.originals")
    pool = script.one_pool(None)
    for original in original_datasets():
        cells = script.make(original, pool, 120, seed=0)
        assert original.terms < set(cells.obs["cell_type_ontology_term_id"])
        assert set(cells.obs["disease"]) > {"normal"}
        assert list(cells.raw.var_names) == list(load_vocabulary().ids)
        assert (cells.raw.X.data == np.rint(cells.raw.X.data)).all()
        assert not (cells.X.data == np.rint(cells.X.data)).all()


@pytest.mark.real
def test_a_stand_in_of_real_cells_holds_their_counts(data_folder, tmp_path):
    import_module("scripts.stand_ins.census").main([str(tmp_path), "--data", str(data_folder), "--cells", "300"])
    with cellxgene_census.open_soma(uri=str(tmp_path / "census"), context=context()) as opened:
        human = opened["census_data"]["homo_sapiens"]
        obs, var = read(human.obs), read(human.ms["RNA"].var)
        titles = read(opened["census_info"]["datasets"]).set_index("dataset_title")["dataset_id"]
        entries = human.ms["RNA"].X["raw"].read().tables().concat().to_pandas()
    shown = obs[obs["dataset_id"] == titles["baron_human1"]]
    real = anndata.read_h5ad(data_folder / "train" / "baron_human1.h5ad")[: len(shown)]
    assert shown["cell_type_ontology_term_id"].tolist() == real.obs["cell_type_ontology_term_id"].tolist()
    for symbol in ("INS", "GCG"):
        gene = int(var["soma_joinid"][var["feature_name"] == symbol].iloc[0])
        counts = entries[entries["soma_dim_1"] == gene].set_index("soma_dim_0")["soma_data"]
        there = counts.reindex(shown["soma_joinid"], fill_value=0).to_numpy()
        assert (there == np.asarray(real[:, symbol].X.todense()).ravel()).all()
        assert there.any()
