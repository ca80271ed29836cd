"""The shape of what the API says of why cells are called what they are called."""

from __future__ import annotations

from typing import Literal

from spoticell.web.schemas import Shape, Share


class Voice(Shape):
    """A gene that speaks for a type, or against it."""

    symbol: str
    id: str
    pixel: tuple[int, int]
    """Row and column on the grid."""
    contribution: float
    """What it adds to the probability; below 0 where it speaks against."""
    mean: float
    """Mean of its log-normalised counts in the cells that were asked."""


class Why(Shape):
    """What speaks for a type in some cells, and against it."""

    term: str
    type: str
    """Its name."""
    asked_about: Literal["answer", "second", "other"]
    """Whether it is what the cells are called, of unknown ones what is likeliest, or another that was asked about."""
    cells: int
    asked: int
    """Cells that were asked, all or some drawn by chance."""
    changed: int
    """How many of these would be called otherwise if their neighbours had no say."""
    probability: Share
    """The network's mean probability of the type, each cell alone and before calibration."""
    without: Share
    """The same of a cell without counts."""
    method: str
    speak_for: list[Voice]
    """Genes that speak for it, loudest first."""
    against: list[Voice]
    pixels: list[int]
    """Places of the loudest genes, for or against, on the grid: row times its side plus column."""
    contributions: list[float]
    """What each of these adds."""
