"""What labels mean in a recipe, and the list of those that weren't understood, which is a table to fill in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from spoticell.io.formula import guard
from spoticell.io.meanings import LABEL_COLUMN, meaning
from spoticell.io.write import atomic
from spoticell.keys import LABEL

Mapped = Annotated[str, AfterValidator(meaning)]
"""What a label means: a term, kept as its id, or ``unknown``."""

UNRESOLVED = "unresolved_labels.tsv"

COLUMNS = ("dataset", LABEL_COLUMN, "cells", LABEL)


def write_unresolved(path: Path, rows: Iterable[tuple[str, str, int]]) -> None:
    """Write data set, label and cells of each label, with a column for its term, which is empty."""
    table = [COLUMNS, *((dataset, label, str(cells), "") for dataset, label, cells in rows)]
    lines = ["\t".join(guard(" ".join(word.split())) for word in row) for row in table]
    with atomic(path) as passing:
        passing.write_text("\n".join(lines) + "\n", encoding="utf-8")
