"""A Matrix Market file by itself: its header and its entries, without names.

Entries may come in any order, so they are sorted through a spool once.
Axes: ``e`` entries.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import FileFormatError
from spoticell.io.storage.lines import lines, open_text
from spoticell.io.storage.matrix import ENTRIES_AT_ONCE, Entries, SpooledMatrix
from spoticell.io.storage.room import holds
from spoticell.io.storage.tree import MOST_CELLS, MOST_GENES

ENTRIES_PER_BYTE = 8
"""Entries for each byte of a file, at most: packed ones take a byte or more."""

_LINES_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class Header:
    """First lines of a Matrix Market file."""

    n_rows: int
    n_columns: int
    n_entries: int
    pattern: bool
    """Entries without values, each standing for 1."""
    n_lines: int
    """Lines before the first entry."""


class MtxMatrix(SpooledMatrix):
    """Entries of a Matrix Market file, seen as cells x genes."""

    def __init__(self, path: Path, header: Header, *, genes_on_rows: bool) -> None:
        shape = (header.n_columns, header.n_rows) if genes_on_rows else (header.n_rows, header.n_columns)
        super().__init__(shape, where=(path.name, "matrix"))
        self._path, self._header, self._genes_on_rows = path, header, genes_on_rows
        self.n_entries = header.n_entries

    def entries(self) -> Iterator[Entries]:
        """Cells, genes and values, some lines at a time."""
        for row_e, column_e, value_e in read_entries(self._path, self._header):
            yield (column_e, row_e, value_e) if self._genes_on_rows else (row_e, column_e, value_e)


def read_header(path: Path) -> Header:
    """Sizes that a Matrix Market file declares.

    Raises
    ------
    FileFormatError
        If it is no coordinate matrix of general shape.
    """
    with open_text(path) as file:
        return _header(file, path)


def read_entries(
    path: Path, header: Header
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    """Rows, columns (from 0) and values, a batch of lines at a time.

    Raises
    ------
    FileFormatError
        If a line is no entry, or there are fewer or more of them than the header says; names the line.
    """
    n_read, rest = 0, islice(lines(path), header.n_lines, None)
    while batch := list(islice(rest, _LINES_AT_ONCE)):
        row_e, column_e, value_e = _parse(batch, header, path)
        n_read += len(row_e)
        yield row_e - 1, column_e - 1, value_e
    if n_read != header.n_entries:
        raise FileFormatError(
            f"{path.name}: its header promises {header.n_entries:,} entries, {n_read:,} are there. "
            "It is cut short or damaged: get a fresh copy."
        )


def _header(file: TextIO, path: Path) -> Header:
    first = file.readline(1 << 16).lower().split()
    if first[:2] != ["%%matrixmarket", "matrix"] or len(first) < 5:
        raise FileFormatError(f"{path.name} is no Matrix Market file: its first line must begin with %%MatrixMarket.")
    if first[2] != "coordinate" or first[3] not in {"real", "integer", "pattern"} or first[4] != "general":
        raise FileFormatError(
            f"{path.name} is a Matrix Market file of the kind '{' '.join(first[2:5])}'; needed is 'coordinate', "
            "with 'integer', 'real' or 'pattern', and 'general'."
        )
    n_lines, line = 1, "%"
    while line.startswith("%") or (line and not line.strip()):
        line = file.readline(1 << 16)
        n_lines += 1
    sizes = line.split()
    if len(sizes) != 3 or not all(size.isdecimal() and len(size) < 19 for size in sizes):
        raise FileFormatError(f"{path.name}: line {n_lines} must give the numbers of rows, columns and entries.")
    n_rows, n_columns, n_entries = map(int, sizes)
    if max(n_rows, n_columns) > MOST_CELLS or min(n_rows, n_columns) > MOST_GENES:
        raise FileFormatError(f"{path.name}: line {n_lines} declares {n_rows:,} x {n_columns:,}, which is too much.")
    if n_entries > max(n_rows * n_columns, ENTRIES_AT_ONCE) or not holds([path])(n_entries // ENTRIES_PER_BYTE):
        raise FileFormatError(
            f"{path.name}: its header promises {n_entries:,} entries, more than it can hold. "
            "It is cut short or damaged: get a fresh copy."
        )
    return Header(n_rows, n_columns, n_entries, first[3] == "pattern", n_lines)


def _parse(
    batch: list[str], header: Header, path: Path
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    kinds = [("row", "i8"), ("column", "i8")] + ([] if header.pattern else [("value", "f4")])
    if not any(map(str.strip, batch)):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
    try:
        with np.errstate(over="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # numpy before 2.3 takes 1.5 for 1, and only warns
            entries = np.loadtxt(batch, dtype=kinds, comments=None, ndmin=1)
    except (ValueError, OverflowError, DeprecationWarning) as error:
        raise FileFormatError(_first_bad_line(path, header) or f"{path.name} is no matrix ({error}).") from error
    row_e, column_e = entries["row"], entries["column"]
    for place_e, limit in ((row_e, header.n_rows), (column_e, header.n_columns)):
        if place_e.min() < 1 or place_e.max() > limit:
            raise FileFormatError(str(_first_bad_line(path, header)))
    return row_e, column_e, np.ones(len(entries), dtype=np.float32) if header.pattern else entries["value"]


def _first_bad_line(path: Path, header: Header) -> str | None:
    """Say what is wrong with the first line that is no entry."""
    n_fields = 2 if header.pattern else 3
    for number, line in enumerate(lines(path), start=1):
        fields = line.split()
        if number <= header.n_lines or not fields:
            continue
        where = f"{path.name}: line {number}, '{line.strip()[:60]}',"
        if len(fields) != n_fields or not _are_numbers(fields):
            return f"{where} must be {n_fields} numbers: row, column{'' if header.pattern else ' and value'}."
        row, column = int(fields[0]), int(fields[1])
        if not (1 <= row <= header.n_rows and 1 <= column <= header.n_columns):
            return (
                f"{where} lies outside the matrix of {header.n_rows} x {header.n_columns}; "
                "rows and columns are counted from 1."
            )
    return None


def _are_numbers(fields: list[str]) -> bool:
    try:
        float(fields[-1])
    except ValueError:
        return False
    return "_" not in fields[-1] and all(field.lstrip("-").isdecimal() for field in fields[:2])
