"""The network: counts in, fingerprint and label logits out.

A summary of all genes is fused into the fingerprint, from which the logits follow.  A config can add two paths through
the picture of the cell: drawn on the gene grid, every pixel has weights of its own that turn its window (5 x 5 pixels)
into a few channels; the small map that results goes through convolutions on one path and, cut into patches that the
summary joins as one more token, through a transformer on the other.

Sources of the parts: residual blocks, He et al. 2016, doi:10.1109/CVPR.2016.90; transformer, Vaswani et al. 2017,
arXiv:1706.03762; patches as tokens, Dosovitskiy et al. 2021, arXiv:2010.11929; square roots of proportions as
coordinates (Hellinger), Rao 1995.

Axes: ``n`` cells, ``g`` genes, ``p`` pixels, ``w`` windows, ``k`` channels, ``d`` fingerprint, ``c`` labels.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from spoticell.training.config import NetworkConfig
from spoticell.training.layout import GRID, Pixels

WINDOW = 5
"""Side of a window, in pixels."""
MAP = GRID // WINDOW
"""Side of the map of windows."""
PATCH, STEP = 6, 5
"""Side of a patch and distance between patches, in windows: 6 x 6 patches that overlap by one window."""
N_PATCHES = ((MAP - PATCH) // STEP + 1) ** 2


class DualPath(nn.Module):
    """The network of a config, for a layout and a number of labels.

    Parameters
    ----------
    config
        Which paths there are and how wide they are.
    pixel_g
        Pixel of each gene.
    n_labels
        Number of labels ``c``.
    weight_g
        How much each gene counts in the scaled picture; all alike if not given.
    """

    gene_place: Tensor
    """Place of each gene among the pixels in the order of windows."""
    window_pixels: Tensor
    """Gene of each pixel in the order of windows; the number of genes for an empty pixel."""
    gene_weight: Tensor

    def __init__(
        self, config: NetworkConfig, pixel_g: Pixels, n_labels: int, *, weight_g: NDArray[np.float32] | None = None
    ) -> None:
        super().__init__()
        if not (config.cnn or config.transformer or config.cell_token):
            raise ValueError("a network needs the CNN path, the transformer path or the cell token")
        self.config = config
        place_g = _places(pixel_g)
        gene_p = np.full(GRID * GRID, len(pixel_g), dtype=np.int64)
        gene_p[place_g] = np.arange(len(pixel_g))
        self.register_buffer("gene_place", torch.from_numpy(place_g), persistent=False)
        self.register_buffer("window_pixels", torch.from_numpy(gene_p), persistent=False)
        weight = torch.ones(len(pixel_g)) if weight_g is None else torch.from_numpy(weight_g)
        self.register_buffer("gene_weight", weight)
        size = 0
        if config.cnn or config.transformer:
            self.stem = WindowStem(config.stem_channels, config.cell_length)
        if config.cell_token:
            self.summary = CellSummary(len(pixel_g), config.cell_token, config.cell_length)
            size += config.cell_token
        if config.cnn:
            self.cnn = CnnPath(config.stem_channels + 1, config.channels)
            size += config.channels[-1]
        if config.transformer:
            self.transformer = TransformerPath(config)
            size += config.width
        self.fusion = Fusion(size, config)
        self.labels = nn.Linear(config.fingerprint, n_labels)
        self.sharpness = nn.Parameter(torch.tensor(12.0))

    def forward(self, counts_ng: Tensor, measured_ng: Tensor) -> tuple[Tensor, Tensor]:
        """Give fingerprints ``(n, d)`` of unit length and logits ``(n, c)``.

        ``counts_ng`` holds aligned counts, dense or sparse; most are zeros, so sparse ones are faster to train on.
        ``measured_ng`` holds booleans, or ones and zeros; its first axis may be 1 where all cells have the same genes.
        """
        scaled_ng = self.scale(counts_ng * measured_ng)
        parts = []
        summary_nk = self.summary(_dense(scaled_ng)) if self.config.cell_token else None
        if summary_nk is not None:
            parts.append(summary_nk)
        if self.config.cnn or self.config.transformer:
            map_nwk = self.stem(self._by_window(scaled_ng))
            seen_nw1 = self._seen(measured_ng)[:, :, None].expand(map_nwk.shape[0], -1, -1)
            map_nwk = torch.cat([map_nwk, seen_nw1.to(map_nwk.dtype)], dim=2)
            # channels last in memory, as convolutions on a processor like it
            map_nkhw = map_nwk.reshape(-1, MAP, MAP, map_nwk.shape[2]).permute(0, 3, 1, 2)
        if self.config.cnn:
            parts.append(self.cnn(map_nkhw))
        if self.config.transformer:
            parts.append(self.transformer(map_nkhw, summary_nk))
        parts_nk = torch.cat(parts, dim=1)
        if torch.is_autocast_enabled(parts_nk.device.type):
            with torch.autocast(parts_nk.device.type, enabled=False):
                return self._name(parts_nk.to(self.sharpness.dtype))
        return self._name(parts_nk)

    def _name(self, parts_nk: Tensor) -> tuple[Tensor, Tensor]:
        """From both paths to fingerprints and logits; never in half precision."""
        fingerprint_nd = self.fusion(parts_nk)
        return fingerprint_nd, self.answer(fingerprint_nd)

    def answer(self, fingerprint_nd: Tensor) -> Tensor:
        """Give the logits of fingerprints, ``(n, c)``."""
        logits_nc: Tensor = self.sharpness * self.labels(fingerprint_nd)
        return logits_nc

    def scale(self, counts_ng: Tensor) -> Tensor:
        """Make cells of different depth, seen through different panels, comparable."""
        if not counts_ng.is_sparse:
            return self._scale(counts_ng, self.gene_weight, lambda values_ng: values_ng.sum(1, keepdim=True))
        cell_v, gene_v = counts_ng.indices()
        weight_v = self.gene_weight.index_select(0, gene_v)
        zero_n = weight_v.new_zeros(counts_ng.shape[0])
        scaled_v = self._scale(
            counts_ng.values(),
            weight_v,
            lambda values_v: zero_n.index_add(0, cell_v, values_v).index_select(0, cell_v),
        )
        return _sparse(cell_v, gene_v, scaled_v, tuple(counts_ng.shape))

    def _scale(self, counts: Tensor, weight: Tensor, of_cell: Callable[[Tensor], Tensor]) -> Tensor:
        """Scale counts, of a gene's weight each; ``of_cell`` sums values over their cell."""
        if self.config.scaling == "sqrt":
            root = counts.sqrt() * weight
            return root / of_cell(root.square()).sqrt().clamp_min(1e-6) * self.config.cell_length
        # log1p of counts per 10,000 has a length of about 50 to 100
        return torch.log1p(counts / of_cell(counts).clamp_min(1.0) * 1e4) * weight * (self.config.cell_length / 64)

    def _by_window(self, values_ng: Tensor) -> Tensor:
        """Give ``(n, w, 25)``: the pixels of each window; empty pixels are zero."""
        if values_ng.is_sparse:
            cell_v, gene_v = values_ng.indices()
            shape = (values_ng.shape[0], GRID * GRID)
            place_v = self.gene_place.index_select(0, gene_v)
            pixels_np = _dense(_sparse(cell_v, place_v, values_ng.values(), shape))
        else:
            padded = functional.pad(values_ng, (0, 1))
            pixels_np = padded.gather(1, self.window_pixels.expand(padded.shape[0], -1))
        return pixels_np.reshape(-1, MAP * MAP, WINDOW * WINDOW)

    def _seen(self, measured_ng: Tensor) -> Tensor:
        """Give ``(n, w)``: the share of a window's pixels whose gene was measured."""
        # cells last in memory, so that whole rows of them are gathered and added, and booleans added as bytes
        padded_gn = functional.pad(measured_ng.t(), (0, 0, 0, 1))
        windows_wpn = padded_gn.index_select(0, self.window_pixels).reshape(MAP * MAP, WINDOW * WINDOW, -1)
        kind = torch.uint8 if measured_ng.dtype == torch.bool else measured_ng.dtype
        return windows_wpn.sum(1, dtype=kind).t() / WINDOW**2


