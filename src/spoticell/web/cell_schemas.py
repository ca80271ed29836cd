"""The shape of what the API says of one cell; the other shapes are in ``schemas``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from spoticell.web.schemas import Shape, Share


class Step(Shape):
    """A type on the answer's path through the ontology."""

    term: str
    name: str
    probability: Share
    role: Literal["above", "answer", "below"]


class Alternative(Shape):
    """One of the things that a cell may be; no two can be true, and all together have the probability 1."""

    term: str
    """Empty for all types that are not named."""
    name: str
    probability: Share
    """Of the answer: its score."""
    role: Literal["answer", "second", "instead", "rest"]
    """``second`` for what the cell would be if it weren't its answer, ``rest`` for all types that are not named."""


class OwnGene(Shape):
    """A gene that stands out in the cell."""

    symbol: str
    id: str
    pixel: tuple[int, int]
    """Row and column on the grid."""
    counts: float


class Neighbour(Shape):
    """A reference cell; what isn't known of it is an empty text."""

    cell: str
    """Its name in its data set."""
    type: str
    term: str
    study: str
    dataset: str
    tissue: str
    disease: str
    assay: str
    donor: str
    similarity: Annotated[float, Field(ge=-1, le=1)]
    """Cosine of the two fingerprints."""
    p_value: Share | None
    """How often a cell whose broad type is not in the index matches this closely; null if that wasn't measured."""


class Match(Shape):
    """What the 50 nearest reference cells say together."""

    text: str
    """The same in words."""
    term: str
    type: str
    """The type that they agree on, or ``unknown``."""
    votes: int
    """Matches of this type or a subtype."""
    voters: int
    """Matches that have a label."""
    studies: int
    """Studies that the votes come from."""
    share: Share
    """Weighted share of the matches that support this type, after correction for chance."""
    p_value: Share | None
    """Of the nearest match."""
    novel: bool
    """Whether the cell is farther from all references than cells of known types are."""
    agrees: Literal["agree", "compatible", "conflict", "unknown"]
    """How this type and the answer go together: the same, one above the other, or neither."""


class Alone(Shape):
    """What a cell was called before its neighbours were asked."""

    term: str
    """Or ``unknown``."""
    type: str
    """Its name."""
    score: Share


class CellInfo(Shape):
    """One cell."""

    position: int
    """Its place in the file, from 0."""
    name: str
    term: str
    """The answer, or ``unknown``."""
    type: str
    """The answer's name."""
    score: Share
    """Probability that the answer is right; 0 for unknown."""
    alone: Alone | None
    """What it would be called alone; null if that is the same."""
    n_counts: float
    """Its counts in genes that the model knows."""
    n_genes: int
    """Genes with a count among them."""
    path: list[Step]
    """From the broad type to the answer, and finer types; the answer's probability is its score."""
    alternatives: list[Alternative]
    genes: list[OwnGene]
    picture: str
    """Where the picture of the cell is."""
    grid: int
    """Side of the picture, in pixels."""
    neighbours: list[Neighbour] | None
    """The 10 nearest reference cells; null if the server has no index of the model."""
    match: Match | None
    """What the nearest say; null where there are none."""
