"""A file of cells on a server as a source of a corpus: fetched when it is first needed, and compared with its hash."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spoticell.corpus.block import LabelledBlock
from spoticell.corpus.recipe.parts import UrlSource
from spoticell.corpus.sources.cellfile import FileCells
from spoticell.corpus.sources.source import CellTable
from spoticell.errors import DownloadError
from spoticell.io.download import fetch
from spoticell.progress import Progress


class FetchedCells(FileCells):
    """Cells of a file that is fetched into a folder, unless it lies there already.

    Parameters
    ----------
    folder
        Where it shall lie.
    asked
        What the recipe says of it.
    name
        How the store calls it.
    url
        Where to fetch it, if not where the recipe says.
    """

    def __init__(self, folder: Path, asked: UrlSource, *, name: str, url: str | None = None) -> None:
        super().__init__(folder / asked.file_name, asked, name=name)
        self._from, self._address = url or asked.url, asked.url
        self._sha256, self._cells = asked.sha256, asked.cells

    @property
    def is_here(self) -> bool:
        """Whether nothing needs to be fetched."""
        return self.path.is_file()

    @property
    def cells_stated(self) -> int | None:
        """How many cells the recipe says there are."""
        return self._cells

    def fetch(self, *, on_progress: Progress | None = None) -> None:
        """Fetch the file unless it is there."""
        fetch(self._from, self.path, on_progress=on_progress)

    def blocks(
        self, table: CellTable, *, start: int = 0, on_progress: Progress | None = None
    ) -> Iterator[LabelledBlock]:
        """Stream the cells to keep, once the file has been compared with its hash.

        Raises
        ------
        DownloadError
            If the file isn't the one that the recipe, or the record of the transfer, speaks of.
        """
        wanted = self._sha256 or self._recorded()
        if wanted is not None and self.identity["sha256"] != wanted:
            raise DownloadError(
                f"{self.path} isn't the file that is needed: its sha256 is {self.identity['sha256']}, not {wanted}. "
                "Remove it to fetch it again, or mend the recipe."
            )
        yield from super().blocks(table, start=start, on_progress=on_progress)

    def facts(self) -> dict[str, Any]:
        """Say which file it was and where the recipe has it from, and what its numbers are."""
        return super().facts() | {"kind": "url", "url": self._address}

    def _recorded(self) -> str | None:
        """Give the hash that the file had when it was fetched; None if it came otherwise."""
        record = self.path.with_name(f"{self.path.name}.json")
        if not record.is_file():
            return None
        return str(json.loads(record.read_text(encoding="utf-8")).get("sha256"))
