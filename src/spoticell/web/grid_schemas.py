"""The shapes of what the API says of the gene grid and of the atlas of types."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from spoticell.web.schemas import Shape


class GridInfo(Shape):
    """Which gene lives where on the grid of a model."""

    model: str
    side: int
    """Of the grid, in pixels."""
    colors: list[str]
    """Of each level of a picture: no gene, not measured, not seen, and from faint to bright."""
    pixels: list[int]
    """Place of each gene: row times the side plus column."""
    symbols: list[str]
    chromosomes: list[str]
    """Empty where it isn't known."""


class AtlasGene(Shape):
    """A gene that speaks for a type."""

    symbol: str
    pixel: tuple[int, int]
    """Row and column on the grid."""
    strength: Annotated[float, Field(ge=0, le=1)]
    """Against the gene of the type that speaks loudest."""


class AtlasPlace(Shape):
    """A term with its name."""

    term: str
    name: str


class AtlasType(Shape):
    """A type that a model knows."""

    term: str
    name: str
    definition: str
    """What the Cell Ontology says that it is; empty where it says nothing."""
    synonyms: list[str]
    broad: str
    """Name of its broad type."""
    color: str
    path: list[AtlasPlace]
    """From the broad type down to it."""
    near: list[int]
    """Places in the list of the types whose fingerprints are most similar, nearest first."""
    fingerprint: list[float]
    """Mean of the fingerprints of its example cells, of length 1."""
    genes: list[AtlasGene]


class AtlasInfo(Shape):
    """All types that a model knows, by broad type and name."""

    model: str
    shown: int
    """Genes in each picture."""
    types: list[AtlasType]
