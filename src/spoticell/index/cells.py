"""Reference cells on their way into an index: fingerprints, names, and what is known of them.

What is known is held once for all cells that share it: such cells form a group, and a cell holds
its group's number.  Axes: ``n`` cells, ``d`` fingerprint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COLUMNS = ("term", "cell_type", "dataset", "donor", "tissue", "disease", "assay", "study", "url")
"""What is known of a reference cell, as words; '' where it isn't known."""


@dataclass(frozen=True)
class ReferenceCells:
    """Some cells of one data set."""

    fingerprint_nd: NDArray[np.float32]
    """Unit length."""
    names: Sequence[str]
    table: pd.DataFrame
    """A row for each cell, with the columns in `COLUMNS`."""

    def __len__(self) -> int:
        return len(self.names)


class Groups:
    """Numbers the distinct rows of tables in the order in which they come.

    Parameters
    ----------
    known
        Rows that have their numbers already, in the order of these.
    """

    def __init__(self, known: pd.DataFrame | None = None) -> None:
        self._number: dict[tuple[str, ...], int] = {}
        if known is not None:
            self.number(known)

    def __len__(self) -> int:
        return len(self._number)

    def number(self, table: pd.DataFrame) -> NDArray[np.int32]:
        """Give the group of each row of a table with the columns in `COLUMNS`.

        Examples
        --------
        >>> table = pd.DataFrame([["CL:0000084", "T cell", *"abcdefg"]] * 2, columns=COLUMNS)
        >>> Groups().number(table).tolist()
        [0, 0]
        """
        if table.empty:
            return np.zeros(0, dtype=np.int32)
        shared_n = table.groupby(list(COLUMNS), sort=False, observed=True, dropna=False).ngroup().to_numpy()
        _, first = np.unique(shared_n, return_index=True)
        rows = table[list(COLUMNS)].iloc[first].itertuples(index=False, name=None)
        numbers = [self._number.setdefault(tuple(map(str, row)), len(self._number)) for row in rows]
        return np.array(numbers, dtype=np.int32)[shared_n]

    def table(self) -> pd.DataFrame:
        """Give a row for each group, in the order of their numbers."""
        return pd.DataFrame(list(self._number), columns=list(COLUMNS), dtype=object)
