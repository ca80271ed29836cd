"""Keeping answers to some labels: the network's weight on the others is taken away, and the rest made one again.

Pure functions on arrays.  Which labels a user means by his words is settled in ``allowed``.
Axes: ``n`` cells, ``c`` labels, ``a`` those of them that are allowed, ``m`` nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import ConfigError
from spoticell.ontology import Ontology, reach_matrix

LEAST = 0.05
"""A cell on whose allowed labels the network puts less weight than this, all together, stays unknown.

Making the rest one again would turn a scrap of weight into a sure answer: a neuron among T cells would be a T cell.
Below one in twenty, the customary bound of what is too unlikely to be believed, the network says that the cell is
something else; and no probability grows more than twentyfold.
"""


def labels_within(
    labels: Sequence[str], ontology: Ontology, *, allow: Iterable[str] = (), deny: Iterable[str] = ()
) -> NDArray[np.bool_]:
    """Say which labels are at or below an allowed term, and neither at nor below a denied one.

    Parameters
    ----------
    labels
        Terms, length ``c``.
    ontology
        Where they stand.
    allow
        Terms; every label is allowed if there are none.
    deny
        Terms; they win over allowed ones.

    Examples
    --------
    >>> from spoticell.ontology import load_ontology
    >>> labels = ["CL:0000236", "CL:0000084", "CL:0000624"]  # B cell, T cell, CD4-positive alpha-beta T cell
    >>> labels_within(labels, load_ontology(), allow=["CL:0000542"], deny=["CL:0000624"]).tolist()
    [True, True, False]
    """
    allow, deny = frozenset(allow), frozenset(deny)
    above_c = [ontology.ancestors(label) for label in labels]
    return np.array([(not allow or bool(above & allow)) and not above & deny for above in above_c], dtype=np.bool_)


class Restriction:
    """Node probabilities as they are when only some labels can be.

    A node's probability is the sum of the weights of the labels at or below it.  Solved from the deepest label
    upwards, which is one multiplication with a matrix of whole numbers (Rota 1964, On the foundations of combinatorial
    theory I, https://doi.org/10.1007/BF00531932), this gives back the weights; those of labels that aren't allowed are
    left out, the others made one, and summed up the ontology again.  A parent is therefore never less probable than
    its children.

    Parameters
    ----------
    labels
        Terms that the network puts its weight on, length ``c``.
    nodes
        The labels and all terms above them, in the order of the probabilities, length ``m``.
    ontology
        Where they stand.
    allowed_c
        Which labels can be.

    Raises
    ------
    ConfigError
        If none can be, or the nodes are other terms than the labels and those above them.

    Examples
    --------
    >>> from spoticell.ontology import load_ontology
    >>> labels = ["CL:0000542", "CL:0000084", "CL:0000236"]  # lymphocyte, T cell, B cell
    >>> nodes, reach_cm = reach_matrix(labels, load_ontology())
    >>> probabilities_nm = np.float32([[0.2, 0.5, 0.3]]) @ reach_cm
    >>> only_t = Restriction(labels, nodes, load_ontology(), np.array([False, True, False]))
    >>> [round(float(only_t(probabilities_nm)[0, nodes.index(label)]), 3) for label in labels]
    [1.0, 1.0, 0.0]
    """

    def __init__(
        self, labels: Sequence[str], nodes: Sequence[str], ontology: Ontology, allowed_c: NDArray[np.bool_]
    ) -> None:
        if not allowed_c.any():
            raise ConfigError("none of the labels is allowed; at least one is needed.")
        known, reach_cm = reach_matrix(labels, ontology)
        if sorted(known) != sorted(nodes):
            raise ConfigError("the nodes aren't the labels and the terms above them.")
        place = {node: m for m, node in enumerate(known)}
        self._label_c = np.array([nodes.index(label) for label in labels])
        self._reach_am = reach_cm[allowed_c][:, [place[node] for node in nodes]].astype(np.float32)
        reach_cc = reach_cm[:, [place[label] for label in labels]]
        # each label reaches itself and no two reach each other, so the determinant is one and the inverse is whole
        self._weights_ca = np.rint(np.linalg.inv(reach_cc))[:, allowed_c].astype(np.float32)

    def __call__(self, probabilities_nm: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the probabilities among the allowed labels.

        Parameters
        ----------
        probabilities_nm
            Of each node for each cell.

        Returns
        -------
        The same, ``(n, m)``; all zero for a cell whose allowed labels have less than `LEAST` together.
        """
        weight_na = np.maximum(probabilities_nm[:, self._label_c] @ self._weights_ca, 0)
        total_n = weight_na.sum(axis=1)
        share_n = np.where(total_n >= LEAST, 1 / np.maximum(total_n, LEAST), 0)
        restricted_nm: NDArray[np.float32] = np.minimum((weight_na * share_n[:, None]) @ self._reach_am, 1)
        return restricted_nm.astype(np.float32, copy=False)
