"""That the fast network gives and learns what the plain one does, in every shape and from the shipped weights."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from safetensors.torch import load_file
from torch import nn

from spoticell.model.bundle import load_bundle
from spoticell.training.config import NetworkConfig, load_config, named_configs
from spoticell.training.export import Exported, write_graph
from spoticell.training.fast import FastFingerprintNetwork
from spoticell.training.layout import random_layout
from spoticell.training.loss import reach_of
from spoticell.training.network import FingerprintNetwork
from spoticell.training.pretrained import load_start

N_GENES, N_CELLS = 500, 6
GRAPH = load_bundle("human-v1").path / "model.onnx"

SMALL = {"stem_channels": 2, "cell_token": 8, "width": 16, "heads": 2, "fusion": (16, 16)}
BOTH = {"cnn": True, "transformer": True}
SHAPES = {
    "both paths": BOTH,
    "no convolutions": {"transformer": True},
    "no transformer": {"cnn": True},
    "no summary": {**BOTH, "cell_token": 0},
    "convolutions only": {"cnn": True, "cell_token": 0},
    "transformer only": {"transformer": True, "cell_token": 0},
    "summary only": {},
    "log1p": {**BOTH, "scaling": "log1p"},
    "summary only, log1p, other lengths": {"scaling": "log1p", "cell_length": 7.0},
}


def made(kind: type[FingerprintNetwork], config: NetworkConfig, *, n_genes: int) -> FingerprintNetwork:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    weight_g = rng.uniform(0.5, 1, n_genes).astype(np.float32)
    network = kind(config, random_layout(n_genes, rng=rng), 7, weight_g=weight_g)
    for parameter in network.parameters():
        if not parameter.any():  # biases begin as zeros, which would hide where one is forgotten
            nn.init.normal_(parameter, 0, 0.1)
    return network


def small(kind: type[FingerprintNetwork], **options) -> FingerprintNetwork:
    return made(kind, NetworkConfig(**(SMALL | options)), n_genes=N_GENES)


def some_cells(n_genes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Counts, none of which are one cell's, and which genes were measured in each cell."""
    rng = np.random.default_rng(1)
    counts_ng = torch.from_numpy(rng.poisson(0.5, (N_CELLS, n_genes)).astype(np.float32))
    counts_ng[2] = 0
    return counts_ng, torch.from_numpy(rng.random((N_CELLS, n_genes)) < 0.7)


GIVEN: dict[str, Callable] = {
    "sparse counts and booleans": lambda counts, measured: (counts.to_sparse(), measured),
    "sparse counts and numbers": lambda counts, measured: (counts.to_sparse(), measured.to(counts.dtype)),
    "dense counts and booleans": lambda counts, measured: (counts, measured),
    "dense counts and numbers": lambda counts, measured: (counts, measured.to(counts.dtype)),
    "dense counts and one row for all cells": lambda counts, measured: (counts, measured[:1].to(counts.dtype)),
}


def learned(network: FingerprintNetwork, counts_ng, measured_ng) -> dict[str, torch.Tensor]:
    """Fingerprints, logits, what a loss of both gives each weight as its gradient, and what batch norms remember."""
    network.zero_grad()
    fingerprint_nd, logits_nc = network(counts_ng, measured_ng)
    (fingerprint_nd[:, :3].sum() + logits_nc.logsumexp(1).mean()).backward()
    gradients = {f"gradient of {name}": value.grad for name, value in network.named_parameters()}
    statistics = {name: value for name, value in network.named_buffers() if "running" in name}
    return {"fingerprint": fingerprint_nd.detach(), "logits": logits_nc.detach(), **gradients, **statistics}


def assert_same_teaching(fast, plain, cells, given: Callable, *, tolerance: float) -> None:
    """Compare numbers, and gradients by the longest of them."""
    counts_ng, measured_ng = given(*cells)
    found, expected = learned(fast, counts_ng, measured_ng), learned(plain, counts_ng.to_dense(), measured_ng)
    assert found.keys() == expected.keys()
    longest = max(value.norm() for name, value in expected.items() if name.startswith("gradient"))
    for name, value in expected.items():
        far = tolerance * longest if name.startswith("gradient") else tolerance * max(value.abs().max(), 1)
        assert (found[name] - value).abs().max() <= far, name


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("shape", SHAPES)
def test_in_every_shape_the_fast_network_gives_and_learns_what_the_plain_one_does(shape, mode, given):
    fast, plain = (
        small(kind, dropout=0.0, **SHAPES[shape]).double().train(mode == "train")
        for kind in (FastFingerprintNetwork, FingerprintNetwork)
    )
    counts_ng, measured_ng = some_cells(N_GENES)
    assert_same_teaching(fast, plain, (counts_ng.double(), measured_ng), GIVEN[given], tolerance=1e-10)


