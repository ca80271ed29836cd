"""The results of a job while new ones take their place: the earlier ones are there until the new ones are kept.

`put` is followed by `keep`, or by `take_back` if the table couldn't be told.  If the server ended in between, its next
start does the one, or `bring_back`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from spoticell.web.task import RESULTS, WORK

EARLIER = "earlier"
"""Folder of a job's earlier results while it isn't settled which are kept."""


def put(folder: Path) -> None:
    """Put what was made in the place of a job's results.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in (RESULTS, WORK):
    ...     (folder / name).mkdir()
    ...     _ = (folder / name / "types.csv").write_text(name)
    >>> put(folder)
    >>> (folder / RESULTS / "types.csv").read_text()
    'work'
    >>> bring_back(folder)
    >>> (folder / RESULTS / "types.csv").read_text(), len(list(folder.iterdir()))
    ('results', 1)
    """
    if (folder / RESULTS).is_dir():
        (folder / RESULTS).rename(folder / EARLIER)
    (folder / WORK).rename(folder / RESULTS)


def keep(folder: Path) -> None:
    """Remove the earlier results."""
    shutil.rmtree(folder / EARLIER, ignore_errors=True)


def take_back(folder: Path) -> None:
    """Undo `put`."""
    if (folder / RESULTS).is_dir() and not (folder / WORK).exists():
        (folder / RESULTS).rename(folder / WORK)
    if (folder / EARLIER).is_dir():
        (folder / EARLIER).rename(folder / RESULTS)


def bring_back(folder: Path) -> None:
    """Undo `put` where the server ended before it was settled that the new results are kept."""
    if (folder / EARLIER).is_dir():
        shutil.rmtree(folder / RESULTS, ignore_errors=True)
        (folder / EARLIER).rename(folder / RESULTS)
