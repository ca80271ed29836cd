"""The shapes of what the API says of sets of cells: types, groups, and cells that the reader chose."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from spoticell.web.schemas import Shape, Share, Term

MOST_BITS = 200_000
"""Characters that may say which cells are chosen: more than a million cells take."""
MOST_ASKED = 60
"""Genes that may be compared at a time."""
MOST_CELLS = 10**9
"""Of a type in a sample."""
GivenName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
]


class Chosen(Shape):
    """A set of cells, said in one of three ways."""

    model_config = ConfigDict(extra="forbid")

    types: Annotated[list[Annotated[int, Field(ge=0, le=65535)]], Field(max_length=2000)] | None = None
    """All cells of these types, by their numbers in the summary; 65535 for those without an answer."""
    group: Annotated[int, Field(ge=0, lt=65535)] | None = None
    """All cells of a group, by its place in the summary."""
    cells: Annotated[str, Field(max_length=MOST_BITS)] | None = None
    """A bit for each cell, eight a byte, the first cell the lowest bit of the first byte; in base64."""


class NameOrder(Chosen):
    """A set of cells, and what to call them."""

    name: GivenName


class SampleCounts(Shape):
    """A sample of a file, with the cells of each of its types."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=400)]
    condition: Annotated[str, Field(max_length=200)]
    """Empty where it has none; the sample is left out then."""
    cells: Annotated[dict[str, Annotated[int, Field(ge=0, le=MOST_CELLS)]], Field(max_length=2000)]
    """By Cell Ontology term, or ``unknown``."""


class Across(Shape):
    """Samples of several files that are compared."""

    model_config = ConfigDict(extra="forbid")

    condition: Annotated[str, Field(max_length=200)] = ""
    """What the conditions are called together, such as the name of a column."""
    samples: Annotated[list[SampleCounts], Field(min_length=1, max_length=1000)]


class ApartGene(Shape):
    """A gene that sets some cells apart from the others."""

    symbol: str
    id: str
    auc: Share
    """How often a cell of the set has more of it than another cell, ties half."""
    share: Share
    """Share of the set's cells that have it."""
    elsewhere: Share
    """Share of the other cells that have it."""
    known: str | None
    """The type of these cells that it is known to mark; null where it marks none, or the server has no table."""


class Apart(Shape):
    """What sets some cells apart."""

    cells: int
    compared: int
    """How many of them were compared."""
    others: int
    """With how many of the others."""
    genes: list[ApartGene]
    """Those with the largest AUC; none where there are too few cells."""


class Mistaken(Term):
    """A type that cells might be instead."""

    cells: int
    """Cells whose second best type it is."""


class Typical(Shape):
    """One of the surest cells of a type."""

    position: int
    score: Share
    picture: str


class About(Shape):
    """What is known of one type, or of several together."""

    cells: int
    share: Share
    """Of all cells that the filters keep."""
    definition: str
    """What the Cell Ontology says that it is; of one type alone, empty where it says nothing."""
    synonyms: list[str]
    """Other names in the Cell Ontology; of one type alone."""
    path: list[Term]
    """From its broad type to the type itself; of one type alone."""
    looked_at: int
    """Cells whose second best types were counted."""
    confused: list[Mistaken]
    """The commonest second best types."""
    typical: list[Typical]
    """Its surest cells, of cells that are as sure the first in the file."""


class Voted(Term):
    """A type that reference cells say."""

    cells: int
    """Cells whose matches agree on it."""


class Origin(Shape):
    """A study or a tissue that nearest reference cells are from."""

    name: str
    cells: int


class Matched(Shape):
    """What reference cells say of some cells."""

    asked: int
    """How many of the cells were compared."""
    agree: int
    """Cells whose matches say the answer, or a type above or below it."""
    types: list[Voted]
    studies: list[Origin]
    """Where the nearest reference cells are from, the commonest first."""
    tissues: list[Origin]


class GeneByType(Shape):
    """A gene in each type."""

    symbol: str
    id: str
    share: list[Share]
    """Of each type in the order of the summary, and of the unknown, the share of cells that have it."""
    mean: list[float]
    """The mean of its log-normalised counts."""


class Expression(Shape):
    """Genes in each type."""

    genes: list[GeneByType]
    unknown: list[str]
    """What was asked for and isn't measured, or may be several genes."""
    cells: list[int]
    """Of each type in the order of the summary, and of the unknown, the cells that are counted."""


class Spread(Shape):
    """How a gene's log-normalised counts are spread in each type."""

    symbol: str
    most: float
    """The highest."""
    cells: list[list[int]]
    """Of each type, and of the unknown, cells that have the gene, in each of the equal steps from 0 to ``most``."""


class Given(Shape):
    """A name that the reader gave."""

    name: str
    term: str | None
    """The term of the Cell Ontology that the name means; null if it means none."""
    color: str
    cells: int


class Names(Shape):
    """Names that the reader gave to cells."""

    names: list[Given]
    edits: int
    """How often cells were named; each can be undone."""


class Suggestions(Shape):
    """Terms that a text may be the beginning of, or may mean."""

    terms: list[Term]
