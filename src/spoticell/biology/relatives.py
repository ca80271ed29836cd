"""Where the weight of types that can't be goes: to their nearest relatives among those that can.

Axes: ``n`` cells, ``c`` labels, ``m`` nodes, ``r`` nodes that take in the weight of labels that can't be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.label_weights import LabelWeights
from spoticell.biology.ontology import TOO_GENERAL, Ontology


class Relatives:
    """Node probabilities as they are when some nodes can't be, nothing of their weight being lost.

    The weight of a label that can't be goes to the narrowest term above it that can: the one with fewest terms below it
    in the whole ontology.  The more weight the possible labels below this term had already, the more of it they share
    among themselves; the rest stays with the term: a cell for which nothing else speaks becomes of a coarser type, not
    of another one.

    Parameters
    ----------
    weights
        The way between the labels' weights and the nodes' probabilities.
    nodes
        Terms, length ``m``.
    ontology
        Where they stand.
    possible_m
        Which nodes can be.

    Examples
    --------
    >>> from spoticell.biology.ontology import load_ontology, reach_matrix
    >>> labels = ["CL:0000650", "CL:0000669", "CL:0000115"]  # mesangial cell, pericyte, endothelial cell
    >>> nodes, reach_cm = reach_matrix(labels, load_ontology())
    >>> weights, possible_m = LabelWeights(labels, nodes, load_ontology()), np.array(nodes) != "CL:0000650"
    >>> no_kidney = Relatives(weights, nodes, load_ontology(), possible_m)
    >>> probability_nm = no_kidney(np.float32([[0.7, 0.1, 0.2]]) @ reach_cm)
    >>> [round(float(probability_nm[0, nodes.index(label)]), 3) for label in labels]
    [0.0, 0.8, 0.2]
    """

    def __init__(
        self, weights: LabelWeights, nodes: Sequence[str], ontology: Ontology, possible_m: NDArray[np.bool_]
    ) -> None:
        self._weights = weights
        place = {node: m for m, node in enumerate(nodes)}
        below_m = ontology.descendants(nodes)
        possible_c = possible_m[weights.label_c]
        takers: dict[int, list[int]] = {}
        for c in np.flatnonzero(~possible_c).tolist():
            above = [place[term] for term in ontology.ancestors(nodes[weights.label_c[c]])]
            near = max((m for m in above if possible_m[m] or nodes[m] in TOO_GENERAL), key=lambda m: (-below_m[m], m))
            takers.setdefault(near, []).append(c)
        self._possible_c = possible_c.astype(np.float32)
        self._gives_cr = np.zeros((len(possible_c), len(takers)), dtype=np.float32)
        for r, given in enumerate(takers.values()):
            self._gives_cr[given, r] = 1
        self._below_cr = weights.reach_cm[:, list(takers)] * self._possible_c[:, None]
        # what has nothing above it but what all cells are has no relatives
        self._below_cr[:, [nodes[m] in TOO_GENERAL for m in takers]] = 0
        self._above_rm = np.zeros((len(takers), len(nodes)), dtype=np.float32)
        for r, m in enumerate(takers):
            self._above_rm[r, [place[term] for term in ontology.ancestors(nodes[m])]] = 1

    def __call__(self, probabilities_nm: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the probabilities among the possible nodes.

        Parameters
        ----------
        probabilities_nm
            Of each node for each cell: sums of labels' weights.

        Returns
        -------
        The same, ``(n, m)``; a parent is never less probable than its child.
        """
        return self.summed(self._weights.of(probabilities_nm))

    def summed(self, weight_nc: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the same from the weight of each label, ``(n, c)``."""
        given_nr, own_nr = weight_nc @ self._gives_cr, weight_nc @ self._below_cr
        all_nr = given_nr + own_nr
        part_nr = np.divide(given_nr, all_nr, out=np.zeros_like(all_nr), where=all_nr > 0)
        shared_nc = weight_nc * self._possible_c * (1 + part_nr @ self._below_cr.T)
        kept_nm = (given_nr * part_nr) @ self._above_rm
        restricted_nm: NDArray[np.float32] = np.minimum(self._weights.summed(shared_nc) + kept_nm, 1)
        return restricted_nm.astype(np.float32, copy=False)
