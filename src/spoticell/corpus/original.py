"""The seven CELLxGENE data sets that Spoticell began with, and which cells of them it kept.

Two packaged tables: ``original_datasets.tsv`` says where each data set is, and
``original_types.tsv`` lists the 68 types, each with the data sets in which it was kept.  Nothing here opens a data set.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from spoticell.errors import DownloadError
from spoticell.io.download import fetch
from spoticell.progress import Progress, part

NORMAL = "normal"
"""The word for healthy tissue in the ``disease`` column of a CELLxGENE data set."""


@dataclass(frozen=True)
class OriginalDataset:
    """One of the seven."""

    name: str
    cells: int
    """Before anything is left out."""
    version_id: str
    """CELLxGENE's id of this version; the file is called so."""
    url: str
    terms: frozenset[str]
    """Types that were kept; others were too rare or too broad."""

    @property
    def file_name(self) -> str:
        """Name of the file, as CELLxGENE gives it."""
        return f"{self.version_id}.h5ad"


@lru_cache(maxsize=1)
def original_datasets() -> tuple[OriginalDataset, ...]:
    """Give the seven data sets.

    Examples
    --------
    >>> [dataset.name for dataset in original_datasets()][:3]
    ['Human hematopoietic precursor cells', 'Lung', 'Liver']
    """
    kept: dict[str, set[str]] = {}
    for term, _, datasets in _rows("original_types.tsv"):
        for dataset in datasets.split(","):
            kept.setdefault(dataset, set()).add(term)
    return tuple(
        OriginalDataset(name, int(cells), version_id, url, frozenset(kept[dataset]))
        for dataset, name, cells, version_id, url in _rows("original_datasets.tsv")
    )


def original_dataset(path: Path) -> OriginalDataset | None:
    """Give the data set that a file is, told by the file's name; None for any other file.

    Examples
    --------
    >>> original_dataset(Path("raw/03107eab-699e-4c39-977c-25d685345a33.h5ad")).name
    'Liver'
    """
    return next((dataset for dataset in original_datasets() if dataset.file_name == path.name), None)


def fetch_originals(folder: Path, *, on_progress: Progress | None = None) -> list[Path]:
    """Fetch the seven data sets that Spoticell began with, 17 GB in all, unless they are there.

    Parameters
    ----------
    folder
        Where the files shall be; made if need be.
    on_progress
        Called with the steps done and the steps there are.

    Returns
    -------
    The seven files.

    Raises
    ------
    DownloadError
        If there is no network; what was fetched so far stays.
    """
    originals = original_datasets()
    try:
        return [
            fetch(dataset.url, folder / dataset.file_name, on_progress=part(on_progress, position, len(originals)))
            for position, dataset in enumerate(originals)
        ]
    except DownloadError as error:
        raise DownloadError(
            f"{error} Try again with a network (what was fetched is kept), or give local files with --datasets."
        ) from error


def _rows(table: str) -> list[list[str]]:
    text = files("spoticell").joinpath("data", table).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines()[1:]]
