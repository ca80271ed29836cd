"""Where the weight of types that can't be goes: to their nearest relatives among those that can.

Axes: ``n`` cells, ``c`` labels, ``m`` nodes, ``r`` nodes that take in the weight of labels that can't be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.label_weights import ROWS, Few, LabelWeights
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
        self.possible_m = possible_m
        """Which nodes can be."""
        place = {node: m for m, node in enumerate(nodes)}
        below_m = ontology.descendants(nodes)
        possible_c = possible_m[weights.label_c]
        takers: dict[int, list[int]] = {}
        for c in np.flatnonzero(~possible_c).tolist():
            above = [place[term] for term in ontology.ancestors(nodes[weights.label_c[c]])]
            near = max((m for m in above if possible_m[m] or nodes[m] in TOO_GENERAL), key=lambda m: (-below_m[m], m))
            takers.setdefault(near, []).append(c)
        self._possible_c1 = possible_c.astype(np.float32)[:, None]
        gives_cr = np.zeros((len(possible_c), len(takers)))
        for r, given in enumerate(takers.values()):
            gives_cr[given, r] = 1
        below_cr = weights.reach_cm[:, list(takers)] * self._possible_c1
        # what has nothing above it but what all cells are has no relatives
        below_cr[:, [nodes[m] in TOO_GENERAL for m in takers]] = 0
        above_rm = np.zeros((len(takers), len(nodes)))
        for r, m in enumerate(takers):
            above_rm[r, [place[term] for term in ontology.ancestors(nodes[m])]] = 1
        # cells in columns: these matrices hold few numbers, and are fast from the left
        self._gives_rc, self._below_rc = Few(gives_cr).turned_yx, Few(below_cr).turned_yx
        self._below_cr, self._above_mr = Few(below_cr.T).turned_yx, Few(above_rm).turned_yx
        self._reach_mc = Few(weights.reach_cm).turned_yx

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
        probability_nm = np.empty((len(weight_nc), self._reach_mc.shape[0]), dtype=np.float32)
        for start in range(0, len(weight_nc), ROWS):
            rows = slice(start, start + ROWS)
            probability_nm[rows] = self._summed(np.ascontiguousarray(weight_nc[rows].T)).T
        return np.minimum(probability_nm, 1, out=probability_nm)

    def _summed(self, weight_cn: NDArray[np.float32]) -> NDArray[np.float32]:
        given_rn, own_rn = self._gives_rc @ weight_cn, self._below_rc @ weight_cn
        all_rn = given_rn + own_rn
        part_rn = np.divide(given_rn, all_rn, out=np.zeros_like(all_rn), where=all_rn > 0)
        shared_cn = weight_cn * self._possible_c1 * (1 + self._below_cr @ part_rn)
        probability_mn: NDArray[np.float32] = self._reach_mc @ shared_cn + self._above_mr @ (given_rn * part_rn)
        return probability_mn
