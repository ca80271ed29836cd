"""Opening a file or folder as a stream of cells, whatever its format."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from spoticell.errors import ConfigError, FileFormatError
from spoticell.io.address import Address, Place, place
from spoticell.io.formats.h5ad import AnnDataSource
from spoticell.io.formats.loom import is_loom, open_loom
from spoticell.io.formats.mtx import open_folder, open_mtx
from spoticell.io.formats.table import open_table
from spoticell.io.formats.tenx import is_tenx, open_tenx
from spoticell.io.passing import temporary_folder
from spoticell.io.sniff import HDF5, MTX, PACKED, ZARR_ZIP, sniff, sniff_folder, sniff_hdf5
from spoticell.io.source import CellSource
from spoticell.io.storage.hdf5 import Hdf5Tree
from spoticell.io.storage.zarr import ZarrTree, is_zarr
from spoticell.io.unpack import unpack

if TYPE_CHECKING:
    from anndata import AnnData

Cells: TypeAlias = "AnnData | Place | str"
"""An AnnData object, in memory, backed or a view; or the path or address of a file or folder."""


def open_cells(path: Place | str, *, bar: bool = False) -> CellSource:
    """Cells of a file or folder, told by what is in it rather than by its name.

    Parameters
    ----------
    path
        h5ad, AnnData zarr (folder or zip), 10x ``.h5`` or folder, Matrix Market, csv or tsv, loom; packed with gzip,
        bzip2 or xz, or in a zip or tar archive.  Text may also be an address, ``s3://``, ``gs://`` or ``https://``.
    bar
        Whether to show a bar while what lies at an address is fetched.

    Returns
    -------
    An open source; close it, or use it in a ``with`` statement.

    Raises
    ------
    FileFormatError
        If the file is of another kind, damaged, or leads to other files; the message says what to do.

    Examples
    --------
    >>> open_cells("nowhere.h5ad")
    Traceback (most recent call last):
    spoticell.errors.FileFormatError: nowhere.h5ad: there is no such file or folder.
    """
    path = place(path)
    if isinstance(path, Address):
        from spoticell.io.remote.open import open_address  # noqa: PLC0415 - of an extra

        return open_address(path, open_cells, bar=bar)
    if not path.exists():
        raise FileFormatError(f"{path.name}: there is no such file or folder.")
    if path.is_dir():
        return _open_folder(path)
    kind = sniff(path)
    if kind == HDF5:
        return _open_hdf5(path)
    if kind == ZARR_ZIP:
        return _open_zarr(path)
    if kind == PACKED:
        return _open_packed(path)
    return open_mtx(path) if kind == MTX else open_table(path)


def open_source(cells: Cells, *, bar: bool = False) -> CellSource:
    """Cells of an AnnData object, or of a file, folder or address as `open_cells` reads it.

    Raises
    ------
    ConfigError
        If it is neither.

    Examples
    --------
    >>> open_source(None)
    Traceback (most recent call last):
    spoticell.errors.ConfigError: cells are given as NoneType; give the path of a file, or an AnnData object.
    """
    if isinstance(cells, Path | str | Address):
        return open_cells(cells, bar=bar)
    from anndata import AnnData  # noqa: PLC0415 - slow to load, and files do without

    if not isinstance(cells, AnnData):
        raise ConfigError(f"cells are given as {type(cells).__name__}; give the path of a file, or an AnnData object.")
    from spoticell.io.in_memory import AnnDataCells  # noqa: PLC0415

    return AnnDataCells(cells)


def _open_packed(path: Path) -> CellSource:
    """Unpack into a temporary folder that goes when the source is closed."""
    with ExitStack() as stack:
        inner = unpack(path, stack.enter_context(temporary_folder()))
        if inner.is_file() and sniff(inner) == PACKED:
            raise FileFormatError(f"{path.name} is packed twice. Unpack it first, and give the file inside.")
        source = open_cells(inner)
        source.unpacked, source.inner = stack.pop_all(), inner
        return source


def _open_folder(path: Path) -> CellSource:
    if is_zarr(path):
        return _open_zarr(path)
    sniff_folder(path)
    return open_folder(path)


def _open_zarr(path: Path) -> CellSource:
    tree = ZarrTree(path)
    try:
        return AnnDataSource(tree, format="zarr")
    except BaseException:
        tree.close()
        raise


def _open_hdf5(path: Path) -> CellSource:
    tree = Hdf5Tree(path)
    try:
        names = tree.names("")
        if is_loom(tree):
            return open_loom(tree)
        if "obs" not in names and is_tenx(tree):
            return open_tenx(tree)
        sniff_hdf5(names, name=path.name)
        return AnnDataSource(tree, format="h5ad")
    except BaseException:
        tree.close()
        raise
