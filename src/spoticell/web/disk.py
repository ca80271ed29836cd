"""What folders take on disk, and what a full disk is like."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
from pathlib import Path

FULL = "The server's disk is full, or its room for files is used up. Try again later, or tell the person who runs it."
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def bytes_of(folder: Path) -> int:
    """Add up the bytes of the files in a folder, some of which, and folders too, may go meanwhile."""
    total = 0
    # a folder that is gone is an error to a search with rglob, and nothing to this walk
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                file = Path(place, name).lstat()
                total += file.st_size if stat.S_ISREG(file.st_mode) else 0
    return total


def said(n_bytes: int) -> str:
    """Give a size as people write it.

    Examples
    --------
    >>> said(1_234_000_000), said(56_000_000)
    ('1.2 GB', '56 MB')
    """
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"


def is_full(error: BaseException) -> bool:
    """Whether an error says that there is no room on the disk.

    Examples
    --------
    >>> is_full(OSError(errno.ENOSPC, "no space")), is_full(sqlite3.OperationalError("database or disk is full"))
    (True, True)
    >>> is_full(OSError(errno.EIO, "broken")), is_full(sqlite3.OperationalError("no such table"))
    (False, False)
    """
    if isinstance(error, sqlite3.Error):
        # a log beside the table that can't grow is an error of reading or writing
        return any(words in str(error) for words in ("disk is full", "disk I/O error", "unable to open database file"))
    return isinstance(error, OSError) and error.errno in _FULL
