"""annotate with an index: what the matches say stands beside the classifier's answers, which stay as they are."""

from __future__ import annotations

import json
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import spoticell
from spoticell import keys
from spoticell.annotation.evidence import AGREEMENTS, RULE
from spoticell.annotation.matches import Matcher, open_for
from spoticell.api import annotate
from spoticell.biology.ontology import load_ontology
from spoticell.cli.app import app
from spoticell.errors import SearchError
from spoticell.index import COLUMNS, Index, ReferenceCells, create_index, set_background
from spoticell.index.background import background_of
from spoticell.report.page import render

MATCHED = [name.format(key="spoticell") for name in keys.MATCHED]
ERYTHROBLAST = "CL:0000765"


def reference_cells(adata: anndata.AnnData, bundle, study: str) -> ReferenceCells:
    """Cells with a label, as an index takes them."""
    named = spoticell.annotate(adata[adata.obs[keys.LABEL] != "unknown"], model=bundle, copy=True).adata
    terms = named.obs[keys.LABEL].astype(str).to_numpy()
    table = pd.DataFrame("", index=range(len(terms)), columns=list(COLUMNS)).assign(
        term=terms, cell_type=[load_ontology().name(term) for term in terms], study=study, dataset=study
    )
    return ReferenceCells(named.obsm["X_spoticell"], list(named.obs_names), table)


def make_index(folder: Path, bundle, **studies: anndata.AnnData) -> Path:
    bundle = spoticell.load_bundle(bundle) if isinstance(bundle, str) else bundle
    create_index(folder, bundle, (reference_cells(adata, bundle, study) for study, adata in studies.items()))
    index = Index(folder)
    rows = np.arange(index.n_cells)
    background = background_of(lambda: [index.fingerprints_of(rows)], index.groups, index.group_of(rows))
    set_background(folder, background.model_dump(mode="json"))
    return folder


def with_erythroblasts(adata: anndata.AnnData, markers: frozenset[str], *, seed: int) -> anndata.AnnData:
    """Turn the fibroblasts, genes and label, into a type that the tiny bundle has never seen."""
    rng = np.random.default_rng(seed)
    others = [place for place, symbol in enumerate(adata.var_names) if symbol not in markers][:4]
    changed = (adata.obs[keys.LABEL] == "CL:0000057").to_numpy()
    counts_nv = adata.X.toarray()
    counts_nv[changed] = rng.poisson(0.3, size=(changed.sum(), counts_nv.shape[1]))
    counts_nv[np.ix_(changed, others)] += rng.poisson(60, size=(changed.sum(), 4))
    obs = adata.obs.assign(**{keys.LABEL: np.where(changed, ERYTHROBLAST, adata.obs[keys.LABEL].astype(str))})
    return anndata.AnnData(counts_nv, obs=obs, var=adata.var)


@pytest.fixture(scope="session")
def index_folder(tmp_path_factory, tiny_bundle, make_tiny_cells) -> Path:
    """Three studies of all types of the tiny bundle."""
    studies = {f"study_{seed}": make_tiny_cells(per_type=20, seed=seed) for seed in (1, 2, 3)}
    return make_index(tmp_path_factory.mktemp("index") / "tiny-index", tiny_bundle, **studies)


@pytest.fixture
def annotation(tiny_h5ad, tiny_bundle, index_folder, tmp_path):
    return annotate(tiny_h5ad, tmp_path / "out.csv", model=tiny_bundle, index=index_folder)


def test_the_matches_name_the_cells_and_agree_with_the_classifier(tiny_cells, tiny_bundle, index_folder, tiny_answers):
    spoticell.annotate(tiny_cells, model=tiny_bundle, index=index_folder)
    obs = tiny_cells.obs
    assert obs["spoticell_match_cell_type_ontology_term_id"].tolist() == tiny_answers
    assert obs["spoticell_agrees"].tolist() == ["agree"] * 30 + ["unknown"]
    assert (obs["spoticell_match_studies"][:30] == 3).all()
    assert (obs["spoticell_match_count"][:30] > 15).all()
    assert list(obs["spoticell_agrees"].cat.categories) == list(AGREEMENTS)


def test_the_classifiers_own_columns_stay_as_they_are(tiny_cells, tiny_bundle, index_folder):
    alone = spoticell.annotate(tiny_cells, model=tiny_bundle, copy=True).adata
    beside = spoticell.annotate(tiny_cells, model=tiny_bundle, index=index_folder, copy=True).adata
    pd.testing.assert_frame_equal(beside.obs[alone.obs.columns], alone.obs)
    assert [name for name in beside.obs if name not in alone.obs] == MATCHED


