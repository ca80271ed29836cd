"""The tables of a Lance database that make up an index, and the one row that says which versions of them are it.

Axes: ``b`` bits of the code, ``d`` fingerprint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from spoticell.errors import OutputError, SearchError, SpoticellError
from spoticell.index.cells import COLUMNS
from spoticell.index.manifest import IndexManifest, parse_manifest
from spoticell.index.needs import lance_needed
from spoticell.io.write import disk_reason

CELLS, GROUPS, ABOUT = "cells", "groups", "about"
CONFLICT = ("incompatible transaction", "commit conflict", "concurrent")
"""Words of LanceDB for what two writers do to each other."""


class LanceManifest(IndexManifest):
    """What the one row of ``about`` says of an index."""

    cells_version: Annotated[int, Field(gt=0)]
    groups_version: Annotated[int, Field(gt=0)]
    lists: Annotated[int, Field(gt=0)] = 1
    """Lists that the cells are cut into; 1 if there are few, and then there is no inverted file."""


@dataclass(frozen=True)
class About:
    """The one row of ``about``."""

    serial: int
    """How often the manifest was replaced."""
    text: str
    """The manifest as it is stored."""
    planes: list[float]
    place: Path | str

    @cached_property
    def manifest(self) -> LanceManifest:
        """Which bundle, which versions, which cells."""
        return parse_manifest(self.text.encode(), LanceManifest, where=f"the manifest of {self.place}")

    @property
    def sha256(self) -> str:
        """Of the manifest."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def planes_bd(self) -> NDArray[np.float32]:
        """Planes of the binary code."""
        return np.array(self.planes, dtype=np.float32).reshape(-1, self.manifest.fingerprint_size)


def is_remote(place: Path | str) -> bool:
    """Whether a place is an address and not a folder."""
    return "://" in str(place)


def connect(place: Path | str) -> Any:  # noqa: ANN401 - LanceDB's types are not always installed
    """Open a database; LanceDB would make a folder that isn't there."""
    lancedb = lance_needed("lancedb")
    if not is_remote(place) and not Path(place).is_dir():
        what = "it is a file" if Path(place).exists() else "there is no such folder"
        raise SearchError(f"{place} is not an index: {what}. Make one with: spoticell index build")
    with talking(place):
        return lancedb.connect(str(place))


def taken(place: Path | str) -> SearchError:
    """Say that another writer was faster."""
    return SearchError(f"{place} was written to by another process meanwhile, so nothing was added; try again.")


@contextmanager
def talking(place: Path | str) -> Iterator[None]:
    """Turn what LanceDB refuses into an error about ``place``."""
    try:
        yield
    except SpoticellError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        if reason := disk_reason(error):
            raise OutputError(f"{place} can't be written: {reason}.") from error
        said = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        if any(word in said.lower() for word in CONFLICT):
            raise taken(place) from error
        raise SearchError(f"{place} can't be used; LanceDB says: {said}") from error


def table_names(database: Any) -> set[str]:  # noqa: ANN401
    """Names of the tables that are there."""
    return set(database.list_tables().tables)


def read_about(database: Any, place: Path | str) -> About:  # noqa: ANN401
    """Read the row that makes a database an index."""
    with talking(place):
        if ABOUT not in table_names(database):
            raise SearchError(
                f"{place} is not an index: it holds no table {ABOUT!r}. Make one with: spoticell index build"
            )
        rows = database.open_table(ABOUT).to_arrow().to_pylist()
    if len(rows) != 1 or rows[0].keys() != {"serial", "manifest", "planes"}:
        raise SearchError(f"the table {ABOUT!r} of {place} is not that of an index.")
    return About(rows[0]["serial"], rows[0]["manifest"], rows[0]["planes"], place)


def begin_about(database: Any, manifest: LanceManifest, planes_bd: NDArray[np.float32]) -> None:  # noqa: ANN401
    """Make a database an index; fails if it is one."""
    pa = lance_needed("pyarrow")
    row = {"serial": [0], "manifest": [as_text(manifest)], "planes": [planes_bd.ravel().tolist()]}
    kinds = {"serial": pa.int64(), "manifest": pa.large_string(), "planes": pa.list_(pa.float32())}
    database.create_table(ABOUT, data=pa.table(row, schema=pa.schema(kinds)))


def replace_about(database: Any, about: About, manifest: LanceManifest) -> bool:  # noqa: ANN401
    """Make ``manifest`` that of the index, in one step, unless another process did so since ``about`` was read."""
    values = {"serial": about.serial + 1, "manifest": as_text(manifest)}
    changed = database.open_table(ABOUT).update(where=f"serial = {about.serial}", values=values)
    return bool(changed.rows_updated == 1)


def as_text(manifest: LanceManifest) -> str:
    """Give a manifest as it is stored."""
    return json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False)


def read_groups(table: Any) -> pd.DataFrame:  # noqa: ANN401
    """Give a row for each group, in the order of their numbers."""
    rows = table.to_arrow().sort_by("group")
    return pd.DataFrame({name: rows[name].to_pylist() for name in COLUMNS}, dtype=object)


def cells_schema(size: int) -> Any:  # noqa: ANN401
    """Give the columns of ``cells``; ``size`` is that of a fingerprint."""
    pa = lance_needed("pyarrow")
    kinds = {"row": pa.int64(), "group": pa.int32(), "lot": pa.string(), "name": pa.large_string()}
    return pa.schema(kinds | {"fingerprint": pa.list_(pa.float16(), size)})


def groups_schema() -> Any:  # noqa: ANN401
    """Give the columns of ``groups``."""
    pa = lance_needed("pyarrow")
    return pa.schema({"group": pa.int32()} | dict.fromkeys(COLUMNS, pa.string()))
