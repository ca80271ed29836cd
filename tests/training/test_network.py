import copy

import numpy as np
import pytest
import torch

from spoticell.training.config import NetworkConfig
from spoticell.training.layout import GRID, random_layout
from spoticell.training.network import MAP, WINDOW, FingerprintNetwork, count_parameters

N_GENES = 500


def small_network(**options) -> FingerprintNetwork:
    torch.manual_seed(0)
    small = {"stem_channels": 2, "cell_token": 8, "width": 16, "heads": 2, "fusion": (16, 16)}
    config = NetworkConfig(**{"cnn": True, "transformer": True, **small, **options})
    return FingerprintNetwork(config, random_layout(N_GENES, rng=np.random.default_rng(0)), 7).eval()


def some_counts(n_cells: int = 6) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).poisson(0.5, size=(n_cells, N_GENES)).astype(np.float32))


@pytest.mark.parametrize("paths", [{}, {"cnn": True, "transformer": True}], ids=["default", "both paths"])
def test_a_network_stays_within_its_budget_of_parameters(paths):
    network = FingerprintNetwork(NetworkConfig(**paths), random_layout(20_532, rng=np.random.default_rng(0)), 300)
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
        {"cnn": False, "transformer": False, "members": 2},
    ],
    ids=["both paths", "no convolutions", "no transformer", "no summary", "summary only", "log1p", "two members"],
)
def test_each_shape_of_the_network_gives_unit_fingerprints_and_finite_logits(options):
    with torch.no_grad():
        fingerprint_nd, logits_nc = small_network(**options)(some_counts(), torch.ones(1, N_GENES))
    torch.testing.assert_close(fingerprint_nd.norm(dim=1), torch.ones(6))
    assert logits_nc.shape == (6, 7)
    assert torch.isfinite(logits_nc).all()


def two_members(**options) -> FingerprintNetwork:
    return small_network(cnn=False, transformer=False, members=2, **options)


def loss_of(network: FingerprintNetwork, member: int) -> torch.Tensor:
    said = network(some_counts(), torch.ones(1, N_GENES))
    return network.members(*said)[member][1].logsumexp(1).mean()


@torch.no_grad()
def test_the_logits_of_a_network_are_the_mean_of_its_members():
    network = two_members()
    said = network(some_counts(), torch.ones(1, N_GENES))
    members = network.members(*said)
    torch.testing.assert_close(torch.stack([logits_nc for _, logits_nc in members]).mean(0), said[1])
    for fingerprint_nd, _ in members:
        torch.testing.assert_close(fingerprint_nd.norm(dim=1), torch.ones(6))
    summed_nd = members[0][0] + members[1][0]
    torch.testing.assert_close(network.shown(said[0]), summed_nd / summed_nd.norm(dim=1, keepdim=True))


def test_what_one_member_learns_changes_nothing_of_the_other():
    network = two_members()
    of_one, of_other = (float(loss_of(network, member).detach()) for member in (0, 1))
    optimizer = torch.optim.AdamW(
        [*network.summary.parameters(), *network.fusion.parameters()], lr=0.01, weight_decay=0
    )
    for _ in range(3):
        optimizer.zero_grad()
        loss_of(network, 0).backward()
        optimizer.step()
    assert abs(float(loss_of(network, 0).detach()) - of_one) > 0.01
    assert float(loss_of(network, 1).detach()) == of_other


def test_members_stay_apart_in_a_copy_that_is_taken_of_them():
    weight = copy.deepcopy(two_members()).fusion.body[1].weight
    assert weight.shape == (16, 8)
    assert not weight[:8, 4:].any()
    assert not weight[8:, :4].any()
    assert weight[:8, :4].all()


@pytest.mark.parametrize("options", [{"cnn": True}, {"transformer": True}, {"cell_token": 7}, {"fusion": (16, 9)}])
def test_members_that_can_not_have_a_share_each_are_refused(options):
    with pytest.raises(ValueError, match=r"more than one needs cnn and transformer off, and .* that 2 divides"):
        NetworkConfig(members=2, **options)


def test_a_network_of_nothing_is_refused():
    with pytest.raises(ValueError, match="needs the summary of all genes, the convolutions or the transformer"):
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


def test_each_gene_is_in_the_window_and_at_the_place_of_its_pixel():
    network = small_network()
    values_ng = torch.arange(1.0, N_GENES + 1)[None]
    windows_nwp = network.windows(values_ng)
    row_g, column_g = np.divmod(network.pixel_g.numpy(), GRID)
    window_g, place_g = row_g // WINDOW * MAP + column_g // WINDOW, row_g % WINDOW * WINDOW + column_g % WINDOW
    assert torch.equal(windows_nwp[0, window_g, place_g], values_ng[0])
    assert windows_nwp.sum() == values_ng.sum()  # the other pixels are empty


@torch.no_grad()
def test_the_last_channel_of_the_feature_map_is_the_share_of_pixels_whose_gene_was_measured():
    network = small_network(stem_channels=3)
    measured_ng = torch.from_numpy(np.random.default_rng(1).random((6, N_GENES)) < 0.7)
    windows_nwp = network.windows(measured_ng)
    map_nkhw = network.stem(network.windows(some_counts()), windows_nwp)
    assert map_nkhw.shape == (6, 4, MAP, MAP)
    share_nw = map_nkhw[:, 3].reshape(6, -1)
    torch.testing.assert_close(share_nw, windows_nwp.sum(2) / WINDOW**2)
    assert share_nw.max() > 0
