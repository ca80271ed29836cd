"""Single objects, brought into the temporary folder before they are read.

Why not read where they lie: counts are read several times (the matrix is looked for among all, then named, then often
copied into the result), so each byte would travel several times.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spoticell.errors import FileFormatError, OutputError
from spoticell.extras import needed
from spoticell.io.address import STORES, Address
from spoticell.io.download import fetch
from spoticell.io.remote.stores import changed, speaking, version
from spoticell.io.write import amount
from spoticell.progress import Progress, shown

MOST_BESIDE = 20
"""Objects of a folder of Matrix Market: the matrix, names of genes and cells, and what lies beside them."""


def bring(address: Address, folder: Path, *, bar: bool) -> Path:
    """Bring what a web server has at an address into a folder."""
    with shown(bar, f"fetching {address.name}") as step:
        path = fetch(address.full, folder / address.name, on_progress=step)
    with path.open("rb") as file:
        head = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html")):
        raise FileFormatError(
            f"{address} is a web page and no file of cells; some servers give one to log in. Download the file in a "
            "browser, or give an address that leads to the file itself."
        )
    return path


def bring_object(fs: Any, address: Address, info: Mapping[str, Any], folder: Path, *, bar: bool) -> Path:  # noqa: ANN401
    """Bring an object of a store into a folder, whole and of one version.

    Parameters
    ----------
    fs
        The library's way to the store.
    address
        The object.
    info
        What the store says of it.
    folder
        Where it goes, under its own name.
    bar
        Whether to show a bar.

    Raises
    ------
    DownloadError
        If it can't be read, or changes meanwhile.
    OutputError
        If there is no room for it.
    """
    path, size = folder / address.name, int(info.get("size") or 0)
    check_room(address, size, folder)
    with shown(bar, f"fetching {address.name}") as step, speaking(address):
        fs.get_file(address.full, str(path), callback=_callback(step))
        after = fs.info(address.full)
    if version(after) != version(info) or path.stat().st_size != size:
        raise changed(address)
    return path


def bring_folder(fs: Any, address: Address, infos: Mapping[str, Mapping[str, Any]], folder: Path, *, bar: bool) -> Path:  # noqa: ANN401
    """Bring the objects of a folder of Matrix Market into one of the same name.

    Raises
    ------
    FileFormatError
        If it isn't such a folder.
    """
    names = [name for name in infos if "/" not in name]
    if address.scheme not in STORES or not any(name.endswith((".mtx", ".mtx.gz")) for name in names):
        raise FileFormatError(f"{address} is neither a file, nor a zarr store, nor a folder with matrix.mtx.")
    if len(names) > MOST_BESIDE:
        raise FileFormatError(
            f"{address} holds {len(names)} objects; a folder of Matrix Market holds at most {MOST_BESIDE}."
        )
    inner = folder / address.name
    inner.mkdir()
    for name in names:
        bring_object(fs, address / name, infos[name], inner, bar=bar)
    return inner


def check_room(address: Address, size: int, folder: Path) -> None:
    """Refuse before anything is fetched what the temporary folder has no room for."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OutputError(
            f"{address} can't be read: it has {amount(size)}, and the temporary folder has {amount(free)} left. "
            "Make room, or set TMPDIR to another disk."
        )


def _callback(step: Progress | None) -> Any:  # noqa: ANN401
    callbacks = needed("fsspec.callbacks", extra="remote", doing="an address")
    hooks = {} if step is None else {"bar": lambda size, value, **_: step(value, size or 0)}
    return callbacks.Callback(hooks=hooks)
