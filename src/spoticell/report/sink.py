"""The report as a sink: written when all cells are answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spoticell.annotation.options import NOTHING
from spoticell.annotation.result import AnnotatedBlock, Annotation, FirstBlock
from spoticell.io.address import Place
from spoticell.io.findings import Findings
from spoticell.io.source import CellSource
from spoticell.model.bundle import Bundle
from spoticell.report.page import write_report


class ReportSink:
    """Writes the page about a run.

    Parameters
    ----------
    page
        Where to write.
    cells, output
        What is annotated and where the answers go, to say how the run is repeated; None for an object, and where the
        answers stay in memory.
    overwrite
        Whether a page may be replaced that is there in the end.
    also
        What else the run was given that its options don't hold, such as the places of tables.
    """

    def __init__(
        self,
        page: Place,
        *,
        cells: Place | None,
        output: Place | None,
        overwrite: bool = False,
        also: Mapping[str, Any] = NOTHING,
    ) -> None:
        self._page, self._cells, self._output, self._overwrite, self._also = page, cells, output, overwrite, also

    def begin(self, source: CellSource, findings: Findings, bundle: Bundle) -> None:
        """Do nothing: the page is written in one go at the end."""

    def see(self, block: FirstBlock) -> None:
        """Do nothing: the annotation holds all that is drawn."""

    def add(self, block: AnnotatedBlock) -> None:
        """Do nothing: the annotation holds all that is drawn."""

    def finish(self, annotation: Annotation) -> None:
        """Write the page."""
        options = annotation.options.settled()
        if self._cells is None or self._output is None:
            command = options.python(self._cells, self._output, self._page, also=self._also).strip()
        else:
            command = options.command(self._cells, self._output, self._page, also=self._also)
        write_report(annotation, self._page, examples=annotation.examples, command=command, overwrite=self._overwrite)

    def abandon(self) -> None:
        """Do nothing: there is no page until it is whole."""
