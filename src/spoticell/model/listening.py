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

from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from spoticell.model.bundle import Bundle
from spoticell.model.layers import Floats, Layers, Tensors, layers_of, loading_of, read_shape, read_tensors

EXAMPLES = "examples.safetensors"
STEPS, RATE = 120, 0.1
"""Steps of the search, and how far one goes; more change nothing that is seen."""
PULL = 0.01
"""How strongly a summary is held to the mean of all cells: of many that give a fingerprint the nearest is sought."""


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
    tensors = read_tensors(bundle) if EXAMPLES in bundle.manifest.files else None
    if tensors is None:
        return None
    layers = layers_of(tensors, members=read_shape(bundle)["members"])
    summary_ck = _backwards(layers, mean_fingerprints(bundle))
    loading_kg = loading_of(tensors) * tensors["gene_weight"]
    strength_cg: Floats = (summary_ck - summary_ck.mean(axis=0)) @ loading_kg
    return strength_cg


def mean_fingerprints(bundle: Bundle) -> Floats:
    """Give the direction in which a bundle's examples of each label lie, ``(c, d)``; zero for one without examples.

    Of a network of several members the fingerprints of all lie side by side in it.

    Parameters
    ----------
    bundle
        Must bring examples.

    Examples
    --------
    >>> import spoticell
    >>> mean_fingerprints(spoticell.load_bundle("human-v1")).shape
    (410, 128)
    """
    examples: Tensors = load(bundle.read(EXAMPLES))
    return directions(examples["fingerprint_kd"], examples["label_k"], len(bundle.manifest.labels))


def directions(fingerprint_kd: NDArray[np.floating[Any]], label_k: NDArray[np.integer[Any]], n_labels: int) -> Floats:
    """Give the direction in which the examples of each label lie, ``(c, d)``; zero for a label without any.

    Parameters
    ----------
    fingerprint_kd
        Fingerprints of examples.
    label_k
        Position of each one's label among the labels.
    n_labels
        How many labels there are.

    Examples
    --------
    >>> directions(np.eye(2), np.array([0, 0]), 2).round(2).tolist()
    [[0.7099999785423279, 0.7099999785423279], [0.0, 0.0]]
    """
    sum_cd = np.zeros((n_labels, fingerprint_kd.shape[1]), dtype=np.float32)
    np.add.at(sum_cd, label_k, _unit(fingerprint_kd.astype(np.float32)))
    return _unit(sum_cd)


def _backwards(layers: Layers, target_cd: Floats) -> Floats:
    """Search the summaries whose fingerprints point where the targets do, by Adam."""
    x_ck = np.zeros((len(target_cd), len(layers.scale_k)), dtype=np.float32)
    mean, square = (np.zeros(x_ck.shape, dtype=np.float32) for _ in range(2))
    for step in range(1, STEPS + 1):
        # 1 - cosine falls as the fingerprint goes the way of the target
        slope = layers.backwards(layers.forwards(x_ck), -target_cd) + PULL * x_ck
        mean += 0.1 * (slope - mean)
        square += 0.001 * (slope**2 - square)
        x_ck -= RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return x_ck


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), dtype=np.float32)
