"""The list of labels that the Cell Ontology doesn't know, which is also the table to fill in their terms.

How the table is read again: `spoticell.corpus.mapping`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from spoticell.corpus.mapping import LABEL_COLUMN
from spoticell.io.write import atomic
from spoticell.keys import LABEL

UNRESOLVED = "unresolved_labels.tsv"
COLUMNS = ("dataset", LABEL_COLUMN, "cells", LABEL)


def write_unresolved(path: Path, rows: Iterable[tuple[str, str, int]]) -> None:
    """Write data set, label and cells of each label, with a column for its term, which is empty."""
    table = [COLUMNS, *((dataset, label, str(cells), "") for dataset, label, cells in rows)]
    lines = ["\t".join(" ".join(word.split()) for word in row) for row in table]
    with atomic(path) as passing:
        passing.write_text("\n".join(lines) + "\n", encoding="utf-8")
