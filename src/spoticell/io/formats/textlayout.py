"""How a table of text is laid out, told from its first lines: delimiter, heading, names, columns of words."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise, takewhile

from spoticell.errors import FileFormatError

FIRST_LINES = 50
"""Lines that are looked at."""

DELIMITERS = ("\t", ";", ",", " ")
_GCT = ("#1.2", "#1.3")
"""How a GCT file begins; its second line says how large the table is."""
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+(?:[eE][+-]?\d+)?")
_BLANK = {"", "na", "nan", "null", "none", "n/a", "#n/a"}
_NAMES_WORDS = {
    "", "barcode", "barcodes", "cell", "cell_id", "cell_name", "cellid", "cells", "gene", "gene_id", "gene_name",
    "gene_short_name", "gene_symbol", "geneid", "genes", "id", "index", "name", "names", "symbol", "unnamed: 0",
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """Layout of a table of text."""

    delimiter: str
    decimal_comma: bool
    n_skipped: int
    """Lines before the heading."""
    heading: tuple[str, ...]
    """Names of all columns, that of the column of row names (if there is one) left out."""
    names_first: bool
    """Whether the first column holds the names of the rows."""
    words: tuple[int, ...]
    """Positions in ``heading`` of columns that hold words."""
    told: tuple[tuple[str, ...], ...] = ()
    """Fields of the rows below the heading that hold words, as kinds of features or labels of cells."""

    @property
    def n_fields(self) -> int:
        """Fields in every line but the heading."""
        return len(self.heading) + self.names_first

    @property
    def first(self) -> int:
        """Lines before the numbers."""
        return self.n_skipped + 1 + len(self.told)


def find_layout(head: list[str], *, name: str) -> Layout:
    """Layout of a table from its first lines.

    Raises
    ------
    FileFormatError
        If the lines are no table with a heading.

    Examples
    --------
    >>> layout = find_layout(["gene;a;b", "CD3E;1,5;0", "CD8A;0;2,25"], name="t.csv")
    >>> layout.delimiter, layout.decimal_comma, layout.heading, layout.names_first
    (';', True, ('a', 'b'), True)
    """
    n_skipped = _n_comments(head)
    body = [line for line in head[n_skipped:] if line.strip()]
    if len(body) < 2:
        raise _too_short(name)
    delimiter = _delimiter(body, name=name)
    heading, *rows = (split(line, delimiter) for line in body)
    width = _common_width(rows)
    commas = delimiter != "," and _has_decimal_commas(rows)
    shifted = len(heading) == width - 1
    told = _rows_of_words(rows, decimal_comma=commas)
    columns = list(zip(*(row for row in rows[len(told) :] if len(row) == width), strict=True))
    if not columns:
        raise _too_short(name)
    wordy = [_is_words(column, decimal_comma=commas) for column in columns]
    named = heading[0].strip().lower() in _NAMES_WORDS
    if not (named or shifted) and all(number(field, decimal_comma=commas) is not None for field in heading[1:]):
        raise FileFormatError(f"{name} has no heading: its first line must name the columns.")
    names_first = shifted or wordy[0] or named or (any(wordy) and _counts_rows(columns[0]))
    names = heading if shifted or not names_first else heading[1:]
    # a delimiter at the end of every line makes a column of nothing
    empty = not any("".join(columns[-1]).split()) and not names[-1].strip()
    words = tuple(place - names_first for place, is_words in enumerate(wordy) if is_words and place >= names_first)
    words += (len(names) - 1,) * empty
    return Layout(delimiter, commas, n_skipped, tuple(names), names_first, words, told)


def _too_short(name: str) -> FileFormatError:
    return FileFormatError(f"{name} is no table: it needs a line of names and at least one line of numbers.")


def split(line: str, delimiter: str) -> list[str]:
    """Fields of a line, their quotes taken off.

    Examples
    --------
    >>> split('"a,b",1', ",")
    ['a,b', '1']
    """
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error as error:
        raise FileFormatError(
            f"a line that begins with {line[:40]!r} can't be split into fields ({error}). Mend its quotes."
        ) from None


def number(field: str, *, decimal_comma: bool) -> float | None:
    """Give the number that a field holds, or ``None``."""
    try:
        return float(field.replace(",", ".") if decimal_comma else field) if "_" not in field else None
    except ValueError:
        return None


def _n_comments(head: list[str]) -> int:
    """Lines at the top that begin with ``#``; a heading may begin so too if no other line is left."""
    if head and head[0].startswith(_GCT):
        return min(2, len(head))
    n = 0
    while n < len(head) - 2 and head[n].startswith("#"):
        n += 1
    return n


def _delimiter(body: list[str], *, name: str) -> str:
    """Find the delimiter that splits most lines as it splits the heading."""
    for delimiter in DELIMITERS:
        heading, *rows = (split(line, delimiter) for line in body)
        width = _common_width(rows)
        if width >= 2 and len(heading) in {width, width - 1}:
            return delimiter
    raise FileFormatError(
        f"{name} is no table: its lines aren't split alike by commas, tabs, semicolons or spaces, "
        "with a name for every column in the first."
    )


def _common_width(rows: list[list[str]]) -> int:
    """Give the commonest number of fields."""
    return Counter(map(len, rows)).most_common(1)[0][0]


def _has_decimal_commas(rows: list[list[str]]) -> bool:
    fields = [field for row in rows for field in row[1:]]
    return any(_DECIMAL_COMMA.fullmatch(field) for field in fields) and not any(
        re.fullmatch(r"-?\d+\.\d+", field) for field in fields
    )


def _counts_rows(column: tuple[str, ...]) -> bool:
    """Whether a column numbers the rows, some of which may be gone."""
    if not all(field.strip().isdecimal() for field in column):
        return False
    steps = {int(other) - int(one) for one, other in pairwise(column)}
    return (len(column) >= 5 and steps == {1}) or (len(column) >= 20 and min(steps) > 0)


def _rows_of_words(rows: list[list[str]], *, decimal_comma: bool) -> tuple[tuple[str, ...], ...]:
    """Give the rows at the top, but never all rows, in which fields behind the first are words or blank."""

    def wordy(row: list[str]) -> bool:
        told = [field for field in row[1:] if field.strip().lower() not in _BLANK]
        return bool(told) and all(number(field, decimal_comma=decimal_comma) is None for field in told)

    return tuple(tuple(field.strip() for field in row) for row in takewhile(wordy, rows[:-1]))


def _is_words(column: tuple[str, ...], *, decimal_comma: bool) -> bool:
    """Whether most of a column that isn't blank is no number."""
    told = [field for field in column if field.strip().lower() not in _BLANK]
    n_words = sum(number(field, decimal_comma=decimal_comma) is None for field in told)
    return n_words > len(told) / 2
