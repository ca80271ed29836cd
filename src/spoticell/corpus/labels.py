"""The labels of a data set, as terms of the Cell Ontology.

A label may be a term or the name of a type; what it can't be matched to is never guessed at.
Axis: ``n`` cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.errors import FileFormatError
from spoticell.keys import LABEL, UNKNOWN
from spoticell.ontology import load_ontology

NAME = "cell_type"
"""Column of names, as in the CELLxGENE schema; looked at where there is no column of terms."""

NO_LABEL = frozenset({"", UNKNOWN, "unassigned", "na", "n/a", "nan", "none"})
"""Words for a cell without a label, in lower case."""


@dataclass(frozen=True)
class Labels:
    """What each cell is said to be."""

    column: str
    """Where the labels stood."""
    term_n: NDArray[np.object_]
    """Cell Ontology term of each cell, '' where there is none."""
    n_unlabelled: int
    """Cells whose label is empty or says unknown."""
    unresolved: dict[str, int]
    """Labels that aren't in the Cell Ontology, with their cells; commonest first."""


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
    column = next((column for column in (LABEL, NAME) if column in obs), None)
    if column is None:
        raise FileFormatError(
            f"{name} has no labels: neither {LABEL!r} nor {NAME!r} is among the columns about its cells. "
            f"Add one, with terms such as 'CL:0000084' or names such as 'T cell'."
        )
    text_n = obs[column].astype(object).where(obs[column].notna(), "").astype(str).str.strip()
    cells = text_n.value_counts()
    unlabelled = [text for text in cells.index if text.lower() in NO_LABEL]
    term = {text: load_ontology().resolve_label(text) or "" for text in cells.index.difference(unlabelled)}
    lost = sorted((text for text in term if not term[text]), key=lambda text: (-cells[text], text))
    return Labels(
        column=column,
        term_n=np.array([term.get(text, "") for text in text_n], dtype=object),
        n_unlabelled=int(cells[unlabelled].sum()),
        unresolved={text: int(cells[text]) for text in lost},
    )
