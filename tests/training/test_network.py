import numpy as np
import pytest
import torch
from benchmarks.lib.plain_network import PlainDualPath
from safetensors.torch import load_file

from spoticell.model.bundle import load_bundle
from spoticell.training.config import NetworkConfig
from spoticell.training.layout import random_layout
from spoticell.training.network import DualPath, count_parameters
from spoticell.training.pretrained import load_start

N_GENES = 500


def small_network(**options) -> DualPath:
    torch.manual_seed(0)
    small = {"stem_channels": 2, "cell_token": 8, "width": 16, "heads": 2, "fusion": (16, 16)}
    config = NetworkConfig(**{"cnn": True, "transformer": True, **small, **options})
    return DualPath(config, random_layout(N_GENES, rng=np.random.default_rng(0)), 7).eval()


def some_counts(n_cells: int = 6) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).poisson(0.5, size=(n_cells, N_GENES)).astype(np.float32))


@pytest.mark.parametrize("paths", [{}, {"cnn": True, "transformer": True}], ids=["default", "dual path"])
def test_a_network_stays_within_its_budget_of_parameters(paths):
    network = DualPath(NetworkConfig(**paths), random_layout(20_532, rng=np.random.default_rng(0)), 300)
    assert count_parameters(network) <= 2_300_000


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cnn": False},
        {"transformer": False},
        {"cell_token": 0},
        {"cnn": False, "transformer": False},
        {"scaling": "log1p"},
    ],
    ids=["both paths", "no CNN", "no transformer", "no cell token", "cell token only", "log1p"],
)
def test_each_shape_of_the_network_gives_unit_fingerprints_and_finite_logits(options):
    with torch.no_grad():
        fingerprint_nd, logits_nc = small_network(**options)(some_counts(), torch.ones(1, N_GENES))
    torch.testing.assert_close(fingerprint_nd.norm(dim=1), torch.ones(6))
    assert logits_nc.shape == (6, 7)
    assert torch.isfinite(logits_nc).all()


def test_a_network_of_nothing_is_refused():
    with pytest.raises(ValueError, match="needs the CNN path"):
        small_network(cnn=False, transformer=False, cell_token=0)


@torch.no_grad()
def test_a_cell_alone_gets_what_it_gets_in_a_batch():
    network, counts = small_network(), some_counts()
    together = network(counts, torch.ones(1, N_GENES))[1]
    alone = torch.cat([network(row[None], torch.ones(1, N_GENES))[1] for row in counts])
    torch.testing.assert_close(alone, together, atol=1e-4, rtol=0)


@torch.no_grad()
def test_counts_of_genes_that_were_not_measured_change_nothing():
    network, counts = small_network(), some_counts()
    measured = torch.ones(1, N_GENES)
    measured[0, :100] = 0
    hidden = counts.clone()
    hidden[:, :100] = 99
    torch.testing.assert_close(network(hidden, measured)[1], network(counts, measured)[1])


@torch.no_grad()
def test_a_gene_without_counts_is_not_the_same_as_a_gene_that_was_not_measured():
    network, counts = small_network(), some_counts()
    counts[:, :250] = 0
    unmeasured = torch.ones(1, N_GENES)
    unmeasured[0, :250] = 0
    assert not torch.allclose(network(counts, torch.ones(1, N_GENES))[1], network(counts, unmeasured)[1])


@torch.no_grad()
def test_sequencing_twice_as_deep_changes_nothing():
    network, counts = small_network(), some_counts()
    measured = torch.ones(1, N_GENES)
    torch.testing.assert_close(network(2 * counts, measured)[1], network(counts, measured)[1], atol=1e-4, rtol=0)


def test_longer_cells_give_the_same_at_first_and_teach_the_genes_more():
    counts, measured, moved = some_counts(), torch.ones(1, N_GENES), []
    begun = [small_network(cnn=False, transformer=False, cell_length=length) for length in (1.0, 50.0)]
    with torch.no_grad():
        torch.testing.assert_close(*(network(counts, measured)[1] for network in begun), atol=1e-4, rtol=1e-3)
    for network in begun:
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
        before = network.summary.project.weight.detach().clone()
        network(counts, measured)[1].logsumexp(1).mean().backward()
        optimizer.step()
        moved.append(((network.summary.project.weight - before).norm() / before.norm()).item())
    assert moved[1] > 20 * moved[0]


