"""From the probabilities of nodes back to the weights of labels, and from these to the probabilities.

Axes: ``n`` cells, ``c`` labels, ``m`` nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.ontology import Ontology, reach_matrix
from spoticell.errors import ConfigError

ROWS = 256
"""Cells that are multiplied at once: more would outgrow the processor's cache."""


class LabelWeights:
    """The way between label weights and node probabilities, in the order of some nodes.

    A node's probability is the sum of the weights of the labels at or below it.  Solved from the deepest label
    upwards, which is one multiplication with a matrix of whole numbers (Rota 1964, On the foundations of combinatorial
    theory I, https://doi.org/10.1007/BF00531932), this gives back the weights.

    Parameters
    ----------
    labels
        Terms that the network puts its weight on, length ``c``.
    nodes
        The labels and all terms above them, in the order of the probabilities, length ``m``.
    ontology
        Where they stand.

    Raises
    ------
    ConfigError
        If the nodes are other terms than the labels and those above them.

    Examples
    --------
    >>> from spoticell.biology.ontology import load_ontology
    >>> labels = ["CL:0000542", "CL:0000084", "CL:0000236"]  # lymphocyte, T cell, B cell
    >>> nodes, reach_cm = reach_matrix(labels, load_ontology())
    >>> weights = LabelWeights(labels, nodes, load_ontology())
    >>> weights.of(np.float32([[0.25, 0.5, 0.25]]) @ reach_cm).tolist()
    [[0.25, 0.5, 0.25]]
    """

    def __init__(self, labels: Sequence[str], nodes: Sequence[str], ontology: Ontology) -> None:
        known, reach_cm = reach_matrix(labels, ontology)
        if sorted(known) != sorted(nodes):
            raise ConfigError("the nodes aren't the labels and the terms above them.")
        place = {node: m for m, node in enumerate(known)}
        self.label_c = np.array([nodes.index(label) for label in labels], dtype=np.intp)
        """Position of each label among the nodes."""
        self.reach_cm = reach_cm[:, [place[node] for node in nodes]].astype(np.float32)
        """1 where a label is a node or below it."""
        # each label reaches itself and no two reach each other, so the determinant is one and the inverse is whole
        inverse_cc = np.linalg.inv(self.reach_cm[:, self.label_c].astype(np.float64))
        self._inverse = Few(np.rint(inverse_cc))
        self._reach = Few(self.reach_cm)

    def of(self, probabilities_nm: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the weight of each label, ``(n, c)``, from the probability of each node."""
        weight_nc = self._inverse(probabilities_nm[:, self.label_c])
        return np.maximum(weight_nc, 0, out=weight_nc)

    def summed(self, weight_nc: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the probability of each node, ``(n, m)``: a parent's is never less than its child's."""
        probability_nm = self._reach(weight_nc)
        return np.minimum(probability_nm, 1, out=probability_nm)


class Few:
    """Multiplication with a matrix of which few numbers aren't zero, fast for many rows.

    Examples
    --------
    >>> Few(np.array([[1, 0], [1, 1]]))(np.float32([[0.25, 0.5]])).tolist()
    [[0.75, 0.5]]
    """

    def __init__(self, matrix_xy: NDArray[Any]) -> None:
        self.turned_yx = sparse.csr_array(matrix_xy.T.astype(np.float32))
        """The matrix with its axes changed, for cells in columns."""

    def __call__(self, values_nx: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give ``values_nx @ matrix_xy``."""
        product_ny = np.empty((len(values_nx), self.turned_yx.shape[0]), dtype=np.float32)
        for start in range(0, len(values_nx), ROWS):
            rows = slice(start, start + ROWS)
            product_ny[rows] = (self.turned_yx @ np.ascontiguousarray(values_nx[rows].T)).T
        return product_ny
