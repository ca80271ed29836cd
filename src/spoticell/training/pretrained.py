"""A trained model to begin with, where it is taught new types instead of being trained anew.

Its genes, layout, network and labels are taken over; labels that it lacks get a place in its softmax.
Axes: ``c`` labels, ``d`` fingerprint.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor

from spoticell.errors import BundleError
from spoticell.model.bundle import CODE, Bundle, load_bundle
from spoticell.model.layers import BEFORE, NETWORK, WEIGHTS
from spoticell.training.config import NetworkConfig
from spoticell.training.fast import FastFingerprintNetwork
from spoticell.training.rehearsal import EXAMPLES, Examples

HEAD = ("labels.weight", "labels.bias")


@dataclass(frozen=True)
class Start:
    """A bundle's network, ready to learn more."""

    bundle: Bundle
    config: NetworkConfig
    weights: dict[str, Tensor]
    examples: Examples
    """Fingerprints of its labels, by their position."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What the network knows."""
        return self.bundle.manifest.labels

    def network(self) -> FastFingerprintNetwork:
        """Give the network as it is in the bundle.

        Raises
        ------
        BundleError
            If the weights are of a network of another shape.
        """
        network = FastFingerprintNetwork(self.config, self.bundle.pixel_g, len(self.labels))
        try:
            network.load_state_dict(self.weights)
        except RuntimeError as error:
            raise BundleError(
                f"{self.bundle.path / WEIGHTS} is of a network that this release can't build; export the bundle again."
            ) from error
        return network

    def widened(self, labels: Sequence[str]) -> FastFingerprintNetwork:
        """Give the network with a softmax over these labels, those it knows as they are and new ones at rest.

        A new label starts as unlikely as the least likely old one, so that at first nothing is answered otherwise.
        """
        wide = FastFingerprintNetwork(self.config, self.bundle.pixel_g, len(labels))
        place = {label: c for c, label in enumerate(labels)}
        known = torch.tensor([place[label] for label in self.labels])
        weights = self.network().state_dict()
        weight_od, bias_o = (weights[name] for name in HEAD)
        weight_cd = torch.zeros(len(labels), weight_od.shape[1])
        bias_c = torch.full((len(labels),), float(bias_o.min()))
        weight_cd[known], bias_c[known] = weight_od, bias_o
        wide.load_state_dict(weights | dict(zip(HEAD, (weight_cd, bias_c), strict=True)))
        return wide

    @property
    def planes(self) -> NDArray[np.float16]:
        """Planes of the binary code, ``(b, d)``."""
        return np.asarray(np.load(self.bundle.path / CODE, allow_pickle=False))


def load_start(bundle: str | Path) -> Start:
    """Read the network of a bundle.

    Raises
    ------
    BundleError
        If there is no such bundle, or it brings no weights to go on with.
    """
    loaded = load_bundle(bundle)
    for name in (WEIGHTS, EXAMPLES, CODE):
        if name not in loaded.manifest.files:
            raise BundleError(
                f"{loaded.path} brings no {name} and can't be taught more; take a bundle that this release trained."
            )
    weights, about = _tensors(loaded.path / WEIGHTS)
    examples, _ = _tensors(loaded.path / EXAMPLES)
    try:
        config = NetworkConfig.model_validate(BEFORE | json.loads(about.get(NETWORK, "{}")))
        return Start(loaded, config, weights, Examples(examples["fingerprint_kd"], examples["label_k"].long()))
    except (ValueError, KeyError, RecursionError) as error:
        raise BundleError(f"{loaded.path} is of a network that this release can't build: {error}.") from error


def _tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 - not a dict
            return tensors, file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise BundleError(f"{path} can't be read ({error}); fetch or export the bundle again.") from error
