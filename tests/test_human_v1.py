"""The bundles that travel with the package, on real cells."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from tests.browser.cases import ORGANS, typical_cells

import spoticell
from spoticell.annotation.figures import score
from spoticell.biology.ontology import TOO_GENERAL
from spoticell.model.bundle import load_bundle, packaged_bundles

LABEL, ANSWER, NAME = "cell_type_ontology_term_id", "spoticell_cell_type_ontology_term_id", "spoticell_cell_type"
LARGEST = 12_000_000


@pytest.fixture(scope="module", params=packaged_bundles())
def bundle(request):
    return load_bundle(request.param)


def test_it_is_small_and_knows_many_types(bundle):
    assert sum(record.bytes for record in bundle.manifest.files.values()) <= LARGEST
    assert len(set(bundle.manifest.labels) - TOO_GENERAL) >= 100
    assert set(bundle.manifest.files) == {
        "model.onnx",
        "weights.safetensors",
        "examples.safetensors",
        "genes.tsv",
        "code.npy",
        "MODEL_CARD.md",
    }


def test_its_card_names_every_source_with_a_licence(bundle):
    card = bundle.read("MODEL_CARD.md").decode()
    assert len(bundle.manifest.sources) >= 18
    for source in bundle.manifest.sources:
        assert source.licence
        assert source.name in card


def test_its_files_say_nothing_of_the_machine_they_were_made_on(bundle):
    for name in bundle.manifest.files:
        contents = bundle.read(name)
        assert b"site-packages" not in contents
        assert b"/home/" not in contents


@pytest.fixture(scope="module")
def blood(data_folder) -> anndata.AnnData:
    cells = anndata.read_h5ad(data_folder / "test" / "kang2018_ifnb_pbmc.h5ad")
    return cells[np.random.default_rng(0).choice(cells.n_obs, 600, replace=False)].copy()


def annotated(cells: anndata.AnnData, **asked) -> anndata.AnnData:
    return spoticell.annotate(cells, copy=True, **asked).adata


@pytest.mark.real
def test_blood_cells_of_another_laboratory_are_named(blood):
    figures = score(blood.obs[LABEL].tolist(), annotated(blood).obs[ANSWER].tolist())
    assert figures["hierarchical_f1"] > 0.85
    assert figures["coverage"] > 0.9


def test_a_file_of_several_organs_is_answered_by_types_of_each():
    table = typical_cells(80, markers=ORGANS)
    cells = anndata.AnnData(sparse.csr_matrix(table.values_nv), var=pd.DataFrame(index=table.genes))
    done = annotated(cells)
    assert set(done.uns["spoticell"]["tissues"]) == {"pancreas", "liver", "brain"}
    assert done.obs[NAME].astype(str).tolist() == [list(ORGANS)[n % len(ORGANS)] for n in range(80)]


@pytest.mark.real
def test_neither_the_order_of_genes_nor_that_of_cells_matters(blood):
    rng = np.random.default_rng(1)
    plain = annotated(blood)
    shuffled = annotated(blood[rng.permutation(blood.n_obs), rng.permutation(blood.n_vars)].copy())[blood.obs_names]
    pd.testing.assert_series_equal(plain.obs[ANSWER].astype(str), shuffled.obs[ANSWER].astype(str))
    np.testing.assert_allclose(plain.obs["spoticell_score"], shuffled.obs["spoticell_score"], atol=1e-4)


@pytest.mark.real
def test_a_cell_alone_gets_what_it_gets_among_others(blood):
    # a single cell can't be told from anything by its neighbours, so whole numbers alone must do, and shows no tissue
    together = annotated(blood, tissue="blood", each_cell_alone=True)
    for cell in blood.obs_names[:5]:
        alone = annotated(blood[[cell]].copy(), tissue="blood", each_cell_alone=True)
        np.testing.assert_allclose(
            alone.obsm["spoticell_probabilities"][0], together[[cell]].obsm["spoticell_probabilities"][0], atol=1e-4
        )


@pytest.mark.real
def test_log_normalised_cells_get_the_answers_of_their_counts(blood):
    logged = blood.copy()
    total = np.asarray(logged.X.sum(axis=1))
    logged.X = logged.X.multiply(1e4 / total).tocsr().log1p()
    same = annotated(blood).obs[ANSWER].astype(str) == annotated(logged).obs[ANSWER].astype(str)
    assert same.mean() == 1.0


@pytest.mark.real
@pytest.mark.parametrize("name", ["he2020_marrow_421genes_ref", "cosmx_nsclc_960_profast", "pbmc68k_reduced"])
def test_panels_are_answered(data_folder, name):
    cells = anndata.read_h5ad(data_folder / "test" / f"{name}.h5ad")
    figures = score(cells.obs[LABEL].astype(str).tolist(), annotated(cells).obs[ANSWER].tolist())
    assert figures["hierarchical_f1"] > 0.55