@torch.no_grad()
def test_an_empty_cell_gives_finite_numbers():
    fingerprint_nd, logits_nc = small_network()(torch.zeros(1, N_GENES), torch.ones(1, N_GENES))
    assert torch.isfinite(fingerprint_nd).all()
    assert torch.isfinite(logits_nc).all()


SHAPES = [{}, {"cnn": False}, {"cnn": False, "transformer": False}, {"cell_token": 0, "scaling": "log1p"}]


def learned(network, counts_ng, measured_ng) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
    """Fingerprints and logits, and what a loss of both gives each weight as its gradient."""
    network.zero_grad()
    made = network(counts_ng, measured_ng)
    (made[0][:, :3].sum() + made[1].logsumexp(1).mean()).backward()
    return [part.detach() for part in made], {name: value.grad for name, value in network.named_parameters()}


def assert_equal_teaching(fast, plain, counts_ng, measured_ng, **tolerance) -> None:
    plain.load_state_dict(fast.state_dict())
    (made, gradient), (plain_made, plain_gradient) = (learned(one, counts_ng, measured_ng) for one in (fast, plain))
    torch.testing.assert_close(made, plain_made, **tolerance)
    longest = max(float(value.norm()) for value in plain_gradient.values())
    for name, value in gradient.items():
        assert (value - plain_gradient[name]).norm() <= tolerance["rtol"] * longest, name


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("options", SHAPES, ids=["both paths", "no CNN", "cell token only", "no cell token, log1p"])
def test_the_network_gives_and_learns_what_the_textbook_formulation_does(options, mode):
    fast = small_network(dropout=0.0, **options)
    plain = PlainDualPath(fast.config, random_layout(N_GENES, rng=np.random.default_rng(0)), 7)
    for network in (fast, plain):
        network.double().train(mode == "train")
    measured_ng = torch.from_numpy(np.random.default_rng(1).random((6, N_GENES)) < 0.7)
    assert_equal_teaching(fast, plain, some_counts().double(), measured_ng.double(), rtol=1e-9, atol=1e-9)


def test_the_shipped_weights_give_and_learn_in_single_precision_what_they_do_in_the_textbook_formulation():
    bundle = load_bundle()
    weights = {name: value.float() for name, value in load_file(bundle.path / "weights.safetensors").items()}
    rng = np.random.default_rng(0)
    counts_ng = torch.from_numpy(rng.poisson(0.1, (8, len(bundle.pixel_g))).astype(np.float32))
    measured_ng = torch.from_numpy(rng.random(counts_ng.shape) < 0.7).float()
    fast, plain = (
        kind(load_start(bundle.path).config, bundle.pixel_g, len(bundle.manifest.labels)).eval()
        for kind in (DualPath, PlainDualPath)
    )
    fast.load_state_dict(weights)
    assert_equal_teaching(fast, plain, counts_ng, measured_ng, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("scaling", ["sqrt", "log1p"])
def test_sparse_counts_and_booleans_give_what_dense_numbers_do(scaling):
    network, counts_ng = small_network(scaling=scaling), some_counts()
    counts_ng[2] = 0  # a cell without counts
    measured_ng = torch.from_numpy(np.random.default_rng(1).random((6, N_GENES)) < 0.7)
    with torch.no_grad():
        dense, sparse = network(counts_ng, measured_ng.float()), network(counts_ng.to_sparse(), measured_ng)
    torch.testing.assert_close(sparse, dense)


def test_dropout_of_attention_leaves_its_mean_where_it_was():
    network = small_network(dropout=0.4)
    layer, tokens_ntk = network.transformer.layer, torch.randn(1, 5, 16)
    with torch.no_grad():
        expected = layer._attend(tokens_ntk)
        mean = layer.train()._attend(tokens_ntk.expand(40_000, -1, -1)).mean(0, keepdim=True)
    torch.testing.assert_close(mean, expected, atol=0.02, rtol=0)