class WindowStem(nn.Module):
    """Windows to channels, with weights of its own for each pixel: this is where a gene has its identity."""

    def __init__(self, channels: int, cell_length: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(MAP * MAP, WINDOW * WINDOW, channels) * (1.5 / cell_length))
        self.bias = nn.Parameter(torch.zeros(MAP * MAP, 1, channels))
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, windows_nwp: Tensor) -> Tensor:
        """``(n, w, 25)`` to ``(n, w, k)``."""
        map_wnk = torch.baddbmm(self.bias, windows_nwp.transpose(0, 1), self.weight)
        # to be normalised all windows and cells are one picture, channels last in memory, which is fast
        map_wnk = functional.gelu(self.norm(map_wnk[None].permute(0, 3, 1, 2)).permute(0, 2, 3, 1)[0])
        if map_wnk.requires_grad:
            # put in order once, or each step back would go through memory in leaps
            map_wnk.register_hook(Tensor.contiguous)  # type: ignore[no-untyped-call]
        return map_wnk.transpose(0, 1)


class CellSummary(nn.Module):
    """All genes of a cell to one short vector."""

    def __init__(self, n_genes: int, size: int, cell_length: float) -> None:
        super().__init__()
        self.project = nn.Linear(n_genes, size)
        nn.init.normal_(self.project.weight, 0, 0.15 / cell_length)
        self.norm = nn.BatchNorm1d(size)

    def forward(self, scaled_ng: Tensor) -> Tensor:
        """``(n, g)`` to ``(n, k)``."""
        summary_nk: Tensor = functional.gelu(self.norm(self.project(scaled_ng)))
        return summary_nk


