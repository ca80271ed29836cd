"""Places of cells on a plane that AnnData files hold in ``obsm``: those of a file, read; those of ours, added.

Nothing of a stranger's file is believed: what is no list of finite numbers, one row a cell, is passed over.
Axis: ``n`` cells.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import FileFormatError
from spoticell.io.disk import hdf5_on_disk
from spoticell.io.formats.h5ad import AnnDataSource
from spoticell.io.signals import undisturbed
from spoticell.io.source import CellSource
from spoticell.io.storage.matrix import numbers
from spoticell.io.storage.room import check_list
from spoticell.io.storage.tree import Tree, damaged, n_bytes_of, reading
from spoticell.keys import FINGERPRINT, KEY_ADDED, MAP, PROBABILITIES

MOST_MAPS = 12
"""Maps that are read of one file."""
LONGEST_NAME = 200
"""Characters in a map's name."""

_ROWS = 1 << 16
_OURS = frozenset(name.format(key=KEY_ADDED) for name in (FINGERPRINT, MAP, PROBABILITIES))
_FIRST = ("umap", "tsne", "spatial")


def stored_maps(source: CellSource) -> dict[str, NDArray[np.float32]]:
    """Give the first two axes of whatever a file holds in ``obsm``, by its name there.

    Parameters
    ----------
    source
        The open file; one that isn't of AnnData holds none.

    Returns
    -------
    Places, ``(n, 2)``, NaN where one isn't finite; UMAP and its like first.
    """
    if not isinstance(source, AnnDataSource):
        return {}
    found: dict[str, NDArray[np.float32]] = {}
    for name in sorted(_names(source.tree), key=_rank):
        if len(found) == MOST_MAPS:
            break
        places_n2 = _places(source, name)
        if places_n2 is not None:
            found[name] = places_n2
    return found


def add_map(path: Path, places_n2: NDArray[np.floating], *, key_added: str = KEY_ADDED) -> None:
    """Add the places of cells on our map to the ``obsm`` of an annotated h5ad file.

    Raises
    ------
    OSError
        If the disk refuses to write.
    """
    name = MAP.format(key=key_added)
    with hdf5_on_disk(path, "r+") as (file, disk), undisturbed():
        room = file["obsm"]
        if name in room:
            del room[name]
        places = room.create_dataset(name, data=np.asarray(places_n2, dtype="<f4"))
        places.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        file.flush()
        disk.check()


def _names(tree: Tree) -> list[str]:
    try:
        return [name for name in tree.names("obsm") if name not in _OURS and len(name) <= LONGEST_NAME]
    except FileFormatError:
        return []  # a map less is no reason to name no cells


def _rank(name: str) -> tuple[int, str]:
    word = name.lower().replace("-", "").replace("_", "")
    return next((rank for rank, kind in enumerate(_FIRST) if kind in word), len(_FIRST)), name


def _places(source: AnnDataSource, name: str) -> NDArray[np.float32] | None:
    """Give the first two axes of one member; None where these are no places."""
    path = f"obsm/{name}"
    try:
        array = source.tree.array(path)
        if array is None or not _is_usable(array, source.n_cells):
            return None
        check_list(source.name, path, n_bytes_of(array), source.tree.room)
        places_n2 = _read(array, path, source)
    except FileFormatError:
        return None
    places_n2[~np.isfinite(places_n2).all(axis=1)] = np.nan
    known_n = ~np.isnan(places_n2[:, 0])
    return places_n2 if known_n.any() and np.ptp(places_n2[known_n].astype(np.float64), axis=0).any() else None


def _is_usable(array: Any, n_cells: int) -> bool:  # noqa: ANN401 - HDF5's and zarr's arrays share no type
    shape = tuple(array.shape)
    return len(shape) == 2 and shape[0] == n_cells and shape[1] >= 2 and array.dtype.kind in "iuf"


def _read(array: Any, path: str, source: AnnDataSource) -> NDArray[np.float32]:  # noqa: ANN401
    places_n2 = np.empty((source.n_cells, 2), dtype=np.float32)
    for start in range(0, source.n_cells, _ROWS):
        with reading(source.name, f"'{path}'"):
            rows = array[start : start + _ROWS, :2]
        places_n2[start : start + _ROWS] = numbers(rows, bad=partial(damaged, source.name, f"'{path}'"))
    return places_n2
