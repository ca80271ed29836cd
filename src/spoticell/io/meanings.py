"""A user's table of what labels mean.

The table has a column ``label`` and one with the meaning, ``cell_type_ontology_term_id`` or ``cell_type``; further ones
are for its readers.  A table of two columns needs no such names.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from spoticell.biology.everyday import closest_names, read_name
from spoticell.errors import ConfigError
from spoticell.io.formula import unguard
from spoticell.keys import LABEL, UNKNOWN

Meanings: TypeAlias = "Mapping[str, str] | Path | str"
"""What labels mean: their types by id or name, or ``unknown``; as a mapping, or a csv or tsv file."""

LABEL_COLUMN = "label"

MEANING_COLUMNS = (LABEL, "cell_type", "term", "meaning")


def meaning(text: str) -> str:
    """Give the term that a text names, or ``unknown`` for that word.

    Raises
    ------
    ValueError
        If it names none.

    Examples
    --------
    >>> meaning("T cells"), meaning("unknown")
    ('CL:0000084', 'unknown')
    """
    term = UNKNOWN if text.strip().lower() == UNKNOWN else read_name(text)
    if term is None:
        near = ", ".join(map(repr, closest_names(text)))
        raise ValueError(
            f"{text!r} is neither a term nor a name of a type, nor {UNKNOWN!r}{f'; near it are {near}' if near else ''}"
        )
    return term


def read_meanings(meanings: Meanings | None) -> dict[str, str]:
    """Give what labels mean: the term, or ``unknown``, of each.

    Parameters
    ----------
    meanings
        A mapping; or a table, separated by tabs, commas or semicolons.  Lines without a meaning say nothing.

    Raises
    ------
    ConfigError
        If there is no such file, a column is missing, or a line can't be used.

    Examples
    --------
    >>> read_meanings({"my B": "B cells", "clump": "unknown"})
    {'my B': 'CL:0000236', 'clump': 'unknown'}
    """
    if meanings is None:
        return {}
    if isinstance(meanings, Mapping):
        return _joined(((f"meanings, {label!r}", str(label).strip(), str(text)) for label, text in meanings.items()))
    path = Path(meanings)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            rows = list(csv.reader(file, delimiter=max("\t,;", key=first.count)))
    except FileNotFoundError:
        raise ConfigError(f"there is no table of labels {path.name}.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path.name} can't be read as a table of labels: {error}.") from None
    return _joined(_lines(rows, path.name))


def _lines(rows: Sequence[Sequence[str]], name: str) -> Iterator[tuple[str, str, str]]:
    """Give place, label and text of its meaning of each line that has one."""
    head = [word.strip() for word in rows[0]] if rows else []
    meaning_column = next((column for column in MEANING_COLUMNS if column in head), None)
    if LABEL_COLUMN in head and meaning_column is not None:
        label_at, meaning_at, start = head.index(LABEL_COLUMN), head.index(meaning_column), 1
    elif len(head) == 2:
        label_at, meaning_at, start = 0, 1, int(not _is_meaning(head[1]))
    else:
        missing = LABEL if LABEL_COLUMN in head else LABEL_COLUMN
        raise ConfigError(f"{name} has no column {missing!r}; {LABEL_COLUMN!r} and {LABEL!r} are needed.")
    for number, row in enumerate(rows[start:], start=start + 1):
        if len(row) > max(label_at, meaning_at) and row[meaning_at].strip():
            yield f"{name}, line {number}", unguard(row[label_at].strip()), row[meaning_at]


def _is_meaning(text: str) -> bool:
    return text.lower() == UNKNOWN or read_name(text) is not None


def _joined(lines: Iterator[tuple[str, str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, label, text in lines:
        try:
            term = meaning(text)
        except ValueError as error:
            raise ConfigError(f"{place}: {error}.") from None
        if found.setdefault(label, term) != term:
            raise ConfigError(f"{place}: {label!r} is {found[label]} further up and {term} here.")
    return found
