import json

import numpy as np
import pytest
import torch

from spoticell.bundle import load_bundle
from spoticell.errors import BundleError
from spoticell.genes import load_vocabulary
from spoticell.train.cells import read_labelled
from spoticell.train.config import load_config
from spoticell.train.export import About, export_bundle
from spoticell.train.fit import train
from spoticell.train.recall import divergence, rest_norms
from spoticell.train.run import Run
from spoticell.train.start import load_start
from spoticell.train.supply import FolderSupply
from spoticell.train.validate import predict

NEW = "CL:0000057"  # fibroblast


@pytest.fixture(scope="module")
def cells(labelled_folder):
    return read_labelled(labelled_folder, load_vocabulary())


@pytest.fixture(scope="module")
def known(cells, small_config, tmp_path_factory):
    """A bundle that has learned two of the three types of the first data set."""
    output = tmp_path_factory.mktemp("known")
    some = cells.take(np.flatnonzero(cells.label_n != "CL:0000576"))
    config = small_config.model_copy(update={"epochs": 12, "patience": 12, "cells_per_epoch": 480})
    run = Run(
        FolderSupply(some, config, rng=np.random.default_rng(0)),
        load_vocabulary(),
        config,
        output=output,
        random_state=0,
    )
    run.fit()
    return export_bundle(run, output / "bundle", About())


def test_new_labels_are_unlikely_before_anything_is_learned(known, cells):
    start = load_start(known)
    labels = sorted([*start.labels, NEW])
    _, before_no = predict(start.network(), cells)
    fingerprints, after_nc = predict(start.widened(labels), cells)
    np.testing.assert_allclose(after_nc[:, [labels.index(label) for label in start.labels]], before_no, atol=1e-5)
    assert fingerprints.shape[1] == start.config.fingerprint
    assert (after_nc.argmax(axis=1) != labels.index(NEW)).mean() > 0.9


def test_a_taught_model_knows_the_new_type_and_keeps_the_old_ones(known, labelled_folder, small_config, tmp_path):
    settings = {"epochs": 8, "patience": 8, "cells_per_epoch": 480, "learning_rate": 0.003, "weight_average": 0.9}
    config = small_config.model_copy(update=settings)
    taught = load_bundle(train(labelled_folder, tmp_path / "run", config, finetune=known))
    old = load_bundle(known)
    assert set(taught.manifest.labels) == {*old.manifest.labels, "CL:0000576"}
    assert taught.vocabulary == old.vocabulary
    np.testing.assert_array_equal(taught.pixel_g, old.pixel_g)
    record = json.loads((tmp_path / "run" / "params.json").read_text())
    assert record["taught_sha256"] == old.sha256
    figures = json.loads((tmp_path / "run" / "per_type_metrics.json").read_text())
    assert {term: row["f1"] > 0.8 for term, row in figures.items()} == dict.fromkeys(taught.manifest.labels, True)


def test_a_taught_network_has_the_shape_of_the_old_one_whatever_the_config_says(known, small_config):
    assert load_start(known).config == small_config.network


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
        type(start)(start.bundle, start.config, cut).network()


def test_the_finetune_config_is_gentler_than_the_default():
    assert load_config("finetune").learning_rate < load_config("default").learning_rate / 2


def test_recall_costs_nothing_where_nothing_changed_and_more_where_more_did():
    before = torch.tensor([[2.0, 0.0, -1.0]])
    near, far = before + torch.tensor([[0.3, 0, 0]]), before + torch.tensor([[-3.0, 0, 0]])
    assert divergence(before, before + 5).item() == pytest.approx(0, abs=1e-6)
    assert 0 < divergence(before, near).item() < divergence(before, far).item()


def test_batch_norms_at_rest_keep_what_they_remember(known):
    network = load_start(known).network().train()
    rest_norms(network)
    before = {name: value.clone() for name, value in network.named_buffers()}
    network(torch.rand(4, 20532), torch.ones(4, 20532))
    assert all(torch.equal(value, before[name]) for name, value in network.named_buffers())
    assert network.fusion.body[0].training  # dropout goes on