class Residual(nn.Module):
    """Two convolutions and a way round them."""

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
        """Halve the sides of the map."""
        return functional.relu(self.body(map_nkhw) + self.shortcut(map_nkhw))


class CnnPath(nn.Module):
    """Four residual blocks and the mean over what is left of the map."""

    def __init__(self, given: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        widths = (given, *channels)
        self.blocks = nn.Sequential(*(Residual(a, b) for a, b in pairwise(widths)))

    def forward(self, map_nkhw: Tensor) -> Tensor:
        """``(n, k, h, w)`` to ``(n, last channels)``."""
        pooled_nk: Tensor = self.blocks(map_nkhw).mean((2, 3))
        return pooled_nk


class TransformerPath(nn.Module):
    """Patches of the map as tokens, and one token for the whole cell that is read out in the end."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width = config.width
        self.patches = nn.Conv2d(config.stem_channels + 1, width, PATCH, STEP, bias=False)
        self.position = nn.Parameter(torch.randn(N_PATCHES, width) * 0.02)
        self.whole = nn.Linear(config.cell_token, width) if config.cell_token else None
        self.start = nn.Parameter(torch.randn(width) * 0.02)
        self.layer = FirstToken(
            width, config.heads, 2 * width, config.dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, map_nkhw: Tensor, summary_nk: Tensor | None) -> Tensor:
        """``(n, k, h, w)`` and the summary to ``(n, width)``."""
        # the sum is as precise as the position is
        tokens_ntk = self.patches(map_nkhw).flatten(2).transpose(1, 2) + self.position
        whole_nk = self.start.expand(map_nkhw.shape[0], -1)
        if self.whole is not None and summary_nk is not None:
            whole_nk = whole_nk + self.whole(summary_nk)
        read_nk: Tensor = self.norm(self.layer(torch.cat([whole_nk[:, None], tokens_ntk], dim=1)))
        return read_nk


class FirstToken(nn.TransformerEncoderLayer):
    """A transformer layer of which only the first token comes out.

    So only this token asks and is fed forward.  The other tokens' keys and values aren't made either: weights that
    would make them go to the other side of the dot product and of the mean, where there is one token to multiply.
    """

    def forward(self, tokens_ntk: Tensor) -> Tensor:  # type: ignore[override]
        """``(n, t, k)`` to ``(n, k)``."""
        normed_ntk = self.norm1(tokens_ntk)
        first_nk = tokens_ntk[:, 0] + self.dropout1(self._attend(normed_ntk))
        hidden = self.dropout(self.activation(self.linear1(self.norm2(first_nk))))
        read_nk: Tensor = first_nk + self.dropout2(self.linear2(hidden))
        return read_nk

    def _attend(self, tokens_ntk: Tensor) -> Tensor:
        """Attention of the first token, ``h`` heads of ``d``: softmax(q K^T) V with K = T W_k and V = T W_v."""
        attention = self.self_attn
        heads, size, width = attention.num_heads, attention.head_dim, attention.embed_dim
        query_nk = functional.linear(tokens_ntk[:, 0], attention.in_proj_weight[:width], attention.in_proj_bias[:width])
        key_hdk = attention.in_proj_weight[width : 2 * width].reshape(heads, size, width)
        value_hdk = attention.in_proj_weight[2 * width :].reshape(heads, size, width)
        value_hd = attention.in_proj_bias[2 * width :].reshape(heads, size)
        # the keys' bias would add the same to all scores of a head, which softmax doesn't see
        asked_nhk = torch.einsum("nhd,hdk->nhk", query_nk.reshape(-1, heads, size), key_hdk) * size**-0.5
        score_nht = asked_nhk @ tokens_ntk.transpose(1, 2)
        share_nht = torch.softmax(score_nht.to(tokens_ntk.dtype), dim=2)
        share_nht = functional.dropout(share_nht, attention.dropout, self.training)
        mean_nhd = torch.einsum("nhk,hdk->nhd", share_nht @ tokens_ntk, value_hdk)
        # after dropout shares no longer sum to 1
        mean_nhd = mean_nhd + share_nht.sum(2, keepdim=True) * value_hd
        attended_nk: Tensor = attention.out_proj(mean_nhd.flatten(1))
        return attended_nk


class Fusion(nn.Module):
    """Both paths to the fingerprint."""

    def __init__(self, size: int, config: NetworkConfig) -> None:
        super().__init__()
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
            nn.Linear(second, config.fingerprint),
        )

    def forward(self, parts_nk: Tensor) -> Tensor:
        """``(n, size)`` to ``(n, d)``, unit length."""
        fused_nd = self.body(parts_nk)
        unit_nd: Tensor = fused_nd / fused_nd.square().sum(1, keepdim=True).sqrt().clamp_min(1e-6)
        return unit_nd


def count_parameters(network: nn.Module) -> int:
    """Give the number of trained parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def _dense(values_ng: Tensor) -> Tensor:
    """Give all values of a matrix; for a sparse one this is faster than ``to_dense``."""
    if not values_ng.is_sparse:
        return values_ng
    return values_ng.values().new_zeros(values_ng.shape).index_put_(tuple(values_ng.indices()), values_ng.values())


def _sparse(row_v: Tensor, column_v: Tensor, value_v: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Give a sparse matrix of values no two of which share a place."""
    place = torch.stack([row_v, column_v])
    return torch.sparse_coo_tensor(place, value_v, shape, is_coalesced=True, check_invariants=False)


def _places(pixel_g: Pixels) -> NDArray[np.int64]:
    """Give the place of each gene's pixel where pixels are in the order of windows."""
    row, column = np.divmod(pixel_g, GRID)
    window = row // WINDOW * MAP + column // WINDOW
    place_g: NDArray[np.int64] = window * WINDOW**2 + row % WINDOW * WINDOW + column % WINDOW
    return place_g
