"""What a file declares, compared with its bytes before memory is set aside or anything is looped over.

A few kilobytes can declare any number of cells.  How large an honest file may be is not known here; what a byte can
hold is.  A named cell takes more than a byte however well it is packed, and gzip packs at most 1,032 bytes into one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from spoticell.errors import FileFormatError

Holds = Callable[[int], bool]
"""Says whether a file takes at least so many bytes; a folder is not summed up further than it must be."""

MOST_RATIO = 1100
"""Bytes of matrices for each byte of the file: more than gzip can pack."""
LIST_RATIO = 100
"""Bytes of one list of names or codes for each byte of the file: more than counts leave room for."""
VALUES_PER_BYTE = 16
"""Values of one table about cells or genes for each byte of the file."""
CHUNK_BYTES = 16
"""Bytes of the file for each chunk of an array, at least: most of a dense matrix may be empty."""

_FEW_CHUNKS = 1 << 16
_SMALL_MATRIX, _SMALL_LIST, _SMALL_TABLE = 1 << 30, 1 << 26, 1 << 22
"""Bytes or values that are read whatever the file's size: this costs a second or two."""


def holds(paths: Iterable[Path]) -> Holds:
    """Make the question of how many bytes some files or folders take together.

    Examples
    --------
    >>> holds([Path(__file__)])(100), holds([Path(__file__)])(10**9)
    (True, False)
    """
    paths = list(paths)

    def ask(n_bytes: int) -> bool:
        left = n_bytes
        for path in paths:
            for file in path.rglob("*") if path.is_dir() else [path]:
                if left <= 0:
                    return True
                left -= file.stat().st_size if file.is_file() else 0
        return left <= 0

    return ask


def check_cells(name: str, n_cells: int, room: Holds, *, what: str = "cells") -> None:
    """Refuse a file that declares more cells than it has bytes.

    Raises
    ------
    FileFormatError
        If it does.

    Examples
    --------
    >>> check_cells("small.h5ad", 400_000_000, lambda n_bytes: n_bytes < 13_000)
    Traceback (most recent call last):
    spoticell.errors.FileFormatError: small.h5ad declares 400,000,000 cells, more than it has bytes...
    """
    if not room(n_cells):
        raise FileFormatError(
            f"{name} declares {n_cells:,} {what}, more than it has bytes, so it was never filled or is damaged. "
            "Get a fresh copy or write the file again."
        )


def check_table(name: str, path: str, n_rows: int, n_columns: int, room: Holds) -> None:
    """Refuse a table with more values than the file has room for."""
    n_values = n_rows * n_columns
    if n_values > _SMALL_TABLE and not room(n_values // VALUES_PER_BYTE):
        raise FileFormatError(
            f"{name}: '{path}' declares {n_rows:,} rows of {n_columns:,} columns, more than its bytes can hold. "
            "Get a fresh copy or write the file again."
        )


def check_list(name: str, path: str, n_bytes: int, room: Holds) -> None:
    """Refuse a list that unpacks to far more bytes than the file has."""
    if n_bytes > _SMALL_LIST and not room(n_bytes // LIST_RATIO):
        raise _unpacks_to_too_much(name, f"'{path}' unpacks", LIST_RATIO)


def check_chunks(name: str, path: str, n_chunks: int, room: Holds) -> None:
    """Refuse an array cut into far more chunks than the file has room for; each costs time, stored or not."""
    if n_chunks > _FEW_CHUNKS and not room(n_chunks * CHUNK_BYTES):
        raise FileFormatError(
            f"{name}: '{path}' is cut into {n_chunks:,} chunks, far more than are stored. "
            "Write the store again with larger chunks."
        )


def check_matrices(name: str, n_bytes: int, room: Holds) -> None:
    """Refuse matrices that unpack to more bytes together than could be packed into the file."""
    if n_bytes > _SMALL_MATRIX and not room(n_bytes // MOST_RATIO):
        raise _unpacks_to_too_much(name, "its matrices unpack", MOST_RATIO)


def _unpacks_to_too_much(name: str, what: str, ratio: int) -> FileFormatError:
    return FileFormatError(
        f"{name}: {what} to more than {ratio:,} times the bytes of the file, so it was never filled or is damaged. "
        "Get a fresh copy or write the file again."
    )
