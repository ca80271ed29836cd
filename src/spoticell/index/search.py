"""From query cells to a table of hits: which reference cells are nearest to each, and what is known of them.

Axes: ``n`` query cells, ``k`` hits of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.errors import SearchError
from spoticell.index import Hits, OpenIndex, open_index
from spoticell.index.background import parse_background
from spoticell.index.build import bundle_of
from spoticell.index.conditions import Where
from spoticell.index.references import Fingerprinter
from spoticell.io import Cells, CellSource, open_source
from spoticell.io.address import Place, place, place_in
from spoticell.io.write import check_written, write_csv
from spoticell.model.bundle import Bundle
from spoticell.progress import Progress, shown

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
    cells: Cells,
    index: OpenIndex | Path | str,
    output: Place | str | None = None,
    *,
    k: int = 50,
    where: Where | None = None,
    model: Bundle | Path | str | None = None,
    layer: str | None = None,
    gene_column: str | None = None,
    overwrite: bool = False,
    threads: int | None = None,
    on_progress: Progress | bool = True,
) -> pd.DataFrame:
    """Find the reference cells that are most alike.

    Parameters
    ----------
    cells, index
        An AnnData object, or a file of cells in any format; an open index, or its folder, address or packaged name.
    output
        Where to write the hits as they are found, ``.csv``; they are held in memory if not given.
    k, where
        Hits for each cell; conditions on references, all of which must hold: ``["tissue=blood", "study!=Kang 2018"]``.
    model
        The one that the index was built with; needed only if that isn't a packaged one.
    layer, gene_column, overwrite, threads, on_progress
        As for `spoticell.annotate`.

    Returns
    -------
    DataFrame
        A row a hit, nearest first: ``cell``, ``rank`` from 1, ``similarity`` (cosine of the fingerprints, in [-1, 1]),
        ``p`` (how often a cell whose broad type the index lacks finds one as near; NaN if not measured), ``reference``
        (name of the reference cell), and what is known of it.  Cells without counts in known genes have no hits.  With
        ``output`` these rows are in the file, and a row a cell is returned: ``cell`` and ``hits``, how many it has.

    Raises
    ------
    SpoticellError
        If cells, index or a condition can't be used, or the file can't be written; nothing is left behind then.

    Examples
    --------
    >>> import importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> hits = spoticell.search(cells, "human-v1", k=2, where=["tissue=blood"])
    >>> hits["rank"].value_counts().to_dict()
    {1: 700, 2: 700}
    """
    if output is not None:
        _check_output(place(output), cells, overwrite=overwrite)
    opened = index if isinstance(index, OpenIndex) else open_index(index, threads=threads)
    fingerprinter = Fingerprinter(bundle_of(opened, model), threads, layer=layer, gene_column=gene_column)
    with shown(on_progress, "searching") as step, open_source(cells, bar=on_progress is True) as source:
        found = _found(source, opened, fingerprinter, k=k, where=where, on_progress=step)
        if output is None:
            return pd.concat([hit_table(hits, opened, names) for hits, names in found], ignore_index=True)
        return _write(place(output), found, opened, source.cell_names, overwrite=overwrite)


def _check_output(output: Place, cells: Cells, *, overwrite: bool) -> None:
    check_written(
        output, kinds=(".csv",), what="hits are written as .csv", input_path=place_in(cells), overwrite=overwrite
    )


def _write(
    output: Place, found: Iterator[tuple[Hits, pd.Index]], index: OpenIndex, cell_names: pd.Index, *, overwrite: bool
) -> pd.DataFrame:
    """Write the hits as they come, and give how many each cell has."""
    counted: list[NDArray[np.intp]] = []

    def tables() -> Iterator[pd.DataFrame]:
        for hits, names in found:
            counted.append((hits.row_nk >= 0).sum(axis=1))
            table = hit_table(hits, index, names)
            yield table.assign(similarity=table["similarity"].round(6), p=table["p"].round(6))

    write_csv(output, tables(), overwrite=overwrite)
    return pd.DataFrame({"cell": np.asarray(cell_names, dtype=object), "hits": np.concatenate(counted)})


def _found(
    source: CellSource,
    index: OpenIndex,
    fingerprinter: Fingerprinter,
    *,
    k: int,
    where: Where | None,
    on_progress: Progress | None,
) -> Iterator[tuple[Hits, pd.Index]]:
    """Give the hits of consecutive cells, and the names of these."""
    if not index.n_cells:
        raise SearchError(f"the index {index.folder} is empty; add cells with: spoticell index add")
    for start, fingerprint_nd in _gathered(fingerprinter.blocks(source)):
        stop = start + len(fingerprint_nd)
        yield index.search(fingerprint_nd, k=k, where=where), source.cell_names[start:stop]
        if on_progress is not None:
            on_progress(stop, source.n_cells)


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
    p = np.nan if background is None else parse_background(background, where=index.folder).p_chance(similarity)
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
