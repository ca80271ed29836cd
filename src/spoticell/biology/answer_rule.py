"""The answer that a cell's node probabilities give, and its second best.

Axes: ``n`` cells, ``m`` nodes, ``k`` the likeliest nodes of a cell, ``e`` nodes that can become answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.ontology import DOINGS, TOO_GENERAL, Ontology
from spoticell.biology.smallest import smallest
from spoticell.errors import ConfigError

BLOCK = 1024
"""Cells that are answered at once."""
HOLDS_ON = 0.5
"""The second best is narrowed down while a subtype keeps this part of its probability."""
SOMETHING = 0.01
"""Probability that the second best has at least."""


@dataclass(frozen=True)
class Standing:
    """The nodes that can become the answers of ``n`` cells: those of the first cell, then those of the second, ...

    Of each cell from the deepest to the highest, each likelier than the one before: the first that passes the
    threshold is the answer.
    """

    node_e: NDArray[np.integer]
    chance_e: NDArray[np.floating]
    """Their probabilities."""
    count_n: NDArray[np.integer]
    """How many of them are each cell's."""

    @staticmethod
    def none(n_cells: int) -> Standing:
        """Give cells that stay unknown."""
        return Standing(np.empty(0, np.intp), np.empty(0, np.float32), np.zeros(n_cells, np.intp))

    @staticmethod
    def join(parts: Sequence[Standing], *, n_cells: int) -> Standing:
        """Put consecutive cells together; those that lack of all cells stay unknown."""
        count_n = np.concatenate([part.count_n for part in parts])
        return Standing(
            np.concatenate([part.node_e for part in parts]),
            np.concatenate([part.chance_e for part in parts]),
            np.concatenate([count_n, np.zeros(n_cells - len(count_n), np.intp)]),
        )

    def answers(self, threshold: float | NDArray[np.floating]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Answer each cell, with a threshold for all or one for each; see `answers`."""
        n_cells = len(self.count_n)
        cell_e = np.repeat(np.arange(n_cells), self.count_n)
        passed_p = np.flatnonzero(self.chance_e >= np.broadcast_to(threshold, n_cells)[cell_e])
        cell_a, first_a = np.unique(cell_e[passed_p], return_index=True)
        answer_n, score_n = np.full(n_cells, -1, dtype=np.intp), np.zeros(n_cells, dtype=np.float32)
        answer_n[cell_a], score_n[cell_a] = self.node_e[passed_p[first_a]], self.chance_e[passed_p[first_a]]
        return answer_n, score_n


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
        self._most_likely = min(len(nodes), int(above_mm.sum(axis=1).max(initial=0)) + 1)

    def answers(
        self, probabilities_nm: NDArray[np.floating], threshold: float | NDArray[np.floating]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Answer each cell, with a threshold for all or one for each; see `answers`."""
        return self.standing(probabilities_nm).answers(threshold)

    def standing(self, probabilities_nm: NDArray[np.floating]) -> Standing:
        """Give the nodes that can become each cell's answer, whatever the threshold.

        Parameters
        ----------
        probabilities_nm
            Probability of each node for each cell, ``(n, m)``.

        Examples
        --------
        >>> from spoticell.biology.ontology import load_ontology
        >>> nodes = ("CL:0000542", "CL:0000084", "CL:0000236")  # lymphocyte, T cell, B cell
        >>> standing = AnswerRule(nodes, load_ontology()).standing(np.array([[0.9, 0.6, 0.2]]))
        >>> [nodes[standing.answers(threshold)[0][0]] for threshold in (0.5, 0.8)]
        ['CL:0000084', 'CL:0000542']
        """
        starts = range(0, len(probabilities_nm) if self._nodes else 0, BLOCK)
        known = (_known(probabilities_nm[start : start + BLOCK]) for start in starts)
        return Standing.join([Standing.none(0), *map(self._standing, known)], n_cells=len(probabilities_nm))

    def _standing(self, probabilities_nm: NDArray[np.floating]) -> Standing:
        # types that no cell can be are many where a tissue is told, and take time
        some_m = np.flatnonzero(probabilities_nm.any(axis=0))
        if not len(some_m):
            return Standing.none(len(probabilities_nm))
        # no node outside the likeliest can beat one of them
        most = min(self._most_likely, len(some_m))
        node_nk = some_m[smallest(-probabilities_nm[:, some_m], most)]
        chance_nk = np.take_along_axis(probabilities_nm, node_nk, axis=1)
        order_nk = np.lexsort((node_nk, -chance_nk, -self._depth_m[node_nk]), axis=1)
        node_nk = np.take_along_axis(node_nk, order_nk, axis=1)
        chance_nk = np.take_along_axis(chance_nk, order_nk, axis=1)
        # one place in the flat matrix is taken faster than a row and a column
        apart_nkk = self._apart_mm.ravel().take(node_nk[:, :, None] * self._nodes + node_nk[:, None, :])
        beaten_nk = (apart_nkk & (chance_nk[:, None, :] >= chance_nk[:, :, None])).any(axis=2)
        holds_nk = ~beaten_nk & self._usable_m[node_nk] & (chance_nk > 0)

        return self._rising(node_nk, chance_nk, holds_nk)

    def _rising(
        self, node_nk: NDArray[np.intp], chance_nk: NDArray[np.floating], holds_nk: NDArray[np.bool_]
    ) -> Standing:
        """Give of each cell the first node that holds, the first above it that does and is likelier, and so on."""
        stands_kn = np.empty(holds_nk.T.shape, dtype=np.bool_)
        last_n, most_n = np.full(len(node_nk), -1, dtype=np.intp), np.zeros(len(node_nk), dtype=chance_nk.dtype)
        columns = zip(*map(np.ascontiguousarray, (node_nk.T, chance_nk.T, holds_nk.T)), strict=True)
        for place, (node_n, chance_n, holds_n) in enumerate(columns):
            above_n = holds_n & ((last_n < 0) | self._above_mm.ravel().take(last_n * self._nodes + node_n, mode="wrap"))
            # what isn't likelier doesn't pass where one below it didn't
            np.logical_and(above_n, chance_n > most_n, out=stands_kn[place])
            np.copyto(last_n, node_n, where=above_n)
            np.copyto(most_n, chance_n, where=stands_kn[place])
        stands_nk = stands_kn.T
        return Standing(node_nk[stands_nk], chance_nk[stands_nk], stands_nk.sum(axis=1))

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
        second_n, chance_n = self._likeliest(np.where(self._apart_mm[answer_n] & self._usable_m, probabilities_nm, 0))
        there_n = chance_n >= SOMETHING
        return np.where(there_n, second_n, -1), np.where(there_n, chance_n, 0)

    def _likeliest(self, apart_nm: NDArray[np.floating]) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
        """Give the likeliest node, narrowed down to a subtype for as long as that keeps half of its probability."""
        best_n = apart_nm.argmax(axis=1)
        best_chance_n = np.take_along_axis(apart_nm, best_n[:, None], axis=1)
        below_nm = self._above_mm.T[best_n] & (apart_nm >= HOLDS_ON * best_chance_n)
        depth_nm = np.where(below_nm, self._depth_m, np.int16(-1))
        deepest_nm = depth_nm == depth_nm.max(axis=1, keepdims=True)
        second_n = np.where(deepest_nm, apart_nm, -1).argmax(axis=1)
        return second_n, np.take_along_axis(apart_nm, second_n[:, None], axis=1)[:, 0]

    def alternatives(self, probability_m: NDArray[np.floating], answer: int | None, *, most: int) -> list[int]:
        """Give what one cell may be instead of its answer: types of which no two can be true, likeliest first.

        Each is found as the second best is, apart from the answer and from those before it.

        Parameters
        ----------
        probability_m
            Probability of each node.
        answer
            Position of the answer; None for unknown.
        most
            How many to give.

        Examples
        --------
        >>> from spoticell.biology.ontology import load_ontology
        >>> nodes = ("CL:0000542", "CL:0000084", "CL:0000236", "CL:0000623")  # lymphocyte, T, B, natural killer cell
        >>> AnswerRule(nodes, load_ontology()).alternatives(np.array([1, 0.7, 0.1, 0.2]), 1, most=3)
        [3, 2]
        """
        chosen: list[int] = []
        free_m = self._usable_m if answer is None else self._usable_m & self._apart_mm[answer]
        while len(chosen) < most:
            best, chance = (found[0] for found in self._likeliest(np.where(free_m, probability_m, 0)[None]))
            if chance < SOMETHING:
                break
            chosen.append(int(best))
            free_m = free_m & self._apart_mm[best]
        return chosen

    def relations(self, node: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """Give which nodes are above one, which are below it, and which exclude it, ``(m,)`` each."""
        above_m, below_m = self._above_mm[node].copy(), self._above_mm[:, node].copy()
        above_m[node] = below_m[node] = False
        return above_m, below_m, self._apart_mm[node]


def _known(probabilities_nm: NDArray[np.floating]) -> NDArray[np.floating]:
    """Give probabilities with 0 for those that aren't known."""
    # the sum isn't finite if one isn't, and is quicker to have than a copy
    if np.isfinite(probabilities_nm.sum()):
        return probabilities_nm
    known_nm: NDArray[np.floating] = np.nan_to_num(probabilities_nm, nan=0.0)
    return known_nm


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
