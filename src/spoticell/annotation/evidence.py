"""What the matches of a cell say: a vote through the Cell Ontology, how far to trust it, whether a classifier agrees.

Each match has a weight, which falls with its distance.  It gives its own term, and every term above it, what is left
of the weight when the chance is taken off that a cell of a missing type would match as well.  The answer is the
deepest term with enough of the weight, so a cell whose matches chance could explain has none.  Terms need not be known
to the network that made the fingerprints: a type is learned by adding cells of it.

Axes: ``n`` cells, ``k`` matches of each, ``c`` terms of the references, ``m`` these and the terms above them, ``h``
groups of references that share all that is known of them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.answer_rule import answers
from spoticell.biology.ontology import load_ontology, reach_matrix
from spoticell.index.background import Background, broad_terms, study_names
from spoticell.keys import UNKNOWN

AGREE, COMPATIBLE, CONFLICT = "agree", "compatible", "conflict"
AGREEMENTS = (AGREE, COMPATIBLE, CONFLICT, UNKNOWN)
"""Classifier and matches give one term; one gives a term above the other's; neither; one of them gives none."""


@dataclass(frozen=True)
class Rule:
    """How matches are weighed.  The defaults were chosen on training studies, each held out in turn."""

    matches: int = 50
    """Nearest references that have a vote."""
    sharpness: float = 0.02
    """Drop of the cosine, from the nearest match on, at which a match has lost all but 1/e of its weight."""
    share: float = 0.5
    """Part of the weight that the answer needs, in [0, 1]."""
    novelty: float = 0.01
    """A cell is novel if no more than this part of the references that match such a broad type match as badly."""


RULE = Rule()


@dataclass(frozen=True)
class Evidence:
    """What the matches say of ``n`` cells."""

    answer_n: NDArray[np.intp]
    """Position in the ballot's nodes; -1 where no term has enough of the weight."""
    share_n: NDArray[np.float32]
    """Part of the weight at the answer, in [0, 1]; 0 where there is none."""
    matches_n: NDArray[np.int32]
    """Matches of the answer's type or of a subtype."""
    voters_n: NDArray[np.int32]
    """Matches whose type is known."""
    studies_n: NDArray[np.int32]
    """Studies that the matches of the answer's type come from."""
    nearest_n: NDArray[np.int32]
    """Group of the nearest reference; -1 where there is no match at all."""
    similarity_n: NDArray[np.float32]
    """Cosine to the nearest reference; NaN where there is no match."""
    mean_n: NDArray[np.float32]
    """Mean cosine to the matches; NaN where there is no match."""
    p_n: NDArray[np.float32]
    """How often a cell of a broad type that the index lacks matches as well; NaN where that wasn't measured."""
    novel_n: NDArray[np.bool_]
    """Whether the nearest reference is farther than is usual for types that the index has."""

    def __len__(self) -> int:
        return len(self.answer_n)

    @classmethod
    def join(cls, parts: list[Self]) -> Self:
        """Put the evidence for consecutive cells together."""
        return cls(
            **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)}
        )


