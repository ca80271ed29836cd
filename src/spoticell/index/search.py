"""From query cells to a table of hits: which reference cells are nearest to each, and what is known of them.

Axes: ``n`` query cells, ``k`` hits of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.errors import OutputError, SearchError
from spoticell.index import Hits, OpenIndex, open_index
from spoticell.index.background import Background
from spoticell.index.build import bundle_of
from spoticell.index.conditions import Where
from spoticell.index.references import Fingerprinter
from spoticell.io import CellSource, open_cells
from spoticell.io.in_memory import AnnDataCells
from spoticell.io.write import check_output, write_csv
from spoticell.model.bundle import Bundle
from spoticell.progress import Progress

if TYPE_CHECKING:
    from anndata import AnnData

COLUMNS = {
    "cell_type": "cell_type",
    "term": "cell_type_ontology_term_id",
    "study": "study",
    "dataset": "dataset",
    "donor": "donor",
    "tissue": "tissue",
    "disease": "disease",
    "assay": "assay",
    "url": "url",
}
"""What a hit says of the reference cell: the index's words, and how the columns are called."""

AT_ONCE = 1 << 14
"""Cells that are searched for at once, so that those which look into the same places do it together."""


def search(
    cells: AnnData | Path | str,
    index: OpenIndex | Path | str,
    *,
    k: int = 50,
    where: Where | None = None,
    bundle: Bundle | Path | str | None = None,
    threads: int | None = None,
) -> pd.DataFrame:
    """Find the reference cells that are most alike.

    Parameters
    ----------
    cells
        An AnnData object, or a file of cells in any format that is read.
    index
        An open index, or its folder or address.
    k
        How many hits to give for each cell.
    where
        Conditions on reference cells, all of which must hold: ``["tissue=blood", "study!=Kang 2018"]``.
    bundle
        The one that the index was built with; needed only if that isn't a packaged one.
    threads
        How many threads to use; all cores that the process may use if not given.

    Returns
    -------
    A row a hit, nearest first: ``cell``, ``rank`` from 1, ``similarity`` (cosine of the fingerprints, in [-1, 1]),
    ``p`` (how often a cell whose broad type the index lacks finds one as near; NaN if not measured), ``reference``
    (name of the reference cell), and what is known of it.  Cells without counts in known genes have no hits.

    Raises
    ------
    SpoticellError
        If the cells can't be used, there is no such index, or a condition can't be.

    Examples
    --------
    >>> hits = search("cells.h5ad", "blood-index", k=10, where=["disease=normal"])  # doctest: +SKIP
    >>> hits.query("rank == 1")[["cell", "similarity", "cell_type", "study"]]  # doctest: +SKIP
    """
    opened = index if isinstance(index, OpenIndex) else open_index(index, threads=threads)
    fingerprinter = Fingerprinter(bundle_of(opened, bundle), threads)
    if isinstance(cells, Path | str):
        with open_cells(cells) as source:
            tables = list(_tables(source, opened, fingerprinter, k=k, where=where))
    else:
        tables = list(_tables(AnnDataCells(cells), opened, fingerprinter, k=k, where=where))
    return pd.concat(tables, ignore_index=True)


def search_file(
    path: Path | str,
    index: Path | str,
    output: Path | str,
    *,
    k: int = 50,
    where: Where | None = None,
    bundle: Bundle | Path | str | None = None,
    threads: int | None = None,
    overwrite: bool = False,
    on_progress: Progress | None = None,
) -> dict[str, int]:
    """Find the reference cells that are most like the cells of a file, and write them to a csv file.

    Parameters
    ----------
    path
        The file or folder of query cells.
    output
        Where to write: ``.csv``, with the columns of `search`.
    overwrite
        Whether a file at ``output`` may be replaced.
    on_progress
        Called with the steps done and the steps there are.
    index, k, where, bundle, threads
        As in `search`.

    Returns
    -------
    ``cells``, ``hits`` and ``cells_without_hits``.

    Raises
    ------
    SpoticellError
        As `search`, or if the file can't be written; nothing is left behind then.
    """
    path, output = Path(path), Path(output)
    if output.suffix != ".csv":
        raise OutputError(f"{output} ends in {output.suffix or 'nothing'!r}; hits are written as .csv.")
    check_output(output, input_path=path, overwrite=overwrite)
    opened = open_index(index, threads=threads)
    fingerprinter = Fingerprinter(bundle_of(opened, bundle), threads)
    with open_cells(path) as source:
        counted = {"cells": source.n_cells, "hits": 0, "cells_without_hits": source.n_cells}

        def counting() -> Iterator[pd.DataFrame]:
            for table in _tables(source, opened, fingerprinter, k=k, where=where, on_progress=on_progress):
                counted["hits"] += len(table)
                counted["cells_without_hits"] -= int((table["rank"] == 1).sum())
                yield table.assign(similarity=table["similarity"].round(6), p=table["p"].round(6))

        write_csv(output, counting())
    return counted


def _tables(
    source: CellSource,
    index: OpenIndex,
    fingerprinter: Fingerprinter,
    *,
    k: int,
    where: Where | None,
    on_progress: Progress | None = None,
) -> Iterator[pd.DataFrame]:
    if not index.n_cells:
        raise SearchError(f"the index {index.folder} is empty; add cells with: spoticell index add")
    names = source.cell_names
    for start, fingerprint_nd in _gathered(fingerprinter.blocks(source)):
        hits = index.search(fingerprint_nd, k=k, where=where)
        yield hit_table(hits, index, names[start : start + len(fingerprint_nd)])
        if on_progress is not None:
            on_progress(start + len(fingerprint_nd), source.n_cells)


def _gathered(
    blocks: Iterator[tuple[int, NDArray[np.float32]]],
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Join small blocks into larger ones."""
    held: list[NDArray[np.float32]] = []
    first = 0
    for start, fingerprint_nd in blocks:
        first = start if not held else first
        held.append(fingerprint_nd)
        if sum(map(len, held)) >= AT_ONCE:
            yield first, np.concatenate(held)
            held = []
    if held:
        yield first, np.concatenate(held)


def hit_table(hits: Hits, index: OpenIndex, cell_names: pd.Index) -> pd.DataFrame:
    """Give a row for each hit, by query cell and rank; see `search` for the columns."""
    cell, place = np.nonzero(hits.row_nk >= 0)
    row, similarity = hits.row_nk[cell, place], hits.similarity_nk[cell, place].astype(np.float64)
    known = index.groups.iloc[index.group_of(row)].reset_index(drop=True)
    background = index.background
    p = np.nan if background is None else Background.model_validate(background).p_chance(similarity)
    table = pd.DataFrame(
        {
            "cell": np.asarray(cell_names, dtype=object)[cell],
            "rank": place + 1,
            "similarity": similarity,
            "p": np.asarray(np.broadcast_to(p, row.shape), dtype=np.float64),
            "reference": index.names_of(row),
        }
    )
    return table.assign(**{name: known[column] for column, name in COLUMNS.items()})
