"""A trained model to begin with, where it is taught new types instead of being trained anew.

Its genes, layout, network and labels are taken over; labels that it lacks get a place in its softmax.
Axes: ``c`` labels, ``d`` fingerprint.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from spoticell.bundle import Bundle, load_bundle
from spoticell.errors import BundleError
from spoticell.train.config import NetworkConfig
from spoticell.train.network import DualPath

WEIGHTS = "weights.safetensors"
NETWORK = "network"
"""Name under which the weights' file tells the shape of the network."""
HEAD = ("labels.weight", "labels.bias")


@dataclass(frozen=True)
class Start:
    """A bundle's network, ready to learn more."""

    bundle: Bundle
    config: NetworkConfig
    weights: dict[str, Tensor]

    @property
    def labels(self) -> tuple[str, ...]:
        """What the network knows."""
        return self.bundle.manifest.labels

    def network(self) -> DualPath:
        """Give the network as it is in the bundle.

        Raises
        ------
        BundleError
            If the weights are of a network of another shape.
        """
        network = DualPath(self.config, self.bundle.pixel_g, len(self.labels))
        try:
            network.load_state_dict(self.weights)
        except RuntimeError as error:
            raise BundleError(
                f"{self.bundle.path / WEIGHTS} is of a network that this release can't build; export the bundle again."
            ) from error
        return network

    def widened(self, labels: Sequence[str]) -> DualPath:
        """Give the network with a softmax over these labels, those it knows as they are and new ones at rest.

        A new label starts as unlikely as the least likely old one, so that at first nothing is answered otherwise.
        """
        wide = DualPath(self.config, self.bundle.pixel_g, len(labels))
        place = {label: row for row, label in enumerate(labels)}
        known = torch.tensor([place[label] for label in self.labels])
        weights = self.network().state_dict()
        weight_cd, bias_c = (weights[name] for name in HEAD)
        wide_cd = torch.zeros(len(labels), weight_cd.shape[1])
        wide_c = torch.full((len(labels),), float(bias_c.min()))
        wide_cd[known], wide_c[known] = weight_cd, bias_c
        wide.load_state_dict(weights | dict(zip(HEAD, (wide_cd, wide_c), strict=True)))
        return wide


def load_start(bundle: str | Path) -> Start:
    """Read the network of a bundle.

    Raises
    ------
    BundleError
        If there is no such bundle, or it brings no weights to go on with.
    """
    loaded = load_bundle(bundle)
    path = loaded.path / WEIGHTS
    if WEIGHTS not in loaded.manifest.files:
        raise BundleError(f"{loaded.path} brings no {WEIGHTS} and can't be taught more; train a bundle with weights.")
    try:
        with safe_open(path, framework="pt") as file:
            shape = (file.metadata() or {}).get(NETWORK, "{}")
            weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 - not a dict
            return Start(loaded, NetworkConfig.model_validate(json.loads(shape)), weights)
    except (SafetensorError, OSError, ValueError) as error:
        raise BundleError(f"{path} can't be read as weights ({error}); fetch or export the bundle again.") from error
