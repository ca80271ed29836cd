import numpy as np
import pytest
import torch

from spoticell.layout import random_layout
from spoticell.train.config import NetworkConfig
from spoticell.train.network import DualPath, count_parameters

N_GENES = 500


def small_network(**options) -> DualPath:
    torch.manual_seed(0)
    config = NetworkConfig(
        **{"stem_channels": 2, "cell_token": 8, "width": 16, "heads": 2, "fusion": (16, 16), **options}
    )
    return DualPath(config, random_layout(N_GENES, rng=np.random.default_rng(0)), 7).eval()


def some_counts(n_cells: int = 6) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).poisson(0.5, size=(n_cells, N_GENES)).astype(np.float32))


def test_the_default_network_stays_within_its_budget_of_parameters():
    network = DualPath(NetworkConfig(), random_layout(20_532, rng=np.random.default_rng(0)), 300)
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


@torch.no_grad()
def test_an_empty_cell_gives_finite_numbers():
    fingerprint_nd, logits_nc = small_network()(torch.zeros(1, N_GENES), torch.ones(1, N_GENES))
    assert torch.isfinite(fingerprint_nd).all()
    assert torch.isfinite(logits_nc).all()
