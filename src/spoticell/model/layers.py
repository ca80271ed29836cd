"""The layers between the summary of all genes and the fingerprint, forwards and backwards, without PyTorch.

A bundle that can be taught more brings its weights.  Where its network reads the summary alone, these few layers are
all that is between genes and fingerprint, and how the end changes with the beginning is worked out here.
Axes: ``n`` rows, ``k`` numbers of the summary, ``r`` members, ``d`` fingerprint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy  # `special` is loaded when it is first used
from numpy.typing import NDArray
from safetensors.numpy import load

from spoticell.model.bundle import Bundle

WEIGHTS = "weights.safetensors"
NETWORK = "network"
"""Name under which the weights' file tells the shape of the network."""
BEFORE = {"cell_length": 1.0, "members": 1}
"""What weights were made with that don't say."""
EPS = 1e-5
"""What batch norm adds to a variance."""
SHORTEST = 1e-6
"""Length below which a vector isn't scaled to 1."""

Floats = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]]
Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Passed:
    """What is kept of a way forwards, for the way back."""

    fingerprint_nd: Floats
    """Of length 1."""
    length_nr1: Floats
    """What each member's share of the fingerprints was divided by, for cells and members."""
    bends: tuple[Numbers, ...]
    """How each activation changes with what went in."""


@dataclass(frozen=True)
class Layers:
    """From the summary, before its norm's scale and shift, to the fingerprint; norms are folded into the weights."""

    scale_k: Floats
    shift_k: Floats
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    members: int = 1
    """Networks side by side, each of which adds as much to the fingerprint."""

    def forwards(self, summary_nk: Floats) -> Passed:
        """Give the fingerprints of summaries."""
        value, bend = gelu(summary_nk * self.scale_k + self.shift_k)
        bends = [bend * self.scale_k]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            value, bend = gelu(value @ weight.T + bias)
            bends.append(bend)
        ahead_nd = value @ self.weights[-1].T + self.biases[-1]
        ahead_nrd = ahead_nd.reshape(len(ahead_nd), self.members, -1)
        length_nr1 = np.maximum(np.linalg.norm(ahead_nrd, axis=2, keepdims=True), SHORTEST).astype(np.float32)
        length_nr1 *= np.float32(self.members**0.5)
        fingerprint_nd = np.asarray(ahead_nrd / length_nr1, dtype=np.float32).reshape(ahead_nd.shape)
        return Passed(fingerprint_nd, length_nr1, tuple(bends))

    def backwards(self, passed: Passed, slope_nd: Floats) -> Floats:
        """Give how something grows with each number of the summary, from how it grows with the fingerprint."""
        shape = (len(slope_nd), self.members, -1)
        print_nrd, slope_nrd = passed.fingerprint_nd.reshape(shape), slope_nd.reshape(shape)
        # what goes along a member's share doesn't move it; the length of a share is one over the root of the members
        along_nr1 = (print_nrd * slope_nrd).sum(axis=2, keepdims=True) * np.float32(self.members)
        slope: Numbers = ((slope_nrd - print_nrd * along_nr1) / passed.length_nr1).reshape(slope_nd.shape)
        for weight, bend in zip(reversed(self.weights), reversed(passed.bends), strict=True):
            slope = (slope @ weight) * bend
        return np.asarray(slope, dtype=np.float32)


def read_tensors(bundle: Bundle) -> Tensors | None:
    """Give a bundle's weights; None if it brings none, or those of a network that reads more than the summary."""
    if WEIGHTS not in bundle.manifest.files:
        return None
    tensors: Tensors = load(bundle.read(WEIGHTS))
    if not {"gene_weight", "summary.project.weight", "fusion.body.1.weight"} <= set(tensors):
        return None
    is_alone = tensors["fusion.body.1.weight"].shape[1] == tensors["summary.project.weight"].shape[0]
    return tensors if is_alone else None


def read_shape(bundle: Bundle) -> dict[str, Any]:
    """Give the settings of the network that a bundle brings the weights of, as far as they are told."""
    contents = bundle.read(WEIGHTS)
    head = json.loads(contents[8 : 8 + int.from_bytes(contents[:8], "little")])
    told: dict[str, Any] = json.loads(head.get("__metadata__", {}).get(NETWORK, "{}"))
    return BEFORE | told


def layers_of(tensors: Tensors, *, members: int) -> Layers:
    """Give the layers of some weights, those of ``members`` networks side by side."""

    def folded(linear: int, norm: int) -> tuple[Floats, Floats]:
        weight, bias = (tensors[f"fusion.body.{linear}.{part}"].astype(np.float32) for part in ("weight", "bias"))
        gain, shift, mean, variance = (
            tensors[f"fusion.body.{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = (gain / np.sqrt(variance + EPS)).astype(np.float32)
        return weight * scale[:, None], np.asarray((bias - mean) * scale + shift, dtype=np.float32)

    first, second = folded(1, 2), folded(5, 6)
    last = tuple(tensors[f"fusion.body.9.{part}"].astype(np.float32) for part in ("weight", "bias"))
    weights, biases = zip(first, second, last, strict=True)
    return Layers(tensors["summary.norm.weight"], tensors["summary.norm.bias"], weights, biases, members)


def loading_of(tensors: Tensors) -> Floats:
    """Give how far each scaled gene moves each number of the summary, ``(k, g)``; the genes' own weights left out."""
    spread_k = np.sqrt(tensors["summary.norm.running_var"] + EPS)
    return np.asarray(tensors["summary.project.weight"].astype(np.float32) / spread_k[:, None], dtype=np.float32)


def gelu(values: Numbers) -> tuple[Numbers, Numbers]:
    """Give gelu and its slope."""
    share = 0.5 * (1 + scipy.special.erf(values / np.float32(np.sqrt(2))))
    return values * share, share + values * np.exp(-0.5 * values**2) / np.float32(np.sqrt(2 * np.pi))
