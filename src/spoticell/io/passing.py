"""Passing files: where a result lies until it is whole, and how what killed processes left of them is removed.

A passing file or folder lies beside its destination, and beside it a lock that its process holds while it lives.  A
lock that nobody holds was left by a process that was killed; it goes, and the passing file with it, when the next
result is written into the same folder.
"""

from __future__ import annotations

import os
import platform
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import lock_descriptor

from spoticell.errors import SpoticellError
from spoticell.io.signals import undisturbed

PASSING = ".spoticell-"
"""How the names of passing files and of their locks begin."""
_LOCK = re.compile(re.escape(PASSING) + r"[0-9a-f]{8}\.lock")
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@contextmanager
def passing_place(target: Path) -> Iterator[Path]:
    """Give a path beside ``target`` that no other process uses; what lies there in the end is removed.

    Parameters
    ----------
    target
        What the file or folder shall become; its folder must exist, and what killed processes left in it is removed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with passing_place(Path(folder) / "answer.txt") as place:
    ...         _ = place.write_text("half an answer")
    ...     list(Path(folder).iterdir())
    []
    """
    remove_left(target.parent)
    own: tuple[Path, int] | None = None
    try:
        with undisturbed():
            own = _own_lock(target.parent)
        yield _beside(own[0], target)
    finally:
        with undisturbed():
            if own is not None:
                lock, handle = own
                # the lock goes last: a passing file without one would never be removed
                _remove(_beside(lock, target))
                os.close(handle)
                lock.unlink(missing_ok=True)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give an empty folder among the system's temporary files, for no other user to look into.

    Examples
    --------
    >>> with temporary_folder() as folder:
    ...     _ = (folder / "half").write_text("half an answer")
    >>> folder.exists()
    False
    """
    with passing_place(Path(tempfile.gettempdir()) / "temporary") as place:
        place.mkdir(mode=0o700)
        yield place


@contextmanager
def held(folder: Path, taken: SpoticellError) -> Iterator[None]:
    """Keep other processes from writing into a folder until the block ends.

    Parameters
    ----------
    folder
        The folder; what killed processes left in it is removed.
    taken
        What to raise if another process holds it.
    """
    lock = folder / f"{PASSING}lock"
    handle, ours = None, False
    try:
        with undisturbed():
            handle = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
            ours = _hold(handle)
        if not ours:
            raise taken
        remove_left(folder)
        yield
    finally:
        with undisturbed():
            if ours:
                lock.unlink(missing_ok=True)
            if handle is not None:
                os.close(handle)


def remove_left(folder: Path) -> None:
    """Remove passing files in a folder whose processes were killed; those of other machines stay."""
    locks = [path for path in folder.glob(f"{PASSING}*.lock") if _LOCK.fullmatch(path.name)]
    for lock in locks:
        try:
            handle = os.open(lock, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        except OSError:  # another user's, or gone by now
            continue
        try:
            if _is_ours(lock) and lock_descriptor(handle, blocking=False):
                for left in folder.glob(f"{lock.stem}.tmp*"):
                    _remove(left)
                lock.unlink(missing_ok=True)
        except OSError:  # a disk that can't lock, or may not be changed
            continue
        finally:
            os.close(handle)


def _own_lock(folder: Path) -> tuple[Path, int]:
    """Make a lock of a new name and hold it."""
    while True:
        lock = folder / f"{PASSING}{secrets.token_hex(4)}.lock"
        handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        if _hold(handle):
            os.write(handle, "\n".join(_machine()).encode())
            return lock, handle
        os.close(handle)  # another process took it for one that was left, before it was held


def _beside(lock: Path, target: Path) -> Path:
    """Give the passing place that a lock is for."""
    return lock.with_name(f"{lock.stem}.tmp{target.suffix}")


def _hold(handle: int) -> bool:
    """Lock a file, unless another process has it or has removed it; on a disk that can't lock, go without."""
    try:
        return lock_descriptor(handle, blocking=False) and os.fstat(handle).st_nlink > 0
    except OSError:
        return True


def _is_ours(lock: Path) -> bool:
    """Whether a lock is of this machine: of others, some shared disks don't show whether they are held."""
    said = lock.read_text(encoding="utf-8")
    return not said or not _machine().isdisjoint(said.splitlines())


def _machine() -> frozenset[str]:
    """Give names of this machine: its own, and that of its last start, which its containers have in common."""
    start = _BOOT.read_text(encoding="utf-8").strip() if _BOOT.exists() else ""
    return frozenset({platform.node(), start} - {""})


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
