"""What the labels of a source mean, where the Cell Ontology doesn't know them: a table of the user's.

The table has the columns ``label`` and ``cell_type_ontology_term_id``; further ones are for its readers.  So the list
of unresolved labels that a run leaves, with terms filled in, is such a table.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from spoticell.biology.everyday import read_name
from spoticell.errors import ConfigError
from spoticell.io.formula import guard, unguard
from spoticell.io.write import atomic
from spoticell.keys import LABEL, UNKNOWN

LABEL_COLUMN = "label"


def meaning(text: str) -> str:
    """Give the term that a text names, or ``unknown`` for that word.

    Raises
    ------
    ValueError
        If it names none.

    Examples
    --------
    >>> meaning("T cell"), meaning("unknown")
    ('CL:0000084', 'unknown')
    """
    term = UNKNOWN if text.strip().lower() == UNKNOWN else read_name(text)
    if term is None:
        raise ValueError(f"{text!r} is neither a term nor a name of the Cell Ontology, nor {UNKNOWN!r}")
    return term


Mapped = Annotated[str, AfterValidator(meaning)]
"""What a label means: a term, kept as its id, or ``unknown``."""


def read_mapping(path: Path) -> dict[str, str]:
    """Read a table of labels and their terms, separated by tabs or, in a ``.csv`` file, by commas.

    Lines without a term say nothing.

    Returns
    -------
    The term, or ``unknown``, of each label.

    Raises
    ------
    ConfigError
        If there is no such file, a column is missing, or a line can't be used.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, delimiter="," if path.suffix == ".csv" else "\t")
            _check_columns(rows.fieldnames or (), path)
            return _joined(rows, path)
    except FileNotFoundError:
        raise ConfigError(f"there is no table of labels {path.name}.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path.name} can't be read as a table of labels: {error}.") from None


def _check_columns(names: Sequence[str], path: Path) -> None:
    if missing := [name for name in (LABEL_COLUMN, LABEL) if name not in names]:
        raise ConfigError(f"{path.name} has no column {missing[0]!r}; {LABEL_COLUMN!r} and {LABEL!r} are needed.")


def _joined(rows: csv.DictReader[str], path: Path) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for line, label, text in _pairs(rows):
        try:
            term = meaning(text)
        except ValueError as error:
            raise ConfigError(f"{path.name}, line {line}: {error}.") from None
        if mapping.setdefault(label, term) != term:
            raise ConfigError(f"{path.name}, line {line}: {label!r} is {mapping[label]} further up and {term} here.")
    return mapping


def _pairs(rows: csv.DictReader[str]) -> Iterator[tuple[int, str, str]]:
    """Give line, label and text of its term, where there is one."""
    for row in rows:
        label, text = (row[name] or "" for name in (LABEL_COLUMN, LABEL))
        if text.strip():
            yield rows.line_num, unguard(label.strip()), text


UNRESOLVED = "unresolved_labels.tsv"

COLUMNS = ("dataset", LABEL_COLUMN, "cells", LABEL)


def write_unresolved(path: Path, rows: Iterable[tuple[str, str, int]]) -> None:
    """Write data set, label and cells of each label, with a column for its term, which is empty."""
    table = [COLUMNS, *((dataset, label, str(cells), "") for dataset, label, cells in rows)]
    lines = ["\t".join(guard(" ".join(word.split())) for word in row) for row in table]
    with atomic(path) as passing:
        passing.write_text("\n".join(lines) + "\n", encoding="utf-8")
