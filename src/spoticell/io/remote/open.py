"""Opening cells at an address: a zarr store chunk by chunk, all else after it was brought here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from spoticell.errors import DownloadError
from spoticell.io.address import STORES, Address
from spoticell.io.passing import temporary_folder
from spoticell.io.remote.fetched import bring, bring_folder, bring_object
from spoticell.io.remote.stores import file_system, speaking
from spoticell.io.source import CellSource

_ZARR = frozenset({"zarr.json", ".zgroup", ".zmetadata"})


def open_address(address: Address, open_path: Callable[[Path], CellSource], *, bar: bool) -> CellSource:
    """Cells at an address; what is fetched of them goes when the source is closed.

    Parameters
    ----------
    address
        A file of any kind that is read, a zarr store, or on an object store a folder of Matrix Market.
    open_path
        Opens what was brought here.
    bar
        Whether to show a bar while it is fetched.

    Raises
    ------
    SpoticellError
        If it can't be reached or read, or isn't cells.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        if address.scheme in STORES:
            fs = file_system(address)
            info = _info(fs, address)
            if info.get("type") != "directory":
                source = _opened(bring_object(fs, address, info, folder, bar=bar), open_path, stack)
            else:
                source = _open_folder(fs, address, folder, open_path, stack, bar=bar)
        elif str(address).endswith((".zarr", ".zarr/", "/")):
            source = _open_zarr(file_system(address), address, None, folder)
        else:
            source = _opened(bring(address, folder, bar=bar), open_path, stack)
        source.unpacked = stack.pop_all()
        return source


def _open_folder(
    fs: Any,  # noqa: ANN401
    address: Address,
    folder: Path,
    open_path: Callable[[Path], CellSource],
    stack: ExitStack,
    *,
    bar: bool,
) -> CellSource:
    from spoticell.io.remote.chunks import listed  # noqa: PLC0415 - zarr is slow to load, and files do without

    infos = listed(fs, address)
    if not _ZARR.isdisjoint(infos):
        return _open_zarr(fs, address, infos, folder)
    return _opened(bring_folder(fs, address, infos, folder, bar=bar), open_path, stack)


def _open_zarr(fs: Any, address: Address, infos: Mapping[str, Mapping[str, Any]] | None, folder: Path) -> CellSource:  # noqa: ANN401
    from spoticell.io.remote.chunks import RemoteCells, RemoteTree  # noqa: PLC0415

    return RemoteCells(RemoteTree(fs, address, infos, folder), format="zarr")


def _opened(path: Path, open_path: Callable[[Path], CellSource], stack: ExitStack) -> CellSource:
    """Open what was brought here; closing it closes what it was unpacked to, too."""
    source = open_path(path)
    if source.unpacked is not None:
        stack.push(source.unpacked)
    source.inner = source.inner or path
    return source


def _info(fs: Any, address: Address) -> Mapping[str, Any]:  # noqa: ANN401
    with speaking(address):
        try:
            return dict(fs.info(address.full))
        except FileNotFoundError:
            if address.scheme == "s3" and not _has_bucket(fs, address.folders[0]):
                raise DownloadError(f"{address} can't be read: there is no such bucket.") from None
            raise


def _has_bucket(fs: Any, name: str) -> bool:  # noqa: ANN401
    try:
        fs.call_s3("head_bucket", Bucket=name)
    except FileNotFoundError:
        return False
    except PermissionError:  # who may read may not always ask
        return True
    return True
