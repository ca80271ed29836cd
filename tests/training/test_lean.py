import copy

import numpy as np
import pytest
import torch
from scipy import sparse
from tests.training.test_fast import BOTH, SHAPES, small

from spoticell.biology.genes import load_vocabulary
from spoticell.model.bundle import load_bundle
from spoticell.model.first_layer import part_graph
from spoticell.model.manifest import MODEL
from spoticell.model.runtime import OUTPUTS, Runtime
from spoticell.training.config import NetworkConfig
from spoticell.training.export import About, export_bundle
from spoticell.training.fast import FastFingerprintNetwork
from spoticell.training.layout import random_layout
from spoticell.training.lean import lean
from spoticell.training.rehearsal import Examples
from spoticell.training.trained import Trained

LABELS = ("CL:0000084", "CL:0000236", "CL:0000576")


def moved(network):
    """The same with norms that do something, as those of a trained network."""
    torch.manual_seed(1)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            torch.nn.init.uniform_(module.weight, 0.5, 2)
            torch.nn.init.normal_(module.bias, 0, 0.3)
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
    return network.eval()


@torch.no_grad()
@pytest.mark.parametrize("options", SHAPES.values(), ids=SHAPES)
def test_arranged_for_the_export_a_network_says_what_it_says_plainly(options):
    plain = moved(small(FastFingerprintNetwork, **options))
    arranged = lean(copy.deepcopy(plain)).eval()
    rng = np.random.default_rng(0)
    counts_ng = torch.from_numpy(rng.poisson(0.5, (5, 500)).astype(np.float32))
    measured_1g = torch.from_numpy((rng.random((1, 500)) < 0.7).astype(np.float32))
    for said, meant in zip(arranged(counts_ng, measured_1g), plain(counts_ng, measured_1g), strict=True):
        torch.testing.assert_close(said, meant, atol=1e-5, rtol=1e-4)


@pytest.fixture(scope="module")
def pictured(tmp_path_factory):
    """An untrained bundle whose network looks at the picture by both paths."""
    vocabulary = load_vocabulary()
    pixel_g = random_layout(len(vocabulary), rng=np.random.default_rng(0))
    config = NetworkConfig(stem_channels=4, cell_token=8, width=16, heads=2, fusion=(16, 16), **BOTH)
    network = moved(FastFingerprintNetwork(config, pixel_g, len(LABELS)))
    planes_bd = np.eye(64, dtype=np.float16)
    examples = Examples(torch.zeros(3, 64), torch.arange(3))
    trained = Trained(network, vocabulary, pixel_g, LABELS, planes_bd, examples, threshold=0.5)
    return load_bundle(export_bundle(trained, tmp_path_factory.mktemp("bundles") / "pictured", About()))


def some_cells(n_genes):
    rng = np.random.default_rng(3)
    measured_g = rng.random(n_genes) < 0.7
    means_g = rng.gamma(0.1, size=n_genes) * measured_g
    depth_n1 = np.concatenate([[0, 0.1, 1, 5, 30], np.linspace(0.5, 2, 150)])[:, None]
    return sparse.csr_array(rng.poisson(means_g * depth_n1).astype(np.float32)), measured_g


def test_a_network_that_looks_at_the_picture_says_in_parts_what_it_says_whole(pictured):
    runtime, cells = Runtime(pictured), some_cells(pictured.manifest.n_genes)
    assert runtime._in_parts is not None
    said, (fingerprint_nd, probabilities_nm, known_n) = runtime.predict(*cells), runtime._whole(*cells)
    fingerprint_nd[0] = 0
    np.testing.assert_allclose(said.fingerprint_nd, fingerprint_nd, atol=1e-5)
    np.testing.assert_allclose(said.probabilities_nm, probabilities_nm, atol=1e-5)
    np.testing.assert_allclose(said.familiarity_n, known_n, atol=1e-4)


@pytest.mark.slow
def test_the_windows_of_the_picture_are_those_of_its_pixels(pictured):
    n_genes = pictured.manifest.n_genes
    parted = part_graph(pictured.read(MODEL), n_genes=n_genes, outputs=OUTPUTS, reach=None)
    windows_wnp = parted.windows(sparse.csr_array(np.arange(1, n_genes + 1, dtype=np.float32)[None]))
    picture = windows_wnp.reshape(31, 31, 5, 5).swapaxes(1, 2).ravel()
    assert picture[pictured.pixel_g].tolist() == list(range(1, n_genes + 1))
    assert np.count_nonzero(picture) == n_genes
