"""The shape of what a shared page is asked to hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from spoticell.web.columns import MOST_COLUMNS
from spoticell.web.sample_schemas import MOST_ASKED, MOST_BITS
from spoticell.web.schemas import Shape

MOST_SHARED = 10
"""Columns that a shared page may hold: with 60 genes it stays under 8 MB for 50,000 cells."""
LONGEST_VIEW = 20_000
"""Characters of what stands behind the ``#`` of an address."""
Symbol = Annotated[str, StringConstraints(max_length=100)]
Column = Annotated[int, Field(ge=0, le=MOST_COLUMNS + 10)]


class ShareOrder(Shape):
    """What a shared page shows, and what goes into it."""

    model_config = ConfigDict(extra="forbid")

    view: Annotated[str, Field(max_length=LONGEST_VIEW)] = ""
    """What stands behind the ``#`` of the page's address: how the map is coloured, filters, what is highlighted."""
    gene: Annotated[list[Symbol], Field(default_factory=list, max_length=MOST_ASKED + 1)]
    """Genes by which the map can be coloured."""
    column: Annotated[list[Column], Field(default_factory=list, max_length=MOST_SHARED)]
    """Columns to colour and filter by, by their places in the list of columns."""
    map: Annotated[int, Field(ge=0, le=MOST_COLUMNS)] | None = None
    """A map of the file, by its place in the list, in place of ours."""
    cell: Annotated[int, Field(ge=0)] | None = None
    """A cell whose card goes in, by its place in the file."""


class ShareSelection(ShareOrder):
    """The same with highlighted cells that no address can name."""

    cells: Annotated[str, Field(max_length=MOST_BITS)] | None = None
    """A bit for each cell, eight a byte, the first cell the lowest bit of the first byte; in base64."""
    name: Annotated[str, StringConstraints(max_length=400)] = "Selection"
    """What these cells are called."""
