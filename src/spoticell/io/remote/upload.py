"""Results brought to an object store: written here, and put there in one step when they are whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spoticell.errors import OutputError
from spoticell.io.address import STORES, Address
from spoticell.io.passing import temporary_folder
from spoticell.io.remote.stores import file_system, speaking
from spoticell.io.write import REPLACE, sync


def check_target(address: Address, *, overwrite: bool) -> None:
    """Refuse before any work an address that could not be written.

    Parameters
    ----------
    address
        Where a result shall be.
    overwrite
        Whether an object that is there may be replaced.

    Raises
    ------
    OutputError
        If it isn't on an object store, there is an object already, there is no bucket, or no permission.
    """
    if address.scheme not in STORES:
        raise OutputError(f"{address} can't be written: web servers are only read. Give a path, s3:// or gs://.")
    fs = file_system(address)
    with speaking(address, writing=True):
        if not overwrite and _is_there(fs, address):
            raise OutputError(f"{address} is there already. {REPLACE}")
        if address.scheme == "s3":
            # an upload that is begun and given up leaves nothing, and is allowed to those who may write
            bucket, _, key = address.full.removeprefix("s3://").partition("/")
            begun = fs.call_s3("create_multipart_upload", Bucket=bucket, Key=key)
            fs.call_s3("abort_multipart_upload", Bucket=bucket, Key=key, UploadId=begun["UploadId"])


@contextmanager
def uploaded(address: Address, *, overwrite: bool) -> Iterator[Path]:
    """Give a passing file that is put at an address when the block ends well.

    Parameters
    ----------
    address
        Where the result shall be.
    overwrite
        Whether an object may be replaced that is there when the block ends.

    Raises
    ------
    OutputError
        If the store refuses, or an object came into being that may not be replaced.
    """
    fs = file_system(address)
    with temporary_folder() as folder:
        passing = folder / address.name
        passing.touch()
        yield passing
        sync(passing)
        with speaking(address, writing=True):
            _put(fs, address, passing, overwrite=overwrite)
            size = int(fs.info(address.full).get("size") or 0)
        if size != passing.stat().st_size:
            raise OutputError(f"{address} was written by another process too: it has {size:,} bytes. Run again.")


def _put(fs: Any, address: Address, passing: Path, *, overwrite: bool) -> None:  # noqa: ANN401
    try:
        fs.put_file(str(passing), address.full, mode="overwrite" if overwrite else "create")
    except FileExistsError:
        raise OutputError(
            f"{address} came into being while this run was at work, and stays as it is. {REPLACE}"
        ) from None


def _is_there(fs: Any, address: Address) -> bool:  # noqa: ANN401
    try:
        return bool(fs.info(address.full).get("type") == "file")
    except (FileNotFoundError, PermissionError):
        # who may write and not look is told so; what is there is still never replaced
        return False
