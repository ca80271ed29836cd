"""Scoring answers against curated labels, with the rules of the field's stricter benchmarks.

* An answer is right if it is the label or one of its subtypes; an ancestor of the label isn't.
* For a type's precision, a wrong answer is carried up to the nearest of the data set's own labels
  at or above it, of several as near to the first by name.  If there is none, it counts against no type's precision,
  and is a miss for its label.
* Macro figures run over the labels with at least `MIN_SUPPORT` cells.
* Hierarchical figures compare sets of ancestors (terms too general to be answers left out), summed
  over cells: a right but coarser answer gets part marks, a right but finer one all of them.
* An answer is foreign to a tissue if it names a type that only others have, unless it is the label or above it.
* Coverage is the share of cells with an answer.  ECE compares scores with hits in 15 bins of equal mass.

Axis: ``n`` cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spoticell.biology.ontology import TOO_GENERAL, Ontology, load_ontology
from spoticell.biology.tissues import Tissue, possible_labels
from spoticell.errors import ConfigError
from spoticell.keys import UNKNOWN

MIN_SUPPORT = 10
"""Fewer cells than these say little, of a label and of a data set."""

BINS = 15

NO_ANSWER = frozenset({"", UNKNOWN, "nan", "None"})

Pair = tuple[str, str]
"""A label and an answer."""


def score(
    truth_n: Sequence[str],
    answer_n: Sequence[str],
    score_n: ArrayLike | None = None,
    ontology: Ontology | None = None,
    tissue: Tissue | None = None,
) -> dict[str, Any]:
    """Compare answers with labels.

    Parameters
    ----------
    truth_n
        Cell Ontology term of each cell; cells whose label is empty or ``unknown`` are left out.
    answer_n
        Answered term of each cell; empty or ``unknown`` where there is none.
    score_n
        Probability of each answer, in [0, 1]; needed for ``ece`` only.
    ontology
        The packaged one if not given.
    tissue
        Where the cells are from, if known; needed for ``foreign`` and ``accuracy_home`` only.

    Returns
    -------
    ``cells``, ``types``, ``accuracy``, ``coverage``, ``accuracy_answered``, ``macro_f1``, ``macro_recall`` (both None
    where no type has enough cells), ``hierarchical_precision``, ``hierarchical_recall``, ``hierarchical_f1``, ``ece``
    (where there are scores and answers), ``per_type``: for each label its ``name``, ``cells``, ``precision``,
    ``recall`` and ``f1``, commonest first; and with a tissue ``foreign``, the share of answers that are foreign to it,
    and ``accuracy_home``, the share of cells that are named rightly and not so.

    Raises
    ------
    ConfigError
        If no cell has a label.

    Examples
    --------
    >>> figures = score(["CL:0000084", "CL:0000084"], ["CL:0000624", "unknown"])
    >>> figures["accuracy"], figures["coverage"], figures["accuracy_answered"]
    (0.5, 0.5, 1.0)
    """
    ontology = ontology or load_ontology()
    labelled_n = np.array([label not in NO_ANSWER for label in truth_n], dtype=bool)
    pairs_n = [pair for pair, use in zip(zip(truth_n, answer_n, strict=True), labelled_n, strict=True) if use]
    if not pairs_n:
        raise ConfigError("no cell has a label to compare with; give the column that holds Cell Ontology terms.")
    pairs = Counter(pairs_n)
    lineage = {term: _lineage(term, ontology) for pair in pairs for term in pair}
    right = {pair for pair in pairs if _is_right(pair, lineage)}
    per_type = _per_type(pairs, right, lineage, ontology)
    home = {} if tissue is None else _at_home(pairs, right, tissue, ontology)
    answered_n = np.array([answer not in NO_ANSWER for _, answer in pairs_n])
    right_n = np.array([pair in right for pair in pairs_n])
    figures = {"cells": len(pairs_n), **_macro(per_type), **_shares(right_n, answered_n)}
    figures |= _hierarchical(pairs, right, lineage)
    if score_n is not None and answered_n.any():
        confidence_n = np.asarray(score_n, dtype=np.float64)[labelled_n]
        figures["ece"] = _calibration_error(confidence_n[answered_n], right_n[answered_n])
    return figures | home | {"per_type": per_type}


def verdicts(truth_n: Sequence[str], answer_n: Sequence[str], ontology: Ontology | None = None) -> dict[str, int]:
    """Count the labelled cells by what their answers are worth.

    Parameters
    ----------
    truth_n, answer_n, ontology
        As for `score`.

    Returns
    -------
    ``right``: the label, or a subtype of it; ``coarser``: a type above it; ``wrong``: any other; ``unanswered``.

    Examples
    --------
    >>> t_cell, cd4, b_cell = "CL:0000084", "CL:0000624", "CL:0000236"
    >>> verdicts([t_cell, cd4, cd4, b_cell, ""], [cd4, t_cell, b_cell, "unknown", cd4])
    {'right': 1, 'coarser': 1, 'wrong': 1, 'unanswered': 1}
    """
    pairs = Counter(pair for pair in zip(truth_n, answer_n, strict=True) if pair[0] not in NO_ANSWER)
    found = {"right": 0, "coarser": 0, "wrong": 0, "unanswered": 0}
    for pair, verdict in verdict_of(pairs, ontology).items():
        found[verdict] += pairs[pair]
    return found


def verdict_of(pairs: Iterable[Pair], ontology: Ontology | None = None) -> dict[Pair, str]:
    """Give for pairs of a label and an answer what the answer is worth, in the words of `verdicts`.

    Examples
    --------
    >>> verdict_of([("CL:0000084", "CL:0000624"), ("CL:0000084", "CL:0000236")])  # T cell: CD4 T cell, B cell
    {('CL:0000084', 'CL:0000624'): 'right', ('CL:0000084', 'CL:0000236'): 'wrong'}
    """
    ontology, pairs = ontology or load_ontology(), tuple(pairs)
    lineage = {term: _lineage(term, ontology) for pair in pairs for term in pair}
    found = {}
    for pair in pairs:
        label, answer = pair
        if answer in NO_ANSWER:
            found[pair] = "unanswered"
        elif _is_right(pair, lineage):
            found[pair] = "right"
        else:
            found[pair] = "coarser" if answer in lineage[label] else "wrong"
    return found


def _is_right(pair: Pair, lineage: dict[str, frozenset[str]]) -> bool:
    """Say whether an answer is its label or one of its subtypes."""
    label, answer = pair
    return label in lineage[answer]


def _shares(right_n: NDArray[np.bool_], answered_n: NDArray[np.bool_]) -> dict[str, float]:
    return {
        "accuracy": float(right_n.mean()),
        "coverage": float(answered_n.mean()),
        "accuracy_answered": float(right_n[answered_n].mean()) if answered_n.any() else 0.0,
    }


def _lineage(term: str, ontology: Ontology) -> frozenset[str]:
    return ontology.ancestors(term) if term in ontology else frozenset()


def _per_type(
    pairs: Counter[Pair], right: set[Pair], lineage: dict[str, frozenset[str]], ontology: Ontology
) -> dict[str, dict[str, Any]]:
    support: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    called: Counter[str] = Counter()
    for (label, answer), cells in pairs.items():
        support[label] += cells
        hits[label] += cells * ((label, answer) in right)
    for (label, answer), cells in pairs.items():
        called[label if (label, answer) in right else _carry_up(answer, support, lineage, ontology)] += cells
    return {
        label: {
            "name": ontology.name(label) if label in ontology else label,
            "cells": cells,
            **_precision_recall(hits[label], called[label], cells),
        }
        for label, cells in sorted(support.items(), key=lambda item: (-item[1], item[0]))
    }


def _at_home(pairs: Counter[Pair], right: set[Pair], tissue: Tissue, ontology: Ontology) -> dict[str, float]:
    """Count answers that name a type of other tissues, and right ones that don't."""
    answers = sorted({answer for _, answer in pairs if answer in ontology})
    home = {term for term, here in zip(answers, possible_labels(answers, tissue, ontology), strict=True) if here}
    answered = foreign = at_home = 0
    for (label, answer), cells in pairs.items():
        # nothing is foreign that is no finer than the label
        strange = answer in ontology and answer not in home and answer not in _lineage(label, ontology)
        answered += cells * (answer not in NO_ANSWER)
        foreign += cells * strange
        at_home += cells * ((label, answer) in right and not strange)
    return {"foreign": foreign / max(answered, 1), "accuracy_home": at_home / pairs.total()}