class Ballot:
    """The terms that a set of references can vote for.

    Parameters
    ----------
    groups
        What is known of the references: the columns ``term``, ``study`` and ``dataset`` of each group.
    background
        Measured on the same references; without it there are no p-values, and no cell is novel.

    Examples
    --------
    Two matches are CD4 and one CD8; that it is a T cell is beyond doubt, that it is CD4 isn't quite:

    >>> groups = pd.DataFrame({"term": ["CL:0000624", "CL:0000625"], "study": ["a", "b"], "dataset": ""})
    >>> ballot = Ballot(groups)
    >>> evidence = ballot.tally(np.array([[0, 0, 1]]), np.float32([[0.9, 0.9, 0.9]]), Rule(share=0.8))
    >>> ballot.names[evidence.answer_n[0]], evidence.share_n[0].item(), evidence.studies_n[0].item()
    ('mature alpha-beta T cell', 1.0, 2)
    """

    def __init__(self, groups: pd.DataFrame, background: Background | None = None) -> None:
        self.ontology = load_ontology()
        self.background = background
        label_h, labels = pd.factorize(groups["term"].astype(str).to_numpy(dtype=object))
        known_c = np.array([label in self.ontology for label in labels], dtype=bool)
        place_c = np.where(known_c, np.cumsum(known_c) - 1, -1)
        # the last place is that of no group, where -1 points
        self._label_h = np.append(place_c[label_h], -1).astype(np.intp)
        self._broad_h = np.append(broad_terms(groups["term"]), UNKNOWN)
        self._study_h = np.append(pd.factorize(study_names(groups))[0], -1)
        known = [label for label, use in zip(labels, known_c, strict=True) if use]
        self.nodes: tuple[str, ...] = ()
        self._reach_cm = np.zeros((0, 0), dtype=np.bool_)
        if known:
            self.nodes, self._reach_cm = reach_matrix(known, self.ontology)
        self._above_cm = sparse.csr_array(self._reach_cm, dtype=np.float64)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of ``nodes``."""
        return tuple(self.ontology.name(node) for node in self.nodes)

    def tally(self, group_nk: NDArray[np.integer], similarity_nk: NDArray[np.floating], rule: Rule = RULE) -> Evidence:
        """Count the votes.

        Parameters
        ----------
        group_nk
            Group of each match; -1 where there is none.
        similarity_nk
            Cosine of each match, in any order.
        rule
            How they are weighed.
        """
        there_nk = group_nk >= 0
        cosine_nk = np.where(there_nk, similarity_nk, -np.inf).astype(np.float64)
        label_nk = self._label_h[group_nk]
        best_n = cosine_nk.max(axis=1, initial=-np.inf)
        any_n = np.isfinite(best_n)
        weight_nk = _weights(cosine_nk, label_nk >= 0, rule)
        share_nm = self._shares(label_nk, weight_nk, self._chance(cosine_nk))
        answer_n, share_n = answers(share_nm, self.nodes, self.ontology, threshold=rule.share)
        support_nk = self._supports(label_nk, answer_n)
        similarity_n = np.where(any_n, best_n, np.nan).astype(np.float32)
        nearest_n = np.where(any_n, _first_best(group_nk, cosine_nk, best_n), -1).astype(np.int32)
        return Evidence(
            answer_n=answer_n,
            share_n=share_n,
            matches_n=support_nk.sum(axis=1, dtype=np.int32),
            voters_n=(label_nk >= 0).sum(axis=1, dtype=np.int32),
            studies_n=_distinct(np.where(support_nk, self._study_h[group_nk], -1)),
            nearest_n=nearest_n,
            similarity_n=similarity_n,
            mean_n=_mean(cosine_nk, there_nk),
            p_n=self._p_chance(similarity_n),
            novel_n=self._novel(similarity_n, nearest_n, rule),
        )

    def _chance(self, cosine_nk: NDArray[np.float64]) -> NDArray[np.float32]:
        """Give the p-value of each match, 0 where none was measured."""
        if self.background is None:
            return np.zeros(cosine_nk.shape, dtype=np.float32)
        return np.nan_to_num(self.background.p_chance(cosine_nk))

    def _shares(
        self, label_nk: NDArray[np.intp], weight_nk: NDArray[np.float64], chance_nk: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Give each node's part of the weight; rounded, so that the order of the matches can't tip the scales."""
        votes_nk = label_nk >= 0
        cell_nk = np.broadcast_to(np.arange(len(label_nk))[:, None], label_nk.shape)
        mass_nk = weight_nk * (1 - chance_nk)
        places = (cell_nk[votes_nk], label_nk[votes_nk])
        mass_nc = sparse.csr_array((mass_nk[votes_nk], places), shape=(len(label_nk), len(self._reach_cm)))
        total_n = np.maximum(weight_nk.sum(axis=1), np.finfo(np.float64).tiny)
        share_nm: NDArray[np.float64] = (mass_nc @ self._above_cm).toarray() / total_n[:, None]
        return np.minimum(share_nm.round(6), 1).astype(np.float32)

    def _supports(self, label_nk: NDArray[np.intp], answer_n: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Say which matches are of the answer's type or a subtype."""
        if not len(self.nodes):
            return np.zeros(label_nk.shape, dtype=np.bool_)
        reached_nk = self._reach_cm[np.maximum(label_nk, 0), np.maximum(answer_n, 0)[:, None]]
        return np.asarray(reached_nk & (label_nk >= 0) & (answer_n >= 0)[:, None])

    def _p_chance(self, similarity_n: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.background is None:
            return np.full(len(similarity_n), np.nan, dtype=np.float32)
        p_n = self.background.p_chance(similarity_n)
        return np.where(np.isnan(similarity_n), np.float32(np.nan), p_n)

    def _novel(self, similarity_n: NDArray[np.float32], nearest_n: NDArray[np.int32], rule: Rule) -> NDArray[np.bool_]:
        if self.background is None:
            return np.zeros(len(similarity_n), dtype=np.bool_)
        fit_n = self.background.p_fit(similarity_n, self._broad_h[nearest_n])
        with np.errstate(invalid="ignore"):
            return np.asarray((fit_n <= rule.novelty) & ~np.isnan(similarity_n))


def agreement(ours_n: NDArray[np.object_], theirs_n: NDArray[np.object_]) -> NDArray[np.object_]:
    """Compare two answers for each cell, as terms: one of `AGREEMENTS`.

    Examples
    --------
    >>> t_cell, cd4, b_cell = "CL:0000084", "CL:0000624", "CL:0000236"
    >>> agreement(
    ...     np.array([cd4, cd4, cd4, cd4], dtype=object), np.array([cd4, t_cell, b_cell, "unknown"], dtype=object)
    ... )
    array(['agree', 'compatible', 'conflict', 'unknown'], dtype=object)
    """
    relation = {pair: _relation(*pair) for pair in set(zip(ours_n, theirs_n, strict=True))}
    return np.array([relation[pair] for pair in zip(ours_n, theirs_n, strict=True)], dtype=object)


def _relation(ours: str, theirs: str) -> str:
    ontology = load_ontology()
    if ours not in ontology or theirs not in ontology:
        return UNKNOWN
    if ours == theirs:
        return AGREE
    related = ours in ontology.ancestors(theirs) or theirs in ontology.ancestors(ours)
    return COMPATIBLE if related else CONFLICT


def _weights(cosine_nk: NDArray[np.float64], votes_nk: NDArray[np.bool_], rule: Rule) -> NDArray[np.float64]:
    """Weigh the matches that have a vote: the nearest of them 1, the others less."""
    voting_nk = np.where(votes_nk, cosine_nk, -np.inf)
    best_n = voting_nk.max(axis=1, initial=-np.inf)
    drop_nk = voting_nk - np.where(np.isfinite(best_n), best_n, 0)[:, None]
    return np.asarray(np.exp(drop_nk / rule.sharpness))


def _first_best(
    group_nk: NDArray[np.integer], cosine_nk: NDArray[np.float64], best_n: NDArray[np.float64]
) -> NDArray[np.integer]:
    """Give the group of the nearest match; of several equally near the one with the smallest number."""
    largest = np.iinfo(np.int32).max
    return np.asarray(np.where(cosine_nk == best_n[:, None], group_nk, largest).min(axis=1, initial=largest))


def _distinct(code_nk: NDArray[np.integer]) -> NDArray[np.int32]:
    """Count the different codes in each row, -1 aside."""
    sorted_nk = np.sort(np.concatenate([np.full((len(code_nk), 1), -1), code_nk], axis=1), axis=1)
    return np.asarray((np.diff(sorted_nk, axis=1) > 0).sum(axis=1, dtype=np.int32))


def _mean(cosine_nk: NDArray[np.float64], there_nk: NDArray[np.bool_]) -> NDArray[np.float32]:
    count_n = there_nk.sum(axis=1)
    total_n = np.where(there_nk, cosine_nk, 0).sum(axis=1)
    return np.where(count_n > 0, total_n / np.maximum(count_n, 1), np.nan).astype(np.float32)
