"""A file for HDF5 to write to that keeps a full disk to itself until it is asked.

Where a write fails, the HDF5 library can't even close its file: it tries again and
complains for the rest of the process.  So a :class:`Disk` remembers the first failure,
swallows all later writes, and :meth:`Disk.check` raises what it remembers.

For the same reason no signal may raise anything while the library calls a :class:`Disk`,
or the process would crash.  So what may write to the file stands in :func:`undisturbed`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import h5py

from spoticell.errors import OutputError
from spoticell.io.signals import undisturbed
from spoticell.io.write import disk_reason


@contextmanager
def hdf5_on_disk(path: Path, mode: Literal["r+", "w"]) -> Iterator[tuple[h5py.File, Disk]]:
    """Open an HDF5 file for writing, with the disk below it; a failure of the disk is raised at the end.

    Raises
    ------
    OSError
        If the disk refused to write.
    OutputError
        If the file can't be opened or completed because it is damaged.
    """
    with Disk(path) as disk:
        with undisturbed(), _complete(path):
            file = h5py.File(disk, mode)
        try:
            yield file, disk
        except BaseException:
            with undisturbed(), suppress(OSError, RuntimeError):
                file.close()
            disk.check()
            raise
        with undisturbed(), _complete(path):
            file.close()
        disk.check()


@contextmanager
def _complete(path: Path) -> Iterator[None]:
    """Turn what HDF5 finds wrong with its own file into an :class:`OutputError`."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        if disk_reason(error) is not None:
            raise
        raise OutputError(
            f"{path.name} can't take the answers: the file that was copied is damaged "
            f"({' '.join(str(error).split())[:200]}). Write the input again."
        ) from error


class Disk(io.RawIOBase):
    """A file open for reading and writing whose failures wait for :meth:`check`."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("r+b", buffering=0)
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the first failure, if there was one."""
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        """Write all of ``data``, or nothing once the disk has failed."""
        rest = memoryview(data).cast("B")
        n_bytes = len(rest)
        try:
            while rest and self._error is None:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._error = error
        return n_bytes

    def truncate(self, size: int | None = None) -> int:
        """Set the length of the file."""
        try:
            return self._file.truncate(size)
        except OSError as error:
            self._error = self._error or error
            return size or 0

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any buffer
        """Fill ``buffer`` from where the file stands."""
        return self._file.readinto(buffer) or 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Say where the file stands."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