@pytest.mark.parametrize("given", ["sparse counts and booleans", "dense counts and numbers"])
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("name", named_configs())
def test_with_every_shipped_config_the_fast_network_gives_and_learns_what_the_plain_one_does(name, mode, given):
    config = load_config(name).network.model_copy(update={"dropout": 0.0})
    fast, plain = (
        made(kind, config, n_genes=20_532).double().train(mode == "train")
        for kind in (FastFingerprintNetwork, FingerprintNetwork)
    )
    counts_ng, measured_ng = some_cells(20_532)
    assert_same_teaching(fast, plain, (counts_ng.double(), measured_ng), GIVEN[given], tolerance=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_seed_starts_both_networks_alike_with_weights_of_the_same_names_in_the_same_order(shape):
    fast, plain = (
        list(small(kind, **SHAPES[shape]).named_parameters()) for kind in (FastFingerprintNetwork, FingerprintNetwork)
    )
    assert [name for name, _ in fast] == [name for name, _ in plain]
    assert all(torch.equal(one, other) for (_, one), (_, other) in zip(fast, plain, strict=True))


def test_without_a_transformer_dropout_drops_the_same_in_both():
    counts_ng, measured_ng = some_cells(N_GENES)
    found = []
    for kind in (FastFingerprintNetwork, FingerprintNetwork):
        network = small(kind, dropout=0.4, cnn=True).double()
        torch.manual_seed(3)
        found.append(network(counts_ng.double(), measured_ng)[1])
    torch.testing.assert_close(*found)


def test_dropout_of_attention_leaves_its_mean_where_it_was():
    layer = small(FastFingerprintNetwork, dropout=0.4, **BOTH).eval().transformer.layer
    tokens_ntk = torch.randn(1, 5, 16)
    with torch.no_grad():
        expected = layer.attend(tokens_ntk)
        mean = layer.train().attend(tokens_ntk.expand(40_000, -1, -1)).mean(0, keepdim=True)
    torch.testing.assert_close(mean, expected, atol=0.02, rtol=0)


def test_a_token_that_dropout_takes_from_attention_adds_nothing_not_even_a_bias():
    layer = small(FastFingerprintNetwork, dropout=0.4, **BOTH).transformer.layer
    attended_nk = layer.attend(torch.randn(1, 1, 16).expand(1000, -1, -1))
    nothing_n = torch.isclose(attended_nk, layer.self_attn.out_proj.bias).all(1)
    assert 0.1 < nothing_n.float().mean() < 0.22  # both of two heads drop the only token in 0.4 x 0.4 of cases


def test_the_feature_map_lies_channels_last_in_memory():
    network, (counts_ng, measured_ng) = small(FastFingerprintNetwork, **BOTH), some_cells(N_GENES)
    map_nkhw = network.stem(network.windows(counts_ng), network.windows(measured_ng))
    assert map_nkhw.is_contiguous(memory_format=torch.channels_last)


def shipped(kind: type[FingerprintNetwork]) -> FingerprintNetwork:
    """The shipped weights in a network of a kind, which must have their names and shapes."""
    start = load_start("human-v1")
    network = kind(start.config, start.bundle.pixel_g, len(start.labels)).eval()
    weights = load_file(start.bundle.path / "weights.safetensors")
    network.load_state_dict({name: value.float() for name, value in weights.items()}, strict=True)
    return network


def test_the_shipped_weights_give_and_learn_in_single_precision_what_they_do_in_the_plain_network():
    fast, plain = shipped(FastFingerprintNetwork), shipped(FingerprintNetwork)
    cells = some_cells(20_532)
    assert_same_teaching(fast, plain, cells, GIVEN["sparse counts and booleans"], tolerance=1e-4)


def shipped_graph(kind: type[FingerprintNetwork]) -> Exported:
    """What the shipped graph was exported from."""
    start, network = load_start("human-v1"), shipped(kind)
    # the file of weights rounds those of genes to half precision, the graph doesn't
    tensors = {tensor.name: tensor for tensor in onnx.load(GRAPH).graph.initializer}
    weight_g = numpy_helper.to_array(tensors["network.gene_weight"])
    torch.testing.assert_close(network.gene_weight, torch.from_numpy(weight_g.copy()), atol=1e-3, rtol=0)
    network.gene_weight.copy_(torch.from_numpy(weight_g.copy()))
    # nor the examples, whose directions the graph has
    direction_cd = torch.from_numpy(numpy_helper.to_array(tensors["direction_cd_stored"]).astype(np.float32))
    torch.testing.assert_close(direction_cd, start.examples.directions(len(start.labels)), atol=1e-3, rtol=0)
    temperature = start.bundle.manifest.temperature
    return Exported(network, reach_of(start.labels)[1], direction_cd, temperature=temperature).eval()


def answers_of(graph: Path) -> list[torch.Tensor]:
    """What a graph says of `some_cells`, seen through the genes of the first one."""
    counts_ng, measured_ng = some_cells(20_532)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    found = session.run(None, {"counts_ng": counts_ng.numpy(), "measured_g": measured_ng[0].float().numpy()})
    return [torch.from_numpy(part) for part in found]


@torch.no_grad()
@pytest.mark.parametrize("kind", [FingerprintNetwork, FastFingerprintNetwork])
def test_the_shipped_weights_give_the_numbers_of_the_shipped_graph(kind):
    counts_ng, measured_ng = some_cells(20_532)
    found = shipped_graph(kind)(counts_ng, measured_ng[0].float())
    torch.testing.assert_close(list(found), answers_of(GRAPH), atol=1e-5, rtol=1e-4)


def test_the_graph_exported_of_the_shipped_weights_gives_the_numbers_of_the_shipped_graph(tmp_path):
    write_graph(tmp_path / "model.onnx", shipped_graph(FastFingerprintNetwork), n_genes=20_532)
    torch.testing.assert_close(answers_of(tmp_path / "model.onnx"), answers_of(GRAPH), atol=1e-6, rtol=1e-5)
