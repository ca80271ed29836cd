"""Teachers that are asked about chosen subtypes, in the tissues that they know (``configs/human-v1-teachers.yaml``).

Axes: ``n`` cells, ``g`` genes, ``t`` terms of a teacher, ``s`` subtypes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import yaml
from benchmarks.peers.panhuman import Teaching, TooFewGenesError
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.genes import Vocabulary
from spoticell.biology.ontology import load_ontology

CHOSEN = Path(__file__).parents[2] / "configs" / "human-v1-teachers.yaml"


class Teaches(Protocol):
    """What is asked: a teacher of `scripts.human_v1.teachers`, or `Panhuman`."""

    terms: tuple[str, ...]

    def teach(self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_], vocabulary: Vocabulary) -> Teaching:
        """Give the probability of each term for cells aligned to a vocabulary."""


@dataclass(frozen=True)
class Question:
    """What one teacher is asked.

    Attributes
    ----------
    teacher
        Who is asked.
    sure
        Smallest probability of an answer that is taken.
    words
        Where: one of these is in the name of the place that a cell is from, whatever the case.
    subtypes
        The terms that may be answered.
    """

    teacher: Teaches
    sure: float
    words: tuple[str, ...]
    subtypes: tuple[str, ...]

    def asks_in(self, place: str) -> bool:
        """Say whether the question is put to cells of a place."""
        return any(word in place.lower() for word in self.words)

    def answers(self, teaching: Teaching) -> NDArray[np.object_]:
        """Give the subtype that each cell is surely one of, '' where it is of none.

        A subtype has the probability of all terms at or below it, and must be likelier than any other term.
        """
        ontology = load_ontology()
        below_ts = np.array([[own in ontology.ancestors(term) for own in self.subtypes] for term in teaching.terms])
        chance_ns = teaching.probabilities_nt @ below_ts.astype(np.float32)
        other_n = teaching.probabilities_nt[:, ~below_ts.any(axis=1)].max(axis=1, initial=0)
        best_n = chance_ns.max(axis=1)
        terms_n = np.array(self.subtypes, dtype=object)[chance_ns.argmax(axis=1)]
        return np.where((best_n >= self.sure) & (best_n > other_n), terms_n, "")


def read_questions(read: Callable[[str], Teaches], path: Path = CHOSEN) -> list[Question]:
    """Read what is asked; ``read`` gives a teacher by its name.

    Raises
    ------
    ValueError
        If a subtype is no term that its teacher knows, or knows a kind of.
    """
    ontology, questions = load_ontology(), []
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        teacher = read(entry["teacher"])
        known = frozenset().union(*(ontology.ancestors(term) for term in teacher.terms))
        for asked in entry["asked"]:
            terms = tuple(ontology.resolve_label(name) or name for name in asked["subtypes"])
            if strange := set(terms) - known:
                raise ValueError(f"{entry['teacher']} knows no {', '.join(sorted(strange))}.")
            questions.append(Question(teacher, entry["sure"], tuple(asked["where"]), terms))
    return questions


def ask(
    questions: Sequence[Question],
    counts_ng: sparse.csr_array,
    measured_g: NDArray[np.bool_],
    vocabulary: Vocabulary,
    *,
    place_n: NDArray[np.object_],
    label_n: NDArray[np.object_],
) -> NDArray[np.object_]:
    """Give the labels with the subtypes that teachers are sure of in their place; of several the finest.

    Parameters
    ----------
    questions
        What is asked, in this order.
    counts_ng, measured_g, vocabulary
        The cells.
    place_n
        Where each is from: the name of a data set or a tissue.
    label_n
        What each is called so far.
    """
    ontology, named_n = load_ontology(), label_n.copy()
    for question in questions:
        may_be = {label for subtype in question.subtypes for label in ontology.ancestors(subtype)}
        there_n = np.array([question.asks_in(place) for place in place_n])
        rows = np.flatnonzero(there_n & np.isin(named_n.astype(str), sorted(may_be)))
        if not len(rows):
            continue
        try:
            said_n = question.answers(question.teacher.teach(counts_ng[rows], measured_g, vocabulary))
        except TooFewGenesError:
            continue
        for row, said in zip(rows, said_n, strict=True):
            if said and named_n[row] in ontology.ancestors(said):
                named_n[row] = said
    return named_n
