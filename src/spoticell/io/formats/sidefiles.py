"""Files beside a Matrix Market file that name its genes and cells, under the names that people give them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoticell.io.formats.textlayout import split
from spoticell.io.storage.lines import lines

_KINDS = {
    "genes": r"(?:features?|genes?|gene_?names|gene_?ids|var_?names|all_genes)",
    "cells": r"(?:barcodes?|cells?|cell_?names|cell_?ids|cell_?metadata|obs_?names)",
    "rows": r"(?:mtx_rows|rows?|row_?names)",
    "columns": r"(?:mtx_cols|cols?|columns?|col_?names)",
}
_TABLE = r"(?:\.(?:tsv|csv|txt))?(?:\.gz)?"
_MATRIX_WORD = re.compile(r"(?:^|(?<=[._-]))(?:matrix|counts?|count_matrix|expression|dge|mat)$", re.IGNORECASE)


def find_side_files(path: Path) -> dict[str, Path]:
    """Side files of a Matrix Market file by what they name: ``genes``, ``cells``, ``rows``, ``columns``.

    A file that shares the beginning of its name with the matrix wins over one that doesn't.
    """
    others = sorted(other.name for other in path.parent.iterdir() if other.is_file() and other != path)
    return {kind: path.with_name(name) for kind, name in side_names(path.name, others).items()}


def side_names(matrix: str, others: Sequence[str]) -> dict[str, str]:
    """Give the names of side files among those of files beside a matrix; see `find_side_files`.

    Examples
    --------
    >>> side_names("s1_matrix.mtx.gz", ["s1_barcodes.tsv.gz", "s1_features.tsv.gz", "s2_features.tsv.gz"])
    {'genes': 's1_features.tsv.gz', 'cells': 's1_barcodes.tsv.gz'}
    """
    stem = re.sub(r"\.mtx(?:\.gz)?$", "", matrix, flags=re.IGNORECASE)
    starts = [re.escape(start) + r"[._-]?" for start in (stem, _MATRIX_WORD.sub("", stem).rstrip("._-")) if start]
    found: dict[str, str] = {}
    for start in [*starts, ""]:
        for kind, words in _KINDS.items():
            pattern = re.compile(start + words + _TABLE, re.IGNORECASE)
            match = next((other for other in others if pattern.fullmatch(other)), None)
            if match is not None:
                found.setdefault(kind, match)
    return found


def read_side_file(path: Path, *, length: int) -> list[NDArray[np.object_]] | None:
    """Columns of a side file with ``length`` entries, a heading dropped; ``None`` if it has another length."""
    rows = _rows(path, limit=length + 1)
    if len(rows) == length + 1:
        rows = rows[1:]
    if len(rows) != length:
        return None
    n_columns = min((len(row) for row in rows), default=1)
    columns = [np.array([row[column] for row in rows] + [None], dtype=object)[:-1] for column in range(n_columns)]
    numbered = n_columns > 1 and all(word == str(place) for place, word in enumerate(columns[0], start=1))
    return columns[1:] if numbered else columns


def _rows(path: Path, *, limit: int) -> list[list[str]]:
    """Fields of every line, one line more than ``limit`` at most."""
    rows: list[list[str]] = []
    delimiter = None
    for line in lines(path):
        if not line.strip():
            continue
        if delimiter is None:
            delimiter = "\t" if "\t" in line else ","
        rows.append([field.strip() for field in split(line, delimiter)])
        if len(rows) > limit:
            break
    return rows
