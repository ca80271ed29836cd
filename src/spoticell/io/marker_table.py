"""A user's table of the markers of types.

The table has a column of types, ``cell_type_ontology_term_id`` or ``cell_type``, and a column ``gene``.  A column
``direction`` may say which genes a type has more of (``up``); others don't count.  Further columns are for its readers.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from spoticell.biology.markers import Markers, markers_of
from spoticell.biology.vocabulary import Vocabulary
from spoticell.errors import ConfigError, note
from spoticell.keys import LABEL

GENE, DIRECTION, NAME = "gene", "direction", "cell_type"
FEW = 3
"""Names that aren't understood which a note gives."""


def read_markers(path: Path | str, vocabulary: Vocabulary) -> Markers:
    """Read the markers of types from a table, separated by tabs, commas or semicolons; it may be gzipped.

    A note says how many types and genes of it aren't understood; those don't count.

    Parameters
    ----------
    path
        The table.
    vocabulary
        The genes that are looked for.

    Raises
    ------
    ConfigError
        If the table can't be read, lacks a column, or has no marker that is understood.
    """
    path = Path(path)
    packed = gzip.open if path.suffix == ".gz" else open
    try:
        with packed(path, "rt", encoding="utf-8-sig", newline="") as file:
            markers = markers_in(file, path.name, vocabulary)
    except FileNotFoundError:
        raise ConfigError(f"there is no table of markers {path.name}.") from None
    except (OSError, EOFError) as error:
        raise _unreadable(path.name, error) from None
    if markers.unread:
        few = ", ".join(map(repr, markers.unread[:FEW]))
        note(f"{path.name}: {len(markers.unread):,} names of types or genes aren't understood, such as {few}.")
    return markers


def markers_in(table: TextIO, name: str, vocabulary: Vocabulary) -> Markers:
    r"""Read the markers of types from an open table; ``name`` is how messages call it.  See `read_markers`.

    It is read row by row, and takes no more memory than its text, so the table may be a stranger's.

    Examples
    --------
    >>> import io
    >>> from spoticell.biology.vocabulary import load_vocabulary
    >>> found = markers_in(io.StringIO("cell_type,gene\nT cells,CD3E\n"), "mine.csv", load_vocabulary())
    >>> list(found.genes_of)
    ['CL:0000084']
    """
    try:
        markers = markers_of(_rows(table, name), vocabulary)
    except ConfigError:  # which is a ValueError too
        raise
    except (ValueError, csv.Error) as error:
        raise _unreadable(name, error) from None
    if not markers.genes_of:
        raise ConfigError(
            f"{name} names no marker that is understood; types are needed by id or name, such as 'CL:0000084' or "
            "'T cell', and genes by symbol or Ensembl id."
        )
    return markers


def _rows(table: TextIO, name: str) -> Iterator[tuple[str, str, str]]:
    """Give type, gene and direction of each row; an id goes before a name."""
    head = table.readline()
    table.seek(0)
    rows = csv.reader(table, delimiter=max("\t,;", key=head.count), strict=True)
    columns = next(rows, [])
    if not columns:
        raise ValueError("it is empty")
    at = {column: place for place, column in enumerate(columns)}
    types = [at[column] for column in (LABEL, NAME) if column in at]
    if GENE not in at or not types:
        missing = GENE if GENE not in at else LABEL
        raise ConfigError(
            f"{name} has no column {missing!r}; a table of markers needs {GENE!r}, and {LABEL!r} or {NAME!r}."
        )
    for row in rows:
        if len(row) > len(columns):
            raise ValueError(f"line {rows.line_num} has {len(row)} values for {len(columns)} columns")
        if row:
            full = [*row, *[""] * (len(columns) - len(row))]
            kind = next((full[place] for place in types if full[place].strip()), "")
            yield kind, full[at[GENE]], full[at[DIRECTION]] if DIRECTION in at else ""


def _unreadable(name: str, error: Exception) -> ConfigError:
    return ConfigError(f"{name} can't be read as a table of markers: {error}.")
