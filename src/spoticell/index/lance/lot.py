"""A lot: the cells that come into an index together, on their way into its table.

Axes: ``n`` cells, ``d`` fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.index.cells import Groups, ReferenceCells
from spoticell.index.lance.tables import cells_schema, talking
from spoticell.index.manifest import Segment
from spoticell.index.needs import lance_needed


class Digest:
    """A name for some cells, which follows from what they are and not from the blocks in which they come."""

    def __init__(self) -> None:
        self.groups = Groups()
        self._parts = [hashlib.sha256() for _ in range(3)]

    def add(self, cells: ReferenceCells) -> NDArray[np.int32]:
        """Take in the next cells, and give each one's group among those of these cells."""
        group_n = self.groups.number(cells.table)
        names = "".join(f"{name}\0" for name in cells.names).encode()
        half_nd = np.ascontiguousarray(cells.fingerprint_nd, dtype="<f2")
        for part, contents in zip(self._parts, (half_nd.tobytes(), names, group_n.tobytes()), strict=True):
            part.update(contents)
        return group_n

    def name(self) -> str:
        """Give the name of all cells so far."""
        known = [part.hexdigest() for part in self._parts], self.groups.table().to_numpy().tolist()
        return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]


class Lot:
    """Cells that are being added.

    Parameters
    ----------
    blocks
        The cells.
    groups
        The groups that the index has; those of the cells are numbered on from there.
    start
        How many cells the index has.
    size
        ``d``.
    """

    def __init__(self, blocks: Iterable[ReferenceCells], groups: pd.DataFrame, *, start: int, size: int) -> None:
        self.token = secrets.token_hex(4)
        """Tells the rows of this lot from those of another writer."""
        self.n_cells = 0
        self._blocks, self._start, self._schema = blocks, start, cells_schema(size)
        self._groups, self._known = Groups(groups), len(groups)
        self._digest = Digest()
        self._failure: BaseException | None = None

    def write(self, table: Any, place: Path | str) -> None:  # noqa: ANN401 - LanceDB's types are not always installed
        """Add the cells to a table, as one new version of it."""
        reader = lance_needed("pyarrow").RecordBatchReader.from_batches(self._schema, self._batches())
        try:
            with talking(place):
                table.add(reader)
        except Exception:
            if self._failure is not None:  # what went wrong with the cells is worth more than what LanceDB makes of it
                raise self._failure from None
            raise

    def segment(self) -> Segment:
        """Say what was written."""
        date = str(datetime.now(UTC).date())
        return Segment(name=self._digest.name(), date=date, n_cells=self.n_cells, files={})

    def groups(self) -> pd.DataFrame:
        """Give all groups, those of the lot among them."""
        return self._groups.table()

    def new_groups(self) -> pd.DataFrame:
        """Give the groups that the index doesn't have yet, with their numbers as ``group``."""
        table = self.groups().iloc[self._known :]
        return table.assign(group=table.index.astype(np.int32))

    def _batches(self) -> Iterator[Any]:
        try:
            for block in self._blocks:
                if len(block):
                    yield self._batch(block)
        except BaseException as error:
            self._failure = error
            raise

    def _batch(self, block: ReferenceCells) -> Any:  # noqa: ANN401
        pa = lance_needed("pyarrow")
        local_n = self._digest.add(block)
        number = self._groups.number(self._digest.groups.table())
        first = self._start + self.n_cells
        self.n_cells += len(block)
        half_nd = np.ascontiguousarray(block.fingerprint_nd, dtype=np.float16)
        columns = [
            np.arange(first, first + len(block)),
            number[local_n],
            [self.token] * len(block),
            [str(name) for name in block.names],
            pa.FixedSizeListArray.from_arrays(pa.array(half_nd.ravel()), half_nd.shape[1]),
        ]
        kinds = [field.type for field in self._schema]
        arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
        return pa.record_batch(arrays, schema=self._schema)
