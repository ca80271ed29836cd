"""A segment: some cells of an index in a folder that is written once and never changes.

    vectors.npy      fingerprints, float16, (n, d)
    group.npy        each cell's group, int32
    groups.parquet   what is known of each group
    names.parquet    names of cells, in row groups

Axes: ``n`` cells, ``d`` fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.errors import SearchError
from spoticell.index.cells import COLUMNS, Groups, ReferenceCells
from spoticell.index.manifest import Segment
from spoticell.index.needs import needed

VECTORS, GROUP, GROUPS, NAMES = "vectors.npy", "group.npy", "groups.parquet", "names.parquet"
NAMES_AT_ONCE = 1 << 16
"""Names in a row group, which is the least that is read."""


def write_files(folder: Path, blocks: Iterable[ReferenceCells]) -> int:
    """Write the files of a segment into a new folder and give the number of its cells."""
    groups = Groups()
    vectors, numbers, names = [], [], []
    for block in blocks:
        vectors.append(block.fingerprint_nd.astype(np.float16))
        numbers.append(groups.number(block.table))
        names.append(np.asarray(block.names, dtype=object))
    if not sum(map(len, vectors)):
        return 0
    np.save(folder / VECTORS, np.concatenate(vectors), allow_pickle=False)
    np.save(folder / GROUP, np.concatenate(numbers), allow_pickle=False)
    pa, parquet = needed("pyarrow"), needed("pyarrow.parquet")
    parquet.write_table(pa.Table.from_pandas(groups.table(), preserve_index=False), folder / GROUPS)
    table = pa.table({"name": pa.array(np.concatenate(names).tolist(), pa.string())})
    parquet.write_table(table, folder / NAMES, row_group_size=NAMES_AT_ONCE)
    return sum(map(len, vectors))


@dataclass(frozen=True)
class OpenSegment:
    """A segment's files, on memory maps."""

    folder: Path
    record: Segment

    @cached_property
    def vectors_nd(self) -> NDArray[np.float16]:
        """Fingerprints."""
        return self._array(VECTORS, np.dtype(np.float16))

    @cached_property
    def group_n(self) -> NDArray[np.int32]:
        """Each cell's group within the segment."""
        return self._array(GROUP, np.dtype(np.int32))

    @cached_property
    def groups(self) -> pd.DataFrame:
        """What is known of each group."""
        table = needed("pyarrow.parquet").read_table(self.folder / GROUPS, columns=list(COLUMNS))
        return pd.DataFrame({name: table[name].to_pylist() for name in COLUMNS}, dtype=object)

    def names(self, row: NDArray[np.int64]) -> NDArray[np.object_]:
        """Names of the cells at some positions of the segment."""
        file = needed("pyarrow.parquet").ParquetFile(self.folder / NAMES)
        names = np.empty(len(row), dtype=object)
        part_n = row // NAMES_AT_ONCE
        for part in np.unique(part_n).tolist():
            here = part_n == part
            column = file.read_row_group(part, columns=["name"])["name"]
            names[here] = column.take(row[here] - part * NAMES_AT_ONCE).to_pylist()
        return names

    def _array(self, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
        try:
            array: NDArray[Any] = np.load(self.folder / name, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise SearchError(f"{self.folder / name} is damaged ({error}); build the index again.") from None
        if len(array) != self.record.n_cells or array.dtype != dtype:
            raise SearchError(
                f"{self.folder / name} doesn't hold what {self.folder.name} needs; build the index again."
            )
        return array