def test_an_empty_cell_has_no_matches_and_is_not_novel(tiny_cells, tiny_bundle, index_folder):
    spoticell.annotate(tiny_cells, model=tiny_bundle, index=index_folder)
    empty = tiny_cells.obs.iloc[-1]
    assert empty["spoticell_match_cell_type"] == empty["spoticell_match_nearest"] == "unknown"
    assert np.isnan([empty["spoticell_match_similarity"], empty["spoticell_match_p"]]).all()
    assert not empty["spoticell_novel"]


def test_a_type_that_no_network_was_trained_on_is_learned_by_adding_its_cells(
    tmp_path, tiny_bundle, index_folder, make_tiny_cells, tiny_markers
):
    def cells(seed: int) -> anndata.AnnData:
        return with_erythroblasts(make_tiny_cells(per_type=20, seed=seed), tiny_markers, seed=seed)

    query = cells(9)
    is_new = (query.obs[keys.LABEL] == ERYTHROBLAST).to_numpy()
    spoticell.annotate(query, model=tiny_bundle, index=index_folder)
    assert "erythroblast" not in set(query.obs["spoticell_match_cell_type"][is_new])
    assert query.obs["spoticell_novel"][is_new].all()
    studies = {f"study_{seed}": cells(seed) for seed in (1, 2)}
    spoticell.annotate(query, model=tiny_bundle, index=make_index(tmp_path / "with", tiny_bundle, **studies))
    assert (query.obs["spoticell_match_cell_type"][is_new] == "erythroblast").all()
    assert "erythroblast" not in set(query.obs["spoticell_cell_type"])
    assert not query.obs["spoticell_novel"][is_new].any()


def test_a_file_and_an_object_get_the_same_columns(tiny_h5ad, tiny_cells, tiny_bundle, index_folder, tmp_path):
    annotate(tiny_h5ad, tmp_path / "out.h5ad", model=tiny_bundle, index=index_folder)
    spoticell.annotate(tiny_cells, model=tiny_bundle, index=index_folder)
    written = anndata.read_h5ad(tmp_path / "out.h5ad")
    pd.testing.assert_frame_equal(written.obs[MATCHED], tiny_cells.obs[MATCHED], check_categorical=False)
    assert written.obs["spoticell_novel"].dtype == bool
    assert written.uns["spoticell"]["index"]["references"] == Index(index_folder).n_cells
    assert written.uns["spoticell"]["index"]["sha256"] == tiny_cells.uns["spoticell"]["index"]["sha256"]


def test_the_csv_file_holds_them_too(annotation, tmp_path):
    table = pd.read_csv(tmp_path / "out.csv")
    assert list(table.columns)[-len(MATCHED) :] == MATCHED
    assert set(table["spoticell_novel"]) == {False}
    assert table["spoticell_match_count"].dtype.kind == "i"


def test_columns_of_an_earlier_index_do_not_outlive_it(tiny_h5ad, tiny_bundle, index_folder, tmp_path):
    first, second = tmp_path / "first.h5ad", tmp_path / "second.h5ad"
    annotate(tiny_h5ad, first, model=tiny_bundle, index=index_folder)
    annotate(first, second, model=tiny_bundle)
    assert not set(anndata.read_h5ad(second).obs) & set(MATCHED)
    adata = anndata.read_h5ad(first)
    spoticell.annotate(adata, model=tiny_bundle)
    assert not set(adata.obs) & set(MATCHED)
    assert "index" not in adata.uns["spoticell"]


def test_cells_in_blocks_match_as_all_at_once(tiny_cells, tiny_bundle, index_folder):
    fingerprint_nd = spoticell.annotate(tiny_cells, model=tiny_bundle, copy=True).adata.obsm["X_spoticell"]
    whole, parts = (Matcher(open_for(tiny_bundle, index)) for index in (index_folder, Index(index_folder)))
    whole.add(fingerprint_nd)
    for start in range(0, len(fingerprint_nd), 7):
        parts.add(fingerprint_nd[start : start + 7])
    np.testing.assert_array_equal(whole.finish().terms_n, parts.finish().terms_n)
    assert len(Matcher(Index(index_folder)).finish().evidence) == 0


def test_a_matcher_searches_with_as_many_threads_as_it_is_given(index_folder, tiny_bundle):
    assert open_for(tiny_bundle, index_folder, threads=1).threads == 1


