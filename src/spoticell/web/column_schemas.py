"""The shapes of what the API says of the columns and maps of a file; the other shapes are in ``schemas``."""

from __future__ import annotations

from typing import Literal

from spoticell.web.schemas import Shape, Share


class Category(Shape):
    """A value of a column."""

    name: str
    cells: int


class ColumnInfo(Shape):
    """A column about the cells."""

    name: str
    kind: Literal["category", "number"]
    ours: bool
    """Whether it comes from the run: counts, genes found, mitochondrial share, score."""
    missing: int
    """Cells without a value."""
    categories: list[Category] | None = None
    """In their order; null for numbers."""
    low: float | None = None
    """Least number; null for categories."""
    high: float | None = None


class MapInfo(Shape):
    """A map of the file."""

    name: str
    """In ``obsm``."""


class ColumnList(Shape):
    """What a file says of its cells."""

    columns: list[ColumnInfo]
    """A column is asked for by its place in this list."""
    left_out: list[str]
    """Columns that can't be shown: one value, or nearly as many values as cells."""
    maps: list[MapInfo]
    """A map is asked for by its place in this list."""


class Change(Shape):
    """How the share of a type differs between two values of a column."""

    term: str
    """Or ``unknown``."""
    type: str
    first: Share
    """Mean share over the samples of the first value; cells of subtypes are counted too."""
    second: Share
    low: float | None = None
    """Lower bound of the second less the first, at 95 %; null without a test."""
    high: float | None = None
    p: Share | None
    """Null where there are too few samples or cells for a test."""
    q: Share | None
    """p, adjusted for the number of types."""


class Changes(Shape):
    """The types between two values of a column."""

    samples: tuple[int, int]
    """How many each value has."""
    method: str | None
    """How it was tested; null if it was not."""
    changes: list[Change]
    """Clearest first."""
    notes: list[str]
    """What to bear in mind, in sentences."""
    states: list[str]
    """Terms of the types that the last notes are about, in their order: their cells may be in another state."""
