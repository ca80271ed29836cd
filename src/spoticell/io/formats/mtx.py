"""Matrix Market files with their side files: 10x folders, STARsolo, kallisto, alevin, GEO, the Expression Atlas.

Axes: ``n`` cells, ``v`` features.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import FileFormatError
from spoticell.io.formats.features import choose_features, some_genes
from spoticell.io.formats.mtxfile import Header, MtxMatrix, read_header
from spoticell.io.formats.orient import genes_lie_first
from spoticell.io.formats.sidefiles import find_side_files, read_side_file
from spoticell.io.storage.room import check_cells, holds
from spoticell.io.storage.stored import StoredSource


def open_mtx(path: Path, *, format: str = "Matrix Market") -> StoredSource:  # noqa: A002 - the name of the attribute
    """Cells of a Matrix Market file, with the names in the files beside it.

    Raises
    ------
    FileFormatError
        If a side file is missing or of the wrong length, or the header promises something else.
    """
    header = read_header(path)
    cells, genes, genes_on_rows = _names(path, header)
    matrix = MtxMatrix(path, header, genes_on_rows=genes_on_rows)
    columns = {"index": genes[min(1, len(genes) - 1)]} | ({"gene_ids": genes[0]} if len(genes) > 1 else {})
    # the kind is the third column of 10x, the fourth where places are told too
    told = {str(place): column for place, column in enumerate(genes)}
    chosen = choose_features(columns | told, name=path.name)
    return StoredSource(
        path.name,
        format=format,
        matrices={"matrix": some_genes(matrix, chosen.keep_v)},
        cells=cells[0],
        genes={name: values[chosen.keep_v] for name, values in columns.items()},
        warnings=chosen.warnings,
    )


def open_folder(folder: Path) -> StoredSource:
    """Cells of a folder as 10x writes it: ``matrix.mtx``, ``features.tsv`` or ``genes.tsv``, ``barcodes.tsv``.

    Raises
    ------
    FileFormatError
        If the folder holds no such matrix, or several, or a side file is missing.
    """
    found = sorted(file for file in folder.iterdir() if file.name.lower().endswith((".mtx", ".mtx.gz")))
    named = [file for file in found if file.name in {"matrix.mtx", "matrix.mtx.gz"}]
    if len(named or found) == 1:
        return open_mtx((named or found)[0], format="10x folder")
    if found:
        listed = ", ".join(file.name for file in found[:5])
        raise FileFormatError(f"{folder.name} holds {len(found)} matrices ({listed}): give one of them.")
    inner = sorted(path.parent for path in [*folder.glob("*/matrix.mtx*"), *folder.glob("*/*/matrix.mtx*")])
    hint = f"give {inner[0].relative_to(folder.parent)} instead" if inner else "give the folder that holds matrix.mtx"
    raise FileFormatError(f"{folder.name} is a folder without a matrix (matrix.mtx or matrix.mtx.gz): {hint}.")


def _names(path: Path, header: Header) -> tuple[list[NDArray[np.object_]], list[NDArray[np.object_]], bool]:
    """Columns about cells, columns about genes, and whether genes are the rows of the matrix."""
    files = find_side_files(path)
    longest = max(header.n_rows, header.n_columns)
    check_cells(path.name, longest, holds([path, *set(files.values())]), what="rows or columns")
    if "genes" in files or "cells" in files:
        return _named(path, header, files)
    if "rows" in files and "columns" in files:
        rows = _read(files["rows"], header.n_rows, "rows", path)
        columns = _read(files["columns"], header.n_columns, "columns", path)
        on_rows = genes_lie_first(rows[0].tolist(), columns[0].tolist())
        return (rows, columns, False) if on_rows is False else (columns, rows, True)
    raise _missing(path, "genes")


def _named(
    path: Path, header: Header, files: dict[str, Path]
) -> tuple[list[NDArray[np.object_]], list[NDArray[np.object_]], bool]:
    for kind in ("genes", "cells"):
        if kind not in files:
            raise _missing(path, kind)
    for on_rows, n_genes, n_cells in (
        (True, header.n_rows, header.n_columns),
        (False, header.n_columns, header.n_rows),
    ):
        genes = read_side_file(files["genes"], length=n_genes)
        cells = read_side_file(files["cells"], length=n_cells)
        if genes is not None and cells is not None:
            return cells, genes, on_rows
    raise FileFormatError(
        f"{path.name} is {header.n_rows} x {header.n_columns}, which doesn't fit the numbers of names in "
        f"{files['genes'].name} and {files['cells'].name}. Give the files that belong together."
    )


def _read(file: Path, length: int, what: str, path: Path) -> list[NDArray[np.object_]]:
    columns = read_side_file(file, length=length)
    if columns is None:
        raise FileFormatError(f"{file.name} doesn't name the {length} {what} of {path.name}.")
    return columns


def _missing(path: Path, kind: str) -> FileFormatError:
    wanted = {"genes": "features.tsv or genes.tsv", "cells": "barcodes.tsv"}[kind]
    return FileFormatError(f"{path.name} has no file with the names of its {kind} beside it ({wanted}, .gz or not).")
