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
from torch.nn import functional

from spoticell.bundle import Bundle, load_bundle
from spoticell.errors import BundleError
from spoticell.train.cells import LabelledCells
from spoticell.train.config import NetworkConfig
from spoticell.train.network import DualPath
from spoticell.train.validate import predict

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

    def widened(self, labels: Sequence[str], examples: LabelledCells) -> DualPath:
        """Give the network with a softmax over these labels, old ones as they are and new ones as their cells say.

        The weights of an old label lie along the fingerprints of its cells; those of a new one begin as the mean
        fingerprint of its cells, as long as old ones are.

        Parameters
        ----------
        labels
            Old and new labels, ``c`` in all.
        examples
            Cells, some of each new label.
        """
        wide = DualPath(self.config, self.bundle.pixel_g, len(labels))
        weights = self.network().state_dict()
        weight_od, bias_o = (weights[name] for name in HEAD)
        row_of = {label: row for row, label in enumerate(self.labels)}
        fingerprint_nd = torch.from_numpy(predict(self.network(), examples)[0])
        length, bias = weight_od.norm(dim=1).mean(), bias_o.mean()
        weight_cd, bias_c = [], []
        for label in labels:
            if label in row_of:
                weight_cd.append(weight_od[row_of[label]])
                bias_c.append(bias_o[row_of[label]])
                continue
            # a label of which there is no example begins at rest
            sum_d = fingerprint_nd[torch.from_numpy(examples.label_n == label)].sum(0)
            weight_cd.append(functional.normalize(sum_d, dim=0) * length)
            bias_c.append(bias)
        wide.load_state_dict(weights | dict(zip(HEAD, (torch.stack(weight_cd), torch.stack(bias_c)), strict=True)))
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
