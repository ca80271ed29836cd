import anndata
import numpy as np
import pytest
from scipy import sparse
from tests.conftest import tiny_adata

from spoticell import annotate
from spoticell.annotation import looks
from spoticell.annotation.decision import can_read_together, together_of
from spoticell.annotation.options import Options
from spoticell.biology import neighbours
from spoticell.model.bundle import load_bundle
from spoticell.model.calibration import Calibration, Together

SINGLE = "spoticell_single_cell_type"
TYPE = "spoticell_cell_type"


def sample(*, per_type=40, seed=0):
    """Give many cells of each type, some of them so shallow that alone they are unsure."""
    rng = np.random.default_rng(seed)
    cells = tiny_adata(per_type=per_type, seed=seed)[:-1].copy()
    depth_n = rng.choice([0.8, 0.01], size=len(cells), p=[0.8, 0.2])
    cells.X = sparse.csr_matrix(rng.binomial(cells.X.toarray().astype(int), depth_n[:, None]).astype(np.float32))
    return cells


def unknown(cells, column):
    """Count the cells without an answer."""
    return int((cells.obs[column] == "unknown").sum())


@pytest.fixture
def cells(tiny_bundle):
    cells = sample()
    annotate(cells, model=tiny_bundle, threshold=0.9)
    return cells


def test_unsure_cells_are_named_by_the_company_they_keep(cells):
    assert unknown(cells, TYPE) < unknown(cells, SINGLE)
    assert cells.obs["spoticell_score"].mean() > cells.obs["spoticell_single_score"].mean()
    sure = cells.obs["spoticell_n_counts_used"] > 20
    assert (cells.obs[TYPE] == cells.obs[SINGLE])[sure].all()


def test_each_cell_alone_gives_the_answers_of_the_first_look_and_removes_their_columns(cells, tiny_bundle):
    single = cells.obs[SINGLE].tolist()
    annotation = annotate(cells, model=tiny_bundle, threshold=0.9, each_cell_alone=True)
    assert cells.obs[TYPE].tolist() == single
    assert SINGLE not in cells.obs
    assert annotation.single_n is None
    assert annotation.changed == 0


@pytest.mark.parametrize("landmarks", [10_000, 60])
def test_the_same_cells_in_another_order_get_the_same_answers(cells, tiny_bundle, monkeypatch, landmarks):
    monkeypatch.setattr(neighbours, "LANDMARKS", landmarks)
    monkeypatch.setattr(neighbours, "PART", 30)
    order = np.random.default_rng(1).permutation(len(cells))
    turned = cells[order].copy()
    for each in (cells, turned):
        annotate(each, model=tiny_bundle, threshold=0.9)
    assert turned.obs[TYPE].tolist() == cells.obs[TYPE].iloc[order].tolist()
    np.testing.assert_allclose(turned.obs["spoticell_score"], cells.obs["spoticell_score"].iloc[order], atol=1e-3)


def test_a_long_source_is_read_in_parts_and_every_cell_is_answered_once(cells, tiny_bundle, monkeypatch):
    monkeypatch.setattr(looks, "MOST", 50)
    monkeypatch.setattr("spoticell.annotation.first_blocks.STEP", 16)
    steps = []
    annotate(cells, model=tiny_bundle, threshold=0.9, on_progress=lambda done, total: steps.append(done / total))
    assert (cells.obs[TYPE] != "unknown").mean() > 0.5
    assert unknown(cells, TYPE) < unknown(cells, SINGLE)
    assert steps == sorted(steps)
    assert steps[-1] == 1


def test_cells_of_different_samples_are_not_read_together(tiny_bundle):
    cells = sample()
    cells.obs["sample"] = [f"s{n}" for n in range(len(cells) // 2) for _ in range(2)]
    twins = annotate(cells.copy(), model=tiny_bundle, threshold=0.9, by="sample")
    assert twins.changed < annotate(cells.copy(), model=tiny_bundle, threshold=0.9).changed


def test_a_cell_that_has_no_company_is_answered_as_alone(tiny_cells, tiny_bundle):
    for row in (0, 12, 29):
        annotation = annotate(tiny_cells[[row]].copy(), model=tiny_bundle)
        np.testing.assert_array_equal(annotation.answer_n, annotation.single_n)
        np.testing.assert_allclose(annotation.score_n, annotation.single_score_n, atol=1e-3)


def test_empty_droplets_are_no_neighbours(tiny_bundle, monkeypatch):
    monkeypatch.setattr(neighbours, "LANDMARKS", 240)
    full = sample()
    empty = anndata.AnnData(sparse.csr_matrix((2000, full.n_vars), dtype=np.float32), var=full.var.copy())
    empty.obs_names = [f"empty-{n}" for n in range(2000)]
    both = anndata.concat([full, empty], merge="same")
    for each in (full, both):
        annotate(each, model=tiny_bundle, threshold=0.9)
    assert both.obs[TYPE].tolist()[: len(full)] == full.obs[TYPE].tolist()
    assert set(both.obs[TYPE].iloc[len(full) :]) == {"unknown"}


def test_a_part_of_empty_droplets_alone_is_answered_too(tiny_bundle, monkeypatch):
    full = sample(per_type=10)
    empty = anndata.AnnData(sparse.csr_matrix((120, full.n_vars), dtype=np.float32), var=full.var.copy())
    empty.obs_names = [f"empty-{n}" for n in range(120)]
    both = anndata.concat([full, empty], merge="same")
    monkeypatch.setattr(looks, "MOST", 61)
    monkeypatch.setattr("spoticell.annotation.first_blocks.STEP", 20)
    annotate(both, model=tiny_bundle, threshold=0.9)
    assert (both.obs[TYPE].iloc[:60] != "unknown").mean() > 0.5
    assert set(both.obs[TYPE].iloc[60:]) == {"unknown"}


def test_a_denied_type_stays_denied_when_cells_are_read_together(cells, tiny_bundle):
    annotation = annotate(cells, model=tiny_bundle, threshold=0.0, deny=["T cell"])
    t_cells = {m for m, term in enumerate(tiny_bundle.nodes) if term in {"CL:0000084", "CL:0000624", "CL:0000625"}}
    assert not t_cells & set(annotation.answer_n.tolist())


def test_a_model_that_calibrates_single_nodes_names_each_cell_alone(tiny_cells, tiny_bundle_folder, tmp_path):
    bundle = load_bundle(tiny_bundle_folder)
    old = bundle.manifest.model_copy(update={"calibration": Calibration(slope=1, depth=0, intercept=0)})
    object.__setattr__(bundle, "manifest", old)
    assert not can_read_together(bundle)
    assert annotate(tiny_cells, model=bundle).single_n is None


def test_a_model_says_how_it_is_read_together_or_else_a_middling_power_holds(tiny_bundle):
    assert together_of(tiny_bundle).power > 0
    says = tiny_bundle.manifest.model_copy(update={"together": Together(power=0.2)})
    bundle = load_bundle(tiny_bundle.path)
    object.__setattr__(bundle, "manifest", says)
    assert together_of(bundle).power == 0.2


def test_the_option_is_repeated_in_commands():
    asked = Options(each_cell_alone=True)
    assert asked.command("a.h5ad", "b.h5ad").endswith(" --each-cell-alone")
    assert "each_cell_alone=True" in asked.python("a.h5ad", "b.h5ad")
