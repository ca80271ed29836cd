"""How much each gene of a cell speaks for a type, or against it.

Of a network that reads the summary of all genes alone, and whose weights the bundle brings, the probability ``p`` of a
type is followed from a cell without counts to the cell, which is scaled and weighted as the network does it, ``s``::

    contribution of a gene = s_g * mean over a of dp/ds_g at a s,   a from 0 to 1

Together the contributions are ``p(cell) - p(no counts)``: integrated gradients, Sundararajan, Taly & Yan 2017,
arXiv:1703.01365.  Of any other network each gene of a cell is taken out in turn: its contribution is by how much the
probability falls (occlusion, Zeiler & Fergus 2014, arXiv:1311.2901).  That takes a run of the network for each gene.

Of the ways that were tried, the first was the most faithful when genes were taken out of real cells in its order;
`docs/explain.md` has the figures.
Axes: ``n`` cells, ``g`` the bundle's genes, ``k`` numbers of the summary, ``c`` labels, ``a`` points of a way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.model.bundle import Bundle
from spoticell.model.layers import (
    EPS,
    SHORTEST,
    Floats,
    Tensors,
    layers_of,
    loading_of,
    read_shape,
    read_tensors,
)

if TYPE_CHECKING:
    from spoticell.model.runtime import Runtime

STEPS = 64
"""Points of the way from a cell without counts to the cell."""
ROWS = 512
"""Cells with a gene taken out that the network gets at once."""


@dataclass(frozen=True)
class Spoken:
    """What speaks for a type in ``n`` cells."""

    contribution_ng: sparse.csr_array
    """How much each gene that a cell has adds to the probability; negative where it speaks against."""
    probability_n: Floats
    """The network's probability of the type, each cell alone and before calibration."""
    without: float
    """The same of a cell without counts."""


class Reasons(Protocol):
    """A way to find what speaks for a type."""

    @property
    def method(self) -> str:
        """What the way is called."""

    @property
    def most(self) -> int:
        """Cells of a type or group that are looked at, at most."""

    def of(self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_], node: int) -> Spoken:
        """Give what speaks for a node in some cells."""


class IntegratedGradients:
    """The way through the weights.

    Parameters
    ----------
    bundle
        Whose network; its labels stand where they stand in this release's ontology.
    tensors
        Its weights.
    cell_length
        Length to which the network scales a cell.
    members
        Networks side by side.
    """

    method = "integrated gradients"
    most = 50

    def __init__(self, bundle: Bundle, tensors: Tensors, cell_length: float, members: int) -> None:
        self._layers = layers_of(tensors, members=members)
        self._weight_g = tensors["gene_weight"].astype(np.float32)
        self._loading_gk = np.ascontiguousarray(loading_of(tensors).T) * np.float32(cell_length)
        spread_k = np.sqrt(tensors["summary.norm.running_var"] + EPS)
        ahead_k = tensors["summary.project.bias"] - tensors["summary.norm.running_mean"]
        self._start_k: Floats = np.asarray(ahead_k / spread_k, dtype=np.float32)
        sharpness = np.float32(tensors["sharpness"] / bundle.manifest.temperature)
        self._labels_cd: Floats = tensors["labels.weight"].astype(np.float32) * sharpness
        self._bias_c: Floats = tensors["labels.bias"].astype(np.float32) * sharpness
        self._reach_cm = bundle.label_weights.reach_cm

    def of(self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_], node: int) -> Spoken:
        """Give what speaks for a node in some cells; genes that weren't measured have no counts, and no say."""
        contribution_ng, member_c = self._scaled(counts_ng), self._reach_cm[:, node]
        summary_nk: Floats = np.asarray(contribution_ng @ self._loading_gk, dtype=np.float32)
        for n, ahead_k in enumerate(summary_nk):
            own = slice(*contribution_ng.indptr[n : n + 2])
            loading_ek = self._loading_gk[contribution_ng.indices[own]]
            contribution_ng.data[own] *= loading_ek @ self._mean_slope(ahead_k, member_c)
        probability_n, _ = self._looked(np.concatenate([np.zeros_like(summary_nk[:1]), summary_nk]), member_c)
        return Spoken(contribution_ng, probability_n[1:], float(probability_n[0]))

    def _scaled(self, counts_ng: sparse.csr_array) -> sparse.csr_array:
        """Give cells of length 1, as the network weighs their genes."""
        scaled_ng = counts_ng.astype(np.float32)
        scaled_ng.data = np.sqrt(scaled_ng.data) * self._weight_g[scaled_ng.indices]
        length_n = np.sqrt((scaled_ng**2).sum(axis=1))
        scaled_ng.data /= np.repeat(np.maximum(length_n, SHORTEST), np.diff(scaled_ng.indptr)).astype(np.float32)
        return scaled_ng

    def _mean_slope(self, ahead_k: Floats, member_c: Floats) -> Floats:
        """Give how the probability changes with the summary, over the way from no counts to a cell."""
        share_a: Floats = np.asarray((np.arange(STEPS) + 0.5) / STEPS, dtype=np.float32)
        _, slope_ak = self._looked(share_a[:, None] * ahead_k, member_c)
        slope_k: Floats = slope_ak.mean(axis=0)
        return slope_k

    def _looked(self, ahead_ak: Floats, member_c: Floats) -> tuple[Floats, Floats]:
        """Give the probability of some labels together, and how it changes with the summary."""
        passed = self._layers.forwards(self._start_k + ahead_ak)
        logit_ac = passed.fingerprint_nd @ self._labels_cd.T + self._bias_c
        weight_ac = np.exp(logit_ac - logit_ac.max(axis=1, keepdims=True))
        weight_ac /= weight_ac.sum(axis=1, keepdims=True)
        probability_a = weight_ac @ member_c
        slope_ac = weight_ac * (member_c - probability_a[:, None])
        return probability_a, self._layers.backwards(passed, slope_ac @ self._labels_cd)


