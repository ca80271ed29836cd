"""SOMA data as TileDB keeps it, read so that memory stays flat: columns as words, counts in batches of cells.

Nothing here knows recipes or the Census.  Axes: ``n`` cells, ``k`` cells of a batch, ``v`` genes of the experiment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from spoticell import extras
from spoticell.errors import ConfigError, CountsError, FileFormatError

needed = partial(extras.needed, extra="census", doing="reading SOMA and the Census")
"""Give a module of the extra ``census``, or raise a `ConfigError` that says how to get it."""

JOIN = "soma_joinid"
SETTINGS: Mapping[str, str | float] = {
    "soma.init_buffer_bytes": 64 * 2**20,  # of each column that is read
    "sm.mem.total_budget": 2 * 2**30,  # TileDB's own share, whatever is asked
}
"""What TileDB is told, so that a batch takes some hundred megabytes rather than as much as there is."""

COLUMNS = ("feature_id", "gene_id", "feature_name", "var_id")
"""Columns of ``var`` that may name genes."""


@cache
def context() -> Any:  # noqa: ANN401 - a SOMA context
    """Give the settings, threads and caches of TileDB, the same for all that is opened.

    With one for each opening, threads and buffers come and go all the time, while another may still be read.
    """
    return needed("tiledbsoma").SOMATileDBContext(dict(SETTINGS))


@contextmanager
def explained(address: str) -> Iterator[None]:
    """Turn what TileDB says of something it can't read into a sentence about ``address``."""
    soma = needed("tiledbsoma")
    try:
        yield
    except soma.DoesNotExistError:
        raise FileFormatError(
            f"{address} is no SOMA data: there is nothing that TileDB can open. "
            "Give the folder or address of an experiment, or of a Census."
        ) from None
    except soma.SOMAError as error:
        raise FileFormatError(f"{address} can't be read as SOMA data: {_first_line(error)}.") from error


def open_soma(address: str) -> Any:  # noqa: ANN401 - a SOMA object
    """Open what is at a folder or address; close it after use.

    Raises
    ------
    FileFormatError
        If there is no SOMA data.
    """
    soma = needed("tiledbsoma")
    with explained(address):
        return soma.open(address, context=context())


def read_words(frame: Any, columns: Sequence[str], value_filter: str | None = None) -> pd.DataFrame:  # noqa: ANN401
    """Read columns of a SOMA data frame as categoricals, with the join id as index.

    Text is made once for each value that occurs, not for each row.

    Parameters
    ----------
    frame
        An open SOMA data frame.
    columns
        Of the frame.
    value_filter
        Which rows, in the words of SOMA; only these are read.

    Raises
    ------
    ConfigError
        If SOMA doesn't understand the filter.
    """
    soma = needed("tiledbsoma")
    ids, parts = [np.zeros(0, dtype=np.int64)], {column: _Words() for column in columns}
    try:
        tables = frame.read(column_names=[JOIN, *columns], value_filter=value_filter, result_order="row-major")
    except soma.SOMAError as error:
        raise ConfigError(f"The filter {value_filter!r} can't be used: {_first_line(error)}.") from error
    for table in tables:
        ids.append(table.column(JOIN).to_numpy())
        for column, words in parts.items():
            words.add(table.column(column))
    return pd.DataFrame({column: words.finish() for column, words in parts.items()}, index=np.concatenate(ids))


class _Words:
    """A column that comes in Arrow chunks, as numbers of words."""

    def __init__(self) -> None:
        self._number: dict[str, int] = {}
        self._parts = [np.zeros(0, dtype=np.int32)]

    def add(self, column: Any) -> None:  # noqa: ANN401 - an Arrow column
        """Take in the next rows."""
        pyarrow = needed("pyarrow")
        for chunk in column.chunks:
            coded = chunk if pyarrow.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
            numbers = [self._number.setdefault(str(word), len(self._number)) for word in coded.dictionary.to_pylist()]
            codes = coded.indices.cast(pyarrow.int32()).fill_null(-1).to_numpy(zero_copy_only=False)
            self._parts.append(np.array([*numbers, -1], dtype=np.int32)[codes])

    def finish(self) -> pd.Categorical:
        """Give all rows; words that none has are left out."""
        words = pd.Index(list(self._number), dtype=object)
        return pd.Categorical.from_codes(np.concatenate(self._parts), categories=words).remove_unused_categories()


def gene_columns(var: Any) -> dict[str, NDArray[np.object_]]:  # noqa: ANN401
    """Read the columns of ``var`` that may name its ``v`` genes, in the order of their join ids."""
    columns = [column for column in COLUMNS if column in var.schema.names]
    table = var.read(column_names=[JOIN, *columns], result_order="row-major").concat().to_pandas()
    if table[JOIN].tolist() != list(range(len(table))):
        raise FileFormatError("the genes of the SOMA experiment aren't numbered from 0 on; write the experiment again.")
    return {column: table[column].to_numpy(dtype=object) for column in columns}


def read_counts(layer: Any, id_k: NDArray[np.int64]) -> sparse.csr_array:  # noqa: ANN401
    """Read the counts of some cells.

    Parameters
    ----------
    layer
        An open sparse SOMA array.
    id_k
        Join ids of the cells, rising.

    Returns
    -------
    Counts, ``(k, v)``.

    Raises
    ------
    CountsError
        If there are values that can't be counts.
    """
    parts = [
        [table.column(name).to_numpy() for name in ("soma_dim_0", "soma_dim_1", "soma_data")]
        for table in layer.read((id_k, slice(None))).tables()
    ]
    row, column, value = (np.concatenate([part[axis] for part in parts]) for axis in range(3))
    if not (np.isfinite(value).all() and (value >= 0).all() and (value == np.rint(value)).all()):
        bad = value[~(np.isfinite(value) & (value >= 0) & (value == np.rint(value)))][0]
        raise CountsError(
            f"The layer holds {bad:g}, which can't be a count. Give the layer with the raw counts in the recipe."
        )
    position_k = np.searchsorted(id_k, row)
    shape = (len(id_k), layer.shape[1])
    return sparse.csr_array(sparse.coo_array((value.astype(np.float32), (position_k, column)), shape=shape))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].removeprefix("SOMAError: ").rstrip(".")
