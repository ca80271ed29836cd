"""The answer that a cell's node probabilities give, and its second best.

Axes: ``n`` cells, ``m`` nodes, ``k`` the likeliest nodes of a cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.ontology import DOINGS, TOO_GENERAL, Ontology
from spoticell.errors import ConfigError

BLOCK = 1024
"""Cells that are answered at once."""
HOLDS_ON = 0.5
"""The second best is narrowed down while a subtype keeps this part of its probability."""
SOMETHING = 0.01
"""Probability that the second best has at least."""


class AnswerRule:
    """How the probabilities of some nodes become answers.

    Two nodes are apart if no node lies at or below both: a cell can be only one of them.  A node holds if it is
    likelier than every node apart from it, so all nodes that hold agree with each other.  The deepest of them is the
    answer if its probability passes the threshold; else the deepest of those above it that does.  Which threshold is
    asked for therefore only says how far down an answer goes.

    Terms that say nothing (`TOO_GENERAL`) or only what a cell does (`DOINGS`) are never an answer, but an answer
    must be likelier than they are too.

    Parameters
    ----------
    nodes
        Terms, length ``m``.
    ontology
        Where they stand.
    """

    def __init__(self, nodes: Sequence[str], ontology: Ontology) -> None:
        place = {node: m for m, node in enumerate(nodes)}
        above_mm = np.zeros((len(nodes), len(nodes)), dtype=np.bool_)
        for m, node in enumerate(nodes):
            above_mm[m, [place[term] for term in ontology.ancestors(node) if term in place]] = True
        self._nodes = len(nodes)
        self._above_mm = above_mm
        """Whether a column's node is a row's or above it."""
        self._apart_mm = above_mm.T.astype(np.float32) @ above_mm.astype(np.float32) == 0
        self._usable_m = np.array([node not in TOO_GENERAL | DOINGS for node in nodes], dtype=np.bool_)
        self._depth_m = np.array([ontology.depth(node) for node in nodes], dtype=np.int16)
        self._likeliest = min(len(nodes), int(above_mm.sum(axis=1).max(initial=0)) + 1)

    def answers(
        self, probabilities_nm: NDArray[np.floating], threshold: float | NDArray[np.floating]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Answer each cell, with a threshold for all or one for each; see `answers`."""
        threshold_n = np.broadcast_to(threshold, len(probabilities_nm))
        answer_n = np.full(len(probabilities_nm), -1, dtype=np.intp)
        score_n = np.zeros(len(probabilities_nm), dtype=np.float32)
        for start in range(0, len(probabilities_nm) if self._nodes else 0, BLOCK):
            rows = slice(start, start + BLOCK)
            known_nm = np.nan_to_num(probabilities_nm[rows], nan=0.0)
            answer_n[rows], score_n[rows] = self._answer(known_nm, threshold_n[rows])
        return answer_n, score_n

    def _answer(
        self, probabilities_nm: NDArray[np.floating], threshold_n: NDArray[np.floating]
    ) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
        # no node outside the likeliest can beat one of them
        node_nk = np.argpartition(-probabilities_nm, self._likeliest - 1, axis=1)[:, : self._likeliest]
        chance_nk = np.take_along_axis(probabilities_nm, node_nk, axis=1)
        order_nk = np.lexsort((node_nk, -chance_nk, -self._depth_m[node_nk]), axis=1)
        node_nk = np.take_along_axis(node_nk, order_nk, axis=1)
        chance_nk = np.take_along_axis(chance_nk, order_nk, axis=1)
        apart_nkk = self._apart_mm[node_nk[:, :, None], node_nk[:, None, :]]
        beaten_nk = (apart_nkk & (chance_nk[:, None, :] >= chance_nk[:, :, None])).any(axis=2)
        holds_nk = ~beaten_nk & self._usable_m[node_nk] & (chance_nk > 0)

        answer_n, score_n = np.full(len(node_nk), -1, dtype=np.intp), np.zeros(len(node_nk), dtype=chance_nk.dtype)
        open_n = np.flatnonzero(holds_nk.any(axis=1))
        while len(open_n):
            first_o = holds_nk[open_n].argmax(axis=1)
            node_o, chance_o = node_nk[open_n, first_o], chance_nk[open_n, first_o]
            sure_o = chance_o >= threshold_n[open_n]
            answer_n[open_n[sure_o]], score_n[open_n[sure_o]] = node_o[sure_o], chance_o[sure_o]
            open_n, node_o, first_o = open_n[~sure_o], node_o[~sure_o], first_o[~sure_o]
            holds_nk[open_n] &= self._above_mm[node_o[:, None], node_nk[open_n]]
            holds_nk[open_n, first_o] = False
            open_n = open_n[holds_nk[open_n].any(axis=1)]
        return answer_n, score_n

    def second_best(
        self, probabilities_nm: NDArray[np.floating], answer_n: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Give the type that each cell would be if it weren't its answer.

        It is the likeliest of the nodes apart from the answer, narrowed down to a subtype for as long as that keeps
        half of the probability.

        Parameters
        ----------
        probabilities_nm
            Probability of each node for each cell, ``(n, m)``.
        answer_n
            Position of each cell's answer; -1 for unknown.

        Returns
        -------
        The type's position and its probability; -1 and 0 for a cell without an answer, and where nothing else has a
        probability of one in a hundred.

        Examples
        --------
        >>> from spoticell.biology.ontology import load_ontology
        >>> nodes = ("CL:0000542", "CL:0000084", "CL:0000236", "CL:0000623")  # lymphocyte, T, B, natural killer cell
        >>> rule = AnswerRule(nodes, load_ontology())
        >>> second_n, chance_n = rule.second_best(np.array([[1, 0.7, 0.1, 0.2]]), np.array([1]))
        >>> nodes[second_n[0]], round(float(chance_n[0]), 2)
        ('CL:0000623', 0.2)
        """
        second_n = np.full(len(answer_n), -1, dtype=np.intp)
        chance_n = np.zeros(len(answer_n), dtype=np.float32)
        for start in range(0, len(answer_n), BLOCK):
            rows = start + np.flatnonzero(answer_n[start : start + BLOCK] >= 0)
            if len(rows):
                second_n[rows], chance_n[rows] = self._second_best(probabilities_nm[rows], answer_n[rows])
        return second_n, chance_n

    def _second_best(
        self, probabilities_nm: NDArray[np.floating], answer_n: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
        apart_nm = np.where(self._apart_mm[answer_n] & self._usable_m, probabilities_nm, 0)
        best_n = apart_nm.argmax(axis=1)
        best_chance_n = np.take_along_axis(apart_nm, best_n[:, None], axis=1)
        below_nm = self._above_mm.T[best_n] & (apart_nm >= HOLDS_ON * best_chance_n)
        depth_nm = np.where(below_nm, self._depth_m, np.int16(-1))
        deepest_nm = depth_nm == depth_nm.max(axis=1, keepdims=True)
        second_n = np.where(deepest_nm, apart_nm, -1).argmax(axis=1)
        chance_n = np.take_along_axis(apart_nm, second_n[:, None], axis=1)[:, 0]
        there_n = chance_n >= SOMETHING
        return np.where(there_n, second_n, -1), np.where(there_n, chance_n, 0)


@lru_cache(maxsize=8)
def rule_of(nodes: tuple[str, ...], ontology: Ontology) -> AnswerRule:
    """Give the rule for some nodes, made once."""
    return AnswerRule(nodes, ontology)


def answers(
    probabilities_nm: NDArray[np.floating], nodes: Sequence[str], ontology: Ontology, *, threshold: float
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Answer each cell with the deepest node that is sure enough and likelier than all that exclude it.

    Parameters
    ----------
    probabilities_nm
        Probability of each node for each cell, ``(n, m)``, in [0, 1]; NaN is never sure enough.
    nodes
        The ``m`` terms.
    ontology
        Where they stand.
    threshold
        Smallest probability that is sure enough, in [0, 1].  A lower one makes answers finer or fewer cells unknown,
        and changes nothing else.

    Returns
    -------
    For each cell the position of its answer in ``nodes``, -1 for unknown; and the answer's probability, 0 for unknown.

    Raises
    ------
    ConfigError
        If the probabilities aren't of these nodes.

    Examples
    --------
    >>> from spoticell.biology.ontology import load_ontology
    >>> nodes = ("CL:0000542", "CL:0000084", "CL:0000624", "CL:0000236")  # lymphocyte, T, CD4 T, B cell
    >>> probabilities_nm = np.array([[1, 0.9, 0.4, 0.1], [1, 0.5, 0.3, 0.5]])
    >>> for threshold in (0.5, 0.3):
    ...     answer_n, score_n = answers(probabilities_nm, nodes, load_ontology(), threshold=threshold)
    ...     print([load_ontology().name(nodes[m]) for m in answer_n])
    ['T cell', 'lymphocyte']
    ['CD4-positive, alpha-beta T cell', 'lymphocyte']
    """
    if probabilities_nm.shape[1:] != (len(nodes),):
        raise ConfigError(f"There are {len(nodes):,} nodes but probabilities of shape {probabilities_nm.shape}.")
    return rule_of(tuple(nodes), ontology).answers(probabilities_nm, threshold)