class Occlusion:
    """The way through the network as it is run: each gene of a cell is taken out in turn.

    Parameters
    ----------
    runtime
        Of the network.
    """

    method = "occlusion"
    most = 5

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def of(self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_], node: int) -> Spoken:
        """Give what speaks for a node in some cells."""
        empty_1g = sparse.csr_array((1, counts_ng.shape[1]), dtype=np.float32)
        with_empty_ng = sparse.csr_array(sparse.vstack([empty_1g, counts_ng], format="csr"))
        probability = self._runtime.predict(with_empty_ng, measured_g).probabilities_nm[:, node]
        contribution_ng = counts_ng.astype(np.float32)
        for n, whole in enumerate(probability[1:]):
            own = slice(*counts_ng.indptr[n : n + 2])
            rest_e = self._without_each(counts_ng[n : n + 1], measured_g, node)
            contribution_ng.data[own] = whole - rest_e
        return Spoken(contribution_ng, probability[1:], float(probability[0]))

    def _without_each(self, cell_1g: sparse.csr_array, measured_g: NDArray[np.bool_], node: int) -> Floats:
        """Give the probability of a cell without each of the genes that it has."""
        rest_e = np.empty(cell_1g.nnz, dtype=np.float32)
        for start in range(0, cell_1g.nnz, ROWS):
            out = np.arange(start, min(start + ROWS, cell_1g.nnz))
            data_oe = np.tile(cell_1g.data, (len(out), 1))
            data_oe[np.arange(len(out)), out] = 0
            indptr = np.arange(len(out) + 1) * cell_1g.nnz
            rows_og = sparse.csr_array(
                (data_oe.ravel(), np.tile(cell_1g.indices, len(out)), indptr), shape=(len(out), cell_1g.shape[1])
            )
            rest_e[out] = self._runtime.predict(rows_og, measured_g).probabilities_nm[:, node]
        return rest_e


def through_weights(bundle: Bundle) -> IntegratedGradients | None:
    """Give the way through a bundle's weights; None if it brings none, or those of a network that reads more.

    Parameters
    ----------
    bundle
        Whose network.

    Examples
    --------
    >>> import spoticell
    >>> bundle = spoticell.load_bundle("human-v1")
    >>> gcg = bundle.vocabulary.by_symbol["GCG"]
    >>> cell = sparse.csr_array(np.float32(np.arange(len(bundle.vocabulary)) == gcg)[None] * 9)
    >>> measured_g = np.ones(len(bundle.vocabulary), dtype=bool)
    >>> said = through_weights(bundle).of(cell, measured_g, bundle.nodes.index("CL:0000171"))  # pancreatic A cell
    >>> float(said.contribution_ng[0, gcg]) > 0.5
    True
    """
    tensors = read_tensors(bundle) if bundle.is_of_this_ontology else None
    if tensors is None:
        return None
    shape = read_shape(bundle)
    if shape.get("scaling", "sqrt") != "sqrt":
        return None
    return IntegratedGradients(bundle, tensors, float(shape["cell_length"]), int(shape["members"]))