def test_an_index_of_another_bundle_is_refused_before_any_work(tiny_h5ad, tmp_path, index_folder):
    with pytest.raises(SearchError, match="can't be compared"):
        annotate(tiny_h5ad, tmp_path / "out.h5ad", index=index_folder)
    assert not (tmp_path / "out.h5ad").exists()


def test_the_summary_counts_what_the_columns_say(annotation):
    found = annotation.matches.summary(annotation.terms_n)
    assert [found[key] for key in ("matched", "no_type", "agree", "compatible", "conflict")] == [30, 1, 30, 0, 0]
    assert sum(row["cells"] for row in found["types"]) == 30
    assert found["matches"] == RULE.matches
    assert json.loads(json.dumps(found)) == found


def test_the_command_says_how_far_matches_and_classifier_agree(tiny_h5ad, tiny_bundle_folder, index_folder, tmp_path):
    words = ["annotate", str(tiny_h5ad), "-o", str(tmp_path / "out.csv"), "--json", "--index", str(index_folder)]
    words += ["--bundle", str(tiny_bundle_folder), "--report", str(tmp_path / "page.html")]
    outcome = CliRunner().invoke(app, words)
    assert outcome.exit_code == 0
    assert "agree with the classifier in 30 cells" in outcome.stderr
    assert "say another type in 0, and agree on no type in 1." in outcome.stderr
    assert "0 cells are novel" in outcome.stderr
    assert json.loads(outcome.stdout)["index"]["agree"] == 30
    assert f"--index {index_folder}" in (tmp_path / "page.html").read_text()


def test_the_report_shows_matches_by_type_and_tells_another_type_from_none(tiny_bundle, make_tiny_cells, tmp_path):
    cells = make_tiny_cells(seed=4)
    cells.write_h5ad(tmp_path / "cells.h5ad")
    swapped = make_tiny_cells(per_type=20, seed=1)
    names = {"CL:0000236": "CL:0000057", "CL:0000057": "CL:0000236"}
    labels = swapped.obs[keys.LABEL].astype(str)
    swapped.obs[keys.LABEL] = labels.map(lambda term: names.get(term, term))
    index = make_index(tmp_path / "swapped", tiny_bundle, swapped=swapped, again=swapped)
    annotation = annotate(tmp_path / "cells.h5ad", tmp_path / "out.csv", model=tiny_bundle, index=index)
    page = render(annotation, examples=annotation.examples, command="x")
    assert "Matches with reference cells" in page
    assert "another type 32.3%" in page
    assert "the matches agree on no type 3.2%" in page
    assert "nearest in <bdi>swapped</bdi>" in page
    assert annotation.matches.sha256 in page


def test_a_report_without_an_index_has_no_word_of_matches(tiny_h5ad, tiny_bundle, tmp_path):
    annotation = annotate(tiny_h5ad, tmp_path / "out.csv", model=tiny_bundle)
    assert "reference cells" not in render(annotation, examples=annotation.examples, command="x")


def test_an_index_of_one_study_gives_matches_but_no_p_values(tiny_h5ad, tiny_bundle, make_tiny_cells, tmp_path):
    index = make_index(tmp_path / "one", tiny_bundle, only=make_tiny_cells(per_type=20, seed=1))
    annotation = annotate(tiny_h5ad, tmp_path / "out.csv", model=tiny_bundle, index=index)
    assert np.isnan(annotation.matches.evidence.p_n).all()
    assert (annotation.matches.evidence.answer_n >= 0).sum() == 30
    assert "no second study" in render(annotation, examples=annotation.examples, command="x")


@pytest.mark.real
def test_real_cells_match_their_types_in_other_studies(data_folder, tmp_path):
    names = ("pbmc5k_protein_v3_scvitest", "pbmc10k_protein_v3_scvitest", "tcell_citeseq_trex")
    studies = {name: anndata.read_h5ad(data_folder / "train" / f"{name}.h5ad") for name in names}
    index = make_index(tmp_path / "index", "human-v1", **studies)
    query = anndata.read_h5ad(data_folder / "test" / "mimitou2019_eccite_pbmc_citefuse.h5ad")
    spoticell.annotate(query, index=index)
    figures = spoticell.annotation.figures.score(
        query.obs[keys.LABEL].tolist(), query.obs["spoticell_match_cell_type_ontology_term_id"].tolist()
    )
    assert figures["hierarchical_f1"] > 0.9
    assert query.obs["spoticell_match_studies"].max() == 3
