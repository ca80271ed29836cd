"""The labels of a data set, as terms of the Cell Ontology.

A label may be a term or a name of a type, as `everyday` reads it, or have its meaning from a table of the user's; what
isn't understood is never guessed at.
Axis: ``n`` cells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.biology.columns import among, counted, listed, named_column, renamed, words
from spoticell.biology.everyday import closest_names, meanings_of, read_name
from spoticell.errors import ConfigError, FileFormatError
from spoticell.keys import LABEL, UNKNOWN

NAME = "cell_type"
"""Column of names, as in the CELLxGENE schema."""

COLUMNS = (
    LABEL,
    NAME,
    "cell_types",
    "author_cell_type",
    "cell_ontology_class",
    "cell_annotation",
    "annotation",
    "annotations",
    "cell_label",
    "label",
    "labels",
)
"""Where labels are looked for, in any spelling: ``CellType`` and ``cell.type`` are ``cell_type``."""

TERM = r"CL:\d{7}"
"""How a term is written."""

MOST = 0.5
"""Share of some cells from which they are most of them."""

TOLD = 5
"""Labels that are named one by one where some aren't understood."""


@dataclass(frozen=True)
class Labelling:
    """What a user says of labels."""

    column: str | None = None
    """Where they stand; looked for among `COLUMNS` if not given."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    """The term of some labels, or ``unknown``; goes before what the ontology says."""
    partial: bool = False
    """Whether to go on where less than half of the labelled cells have a label that is understood."""


SAY_WHAT = (
    "Say what they mean in a table with the columns 'label' and 'cell_type_ontology_term_id': "
    "--meanings TABLE, in Python meanings=."
)

HAS_TERMS = "The column {0!r} has ontology terms for such cells: --label-column {0}, in Python label_column={0!r}. "

GO_ON = "To go on with the others alone, give --partial, in Python partial=True."


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
    terms_in: str | None = None
    """Another column that has terms for most of the cells whose label isn't understood."""

    @property
    def n_understood(self) -> int:
        """Cells whose label is understood."""
        return int((self.terms.codes >= 0).sum())

    def remark(self) -> str | None:
        """Give a sentence about the labels that aren't understood, with their cells and the closest names.

        Examples
        --------
        >>> print(harmonise(pd.Categorical(["T cell", "EC", "clump"]), column="type").remark())
        2 labels in 'type' are not understood: 'EC' (1 cell; may be endothelial cell, ...), 'clump' (1 cell). Say ...
        """
        if not self.unresolved:
            return None
        named = [_told(label, cells) for label, cells in list(self.unresolved.items())[:TOLD]]
        more = [f"{len(self.unresolved) - TOLD:,} more"] if len(self.unresolved) > TOLD else []
        one = len(self.unresolved) == 1
        there = "" if self.terms_in is None else HAS_TERMS.format(self.terms_in)
        return (
            f"{len(self.unresolved):,} {'label' if one else 'labels'} in {self.column!r} {'is' if one else 'are'} not "
            f"understood: {', '.join(named + more)}. {there}{SAY_WHAT}"
        )

    def check(self, *, name: str) -> None:
        """Refuse labels that are understood for less than half of the labelled cells.

        Raises
        ------
        ConfigError
            If they are; the message names those that aren't understood.
        """
        not_understood, understood = sum(self.unresolved.values()), self.n_understood
        if understood < not_understood:
            raise ConfigError(
                f"{name}: of {understood + not_understood:,} labelled cells {understood:,} have a label that is "
                f"understood. {self.remark()} {GO_ON}"
            )

    @property
    def term_n(self) -> NDArray[np.object_]:
        """Cell Ontology term of each cell, '' where there is none."""
        terms = np.array([*self.terms.categories, ""], dtype=object)
        term_n: NDArray[np.object_] = terms[self.terms.codes]
        return term_n


def read_labels(obs: pd.DataFrame, *, name: str, labelling: Labelling | None = None) -> Labels:
    """Find the Cell Ontology term of each cell.

    Parameters
    ----------
    obs
        Table about ``n`` cells with a column of terms or names.
    name
        How messages call the data set.
    labelling
        What the user says of the labels.

    Raises
    ------
    FileFormatError
        If there is no such column.

    Examples
    --------
    >>> labels = read_labels(pd.DataFrame({"CellType": ["T cells", "clump", "unknown"]}), name="mine.h5ad")
    >>> labels.term_n.tolist(), labels.unresolved, labels.n_unlabelled
    (['CL:0000084', '', ''], {'clump': 1}, 1)
    """
    labelling = labelling or Labelling()
    column = label_column(obs, name=name, column=labelling.column)
    labels = words(obs[column])
    found = harmonise(labels, column=column, meanings=labelling.meanings)
    if column == LABEL or LABEL not in obs or not found.unresolved:
        return found
    has_term_k = obs[LABEL][among(labels, tuple(found.unresolved))].astype(str).str.fullmatch(TERM)
    return replace(found, terms_in=LABEL) if has_term_k.mean() > MOST else found


def label_column(obs: pd.DataFrame, *, name: str, column: str | None = None) -> str:
    """Give the column of labels: the one that is asked for, else the first of `COLUMNS` that says anything.

    Raises
    ------
    ConfigError
        If the one that is asked for isn't there.
    FileFormatError
        If no column is called like one of labels.
    """
    if column is not None:
        return named_column(obs, column, name=name)
    order = {_spelled(wanted): place for place, wanted in enumerate(COLUMNS)}
    found = [one for one in map(str, obs.columns) if _spelled(one) in order]
    found.sort(key=lambda one: (order[_spelled(one)], one not in COLUMNS))
    if not found:
        raise FileFormatError(
            f"{name} has no labels: neither {LABEL!r} nor {NAME!r}, nor a column called much like it, is among the "
            f"columns about its cells; it has {listed(obs)}. Name the column of labels: --label-column NAME, in Python "
            "label_column=."
        )
    return next((one for one in found[:-1] if len(words(obs[one]).categories)), found[-1])


def _spelled(column: str) -> str:
    return re.sub(r"[\W_]", "", column.lower())


def _told(label: str, cells: int) -> str:
    near = ", ".join(closest_names(label[:100], most=3))
    how = "may be" if meanings_of(label) else "near it:"
    return f"{label[:40]!r} ({cells:,} {'cell' if cells == 1 else 'cells'}{f'; {how} {near}' if near else ''})"


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
