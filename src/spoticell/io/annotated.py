"""An h5ad file with answers in it, written while they are made.

An AnnData h5ad input is copied byte by byte and only our own keys are added or replaced.
Any other input becomes a new h5ad: the matrix that was used as ``X``, the tables about
cells and genes.  In neither case is the matrix in memory.
Axes: ``n`` cells, ``v`` genes of the data set, ``d`` fingerprint, ``m`` ontology nodes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
import pandas as pd
from anndata.io import write_elem
from numpy.typing import NDArray

from spoticell import keys
from spoticell.errors import OutputError
from spoticell.io.address import Place
from spoticell.io.disk import hdf5_on_disk
from spoticell.io.signals import undisturbed
from spoticell.io.source import CellSource
from spoticell.io.storage.links import leave_out, link_of
from spoticell.io.storage.tree import DAMAGE, reading, text
from spoticell.io.write import atomic, disk_reason

_MAPPINGS = ("layers", "obsm", "obsp", "uns", "varm", "varp")
_FORBIDDEN = {"", ".", "_index", "__categories"}
_ENTRIES_IN_CHUNK = 1 << 16


class AnnotatedH5ad:
    """An h5ad file that gets its answers block by block; a context manager.

    Entering checks that the result can be written, copies the input (or streams the matrix
    into a new file), and makes room for fingerprints and probabilities.  Leaving after
    :meth:`finish` puts the file in its place; leaving in any other way leaves nothing behind.

    Parameters
    ----------
    path
        Where the result shall be; may be the input itself, which is then replaced at the end.
    source
        The open input.
    matrix
        The matrix of ``source`` that was used; becomes ``X`` of a new file.
    path_in
        File of ``source``; ``None`` if there is none.
    fingerprint_size
        ``d``.
    n_nodes
        ``m``; 0 leaves the probabilities out.
    key_added
        Prefix of every key written.
    overwrite
        Whether a file that has come to be at ``path`` by the end may be replaced.
    left_out
        Places of the input to leave out, as `leading_out` gives them.

    Raises
    ------
    OutputError
        If the disk is full or read-only, or the input's tables can't take new columns.

    Examples
    --------
    >>> with AnnotatedH5ad(
    ...     out, source=source, matrix="X", path_in=path, fingerprint_size=64, n_nodes=300
    ... ) as file:  # doctest: +SKIP
    ...     for block in annotate_blocks(source, findings, runtime):
    ...         file.add_block(
    ...             block.start, fingerprint_nd=block.fingerprint_nd, probabilities_nm=block.probabilities_nm
    ...         )
    ...     file.finish(answers, uns={"bundle": "human-v1"}, colors={})
    """

    def __init__(
        self,
        path: Place,
        *,
        source: CellSource,
        matrix: str,
        path_in: Path | None,
        fingerprint_size: int,
        n_nodes: int,
        key_added: str = keys.KEY_ADDED,
        overwrite: bool = True,
        left_out: Sequence[str] = (),
    ) -> None:
        self.path, self.source, self.matrix, self.path_in = path, source, matrix, path_in
        self._left_out = tuple(left_out)
        self._overwrite = overwrite
        self._widths = {keys.FINGERPRINT.format(key=key_added): fingerprint_size}
        if n_nodes:
            self._widths[keys.PROBABILITIES.format(key=key_added)] = n_nodes
        self._key = key_added
        self._stack = ExitStack()
        self._file: h5py.File | None = None
        self._check = _nothing
        self._finished = False

    def add_block(
        self,
        start: int,
        *,
        fingerprint_nd: NDArray[np.float32],
        probabilities_nm: NDArray[np.float32] | None = None,
    ) -> None:
        """Put down fingerprints and probabilities of the cells from ``start`` on."""
        for name, values in zip(self._widths, (fingerprint_nd, probabilities_nm), strict=False):
            if values is None:
                raise ValueError("probabilities are needed unless n_nodes is 0")
            with undisturbed():
                self._opened()[f"obsm/{name}"][start : start + len(values)] = values
        self._check()

    def finish(
        self,
        obs: pd.DataFrame,
        *,
        uns: Mapping[str, Any],
        colors: Mapping[str, Sequence[str]],
        stale: Sequence[str] = (),
    ) -> None:
        """Add the columns about cells, what was done, and the colours; the file is then complete.

        Parameters
        ----------
        obs
            A row for each cell, in the order of the file; columns by their full names, numbers or categoricals.
        uns
            What was done: words, numbers, lists of them, and mappings of these; ``None`` is left out.
        colors
            Under its key in ``uns``, one ``#rrggbb`` for each category of a column.
        stale
            Columns of an earlier run to remove with their colours, if they are there.
        """
        if len(obs) != self.source.n_cells:
            raise ValueError(f"{len(obs)} rows of answers for {self.source.n_cells} cells")
        file, record = self._opened(), storable(uns)
        with undisturbed(), _taking(self.path_in):
            add_columns(file["obs"], obs, stale=stale)
            _replace(file["uns"], keys.RUN.format(key=self._key), record)
            for name in stale:
                _drop(file["uns"], keys.COLORS.format(column=name))
            for name, one_each in colors.items():
                _replace(file["uns"], name, np.array(one_each, dtype=object))
        self._finished = True

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            passing = stack.enter_context(atomic(self.path, overwrite=self._overwrite))
            copied = self._copy(passing)
            self._file, disk = stack.enter_context(hdf5_on_disk(passing, "r+" if copied else "w"))
            self._check = disk.check
            if not copied:
                write_new(self._file, self.source, self.matrix, check=disk.check)
            with undisturbed(), _taking(self.path_in):
                if copied:
                    leave_out(self._file, self._left_out)
                self._make_room()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and not self._finished:
            error = RuntimeError("finish() was not called: the file is incomplete and was removed")
            self._stack.__exit__(RuntimeError, error, None)
            raise error
        self._stack.__exit__(kind, error, trace)

    def _copy(self, passing: Path) -> bool:
        """Copy the input if the answers can simply be added to it."""
        if self.path_in is None or not can_be_copied(self.path_in):
            return False
        _check_room(self.path_in, self.path, passing.parent)
        shutil.copyfile(self.path_in, passing)
        return True

    def _make_room(self) -> None:
        file = self._opened()
        for name in ("obsm", "uns"):
            if name not in file:
                _mapping(file, name)
        for name, width in self._widths.items():
            _drop(file["obsm"], name)
            room = file["obsm"].create_dataset(name, shape=(self.source.n_cells, width), dtype="<f4")
            room.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})

    def _opened(self) -> h5py.File:
        if self._file is None:
            raise RuntimeError("the file is not open: use AnnotatedH5ad in a with statement")
        return self._file


def can_be_copied(path: Path) -> bool:
    """Whether a file is an AnnData h5ad whose tables can take new columns as they are.

    It must be of AnnData 0.7 or later, and what we write into must lie in the file itself.
    """
    if not path.is_file() or not h5py.is_hdf5(path):
        return False
    with reading(path.name, "the tables"), h5py.File(path, "r") as file:
        found = {name: link_of(file, name) for name in ("obs", "obsm", "uns")}
        links = {name: link for name, link in found.items() if link is not None}
        if "obs" not in links or not all(isinstance(link, h5py.HardLink) for link in links.values()):
            return False
        groups = all(isinstance(file[name], h5py.Group) for name in links)
        kind = file["obs"].attrs.get("encoding-type")
    return groups and isinstance(kind, str | bytes) and kind in {"dataframe", b"dataframe"}


def _nothing() -> None:
    return None


def write_new(file: h5py.File, source: CellSource, matrix: str, *, check: Callable[[], None] = _nothing) -> None:
    """Fill an empty file with the cells of a source: ``X`` by cell, ``obs``, ``var``.

    ``check`` is called after every block; what it raises ends the work.
    """
    columns, obs = dict(source.gene_columns(matrix)), source.obs()
    names = columns.pop("index")
    with undisturbed():
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        var = pd.DataFrame(columns, index=pd.Index(names, dtype=object), dtype=object)
        write_elem(file, "obs", _storable_table(obs))
        write_elem(file, "var", _storable_table(var))
        for name in _MAPPINGS:
            _mapping(file, name)
    _write_matrix(file, source, matrix, n_genes=len(names), check=check)


def storable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give a mapping as an h5ad file can hold it: no ``None``, no slash in a key, lists as arrays.

    Examples
    --------
    >>> storable({"a/b": 1, "c": None, "d": ["x", "y"]})
    {'a_b': 1, 'd': array(['x', 'y'], dtype=object)}
    """
    kept = {key.replace("/", "_"): _storable_value(value) for key, value in values.items() if value is not None}
    return dict(sorted(kept.items()))


