"""Tables about cells or genes in an h5ad file or an AnnData zarr store, any version since 0.5.

A table is a group of columns, or in old files one compound array.  Columns of a kind
that isn't known here (nested ones, say) are skipped.  Nothing but the table is touched.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.errors import FileFormatError
from spoticell.io.storage.room import check_list, check_table
from spoticell.io.storage.tree import Tree, damaged, is_group, is_nested, n_bytes_of, reading, text

_OLD_CATEGORIES = "__categories"


class StoredFrame:
    """A table in a store: its length, its index, its columns one by one.

    Raises
    ------
    FileFormatError
        If there is no table at ``path``, or its columns differ in length.
    """

    def __init__(self, tree: Tree, path: str, *, limit: int) -> None:
        self.tree, self.path, self._limit = tree, path, limit
        node = tree.node(path)
        if node is None:
            raise FileFormatError(f"{tree.name} has no table '{path}', so this is not an AnnData file.")
        self._compound = None if is_group(node) else node
        self.index_name, self.columns = self._layout()
        self.length = self._length()
        if self.length > limit:
            raise FileFormatError(f"{tree.name}: '{path}' declares {self.length:,} rows, more than {limit:,}.")
        check_table(tree.name, path, self.length, len(self.columns) + 1, tree.room)

    def index(self) -> NDArray[np.object_]:
        """Names of the rows; counted from 0 where the file has none."""
        if self.index_name is None:
            return text(np.arange(self.length))
        values = self.column(self.index_name)
        if values is None:
            raise FileFormatError(f"{self.tree.name}: the names in '{self.path}' can't be read as text.")
        return text(np.asarray(values))

    def column(self, name: str) -> Any | None:  # noqa: ANN401 - an array or a pandas array
        """Values of a column: an array, a Categorical or a nullable array; ``None`` for kinds not known here."""
        path = f"{self.path}/{name}"
        if self._compound is None:
            return _plain(self._column(path, name))
        check_list(self.tree.name, path, n_bytes_of(self._compound), self.tree.room)
        with reading(self.tree.name, f"'{path}'"):
            values = self._compound[name]
        return _plain(values)

    def strings(self, name: str) -> NDArray[np.object_] | None:
        """Values of a column of text, or ``None`` if it holds something else."""
        values = self.column(name)
        if isinstance(values, pd.Categorical):
            if values.categories.dtype.kind not in "OUST":
                return None
            return text(np.asarray(values))
        if isinstance(values, np.ndarray) and values.dtype.kind not in "OUST":
            return None
        if isinstance(values, pd.api.extensions.ExtensionArray) and not isinstance(values.dtype, pd.StringDtype):
            return None
        return None if values is None else text(np.asarray(values, dtype=object))

    def table(self) -> pd.DataFrame:
        """Give the whole table with its index as strings."""
        columns = {name: self.column(name) for name in self.columns}
        index = pd.Index(self.index(), dtype=object)
        return pd.DataFrame({name: values for name, values in columns.items() if values is not None}, index=index)

    def _layout(self) -> tuple[str | None, list[str]]:
        """Name of the index and of the columns."""
        members = self.tree.names(self.path) if self._compound is None else list(self._compound.dtype.names or ())
        stated = self.tree.attribute(self.path, "_index")
        named = [stated] if isinstance(stated, str) else []
        index = next((name for name in (*named, "_index", "index") if name in members), None)
        order = self.tree.attribute(self.path, "column-order")
        listed = order if isinstance(order, list | np.ndarray) else [order]
        columns = members if order is None else [name for name in text(listed).tolist() if name in members]
        return index, [name for name in columns if name not in {index, _OLD_CATEGORIES}]

    def _length(self) -> int:
        if self._compound is not None:
            if len(self._compound.shape) != 1:
                raise damaged(self.tree.name, f"'{self.path}'", "it is no list of rows")
            return int(self._compound.shape[0])
        for name in [self.index_name, *self.columns]:
            member = None if name is None else self.tree.node(f"{self.path}/{name}")
            if member is not None and is_group(member):
                parts = (self.tree.array(f"{self.path}/{name}/{part}") for part in ("codes", "values"))
                member = next((part for part in parts if part is not None), None)
            if member is not None and len(member.shape) == 1:
                return int(member.shape[0])
        return 0

    def _column(self, path: str, name: str) -> Any | None:  # noqa: ANN401
        node = self.tree.node(path)
        if node is None:
            return None
        if is_group(node):
            return self._composite(path)
        self._check_stored(node, path, length=self.length)
        values = self.tree.read(node, path) if len(node.shape) == 1 else None
        old = f"{self.path}/{_OLD_CATEGORIES}/{name}"
        categories = self.tree.array(old)
        if categories is None or values is None:
            return values
        return self._categorical(path, values, self.tree.read(categories, old), ordered=self._is_ordered(old))

    def _composite(self, path: str) -> Any | None:  # noqa: ANN401
        found = {name: self.tree.array(f"{path}/{name}") for name in ("codes", "categories", "values", "mask")}
        part = {name: array for name, array in found.items() if array is not None}
        if not (part.keys() >= {"codes", "categories"} or part.keys() >= {"values", "mask"}):
            return None
        if any(len(array.shape) != 1 for array in part.values()):
            raise damaged(self.tree.name, f"'{path}'", "its parts are no lists")
        for name, array in part.items():
            length = min(int(array.shape[0]), self._limit) if name == "categories" else self.length
            self._check_stored(array, path, length=length)
        read = {name: self.tree.read(array, path) for name, array in part.items()}
        if read.keys() >= {"codes", "categories"}:
            return self._categorical(path, read["codes"], read["categories"], ordered=self._is_ordered(path))
        return self._nullable(path, read["values"], read["mask"])

    def _is_ordered(self, path: str) -> bool:
        stated = self.tree.attribute(path, "ordered")
        first = stated.flat[0] if isinstance(stated, np.ndarray) and stated.size else stated
        return isinstance(first, int | np.integer | np.bool_) and bool(first)

    def _categorical(self, path: str, codes: Any, categories: Any, *, ordered: bool) -> pd.Categorical:  # noqa: ANN401
        codes, categories = np.asarray(codes), _plain(np.asarray(categories))
        if codes.dtype.kind not in "iu" or categories is None:
            raise damaged(self.tree.name, f"'{path}'", "categories of an unknown kind")
        codes = codes.astype(np.int64)
        if len(codes) and (codes.min() < -1 or codes.max() >= len(categories)):
            raise damaged(self.tree.name, f"'{path}'", "a code without a category")
        with reading(self.tree.name, f"'{path}'"):  # pandas refuses categories that repeat
            return pd.Categorical.from_codes(codes, categories=pd.Index(categories), ordered=ordered)

    def _nullable(self, path: str, values: Any, mask: Any) -> Any:  # noqa: ANN401
        values, mask = np.asarray(values), np.asarray(mask)
        if mask.dtype.kind not in "biu":
            raise damaged(self.tree.name, f"'{path}'", "a mask of an unknown kind")
        mask = mask.astype(np.bool_)
        if values.dtype.kind in "biu":
            kind = pd.arrays.BooleanArray if values.dtype.kind == "b" else pd.arrays.IntegerArray
            with reading(self.tree.name, f"'{path}'"):
                return kind(values, mask)
        words = text(values)
        words[mask] = ""
        return words

    def _check_stored(self, array: Any, path: str, *, length: int) -> None:  # noqa: ANN401
        """Refuse an array of another length, or with parts missing, before it is read."""
        if len(array.shape) == 1 and array.shape[0] != length:
            raise FileFormatError(
                f"{self.tree.name}: column '{path.rpartition('/')[2]}' of '{self.path}' has {array.shape[0]} values "
                f"for {length} rows. The file is damaged: write it again."
            )
        if np.dtype(getattr(array, "dtype", object)).kind in "OSUT" and self.tree.n_missing_chunks(array):
            raise FileFormatError(f"{self.tree.name}: a part of '{path}' is missing. Copy or write the store again.")


def _plain(values: Any) -> Any | None:  # noqa: ANN401
    """Column with text as Python strings; ``None`` for what a table can't hold."""
    if not isinstance(values, np.ndarray):
        return values
    if values.ndim != 1 or values.dtype.kind not in "biufOSUT" or is_nested(values):
        return None
    return text(values) if values.dtype.kind in "OSUT" else values
