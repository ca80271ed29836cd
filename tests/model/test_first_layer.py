from dataclasses import replace

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper
from scipy import sparse

from spoticell.model import runtime as runtimes
from spoticell.model.bundle import load_bundle
from spoticell.model.first_layer import FirstLayer, part_graph
from spoticell.model.manifest import MODEL
from spoticell.model.runtime import FAMILIARITY, OUTPUTS, Runtime

ALL = (*OUTPUTS, FAMILIARITY)


@pytest.fixture(scope="module")
def packaged():
    return load_bundle("human-v1")


@pytest.fixture(scope="module")
def cells(packaged):
    """Cells of different depth, one without counts, and genes of which some aren't measured."""
    rng = np.random.default_rng(3)
    n_genes = packaged.manifest.n_genes
    measured_g = rng.random(n_genes) < 0.7
    means_g = rng.gamma(0.1, size=n_genes) * measured_g
    return sparse.csr_array(
        rng.poisson(means_g * np.array([[0], [0.1], [1], [5], [30]])).astype(np.float32)
    ), measured_g


def test_in_parts_the_packaged_network_says_what_it_says_whole(packaged, cells):
    runtime = Runtime(packaged)
    assert runtime._in_parts is not None
    prediction, (fingerprint_nd, probabilities_nm, known_n) = runtime.predict(*cells), runtime._whole(*cells)
    fingerprint_nd[0] = 0
    np.testing.assert_allclose(prediction.fingerprint_nd, fingerprint_nd, atol=1e-5)
    np.testing.assert_allclose(prediction.probabilities_nm, probabilities_nm, atol=1e-5)
    np.testing.assert_allclose(prediction.familiarity_n, known_n, atol=1e-4)


def test_the_order_of_a_cells_genes_changes_nothing(packaged, cells):
    counts_ng, measured_g = cells
    turned = [
        (counts_ng.data[a:b][::-1], counts_ng.indices[a:b][::-1])
        for a, b in zip(counts_ng.indptr, counts_ng.indptr[1:], strict=False)
    ]
    values, genes = (np.concatenate(parts) for parts in zip(*turned, strict=True))
    turned_ng = sparse.csr_array((values, genes, counts_ng.indptr), shape=counts_ng.shape)
    runtime = Runtime(packaged)
    one, other = runtime.predict(counts_ng, measured_g), runtime.predict(turned_ng, measured_g)
    np.testing.assert_allclose(one.probabilities_nm, other.probabilities_nm, atol=1e-5)


def test_a_network_that_says_something_else_in_parts_is_run_whole(packaged, monkeypatch):
    def twice_as_long(*given, **more):
        parted = part_graph(*given, **more)
        return replace(parted, first=replace(parted.first, length=2 * parted.first.length))

    monkeypatch.setattr(runtimes, "part_graph", twice_as_long)
    assert Runtime(packaged)._in_parts is None


def test_a_network_whose_genes_have_no_weights_that_are_found_is_run_whole(packaged):
    graph = onnx.load_from_string(packaged.read(MODEL))
    (weights,) = [tensor for tensor in graph.graph.initializer if tensor.name == "network.gene_weight"]
    weights.CopyFrom(numpy_helper.from_array(np.ones(7, dtype=np.float32), weights.name))
    n_genes = packaged.manifest.n_genes
    assert part_graph(graph.SerializeToString(), n_genes=n_genes, outputs=ALL, reach=None) is None
    assert part_graph(packaged.read(MODEL), n_genes=n_genes + 1, outputs=ALL, reach=None) is None


def test_what_comes_after_the_first_layer_is_a_sound_graph_without_its_weights(packaged):
    manifest = packaged.manifest
    reach = (len(manifest.labels), len(manifest.nodes))
    parted = part_graph(packaged.read(MODEL), n_genes=manifest.n_genes, outputs=ALL, reach=reach)
    graph = onnx.load_from_string(parted.rest)
    assert [value.name for value in graph.graph.input] == list(parted.given)
    assert [value.name for value in graph.graph.output] == [OUTPUTS[0], parted.weights, FAMILIARITY]
    assert len(parted.rest) < len(packaged.read(MODEL)) / 5
    assert parted.first.project_gk.shape[0] == manifest.n_genes
    whole = part_graph(packaged.read(MODEL), n_genes=manifest.n_genes, outputs=ALL, reach=(3, 4))
    assert whole.weights is None
    assert [value.name for value in onnx.load_from_string(whole.rest).graph.output] == list(ALL)


@given(st.integers(0, 5), st.integers(0, 30), st.integers(0, 1 << 16))
def test_the_layer_is_that_of_the_formula(n, g, seed):
    rng = np.random.default_rng(seed)
    counts_ng = rng.poisson(0.7, size=(n, g)).astype(np.float32)
    measured_g, weight_g = rng.random(g) < 0.8, rng.random(g).astype(np.float32)
    project_gk, bias_k = rng.normal(size=(g, 3)).astype(np.float32), rng.normal(size=3).astype(np.float32)
    value_ng = weight_g * np.sqrt(measured_g * counts_ng)
    length_n1 = np.maximum(np.linalg.norm(value_ng, axis=1, keepdims=True), 1e-6)
    expected_nk = (16 * value_ng / length_n1) @ project_gk + bias_k
    layer = FirstLayer(weight_g, 16.0, project_gk, bias_k)
    made_nk = layer(sparse.csr_array(counts_ng), measured_g)
    np.testing.assert_allclose(made_nk, expected_nk, rtol=1e-4, atol=1e-4)