def _storable_value(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        return storable(value)
    if isinstance(value, list | tuple):
        words = not value or any(isinstance(item, str) for item in value)
        return np.array([str(item) for item in value], dtype=object) if words else np.array(value)
    return value


def _storable_table(table: pd.DataFrame) -> pd.DataFrame:
    """Table without columns that h5ad reserves or forbids, its index nameless."""
    table = table.set_axis(pd.Index([str(name) for name in table.columns], dtype=object), axis="columns")
    kept = [name not in _FORBIDDEN and "/" not in name for name in table.columns]
    table = table.loc[:, np.array(kept, dtype=bool) & ~table.columns.duplicated()]
    table.index = pd.Index(table.index, dtype=object, name=None)
    # readers of h5ad in R don't know the form that pandas' own strings would get
    return table.astype({name: object for name, kind in table.dtypes.items() if isinstance(kind, pd.StringDtype)})


def _write_matrix(file: h5py.File, source: CellSource, matrix: str, *, n_genes: int, check: Callable[[], None]) -> None:
    with undisturbed():
        arrays = _begin_matrix(file.create_group("X"), (source.n_cells, n_genes))
    n_entries = 0
    for block in source.blocks(matrix):
        values_nv = block.values_nv
        stop = n_entries + values_nv.nnz
        with undisturbed():
            for name in ("data", "indices"):
                arrays[name].resize((stop,))
                arrays[name][n_entries:stop] = getattr(values_nv, name)
            ends = slice(block.start + 1, block.start + len(block) + 1)
            arrays["indptr"][ends] = n_entries + values_nv.indptr[1:].astype("<i8")
        n_entries = stop
        check()
    with undisturbed():
        file.flush()  # so that nothing is left to be written when the arrays are closed


def _begin_matrix(group: h5py.Group, shape: tuple[int, int]) -> dict[str, h5py.Dataset]:
    """Make room for a matrix by cell, with as many entries as will come."""
    group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
    group.attrs["shape"] = np.array(shape, dtype="<i8")
    arrays = {
        name: group.create_dataset(
            name,
            shape=(0,),
            maxshape=(None,),
            chunks=(_ENTRIES_IN_CHUNK,),
            dtype=kind,
            compression="gzip",
            compression_opts=1,
            shuffle=True,
        )
        for name, kind in (("data", "<f4"), ("indices", "<i4"))
    }
    return arrays | {"indptr": group.create_dataset("indptr", shape=(shape[0] + 1,), dtype="<i8")}


def add_columns(group: h5py.Group, table: pd.DataFrame, *, stale: Sequence[str] = ()) -> None:
    """Put columns behind those of a stored table, in place of any of the same name, and remove the stale ones."""
    gone = [*map(str, table.columns), *stale]
    order = [name for name in text(np.atleast_1d(group.attrs["column-order"])).tolist() if name not in gone]
    for name in gone:
        _drop(group, name)
        if isinstance(link_of(group, "__categories"), h5py.HardLink):
            _drop(group["__categories"], name)
    for title, column in table.items():
        write_elem(
            group, str(title), column.array if isinstance(column.dtype, pd.CategoricalDtype) else column.to_numpy()
        )
    names = np.array([*order, *map(str, table.columns)], dtype=object)
    group.attrs.create("column-order", names, dtype=h5py.string_dtype())


def _replace(group: h5py.Group, name: str, value: Any) -> None:  # noqa: ANN401
    _drop(group, name)
    write_elem(group, name, value)


@contextmanager
def _taking(path_in: Path | None) -> Iterator[None]:
    """Turn what goes wrong inside a copied file into an :class:`OutputError`, but leave the disk's errors alone."""
    try:
        yield
    except DAMAGE as error:
        if path_in is None or disk_reason(error) is not None:
            raise
        raise OutputError(
            f"{path_in.name} can't take the answers: its tables are damaged ({error}). Write the file again."
        ) from error


def _drop(group: h5py.Group, name: str) -> None:
    """Remove a member, or the link that stands in for it; what a link points to is not followed."""
    if link_of(group, name) is not None:
        del group[name]


def _mapping(file: h5py.File, name: str) -> None:
    file.create_group(name).attrs.update({"encoding-type": "dict", "encoding-version": "0.1.0"})


def _check_room(path_in: Path, path: Place, folder: Path) -> None:
    needed, free = path_in.stat().st_size, shutil.disk_usage(folder).free
    if needed > free:
        raise OutputError(
            f"{path} can't be written: it needs {needed / 1e9:.1f} GB and the disk has {free / 1e9:.1f} GB left. "
            "Make room, or write to another disk."
        )
