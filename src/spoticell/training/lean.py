"""The network as it is exported: weights and outputs of `network`, up to rounding, arranged for ONNX Runtime.

The stem's norm goes into its weights.  The last channel of the feature map, the share of each window that is measured,
is the same for all cells of a run, so that what the first convolutions make of it is worked out once and added; what
is left has as many channels as ONNX Runtime has fast convolutions for.

Axes as in `network`.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from spoticell.training.fast import OrderedStem
from spoticell.training.network import MAP, WINDOW, FingerprintNetwork, ResidualBlock


def lean(network: FingerprintNetwork) -> FingerprintNetwork:
    """Arrange a trained network for the export, in place; one that doesn't look at the picture stays as it is."""
    if network.stem is not None:
        network.stem = LeanStem(network.stem)
    if network.cnn is not None:
        first = cast("ResidualBlock", network.cnn.blocks[0])
        for branch in (first.body, first.shortcut):
            branch[0] = LeanConvolution(cast("nn.Conv2d", branch[0]))
    if network.transformer is not None:
        network.transformer.patches = LeanConvolution(network.transformer.patches)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            _add_bias(module)
    return network


def _add_bias(convolution: nn.Conv2d) -> None:
    """Give a convolution a bias of zeros: with the one that the exporter makes, the fast convolutions are not used."""
    if convolution.bias is None:
        convolution.bias = nn.Parameter(torch.zeros(convolution.out_channels))


class LeanStem(OrderedStem):
    """A stem that gives the feature map and, beside it, the share of each window that is measured."""

    def forward(self, scaled_nwp: Tensor, measured_nwp: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """``(n, w, p)`` to ``(n, k, h, w)`` and ``(1, 1, h, w)``."""
        norm = self.norm
        mean_k, variance_k = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
        gain_k = norm.weight / torch.sqrt(variance_k + norm.eps)
        shift_k = norm.bias - mean_k * gain_k
        made_wnk = torch.baddbmm(self.bias * gain_k + shift_k, scaled_nwp.transpose(0, 1), self.weight * gain_k)
        map_nkw = functional.gelu(made_wnk).permute(1, 2, 0)
        share_1w = measured_nwp.sum(2) / WINDOW**2
        return map_nkw.reshape(-1, map_nkw.shape[1], MAP, MAP), share_1w.reshape(-1, 1, MAP, MAP)


class LeanConvolution(nn.Conv2d):
    """A convolution over what a `LeanStem` gives.

    Parameters
    ----------
    convolution
        The convolution over the whole feature map, whose weights it takes over.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        nn.Module.__init__(self)
        self.__dict__.update(convolution.__dict__)

    def forward(self, given: tuple[Tensor, Tensor]) -> Tensor:  # type: ignore[override]
        """Add up what is made of the channels and of the share."""
        map_nkhw, share_11hw = given
        return self._made(map_nkhw, self.weight[:, :-1]) + self._made(share_11hw, self.weight[:, -1:])

    def _made(self, map_nkhw: Tensor, weight: Tensor) -> Tensor:
        return functional.conv2d(map_nkhw, weight, self.bias, self.stride, self.padding)
