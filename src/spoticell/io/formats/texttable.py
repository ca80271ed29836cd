"""The numbers of a table of text, read a batch of lines at a time; which side holds genes is not known here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import FileFormatError
from spoticell.io.formats.textlayout import Layout, number, split
from spoticell.io.storage.lines import lines
from spoticell.io.storage.tree import text

_CHARACTERS_AT_ONCE = 1 << 23


@dataclass(frozen=True)
class Table:
    """A table of text: where it is, how it is laid out, what its rows and columns are called."""

    path: Path
    layout: Layout
    row_names: NDArray[np.object_]
    counts: tuple[int, ...]
    """Positions of the columns of counts."""
    words: dict[str, NDArray[np.object_]]
    """Columns of words."""

    @property
    def column_names(self) -> NDArray[np.object_]:
        """Names of the columns of counts."""
        return text([self.layout.heading[place] for place in self.counts])

    @property
    def told(self) -> dict[str, NDArray[np.object_]]:
        """What rows of words say about the columns of counts, by the names of the rows."""
        shift = self.layout.names_first
        return {
            row[0] if shift else f"row {place}": text(
                [row[at + shift] if at + shift < len(row) else "" for at in self.counts]
            )
            for place, row in enumerate(self.layout.told)
        }

    def batches(self) -> Iterator[NDArray[np.float32]]:
        """Numbers of the table, rows from first to last, some lines at a time.

        Raises
        ------
        FileFormatError
            If a field is no number or a line has the wrong number of fields; names line and column.
        """
        batch, places, size = list[str](), list[int](), 0
        for place, line in islice(enumerate(lines(self.path), start=1), self.layout.first, None):
            if not line.strip():
                continue
            batch.append(line)
            places.append(place)
            size += len(line)
            if size > _CHARACTERS_AT_ONCE:
                yield self._parse(batch, places)
                batch, places, size = [], [], 0
        if batch:
            yield self._parse(batch, places)

    def _parse(self, batch: list[str], numbers: list[int]) -> NDArray[np.float32]:
        layout, rest = self.layout, batch
        places: list[int] | None = [place + layout.names_first for place in self.counts]
        if places == list(range(1, layout.n_fields)):
            # Lines without their names are numbers throughout, which is the fast way.
            rest, places = [cut_name(line, layout.delimiter)[1] for line in batch], None
        if layout.decimal_comma:
            rest = [line.replace(",", ".") for line in rest]
        self._check_width(batch, numbers)
        try:
            if not all(rest):  # which loadtxt would leave out, so that later rows took their places
                raise ValueError("a line holds no number")
            with np.errstate(over="ignore"):
                return np.loadtxt(
                    rest, dtype=np.float32, delimiter=layout.delimiter, comments=None, quotechar='"', ndmin=2,
                    usecols=places,
                )  # fmt: skip
        except ValueError as error:
            raise FileFormatError(self._first_bad_field(batch, numbers) or f"{self.path.name}: {error}") from error

    def _check_width(self, batch: list[str], numbers: list[int]) -> None:
        """Refuse ragged lines; counting delimiters is enough unless there are quotes."""
        layout = self.layout
        for place, line in zip(numbers, batch, strict=True):
            width = line.count(layout.delimiter) + 1
            if width != layout.n_fields and '"' in line:
                width = len(split(line, layout.delimiter))
            if width != layout.n_fields:
                raise FileFormatError(self._wrong_width(place, width))

    def _wrong_width(self, place: int, width: int) -> str:
        return (
            f"{self.path.name}: line {place} has {width} fields, {self.layout.n_fields} were expected. "
            "Mend the line, or write the table again."
        )

    def _first_bad_field(self, batch: list[str], numbers: list[int]) -> str | None:
        layout = self.layout
        for line_number, line in zip(numbers, batch, strict=True):
            fields = split(line, layout.delimiter)
            if len(fields) != layout.n_fields:  # some of the delimiters that were counted are quoted
                return self._wrong_width(line_number, len(fields))
            for place in self.counts:
                field = fields[place + layout.names_first]
                if number(field, decimal_comma=layout.decimal_comma) is None:
                    what = f"holds '{field[:40]}'" if field.strip() else "is empty"
                    return (
                        f"{self.path.name}: line {line_number}, column '{layout.heading[place]}' {what} "
                        "where a number is needed. Write 0 where nothing was counted."
                    )
        return None


def cut_name(line: str, delimiter: str) -> tuple[str, str]:
    """First field of a line without its quotes, and the rest."""
    if line.startswith('"'):
        quoted = re.match(r'"((?:[^"]|"")*)"', line)
        if quoted and line[quoted.end() :][:1] in {"", delimiter}:
            return quoted[1].replace('""', '"').strip(), line[quoted.end() + 1 :]
    name, _, rest = line.partition(delimiter)
    return name.strip(), rest
