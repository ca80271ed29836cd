"""The dual-path network as a textbook would write it: the peer of the fast formulation, with the same weights.

Every token goes through the whole transformer layer, all genes of all cells are dense, and windows are gathered from
pixels.  Axes as in ``spoticell.training.network``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoticell.training.network import MAP, WINDOW, DualPath


class PlainDualPath(DualPath):
    """A network that computes what :class:`DualPath` does, step by step."""

    def forward(self, counts_ng: Tensor, measured_ng: Tensor) -> tuple[Tensor, Tensor]:
        """Give fingerprints ``(n, d)`` and logits ``(n, c)``."""
        counts_ng = counts_ng.to_dense() if counts_ng.is_sparse else counts_ng
        measured_ng = measured_ng.to(counts_ng.dtype)
        scaled_ng = self._scaled(counts_ng * measured_ng)
        parts = []
        summary_nk = self.summary(scaled_ng) if self.config.cell_token else None
        if summary_nk is not None:
            parts.append(summary_nk)
        if self.config.cnn or self.config.transformer:
            map_nkhw = self._to_map(self._windows(scaled_ng))
            seen_nhw = self._windows(measured_ng).mean(2).reshape(-1, 1, MAP, MAP)
            map_nkhw = torch.cat([map_nkhw, seen_nhw.expand(map_nkhw.shape[0], -1, -1, -1)], dim=1)
        if self.config.cnn:
            parts.append(self.cnn(map_nkhw))
        if self.config.transformer:
            parts.append(self._read_tokens(map_nkhw, summary_nk))
        fingerprint_nd = self.fusion(torch.cat(parts, dim=1))
        return fingerprint_nd, self.sharpness * self.labels(fingerprint_nd)

    def _scaled(self, counts_ng: Tensor) -> Tensor:
        if self.config.scaling == "sqrt":
            root_ng = counts_ng.sqrt() * self.gene_weight
            return self.config.cell_length * root_ng / root_ng.square().sum(1, keepdim=True).sqrt().clamp_min(1e-6)
        total_n1 = counts_ng.sum(1, keepdim=True).clamp_min(1.0)
        return torch.log1p(counts_ng / total_n1 * 1e4) * self.gene_weight / 64 * self.config.cell_length

    def _windows(self, values_ng: Tensor) -> Tensor:
        padded = functional.pad(values_ng, (0, 1))
        return padded[:, self.window_pixels].reshape(-1, MAP * MAP, WINDOW * WINDOW)

    def _to_map(self, windows_nwp: Tensor) -> Tensor:
        map_wnk = torch.baddbmm(self.stem.bias, windows_nwp.transpose(0, 1), self.stem.weight)
        map_nhwk = map_wnk.transpose(0, 1).reshape(windows_nwp.shape[0], MAP, MAP, -1)
        return functional.gelu(self.stem.norm(map_nhwk.permute(0, 3, 1, 2)))

    def _read_tokens(self, map_nkhw: Tensor, summary_nk: Tensor | None) -> Tensor:
        path = self.transformer
        tokens_ntk = path.patches(map_nkhw).flatten(2).transpose(1, 2) + path.position
        whole_nk = path.start.expand(map_nkhw.shape[0], -1)
        if path.whole is not None and summary_nk is not None:
            whole_nk = whole_nk + path.whole(summary_nk)
        tokens_ntk = torch.cat([whole_nk[:, None], tokens_ntk], dim=1)
        return path.norm(nn.TransformerEncoderLayer.forward(path.layer, tokens_ntk)[:, 0])
