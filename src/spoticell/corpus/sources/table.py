"""From a source's own table about its cells to that of a corpus: columns found, labels harmonised, filters applied.

Axis: ``n`` cells.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.biology.columns import among, constant, filled, joined, words
from spoticell.biology.labels import Labels, harmonise, label_column
from spoticell.corpus.block import ASSAY, CELL_COLUMNS, DATASET, DISEASE, TISSUE
from spoticell.corpus.recipe.parts import Fact, Source
from spoticell.corpus.sources.source import CellTable
from spoticell.errors import FileFormatError
from spoticell.keys import DONOR, LABEL, UNKNOWN

NO_LABEL, NOT_KNOWN = "no label", "label not in the Cell Ontology"
OTHER_TYPE = "type not wanted"


def tabulate(obs: pd.DataFrame, asked: Source, *, name: str, studies: pd.Categorical | None = None) -> CellTable:
    """Find out what a source says of its cells, and which of them are wanted.

    Parameters
    ----------
    obs
        The source's table, ``n`` rows.
    asked
        What the recipe says of the source.
    name
        How messages call the source; also the data set of cells of which the source names none.
    studies
        The study of each cell, within which donors of one name are one person; its data set if not given.

    Raises
    ------
    FileFormatError
        If a column that the recipe names isn't there, or no column has labels.

    Examples
    --------
    >>> obs = pd.DataFrame({"cell_type": ["T cell", "B cell", "clump"], "disease": ["normal", "lupus", "normal"]})
    >>> table = tabulate(obs, Source(where={"disease": "normal"}), name="mine")
    >>> table.keep_n.tolist(), table.left_out
    ([True, False, False], {'disease not wanted': 1, 'label not in the Cell Ontology': 1})
    """
    _check_columns(obs, asked, name)
    sieve = Sieve(len(obs))
    for column, values in asked.where.items():
        sieve.leave(~among(words(obs[column]), values), f"{column} not wanted")
    for column, values in asked.where_not.items():
        sieve.leave(among(words(obs[column]), values), f"{column} not wanted")
    labels = _labels(obs, asked, name, sieve.keep_n)
    unlabelled_n = labels.terms.codes < 0
    sieve.leave_counted(unlabelled_n, {NO_LABEL: labels.n_unlabelled, NOT_KNOWN: sum(labels.unresolved.values())})
    if asked.types:
        sieve.leave(~among(labels.terms, asked.types), OTHER_TYPE)
    cells = _cells(obs, asked, labels.terms, name, studies)
    return CellTable(cells, sieve.keep_n, sieve.left_out, labels.unresolved)


class Sieve:
    """Which of ``n`` cells are left, and why the others are not."""

    def __init__(self, n: int) -> None:
        self.keep_n = np.ones(n, dtype=np.bool_)
        self.left_out: dict[str, int] = {}

    def leave(self, bad_n: NDArray[np.bool_], reason: str) -> None:
        """Leave out those of the cells still there that are bad."""
        self.leave_counted(bad_n, {reason: int((self.keep_n & bad_n).sum())})

    def leave_counted(self, bad_n: NDArray[np.bool_], reasons: dict[str, int]) -> None:
        """Leave out cells whose reasons are counted already."""
        for reason, cells in reasons.items():
            if cells:
                self.left_out[reason] = self.left_out.get(reason, 0) + cells
        self.keep_n &= ~bad_n


def _check_columns(obs: pd.DataFrame, asked: Source, name: str) -> None:
    facts = (asked.label, asked.donor, asked.dataset, asked.assay, asked.tissue, asked.disease)
    named = [fact.column for fact in facts if fact is not None and fact.column is not None]
    for column in (*named, *asked.where, *asked.where_not):
        if column not in obs:
            there = ", ".join(repr(str(one)) for one in obs.columns) or "none"
            raise FileFormatError(
                f"{name} has no column {column!r} about its cells, which the recipe names; it has {there}."
            )


def _labels(obs: pd.DataFrame, asked: Source, name: str, chosen_n: NDArray[np.bool_]) -> Labels:
    if asked.label is not None and asked.label.value is not None:
        column, labels = "the recipe", constant(asked.label.value, len(obs))
    else:
        column = asked.label.column if asked.label and asked.label.column else label_column(obs, name=name)
        labels = words(obs[column])
    return harmonise(labels, column=column, meanings=asked.labels, chosen_n=chosen_n)


def _cells(
    obs: pd.DataFrame, asked: Source, terms: pd.Categorical, name: str, studies: pd.Categorical | None
) -> pd.DataFrame:
    dataset = _fact(obs, asked.dataset, DATASET, silent=name)
    donor = _fact(obs, asked.donor, DONOR)
    study = constant(asked.study, len(obs)) if asked.study is not None else studies if studies is not None else dataset
    columns = {
        LABEL: terms,
        DATASET: dataset,
        DONOR: joined(study, donor, _person),
        ASSAY: _fact(obs, asked.assay, ASSAY),
        TISSUE: _fact(obs, asked.tissue, TISSUE),
        DISEASE: _fact(obs, asked.disease, DISEASE),
    }
    return pd.DataFrame({column: columns[column] for column in CELL_COLUMNS})


def _person(study: str, donor: str) -> str:
    """Give a donor's name that is different from that of any other study's donor."""
    return donor if donor == UNKNOWN else f"{study}:{donor}"


def _fact(obs: pd.DataFrame, asked: Fact | None, column: str, *, silent: str = UNKNOWN) -> pd.Categorical:
    """Give what is said of each cell, ``silent`` where nothing is."""
    if asked is not None and asked.value is not None:
        return constant(asked.value, len(obs))
    column = asked.column if asked is not None and asked.column is not None else column
    return filled(words(obs[column]), silent) if column in obs else constant(silent, len(obs))
