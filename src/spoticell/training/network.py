"""The network: counts of a cell in, its fingerprint and the logits of the labels out.

A cell is its ``counts``, and ones in ``measured`` where its assay measures a gene, zeros elsewhere::

    v = weight * sqrt(measured * counts)
    s = L v / |v|                           scale: depth drops out, every cell has the length L     (n, 20532)
    h = gelu(norm(A s + a))                 summary of all genes                                    (n, 48)
    u = F(h)                                fusion: three layers ...
    f = u / |u|                             ... to the fingerprint, of length 1                     (n, 64)
    z = sharpness * (B f + b)               logits of the labels                                    (n, c)

What is made of the logits is in `export`: with a temperature T, the probabilities ``softmax(z / T)``, added up the
ontology, and the familiarity ``log sum exp(z / T) + nearness * max(E f)``, where the rows of E are the directions of
the labels' examples.

Several such networks can look at a cell side by side, as the two ``members`` of ``human-v1`` do.  Each has its share of
``h`` and of the fusion, and learns from cells of its own.  ``f`` holds their fingerprints side by side, divided by the
root of how many they are.  So ``z`` is the mean of what the members say, and right more often than each of them
(ensembles: Hansen & Salamon 1990, doi:10.1109/34.58871; Lakshminarayanan et al. 2017, arXiv:1612.01474).  What is kept
of a cell is the sum of its fingerprints, of length 1: half as many numbers, by which the nearest cells are as often of
the same type as by all.

A config can add what looks at the picture of the cell, where every gene has a pixel: windows of 5 x 5 pixels become a
feature map, which is read by convolutions, by a transformer, or by both; what they give is fused beside ``h``.

This is the plain formulation; `fast` computes the same in less time and is what is trained.

Sources: square roots of proportions as coordinates (Hellinger distance), Rao 1995; batch norm, Ioffe & Szegedy 2015,
arXiv:1502.03167; gelu, Hendrycks & Gimpel 2016, arXiv:1606.08415; dropout, Srivastava et al. 2014; log sum exp of the
logits to tell the familiar, Liu et al. 2020, arXiv:2010.03759.

Axes: ``n`` cells, ``g`` genes, ``w`` windows, ``p`` pixels, ``k`` channels, ``t`` tokens, ``d`` fingerprint, ``c``
labels; ``nkhw`` is a feature map by row and column.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from spoticell.training.config import NetworkConfig
from spoticell.training.layout import GRID, Pixels


class FingerprintNetwork(nn.Module):
    """The network of a config, for a layout and a number of labels.

    Parameters
    ----------
    config
        Which parts there are and how wide they are.
    pixel_g
        Pixel of each gene.
    n_labels
        Number of labels ``c``.
    weight_g
        ``weight`` above: how much each gene counts; all alike if not given.

    Raises
    ------
    ValueError
        If the config leaves nothing that would look at a cell.
    """

    pixel_g: Tensor
    gene_weight: Tensor
    sum_of_members: Tensor

    def __init__(
        self, config: NetworkConfig, pixel_g: Pixels, n_labels: int, *, weight_g: NDArray[np.float32] | None = None
    ) -> None:
        super().__init__()
        pictured = config.cnn or config.transformer
        if not (pictured or config.cell_token):
            raise ValueError("a network needs the summary of all genes, the convolutions or the transformer")
        self.config = config
        self.register_buffer("pixel_g", torch.from_numpy(pixel_g.astype(np.int64)), persistent=False)
        weight = torch.ones(len(pixel_g)) if weight_g is None else torch.from_numpy(weight_g)
        self.register_buffer("gene_weight", weight)
        # saved weights go by these names; seeds, and the moments that an optimiser has kept, by their order
        self.stem = PixelStem(config) if pictured else None
        self.summary = GeneSummary(len(pixel_g), config) if config.cell_token else None
        self.cnn = ConvolutionPath(config) if config.cnn else None
        self.transformer = TransformerPath(config) if config.transformer else None
        self.fusion = Fusion(config)
        self.labels = nn.Linear(config.fingerprint * config.members, n_labels)
        ones = torch.eye(config.fingerprint).repeat(config.members, 1)
        self.register_buffer("sum_of_members", ones, persistent=False)
        self.sharpness = nn.Parameter(torch.tensor(12.0))

    def forward(self, counts_ng: Tensor, measured_ng: Tensor) -> tuple[Tensor, Tensor]:
        """Give fingerprints ``(n, d)`` of length 1, those of all members side by side, and logits ``(n, c)``.

        ``counts_ng`` holds aligned counts; ``measured_ng`` booleans, or ones and zeros, and its first axis may be 1
        where all cells have the same genes.
        """
        scaled_ng = self.scale(counts_ng * measured_ng)
        parts, summary_nk = [], None
        if self.summary is not None:
            summary_nk = self.summary(scaled_ng)  # (n, 48)
            parts.append(summary_nk)
        if self.stem is not None:
            map_nkhw = self.stem(self.windows(scaled_ng), self.windows(measured_ng))  # (n, 21, 31, 31)
            if self.cnn is not None:
                parts.append(self.cnn(map_nkhw))  # (n, 128)
            if self.transformer is not None:
                parts.append(self.transformer(map_nkhw, summary_nk))  # (n, 128)
        return self.name(torch.cat(parts, dim=1))

    def scale(self, counts_ng: Tensor) -> Tensor:
        """Make cells of different depth, seen through different panels, comparable."""
        if self.config.scaling == "sqrt":
            return unit(counts_ng.sqrt() * self.gene_weight) * self.config.cell_length
        # log1p of counts per 10,000 has a length of about 50 to 100
        shares_ng = counts_ng / counts_ng.sum(1, keepdim=True).clamp_min(1.0)
        return torch.log1p(shares_ng * 1e4) * self.gene_weight * (self.config.cell_length / 64)

    def name(self, parts_nk: Tensor) -> tuple[Tensor, Tensor]:
        """From what the parts give, side by side, to fingerprints and logits."""
        fingerprint_nd = self.fusion(parts_nk)
        return fingerprint_nd, self.answer(fingerprint_nd)

    def answer(self, fingerprint_nd: Tensor) -> Tensor:
        """Give the logits of fingerprints, ``(n, c)``."""
        logits_nc: Tensor = self.sharpness * self.labels(fingerprint_nd)
        return logits_nc

    def shown(self, fingerprint_nd: Tensor) -> Tensor:
        """Give what is kept of the fingerprints of a network: the sum of its members', of length 1."""
        if self.config.members == 1:
            return fingerprint_nd
        return unit(fingerprint_nd @ self.sum_of_members)

    def members(self, fingerprint_nd: Tensor, logits_nc: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Give the fingerprints, of length 1, and the logits of each member alone; those of all are their mean."""
        n = self.config.members
        if n == 1:
            return [(fingerprint_nd, logits_nc)]
        shares = zip((fingerprint_nd * n**0.5).chunk(n, dim=1), self.labels.weight.chunk(n, dim=1), strict=True)
        return [
            (own_nd, self.sharpness * functional.linear(own_nd, weight_cd * n**0.5, self.labels.bias))
            for own_nd, weight_cd in shares
        ]

    def windows(self, values_ng: Tensor) -> Tensor:
        """Put each gene on its pixel and cut the picture into windows, ``(n, w, p)``; empty pixels are zero."""
        blank_np = values_ng.new_zeros(values_ng.shape[0], GRID * GRID)
        picture_np = blank_np.index_copy(1, self.pixel_g, values_ng)
        rows_and_columns = picture_np.reshape(-1, MAP, WINDOW, MAP, WINDOW)
        return rows_and_columns.transpose(2, 3).reshape(-1, MAP * MAP, WINDOW * WINDOW)


class GeneSummary(nn.Module):
    """All genes of a cell to one short vector."""

    def __init__(self, n_genes: int, config: NetworkConfig) -> None:
        super().__init__()
        self.project = nn.Linear(n_genes, config.cell_token)
        # cells of any length begin alike; `NetworkConfig` says what a longer one is for
        nn.init.normal_(self.project.weight, 0, 0.15 / config.cell_length)
        self.norm = nn.BatchNorm1d(config.cell_token)

    def forward(self, scaled_ng: Tensor) -> Tensor:
        """``(n, g)`` to ``(n, k)``."""
        summary_nk: Tensor = functional.gelu(self.norm(self.project(scaled_ng)))
        return summary_nk


class Fusion(nn.Module):
    """What the parts give to the fingerprint.

    With several members each has its own share of every layer, and the fingerprints of all come out side by side.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.members = config.members
        size = config.cell_token + config.cnn * config.channels[-1] + config.transformer * config.width
        first, second = config.fusion
        self.body = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(size, first),
            nn.BatchNorm1d(first),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(first, second),
            nn.BatchNorm1d(second),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(second, config.fingerprint * config.members),
        )
        if self.members > 1:
            for layer in self.body:
                if isinstance(layer, nn.Linear):
                    _keep_apart(layer, self.members)

    def forward(self, parts_nk: Tensor) -> Tensor:
        """``(n, k)`` to ``(n, d)``, of length 1, to which each member adds as much."""
        made_nd: Tensor = self.body(parts_nk)
        if self.members == 1:
            return unit(made_nd)
        size = made_nd.shape[1]
        return unit(made_nd.reshape(-1, size // self.members)).reshape(-1, size) * (1 / math.sqrt(self.members))


def _keep_apart(layer: nn.Linear, members: int) -> None:
    """Let a layer join nothing of one member with anything of another, now and as it learns."""
    made, given = layer.weight.shape
    own = torch.kron(torch.eye(members), torch.ones(made // members, given // members))
    with torch.no_grad():
        # as wide as if a member's share were all that there is
        layer.weight *= own * math.sqrt(members)
    layer.weight.register_hook(lambda slope: slope * own.to(slope.device))  # type: ignore[no-untyped-call]


def unit(values: Tensor) -> Tensor:
    """Give each row the length 1; rows of zeros stay.

    Examples
    --------
    >>> unit(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    return values / values.square().sum(1, keepdim=True).sqrt().clamp_min(1e-6)


def familiarity(logits_nc: Tensor, fingerprint_nd: Tensor, direction_cd: Tensor, nearness: float) -> Tensor:
    """Give how like the training cells each cell looks, ``(n,)``.

    Logits tell whether anything speaks for a type, fingerprints whether the cell lies where the examples of one lie.

    Parameters
    ----------
    logits_nc
        Logits, at the temperature that probabilities are made with.
    fingerprint_nd
        Fingerprints.
    direction_cd
        Where the examples of each label lie.
    nearness
        What the second counts, as in `NetworkConfig`.

    Examples
    --------
    >>> logits_nc, fingerprint_nd = torch.zeros(2, 2), torch.eye(2)
    >>> familiarity(logits_nc, fingerprint_nd, torch.tensor([[1.0, 0.0], [0.8, 0.6]]), 10.0).round(decimals=2)
    tensor([10.6900,  6.6900])
    """
    said_n = torch.logsumexp(logits_nc, dim=1)
    if not nearness:
        return said_n
    return said_n + nearness * (fingerprint_nd @ direction_cd.T).amax(1)


def count_parameters(network: nn.Module) -> int:
    """Give the number of trained parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


# The rest is off by default: what looks at the picture of the cell.

WINDOW = 5
"""Side of a window, in pixels."""
MAP = GRID // WINDOW
"""Side of the feature map, in windows: 31."""
PATCH, STEP = 6, 5
"""Side of a patch and distance between patches, in windows: 6 x 6 patches that overlap by one window."""
N_PATCHES = ((MAP - PATCH) // STEP + 1) ** 2


class PixelStem(nn.Module):
    """The picture to a feature map: windows to channels, with weights of its own for each pixel.

    Convolutions, which follow, see the same pattern alike wherever it is; here is where a gene has its identity.
    Source: locally connected layers, Taigman et al. 2014, doi:10.1109/CVPR.2014.220.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        scale = 1.5 / config.cell_length
        self.weight = nn.Parameter(torch.randn(MAP * MAP, WINDOW * WINDOW, config.stem_channels) * scale)
        self.bias = nn.Parameter(torch.zeros(MAP * MAP, 1, config.stem_channels))
        self.norm = nn.BatchNorm2d(config.stem_channels)

    def forward(self, scaled_nwp: Tensor, measured_nwp: Tensor) -> Tensor:
        """``(n, w, p)`` to ``(n, k + 1, h, w)``; the last channel is the share of a window's pixels measured."""
        map_nwk = torch.einsum("nwp,wpk->nwk", scaled_nwp, self.weight) + self.bias.squeeze(1)
        map_nkhw = functional.gelu(self.norm(_rows_and_columns(map_nwk)))
        share_n1hw = _rows_and_columns(measured_nwp.to(map_nkhw.dtype).mean(2, keepdim=True))
        return torch.cat([map_nkhw, share_n1hw.expand(map_nkhw.shape[0], -1, -1, -1)], dim=1)


def _rows_and_columns(map_nwk: Tensor) -> Tensor:
    """``(n, w, k)`` to ``(n, k, h, w)``."""
    return map_nwk.transpose(1, 2).reshape(-1, map_nwk.shape[2], MAP, MAP)


class ConvolutionPath(nn.Module):
    """Four residual blocks and the mean over what is left of the feature map."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        widths = (config.stem_channels + 1, *config.channels)
        self.blocks = nn.Sequential(*(ResidualBlock(a, b) for a, b in pairwise(widths)))

    def forward(self, map_nkhw: Tensor) -> Tensor:
        """``(n, k, h, w)`` to ``(n, last channels)``."""
        pooled_nk: Tensor = self.blocks(map_nkhw).mean((2, 3))
        return pooled_nk


class ResidualBlock(nn.Module):
    """Two convolutions and a way round them (He et al. 2016, doi:10.1109/CVPR.2016.90)."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(given, made, 3, 2, 1, bias=False),
            nn.BatchNorm2d(made),
            nn.ReLU(),
            nn.Conv2d(made, made, 3, 1, 1, bias=False),
            nn.BatchNorm2d(made),
        )
        self.shortcut = nn.Sequential(nn.Conv2d(given, made, 1, 2, bias=False), nn.BatchNorm2d(made))

    def forward(self, map_nkhw: Tensor) -> Tensor:
        """Halve the sides of the feature map."""
        return functional.relu(self.body(map_nkhw) + self.shortcut(map_nkhw))


class TransformerPath(nn.Module):
    """Patches of the feature map as tokens, and one token for the whole cell, which is read out after one layer.

    Sources: transformer, Vaswani et al. 2017, arXiv:1706.03762; patches as tokens, Dosovitskiy et al. 2021,
    arXiv:2010.11929; norm before attention, Xiong et al. 2020, arXiv:2002.04745.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = config.width
        self.patches = nn.Conv2d(config.stem_channels + 1, width, PATCH, STEP, bias=False)
        self.position = nn.Parameter(torch.randn(N_PATCHES, width) * 0.02)
        self.whole = nn.Linear(config.cell_token, width) if config.cell_token else None
        self.start = nn.Parameter(torch.randn(width) * 0.02)
        self.layer = nn.TransformerEncoderLayer(
            width, config.heads, 2 * width, config.dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, map_nkhw: Tensor, summary_nk: Tensor | None) -> Tensor:
        """``(n, k, h, w)`` and the summary of all genes, if there is one, to ``(n, width)``."""
        tokens_ntk = self.patches(map_nkhw).flatten(2).transpose(1, 2) + self.position
        whole_nk = self.start.expand(tokens_ntk.shape[0], -1)
        if self.whole is not None:
            whole_nk = whole_nk + self.whole(summary_nk)
        read_nk: Tensor = self.norm(self.layer(torch.cat([whole_nk[:, None], tokens_ntk], dim=1))[:, 0])
        return read_nk
