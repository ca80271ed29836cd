"""What a network listens to: for each of its types the genes that speak for it, worked out backwards.

A bundle that can be taught more brings its weights, and fingerprints of example cells of each label.  From the mean
fingerprint of a label the way back through the trained layers is searched: which summary of all genes gives it?
From there the way back to the genes is one multiplication, since a summary is a weighted sum of them:

    x = argmin 1 - cos(F(x), f) + p/2 |x|^2   begun at the mean of all training cells, which batch norm makes zero
    strength = (x - mean of x) A              how far a gene would push the summary the way of the label

No cell is needed for it and none is drawn: it shows what the network has learned, not what was measured.
Adam: Kingma & Ba 2015, arXiv:1412.6980.
Axes: ``c`` labels, ``g`` the bundle's genes, ``k`` numbers of the summary, ``d`` fingerprint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load
from scipy.special import erf

from spoticell.model.bundle import Bundle

WEIGHTS, EXAMPLES = "weights.safetensors", "examples.safetensors"
STEPS, RATE = 120, 0.1
"""Steps of the search, and how far one goes; more change nothing that is seen."""
PULL = 0.01
"""How strongly a summary is held to the mean of all cells: of many that give a fingerprint the nearest is sought."""
EPS = 1e-5
"""What batch norm adds to a variance."""

Floats = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]]
Tensors = dict[str, NDArray[Any]]


def listening(bundle: Bundle) -> Floats | None:
    """Give how strongly each gene speaks for each label, against the mean of all labels.

    Parameters
    ----------
    bundle
        Whose network.

    Returns
    -------
    ``(c, g)``, in the order of the manifest's labels; negative where a gene speaks against.  None if the bundle
    brings no weights, or those of a network that reads more than the summary of all genes.

    Examples
    --------
    >>> import spoticell
    >>> bundle = spoticell.load_bundle("human-v1")
    >>> strength_cg = listening(bundle)
    >>> hepatocyte = bundle.manifest.labels.index("CL:0000182")
    >>> "APOH" in [bundle.vocabulary.symbols[g] for g in np.argsort(-strength_cg[hepatocyte])[:20]]
    True
    """
    if not {WEIGHTS, EXAMPLES} <= set(bundle.manifest.files):
        return None
    tensors: Tensors = load(bundle.read(WEIGHTS))
    if not _is_summary_alone(tensors):
        return None
    summary_ck = _backwards(_layers(tensors), mean_fingerprints(bundle))
    spread_k = np.sqrt(tensors["summary.norm.running_var"] + EPS)
    loading_kg = tensors["summary.project.weight"].astype(np.float32) / spread_k[:, None]
    strength_cg: Floats = (summary_ck - summary_ck.mean(axis=0)) @ (loading_kg * tensors["gene_weight"])
    return strength_cg


@dataclass(frozen=True)
class _Layers:
    """From the summary, before its norm's scale and shift, to the fingerprint; norms are folded into the weights."""

    scale_k: Floats
    shift_k: Floats
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]


def _is_summary_alone(tensors: Tensors) -> bool:
    needed = {"gene_weight", "summary.project.weight", "fusion.body.1.weight"}
    if not needed <= set(tensors):
        return False
    return bool(tensors["fusion.body.1.weight"].shape[1] == tensors["summary.project.weight"].shape[0])


def _layers(tensors: Tensors) -> _Layers:
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
    return _Layers(tensors["summary.norm.weight"], tensors["summary.norm.bias"], weights, biases)


def mean_fingerprints(bundle: Bundle) -> Floats:
    """Give the direction in which a bundle's examples of each label lie, ``(c, d)``; zero for one without examples.

    Parameters
    ----------
    bundle
        Must bring examples.

    Examples
    --------
    >>> import spoticell
    >>> mean_fingerprints(spoticell.load_bundle("human-v1")).shape
    (371, 64)
    """
    examples: Tensors = load(bundle.read(EXAMPLES))
    shape = len(bundle.manifest.labels), examples["fingerprint_kd"].shape[1]
    mean_cd = np.zeros(shape, dtype=np.float32)
    np.add.at(mean_cd, examples["label_k"], _unit(examples["fingerprint_kd"].astype(np.float32)))
    return _unit(mean_cd)


def _backwards(layers: _Layers, target_cd: Floats) -> Floats:
    """Search the summaries whose fingerprints point where the targets do, by Adam."""
    x_ck = np.zeros((len(target_cd), len(layers.scale_k)), dtype=np.float32)
    mean, square = (np.zeros(x_ck.shape, dtype=np.float32) for _ in range(2))
    for step in range(1, STEPS + 1):
        slope = _slope(layers, x_ck, target_cd) + PULL * x_ck
        mean += 0.1 * (slope - mean)
        square += 0.001 * (slope**2 - square)
        x_ck -= RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return x_ck


def _slope(layers: _Layers, x_ck: Floats, target_cd: Floats) -> Floats:
    """Give how 1 - cosine of fingerprint and target grows with each number of the summary."""
    value, bend = _gelu(x_ck * layers.scale_k + layers.shift_k)
    bends = [bend * layers.scale_k]
    for weight, bias in zip(layers.weights[:-1], layers.biases[:-1], strict=True):
        value, bend = _gelu(value @ weight.T + bias)
        bends.append(bend)
    ahead_cd = value @ layers.weights[-1].T + layers.biases[-1]
    length_c1 = np.maximum(np.linalg.norm(ahead_cd, axis=1, keepdims=True), 1e-6)
    print_cd = ahead_cd / length_c1
    slope = -(target_cd - print_cd * (print_cd * target_cd).sum(axis=1, keepdims=True)) / length_c1
    for weight, bend in zip(reversed(layers.weights), reversed(bends), strict=True):
        slope = (slope @ weight) * bend
    return np.asarray(slope, dtype=np.float32)


def _gelu(values: Numbers) -> tuple[Numbers, Numbers]:
    """Give gelu and its slope."""
    share = 0.5 * (1 + erf(values / np.float32(np.sqrt(2))))
    return values * share, share + values * np.exp(-0.5 * values**2) / np.float32(np.sqrt(2 * np.pi))


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), dtype=np.float32)
