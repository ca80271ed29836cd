"""The network computed faster: the same weights, outputs and gradients as in `network`, up to rounding.

Counts may be sparse, as most are zeros; memory is kept in the order in which it is read; of the transformer's layer
only the token that is read out is made; and in half precision the fingerprint is still made in single.

Axes as in `network`; ``v`` values of a sparse matrix, ``h`` heads, ``d`` size of a head.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from spoticell.training.config import NetworkConfig
from spoticell.training.layout import GRID, Pixels
from spoticell.training.network import MAP, WINDOW, FingerprintNetwork, PixelStem


class FastFingerprintNetwork(FingerprintNetwork):
    """A network that computes what :class:`FingerprintNetwork` does, from dense or sparse counts.

    Parameters
    ----------
    config, pixel_g, n_labels, weight_g
        As there.
    """

    gene_p: Tensor
    """Gene of each pixel, in the order of windows; the number of genes for an empty pixel."""

    def __init__(
        self, config: NetworkConfig, pixel_g: Pixels, n_labels: int, *, weight_g: NDArray[np.float32] | None = None
    ) -> None:
        super().__init__(config, pixel_g, n_labels, weight_g=weight_g)
        gene_p = np.full(GRID * GRID, len(pixel_g), dtype=np.int64)
        gene_p[pixel_g] = np.arange(len(pixel_g))
        by_window_p = gene_p.reshape(MAP, WINDOW, MAP, WINDOW).swapaxes(1, 2).ravel()
        self.register_buffer("gene_p", torch.from_numpy(by_window_p), persistent=False)
        if self.stem is not None:
            self.stem = OrderedStem(self.stem)
        if self.transformer is not None:
            self.transformer.layer = FirstToken(self.transformer.layer)

    def scale(self, counts_ng: Tensor) -> Tensor:
        """Scale cells, dense or sparse; sparse ones value by value, and only the outcome is made dense."""
        if not counts_ng.is_sparse:
            return super().scale(counts_ng)
        (n_cells, n_genes), (cell_v, gene_v), count_v = counts_ng.shape, counts_ng.indices(), counts_ng.values()
        weight_v = self.gene_weight.index_select(0, gene_v)

        def of_cell(value_v: Tensor) -> Tensor:
            """Sum up values over each one's cell."""
            return value_v.new_zeros(n_cells).index_add(0, cell_v, value_v).index_select(0, cell_v)

        if self.config.scaling == "sqrt":
            root_v = count_v.sqrt() * weight_v
            scaled_v = root_v / of_cell(root_v.square()).sqrt().clamp_min(1e-6) * self.config.cell_length
        else:
            share_v = count_v / of_cell(count_v).clamp_min(1.0)
            scaled_v = torch.log1p(share_v * 1e4) * weight_v * (self.config.cell_length / 64)
        # faster than to_dense
        flat = scaled_v.new_zeros(n_cells * n_genes).index_copy_(0, cell_v * n_genes + gene_v, scaled_v)
        return flat.reshape(n_cells, n_genes)

    def windows(self, values_ng: Tensor) -> Tensor:
        """Gather the windows, ``(n, w, p)``, cells last in memory: whole rows of them are copied, added, multiplied."""
        padded_gn = functional.pad(values_ng.t(), (0, 0, 0, 1))
        return padded_gn.index_select(0, self.gene_p).reshape(MAP * MAP, WINDOW * WINDOW, -1).permute(2, 0, 1)

    def name(self, parts_nk: Tensor) -> tuple[Tensor, Tensor]:
        """From what the parts give to fingerprints and logits; never in half precision."""
        device = parts_nk.device.type
        if not torch.is_autocast_enabled(device):
            return super().name(parts_nk)
        with torch.autocast(device, enabled=False):
            return super().name(parts_nk.to(self.sharpness.dtype))


class OrderedStem(PixelStem):
    """A stem that keeps its feature map in the order in which it is made and read.

    Parameters
    ----------
    stem
        The stem whose weights it takes over.
    """

    def __init__(self, stem: PixelStem) -> None:
        nn.Module.__init__(self)
        self.weight, self.bias, self.norm = stem.weight, stem.bias, stem.norm

    def forward(self, scaled_nwp: Tensor, measured_nwp: Tensor) -> Tensor:
        """``(n, w, p)`` to ``(n, k + 1, h, w)``."""
        map_wnk = torch.baddbmm(self.bias, scaled_nwp.transpose(0, 1), self.weight)
        # to be normalised all windows and cells are one picture, channels last in memory, which is fast
        map_wnk = functional.gelu(self.norm(map_wnk[None].permute(0, 3, 1, 2)).permute(0, 2, 3, 1)[0])
        if map_wnk.requires_grad:
            # put in order once, or each step back would go through memory in leaps
            map_wnk.register_hook(Tensor.contiguous)  # type: ignore[no-untyped-call]
        # booleans are added as bytes: a window has few pixels
        kind = torch.uint8 if measured_nwp.dtype == torch.bool else measured_nwp.dtype
        share_wn = measured_nwp.permute(1, 2, 0).sum(1, dtype=kind).to(map_wnk.dtype) / WINDOW**2
        share_nw1 = share_wn.t()[:, :, None].expand(map_wnk.shape[1], -1, -1)
        map_nwk = torch.cat([map_wnk.transpose(0, 1), share_nw1], dim=2)
        # channels last in memory, as convolutions on a processor like it
        return map_nwk.reshape(-1, MAP, MAP, map_nwk.shape[2]).permute(0, 3, 1, 2)


class FirstToken(nn.TransformerEncoderLayer):
    """A transformer layer of which only the first token comes out.

    So only this token asks and is fed forward.  The other tokens' keys and values aren't made either: weights that
    would make them go to the other side of the dot product and of the mean, where there is one token to multiply.

    Parameters
    ----------
    layer
        The layer whose weights it takes over.
    """

    def __init__(self, layer: nn.TransformerEncoderLayer) -> None:
        nn.Module.__init__(self)
        self.self_attn = layer.self_attn
        self.linear1, self.dropout, self.linear2 = layer.linear1, layer.dropout, layer.linear2
        self.norm1, self.norm2 = layer.norm1, layer.norm2
        self.dropout1, self.dropout2 = layer.dropout1, layer.dropout2

    def forward(self, tokens_ntk: Tensor) -> Tensor:  # type: ignore[override]
        """``(n, t, k)`` to ``(n, 1, k)``."""
        first_nk = tokens_ntk[:, 0] + self.dropout1(self.attend(self.norm1(tokens_ntk)))
        hidden = self.dropout(functional.gelu(self.linear1(self.norm2(first_nk))))
        read_nk: Tensor = first_nk + self.dropout2(self.linear2(hidden))
        return read_nk[:, None]

    def attend(self, tokens_ntk: Tensor) -> Tensor:
        """Attention of the first token, ``(n, k)``: softmax(q K^T) V with K = T W_k and V = T W_v."""
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
