"""The CELLxGENE Census: opened by release or from a copy; its data sets, studies and when each came out.

The Census is one SOMA collection: ``census_data`` holds an experiment for each organism, ``census_info`` tables about
all of it (schema: https://chanzuckerberg.github.io/cellxgene-census/cellxgene_census_schema.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import pandas as pd

from spoticell.corpus.recipe.parts import CensusSource
from spoticell.corpus.sources.soma import Opened, SomaCells
from spoticell.corpus.sources.tiledb import SETTINGS, explained, needed, open_soma
from spoticell.errors import ConfigError, DownloadError, FileFormatError

HUMAN = "homo_sapiens"
PRESENCE = "feature_dataset_presence_matrix"
DAY = r"\d{4}-\d{2}-\d{2}"


class CensusCells(SomaCells):
    """Human cells of a release of the Census.

    Which genes a data set measures comes from the Census's own matrix, so that what a data set didn't measure is
    missing, not zero.  Donors of one name are one person within a collection, and others in another.

    Parameters
    ----------
    asked
        What the recipe says of it.
    name
        How the store calls it.
    copy
        Folder or address of a copy, which is read instead.
    earlier
        Earlier releases, or copies of them, to tell when a data set came out.

    Raises
    ------
    ConfigError
        If the recipe names data sets itself: the Census does.
    """

    def __init__(self, asked: CensusSource, *, name: str, copy: str | None = None, earlier: Sequence[str] = ()) -> None:
        if asked.dataset is not None:
            raise ConfigError(
                f"{name}: the Census says which data set a cell is from; take 'dataset' out of the recipe."
            )
        super().__init__(asked, name=name, value_filter=asked.value_filter)
        self._release, self._copy, self._earlier = asked.census, copy, earlier

    @contextmanager
    def open(self) -> Iterator[Opened]:
        """Open the human cells, and check that a copy is of the release that is asked for."""
        with open_census(self._release, self._copy) as census, explained(self._copy or self._release):
            experiment = census["census_data"][HUMAN]
            datasets = read_datasets(census)
            rna = experiment.ms["RNA"]
            yield Opened(
                experiment,
                measured=rna.get(PRESENCE),
                row_of=dict(zip(datasets["dataset_id"], datasets["soma_joinid"].astype(int), strict=True)),
                studies=dict(zip(datasets["dataset_id"], datasets["collection_id"], strict=True)),
            )

    def facts(self) -> dict[str, Any]:
        """Say which release it is, how many human cells it has, and which were asked for."""
        with open_census(self._release, self._copy) as census:
            summary = read_summary(census)
            cells = int(census["census_data"][HUMAN].obs.count)
        return {
            "kind": "census",
            "release": summary.get("census_build_date", self._release),
            "schema": summary.get("census_schema_version", "unknown"),
            "cells_before_filter": cells,
            "value_filter": self._filter,
        }

    def releases(self) -> dict[str, str]:
        """Give the day of the first release, of the earlier ones and this, that has each data set."""
        return first_releases([*((one, None) for one in self._earlier), (self._release, self._copy)])


def is_release(text: str) -> bool:
    """Whether a text names a release, and not a folder or an address.

    Examples
    --------
    >>> is_release("2025-11-08"), is_release("stable"), is_release("copies/census")
    (True, True, False)
    """
    return re.fullmatch(rf"{DAY}|stable|latest", text) is not None


@contextmanager
def open_census(release: str, copy: str | None = None) -> Iterator[Any]:
    """Open a release of the Census, or a copy of it.

    Parameters
    ----------
    release
        Day of its build, ``stable``, ``latest``, or the folder or address of a copy.
    copy
        Folder or address of a copy.

    Raises
    ------
    DownloadError
        If its publisher can't be reached.
    ConfigError
        If there is no such release, or the copy is of another one.
    FileFormatError
        If there is no Census.
    """
    address = copy or (None if is_release(release) else release)
    with _by_release(release) if address is None else open_soma(address) as census:
        if not {"census_data", "census_info"} <= set(census) or HUMAN not in census["census_data"]:
            raise FileFormatError(f"{address or release} is no Census: it has no {HUMAN!r} in 'census_data'.")
        built = read_summary(census).get("census_build_date", "")
        if re.fullmatch(DAY, release) and built != release:
            raise ConfigError(
                f"{address or release} is the Census of {built or 'an unknown day'}; the recipe asks for {release}. "
                "Give a copy of that release, or name the other in the recipe."
            )
        yield census


def _by_release(release: str) -> Any:  # noqa: ANN401 - a SOMA collection
    library, requests = needed("cellxgene_census"), needed("requests")
    try:
        return library.open_soma(census_version=release, context=_context())
    except requests.RequestException as error:
        raise DownloadError(
            f"The Census of {release} can't be reached. Try again with a network, or give the folder or address of a "
            "copy with --from."
        ) from error
    except ValueError as error:
        raise ConfigError(f"There is no Census release {release!r}; give a day such as '2025-11-08'.") from error


@cache
def _context() -> Any:  # noqa: ANN401 - a SOMA context
    """Give what the Census's own storage is read with: its library's settings, and ours."""
    return needed("cellxgene_census").get_default_soma_context(tiledb_config=dict(SETTINGS))


def read_summary(census: Any) -> dict[str, str]:  # noqa: ANN401
    """Read what an open Census says of itself."""
    table = census["census_info"]["summary"].read().concat().to_pandas()
    return dict(zip(table["label"].astype(str), table["value"].astype(str), strict=True))


def read_datasets(census: Any) -> pd.DataFrame:  # noqa: ANN401
    """Read the table of data sets of an open Census."""
    columns = ["soma_joinid", "dataset_id", "collection_id"]
    table: pd.DataFrame = census["census_info"]["datasets"].read(column_names=columns).concat().to_pandas()
    return table.astype({"dataset_id": object, "collection_id": object})


def first_releases(releases: Sequence[tuple[str, str | None]]) -> dict[str, str]:
    """Give the day of the first of some releases that has each data set.

    Parameters
    ----------
    releases
        Each as its name and the folder or address of a copy, as for `open_census`.
    """
    first: dict[str, str] = {}
    for release, copy in releases:
        with open_census(release, copy) as census:
            built = read_summary(census)["census_build_date"]
            for dataset in read_datasets(census)["dataset_id"]:
                first[dataset] = min(built, first.get(dataset, built))
    return first