def _carry_up(answer: str, labels: Counter[str], lineage: dict[str, frozenset[str]], ontology: Ontology) -> str:
    """Give the nearest label that is an answer or above it: of several as near, the first by name."""
    above = [term for term in lineage[answer] if term in labels]
    return min(above, key=lambda term: (-len(lineage[term]), ontology.name(term), term), default="")


def _precision_recall(hits: int, called: int, cells: int) -> dict[str, float]:
    precision, recall = (hits / called if called else 0.0), hits / cells
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def _macro(per_type: dict[str, dict[str, Any]]) -> dict[str, Any]:
    rows = [row for row in per_type.values() if row["cells"] >= MIN_SUPPORT]
    means = {f"macro_{key}": float(np.mean([row[key] for row in rows])) if rows else None for key in ("f1", "recall")}
    return {"types": len(rows), **means}


def _hierarchical(pairs: Counter[Pair], right: set[Pair], lineage: dict[str, frozenset[str]]) -> dict[str, float]:
    common = answered = labelled = 0
    for (label, answer), cells in pairs.items():
        truth = lineage[label] - TOO_GENERAL
        given = truth if (label, answer) in right else lineage[answer] - TOO_GENERAL
        common += cells * len(truth & given)
        answered += cells * len(given)
        labelled += cells * len(truth)
    precision, recall = common / max(answered, 1), common / max(labelled, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-12)
    return {"hierarchical_precision": precision, "hierarchical_recall": recall, "hierarchical_f1": f1}


def _calibration_error(confidence_n: NDArray[np.float64], right_n: NDArray[np.bool_]) -> float:
    bins = np.array_split(np.argsort(confidence_n, kind="stable"), min(BINS, len(confidence_n)))
    gaps = [len(bin_) * abs(confidence_n[bin_].mean() - right_n[bin_].mean()) for bin_ in bins]
    return float(sum(gaps) / len(confidence_n))
