"""A user's table of the markers of types.

The table has a column of types, ``cell_type_ontology_term_id`` or ``cell_type``, and a column ``gene``.  A column
``direction`` may say which genes a type has more of (``up``); others don't count.  Further columns are for its readers.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd

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
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8-sig")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8-sig") as file
        ):
            head = file.readline()
            file.seek(0)
            table = pd.read_csv(file, sep=max("\t,;", key=head.count), dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise ConfigError(f"there is no table of markers {path.name}.") from None
    except (OSError, EOFError, ValueError, pd.errors.ParserError) as error:
        raise ConfigError(f"{path.name} can't be read as a table of markers: {error}.") from None
    markers = markers_of(_rows(table, path.name), vocabulary)
    if not markers.genes_of:
        raise ConfigError(
            f"{path.name} names no marker that is understood; types are needed by id or name, such as 'CL:0000084' or "
            "'T cell', and genes by symbol or Ensembl id."
        )
    if markers.unread:
        few = ", ".join(map(repr, markers.unread[:FEW]))
        note(f"{path.name}: {len(markers.unread):,} names of types or genes aren't understood, such as {few}.")
    return markers


def _rows(table: pd.DataFrame, name: str) -> list[tuple[str, str, str]]:
    types = [column for column in (LABEL, NAME) if column in table]
    if GENE not in table or not types:
        missing = GENE if GENE not in table else LABEL
        raise ConfigError(
            f"{name} has no column {missing!r}; a table of markers needs {GENE!r}, and {LABEL!r} or {NAME!r}."
        )
    # an id goes before a name
    kinds = [next((text for text in row if text.strip()), "") for row in table[types].itertuples(index=False)]
    directions = table[DIRECTION].tolist() if DIRECTION in table else [""] * len(table)
    return list(zip(kinds, table[GENE].tolist(), directions, strict=True))
