"""Uploads that are packed, unpacked beside themselves, once: a job opens its upload several times."""

from __future__ import annotations

import shutil
from pathlib import Path

from spoticell.io.sniff import PACKED, sniff
from spoticell.io.unpack import inside, unpack
from spoticell.web.settings import Limits


def unpacked(path: Path, limits: Limits) -> Path:
    """Give what is to be opened for an upload: the file itself, or what it is packed around.

    Parameters
    ----------
    path
        The upload.
    limits
        Says how much it may unpack to.

    Raises
    ------
    FileFormatError
        If it is damaged, breaks a limit, or it isn't clear what in it are the cells.
    """
    if path.is_dir() or sniff(path) != PACKED:
        return path
    folder = path.with_name(f"{path.stem}-unpacked")
    if not folder.is_dir():
        passing = folder.with_name(f"{folder.name}-passing")
        shutil.rmtree(passing, ignore_errors=True)  # of a check that was ended
        passing.mkdir(mode=0o700)
        try:
            unpack(path, passing, most_bytes=limits.unpacked_bytes)
        except BaseException:
            shutil.rmtree(passing)
            raise
        passing.rename(folder)
    return inside(folder)
