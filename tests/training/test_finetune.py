import json
from dataclasses import replace

import anndata
import numpy as np
import pytest
import torch

import spoticell.training.finetune as teaching
from spoticell.biology.genes import load_vocabulary
from spoticell.errors import BundleError, TrainingError
from spoticell.model.bundle import load_bundle
from spoticell.model.runtime import Runtime
from spoticell.training.data.labelled import read_labelled
from spoticell.training.data.supply import FolderSupply
from spoticell.training.export import About, export_bundle
from spoticell.training.finetune import finetune
from spoticell.training.loop import Run
from spoticell.training.pretrained import load_start
from spoticell.training.rehearsal import EACH
from spoticell.training.validate import predict

TYPES = ("CL:0000084", "CL:0000236", "CL:0000623", "CL:0000057", "CL:0000115", "CL:0000576")
NEW = "CL:0000576"  # monocyte


@pytest.fixture(scope="module")
def config(small_config):
    """Batches of few more cells than types learn as much in a fifth of the steps."""
    return small_config.model_copy(update={"batch_size": 64})


@pytest.fixture(scope="module", autouse=True)
def few_steps():
    """So few cells need neither sixteen thousand views nor six hundred steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teaching, "FEWEST_VIEWS", 2048)
        patch.setattr(teaching, "STEPS", 150)
        yield


@pytest.fixture(scope="module")
def folder(make_labelled, tmp_path_factory):
    """Cells of six types, the last of which is new."""
    folder = tmp_path_factory.mktemp("six")
    make_labelled(seed=0, n_cells=180, types=TYPES).write_h5ad(folder / "six.h5ad")
    return folder


@pytest.fixture(scope="module")
def cells(folder):
    return read_labelled(folder, load_vocabulary())


@pytest.fixture(scope="module")
def known(cells, config, tmp_path_factory):
    """A bundle that has learned five of the types."""
    output = tmp_path_factory.mktemp("known")
    some = cells.take(np.flatnonzero(cells.label_n != NEW))
    config = config.model_copy(update={"cells_per_epoch": 1200})
    # room for a type that is not known yet
    config = config.model_copy(update={"network": config.network.model_copy(update={"fingerprint": 32})})
    supply = FolderSupply(some, config, rng=np.random.default_rng(0))
    run = Run(supply, load_vocabulary(), config, output=output, random_state=0)
    run.fit()
    return export_bundle(run.trained(), output / "bundle", About())


def test_new_labels_are_unlikely_before_anything_is_learned(known, cells):
    start = load_start(known)
    labels = sorted(TYPES)
    before_nd, before_no = predict(start.network(), cells)
    after_nd, after_nc = predict(start.widened(labels), cells)
    np.testing.assert_allclose(after_nc[:, [labels.index(label) for label in start.labels]], before_no, atol=1e-5)
    np.testing.assert_array_equal(before_nd, after_nd)
    assert (after_nc.argmax(axis=1) != labels.index(NEW)).mean() > 0.9


@pytest.fixture(scope="module")
def taught(known, folder, config, tmp_path_factory):
    output = tmp_path_factory.mktemp("taught") / "run"
    return output, finetune(known, folder, output, config)


def test_a_taught_model_knows_the_new_type_and_keeps_the_old_ones(known, taught):
    bundle, old = load_bundle(taught[1]), load_bundle(known)
    assert set(bundle.manifest.labels) == set(TYPES)
    assert (bundle.manifest.threshold, bundle.vocabulary) == (old.manifest.threshold, old.vocabulary)
    figures = json.loads((taught[0] / "per_type_metrics.json").read_text())
    assert {term: row["f1"] > 0.8 for term, row in figures.items()} == dict.fromkeys(bundle.manifest.labels, True)
    record = json.loads((taught[0] / "params.json").read_text())
    assert record["taught_sha256"] == old.sha256
    assert "taught 1 new labels (monocyte) and 5 that it had" in (taught[0] / "summary.txt").read_text()


def test_fingerprints_stay_as_they_were(known, taught, cells):
    before, after = (
        Runtime(load_bundle(path), threads=1).predict(cells.counts_ng[:20], cells.measured_sg[0]).fingerprint_nd
        for path in (known, taught[1])
    )
    np.testing.assert_allclose(before, after, atol=1e-6)
    assert (known / "code.npy").read_bytes() == (taught[1] / "code.npy").read_bytes()


@pytest.mark.slow
def test_cells_of_new_types_alone_do_not_make_a_model_forget(known, folder, config, tmp_path, cells):
    only = tmp_path / "only"
    only.mkdir()
    adata = anndata.read_h5ad(folder / "six.h5ad")
    adata[(adata.obs["cell_type_ontology_term_id"] == NEW).to_numpy()].copy().write_h5ad(only / "new.h5ad")
    bundle = load_bundle(finetune(known, only, tmp_path / "run", config))
    answers = Runtime(bundle, threads=1).predict(cells.counts_ng, cells.measured_sg[0]).probabilities_nm
    column_c = [bundle.nodes.index(label) for label in bundle.manifest.labels]
    answer_n = np.array(bundle.manifest.labels)[answers[:, column_c].argmax(axis=1)]
    assert np.mean(answer_n == cells.label_n) > 0.85


def test_a_taught_model_can_be_taught_again(taught):
    start = load_start(taught[1])
    assert start.labels == tuple(sorted(TYPES))
    assert set(start.examples.label_k.tolist()) == set(range(6))
    assert torch.bincount(start.examples.label_k).max() <= EACH


@pytest.mark.slow
def test_the_same_seed_teaches_the_same(known, folder, config, tmp_path, taught):
    again = finetune(known, folder, tmp_path / "run", config)
    assert (again / "weights.safetensors").read_bytes() == (taught[1] / "weights.safetensors").read_bytes()


def test_a_folder_with_a_bundle_in_it_is_not_taught_into(known, taught, folder, config):
    with pytest.raises(TrainingError, match="holds a trained bundle already"):
        finetune(known, folder, taught[0], config)


def test_examples_are_of_every_label_and_of_unit_length(known):
    examples = load_start(known).examples
    assert set(examples.label_k.tolist()) == set(range(5))
    torch.testing.assert_close(
        examples.fingerprint_kd.norm(dim=1), torch.ones(len(examples.label_k)), atol=2e-3, rtol=0
    )


def test_a_bundle_without_weights_can_not_be_taught(tiny_bundle_folder):
    with pytest.raises(BundleError, match=r"brings no weights.safetensors and can't be taught"):
        load_start(tiny_bundle_folder)


def test_the_packaged_bundle_can_be_taught():
    start = load_start("human-v1")
    assert start.network().labels.out_features == len(start.labels)


def test_weights_of_another_shape_are_refused(known):
    start = load_start(known)
    cut = {name: value[:1] if value.ndim else value for name, value in start.weights.items()}
    with pytest.raises(BundleError, match="of a network that this release can't build"):
        replace(start, weights=cut).network()


def test_a_network_is_built_in_the_shape_that_its_weights_tell(known, config):
    assert load_start(known).config == config.network.model_copy(update={"fingerprint": 32})
