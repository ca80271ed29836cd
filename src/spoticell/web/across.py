"""Differences between two conditions over samples of several files, by the cells of each type in each sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spoticell.annotation.composition import Composition, together
from spoticell.annotation.differences import differences
from spoticell.biology.ontology import load_ontology
from spoticell.biology.palette import colors_of
from spoticell.keys import UNKNOWN
from spoticell.web.refusal import Refusal
from spoticell.web.sample_schemas import SampleCounts
from spoticell.web.summary import told_differences


def across(condition: str, samples: Sequence[SampleCounts]) -> dict[str, Any]:
    """Compare the shares of types between the samples of two conditions, as a run does with those of one file.

    Parameters
    ----------
    condition
        What the conditions are called together, such as the name of a column.
    samples
        Of each its condition and the cells of its types.

    Raises
    ------
    Refusal
        If a type is no term of the Cell Ontology.
    """
    found = differences(together([_composition(sample) for sample in samples]))
    return told_differences(found, condition, colors_of(found.table["term"].tolist()).__getitem__)


def _composition(sample: SampleCounts) -> Composition:
    ontology = load_ontology()
    strange = next((term for term in sample.cells if term != UNKNOWN and term not in ontology), None)
    if strange is not None:
        raise Refusal(422, f"{strange!r} is no term of the Cell Ontology. Give one such as 'CL:0000084', or 'unknown'.")
    terms = (*(term for term in sample.cells if term != UNKNOWN), UNKNOWN)
    names = (*map(ontology.name, terms[:-1]), UNKNOWN)
    cells_1t = np.array([[sample.cells.get(term, 0) for term in terms]], dtype=np.int64)
    if not cells_1t.any():
        raise Refusal(422, f"The sample {sample.name!r} has no cells. Leave it out.")
    return Composition((sample.name,), (sample.condition,), terms, names, cells_1t)
