"""The labels of a data set, as terms of the Cell Ontology.

A label may be a term or a name of a type, as `everyday` reads it, or have its meaning from a table of the user's; what
isn't understood is never guessed at.
Axis: ``n`` cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.biology.columns import counted, renamed, words
from spoticell.biology.everyday import read_name
from spoticell.errors import FileFormatError
from spoticell.keys import LABEL, UNKNOWN

NAME = "cell_type"
"""Column of names, as in the CELLxGENE schema; looked at where there is no column of terms."""


@dataclass(frozen=True)
class Labels:
    """What each cell is said to be."""

    column: str
    """Where the labels stood."""
    terms: pd.Categorical
    """Cell Ontology term of each cell, missing where there is none."""
    n_unlabelled: int
    """Cells whose label is empty or says unknown."""
    unresolved: dict[str, int]
    """Labels that aren't understood, with their cells; commonest first."""

    @property
    def term_n(self) -> NDArray[np.object_]:
        """Cell Ontology term of each cell, '' where there is none."""
        terms = np.array([*self.terms.categories, ""], dtype=object)
        term_n: NDArray[np.object_] = terms[self.terms.codes]
        return term_n


def read_labels(obs: pd.DataFrame, *, name: str) -> Labels:
    """Find the Cell Ontology term of each cell.

    Parameters
    ----------
    obs
        Table about ``n`` cells with the column ``cell_type_ontology_term_id`` or, where that is missing, ``cell_type``.
    name
        How messages call the data set.

    Raises
    ------
    FileFormatError
        If both columns are missing.

    Examples
    --------
    >>> labels = read_labels(pd.DataFrame({"cell_type": ["T cell", "clump", "unknown"]}), name="mine.h5ad")
    >>> labels.term_n.tolist(), labels.unresolved, labels.n_unlabelled
    (['CL:0000084', '', ''], {'clump': 1}, 1)
    """
    column = label_column(obs, name=name)
    return harmonise(words(obs[column]), column=column)


def label_column(obs: pd.DataFrame, *, name: str) -> str:
    """Give the column of labels: that of terms, else that of names.

    Raises
    ------
    FileFormatError
        If both are missing.
    """
    column = next((column for column in (LABEL, NAME) if column in obs), None)
    if column is None:
        raise FileFormatError(
            f"{name} has no labels: neither {LABEL!r} nor {NAME!r} is among the columns about its cells. "
            f"Add one, with terms such as 'CL:0000084' or names such as 'T cell'."
        )
    return column


def harmonise(
    labels: pd.Categorical,
    *,
    column: str,
    meanings: Mapping[str, str] | None = None,
    chosen_n: NDArray[np.bool_] | None = None,
) -> Labels:
    """Find the Cell Ontology term of each label.

    Parameters
    ----------
    labels
        From `words`.
    column
        Where they stood.
    meanings
        The term of some labels, or ``unknown``; goes before what the ontology says.
    chosen_n
        Cells to count; all if not given.

    Examples
    --------
    >>> found = harmonise(pd.Categorical(["B", "clump"]), column="type", meanings={"B": "CL:0000236"})
    >>> found.term_n.tolist(), found.unresolved
    (['CL:0000236', ''], {'clump': 1})
    """
    meanings = meanings or {}
    chosen_n = np.ones(len(labels), dtype=np.bool_) if chosen_n is None else chosen_n
    term_of = {label: meanings.get(label) or read_name(label) for label in map(str, labels.categories)}
    cells = counted(labels, chosen_n)
    unresolved = {label: count for label, count in cells.items() if term_of[label] is None}
    resolved = sum(count for label, count in cells.items() if term_of[label] not in {None, UNKNOWN})
    terms = renamed(labels, lambda label: "" if term_of[label] == UNKNOWN else term_of[label] or "")
    n_unlabelled = int(chosen_n.sum()) - resolved - sum(unresolved.values())
    return Labels(column=column, terms=terms, n_unlabelled=n_unlabelled, unresolved=unresolved)
