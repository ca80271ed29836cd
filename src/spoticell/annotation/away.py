"""What a run asks of those who read the cells for it, where these are other processes: see ``cluster``."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

from spoticell.annotation.mixed import MixedFinder
from spoticell.annotation.options import Options
from spoticell.annotation.result import FirstBlock
from spoticell.annotation.sample_tissue import SampleTissues
from spoticell.biology.sketch import Sketch
from spoticell.io.findings import Findings
from spoticell.io.source import CellSource
from spoticell.progress import Progress


class Shown(Protocol):
    """What is known of a sample before its cells are answered."""

    @property
    def tissues(self) -> SampleTissues | None:
        """Those that the sample shows; None where they are told, or don't matter."""

    @property
    def sketch(self) -> Sketch | None:
        """Of the cells' own expression; None where each cell is named alone."""

    @property
    def mixed(self) -> MixedFinder | None:
        """Who says which cells are mixed; None where each cell is named alone."""

    @property
    def threads(self) -> int:
        """How much is done at once."""


class Away(Shown, Protocol):
    """Who reads the cells of one source."""

    def look_at(self, source: CellSource, options: Options, *, on_progress: Progress | None = None) -> Findings:
        """Find out which matrix and genes would be used; all else is asked for after this."""

    def blocks(self, keep: object) -> Generator[FirstBlock, None, None]:
        """Give what `first_blocks` gives, without the counts."""
