"""The first pass over the sources of a corpus: what they say of their cells, judged together before any count is read.

Axes: ``n`` cells of a source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from spoticell.biology.columns import among, counted
from spoticell.biology.ontology import load_ontology
from spoticell.corpus.block import ASSAY, DATASET
from spoticell.corpus.recipe.parts import Keep
from spoticell.corpus.sources.source import CellTable
from spoticell.corpus.sources.table import Sieve
from spoticell.keys import DONOR, LABEL, UNKNOWN

N_CELLS = "n_cells"


def judged(tables: Sequence[CellTable], keep: Keep) -> list[CellTable]:
    """Leave out the types that a corpus has too little of, or that are too general.

    All rules look at the same cells: those that the filters of their sources let pass.

    Examples
    --------
    >>> from spoticell.corpus.recipe.parts import Source
    >>> from spoticell.corpus.sources.table import tabulate
    >>> obs = pd.DataFrame({"cell_type": ["T cell", "T cell", "B cell"], "donor_id": ["a", "b", "b"]})
    >>> (table,) = judged([tabulate(obs, Source(), name="mine")], Keep(cells_per_type=2))
    >>> table.keep_n.tolist(), table.left_out
    ([True, True, False], {'type with fewer than 2 cells': 1})
    """
    cells, donors = type_counts(tables), _donors(tables)
    rare = tuple(term for term, count in cells.items() if count < keep.cells_per_type)
    narrow = tuple(term for term in cells if len(donors.get(term, ())) < keep.donors_per_type)
    broad = tuple(term for term in cells if len(load_ontology().ancestors(term)) - 1 < keep.terms_above)
    reasons = {
        f"type with fewer than {keep.cells_per_type:,} cells": rare,
        f"type with fewer than {keep.donors_per_type:,} donors": narrow,
        f"type with fewer than {keep.terms_above} terms above it": broad,
    }
    return [_without(table, reasons) for table in tables]


def type_counts(tables: Iterable[CellTable]) -> dict[str, int]:
    """Count the cells of each type that are kept, by term."""
    cells: dict[str, int] = {}
    for table in tables:
        for term, count in counted(pd.Categorical(table.cells[LABEL]), table.keep_n).items():
            cells[term] = cells.get(term, 0) + count
    return dict(sorted(cells.items()))


def grouped(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Count alike cells of several tables: a row for each data set, donor and assay, with ``n_cells``."""
    keys = [DATASET, DONOR, ASSAY]
    counts = [part.groupby(keys, observed=True).size().rename(N_CELLS).reset_index() for part in parts]
    together = pd.concat([count.astype(dict.fromkeys(keys, object)) for count in counts])
    return together.groupby(keys)[N_CELLS].sum().reset_index()


def digest(table: CellTable) -> str:
    """Give a hash of what a table says and of what is kept of it, in hex: the same if these are."""
    found = hashlib.sha256(np.packbits(table.keep_n).tobytes())
    for column in table.cells:
        values = pd.Categorical(table.cells[column])
        found.update("\n".join(map(str, (column, *values.categories))).encode())
        found.update(values.codes.astype(np.int32).tobytes())
    return found.hexdigest()


def _donors(tables: Iterable[CellTable]) -> dict[str, set[str]]:
    """Give the donors of each type, but for unknown ones."""
    donors: dict[str, set[str]] = {}
    for table in tables:
        pairs = table.cells.loc[table.keep_n, [LABEL, DONOR]].drop_duplicates()
        for term, donor in zip(pairs[LABEL], pairs[DONOR], strict=True):
            if donor != UNKNOWN:
                donors.setdefault(term, set()).add(donor)
    return donors


def _without(table: CellTable, reasons: dict[str, tuple[str, ...]]) -> CellTable:
    sieve = Sieve(len(table))
    sieve.keep_n, sieve.left_out = table.keep_n.copy(), dict(table.left_out)
    for reason, terms in reasons.items():
        sieve.leave(among(pd.Categorical(table.cells[LABEL]), terms), reason)
    return replace(table, keep_n=sieve.keep_n, left_out=sieve.left_out)
