"""Results on disk, whole or not at all.

A file is written beside its destination under a passing name and moved there when it is
complete.  Whatever goes wrong before that, the passing file is removed and the old one
stays as it was.  Passing names are given by ``passing``.
"""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from spoticell.errors import OutputError
from spoticell.io.address import Address, Place
from spoticell.io.formula import guard
from spoticell.io.passing import passing_place

if TYPE_CHECKING:
    import pandas as pd

Placed = tuple[str, Place | None]
"""What something is called, and where it is; nowhere if it isn't wanted."""

REPLACE = "Give another path, or replace it with --overwrite, in Python overwrite=True."
_REASONS = {
    errno.ENOSPC: "the disk is full. Make room, or write to another disk",
    errno.EDQUOT: "your quota on this disk is used up. Make room, or write to another disk",
    errno.EFBIG: "the file would be larger than is allowed here. Write to another disk",
    errno.EROFS: "the disk is read-only. Write to another folder",
    errno.EACCES: "you may not write into this folder. Write to another folder",
    errno.EPERM: "you may not write into this folder. Write to another folder",
    errno.ENOENT: "its folder does not exist. Make it first",
    errno.ENOTDIR: "its folder is a file. Give another path",
    errno.ENAMETOOLONG: "the name is too long. Give a shorter one",
    errno.EISDIR: "a folder is in its place. Remove that, or give another path",
    errno.EEXIST: "something else is in its place. Remove that, or give another path",
    errno.EIO: "the disk reports an error. Write to another disk",
    errno.ENOLCK: "the disk can't lock files. Write to another disk",
}


@contextmanager
def atomic(path: Place, *, overwrite: bool = True) -> Iterator[Path]:
    """Give a passing file beside ``path`` that takes its place when the block ends well.

    Parameters
    ----------
    path
        Where the result shall be; its folder must exist.  A symbolic link is followed.  What shall be at an address is
        put there when the block ends well.
    overwrite
        Whether a file may be replaced that is there when the block ends.

    Raises
    ------
    OutputError
        If the folder can't be written to, the disk is full, or a file came into being that may not be replaced.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic(Path(folder) / "answer.txt") as passing:
    ...         _ = passing.write_text("B cell")
    ...     [(file.name, file.read_text()) for file in Path(folder).iterdir()]
    [('answer.txt', 'B cell')]
    """
    if isinstance(path, Address):
        from spoticell.io.remote.upload import uploaded  # noqa: PLC0415 - of an extra

        with uploaded(path, overwrite=overwrite) as passing:
            yield passing
        return
    target = path.resolve()
    with writing(path), passing_place(target) as passing:
        # Mode 0o666 lets the umask decide, as for any new file; O_EXCL never touches what is there.
        os.close(os.open(passing, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield passing
        sync(passing)
        if overwrite:
            passing.replace(target)
        else:
            _put_first(passing, target, path)
        sync(target.parent)


def _put_first(passing: Path, target: Path, path: Path) -> None:
    """Give a file its name unless another one has come to have it; of two processes one is the first."""
    try:
        try:
            target.hardlink_to(passing)
        except FileExistsError:
            raise
        except OSError:  # a disk without hard links: an empty file keeps others out until this one is moved
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            passing.replace(target)
    except FileExistsError:
        raise OutputError(f"{path} came into being while this run was at work, and stays as it is. {REPLACE}") from None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what a disk refuses into an :class:`OutputError` about ``path``."""
    try:
        yield
    except OutputError:
        raise
    except Exception as error:  # each library has errors of its own for it
        reason = disk_reason(error)
        if reason is None:
            raise
        raise OutputError(f"{path} can't be written: {reason}.") from error


def put_in_place(made: Path, folder: Path) -> None:
    """Give a folder its name; an earlier one of that name goes when this one is there."""
    with passing_place(folder) as earlier:
        if folder.exists():
            folder.replace(earlier)
        try:
            made.replace(folder)
        except BaseException:
            if earlier.exists():
                earlier.replace(folder)
            raise


def check_output(path: Place, *, input_path: Place | None = None, overwrite: bool = False) -> None:
    """Refuse before any work a destination that could not be written.

    Parameters
    ----------
    path
        Where a result shall be.
    input_path
        What is read; never replaced unless ``overwrite`` is set.
    overwrite
        Whether a file at ``path`` may be replaced.

    Raises
    ------
    OutputError
        If ``path`` is a folder, the input, or there already, or its folder is missing or read-only.
    """
    if isinstance(path, Address):
        from spoticell.io.remote.upload import check_target  # noqa: PLC0415 - of an extra

        check_target(path, overwrite=overwrite)
        return
    folder = path.resolve().parent
    if path.is_dir():
        raise OutputError(f"{path} is a folder. Give the name of a file.")
    if not folder.is_dir():
        raise OutputError(f"{path} can't be written: {_REASONS[errno.ENOENT]}.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{path} can't be written: {_REASONS[errno.EACCES]}.")
    if not path.exists():
        return
    if not path.is_file():
        raise OutputError(f"{path} is not an ordinary file. Give another path.")
    if overwrite:
        return
    if isinstance(input_path, Path) and input_path.exists() and path.samefile(input_path):
        raise OutputError(f"{path} is the input itself. {REPLACE}")
    raise OutputError(f"{path} is there already. {REPLACE}")


def check_written(
    path: Place, *, kinds: Sequence[str], what: str, input_path: Place | None = None, overwrite: bool = False
) -> None:
    """Refuse before any work a destination of another kind than is written, or that could not be written.

    Parameters
    ----------
    path, input_path, overwrite
        As for `check_output`.
    kinds
        The endings that the name may have.
    what
        Says what is written, as in "a report is written as .html".

    Raises
    ------
    OutputError
        If the name ends otherwise, or as for `check_output`.
    """
    if path.suffix not in kinds:
        raise OutputError(f"{path} ends in {path.suffix or 'nothing'!r}; {what}.")
    check_output(path, input_path=input_path, overwrite=overwrite)


def check_apart(tables: Iterable[Placed], others: Iterable[Placed]) -> None:
    """Refuse before any work to write a table over another one, over the answers, or over what is read.

    Parameters
    ----------
    tables
        What each table is called in the message, and where it goes.
    others
        Where all else goes and comes from, likewise.

    Raises
    ------
    OutputError
        If a table has the place of something else; no ``overwrite`` can mean that.

    Examples
    --------
    >>> check_apart([("the composition", Path("b.csv"))], [("the cells", Path("b.csv"))])
    Traceback (most recent call last):
    spoticell.errors.OutputError: b.csv is given for the cells and for the composition. Give each a file of its own.
    """
    taken = {path.resolve(): name for name, path in others if path is not None}
    for name, path in tables:
        if path is None:
            continue
        other = taken.setdefault(path.resolve(), name)
        if other != name:
            raise OutputError(f"{path} is given for {other} and for {name}. Give each a file of its own.")


def write_json(path: Path, fields: Mapping[str, Any]) -> None:
    """Write a table of fields as JSON that people can read.

    Raises
    ------
    OutputError
        If the disk refuses.
    """
    with atomic(path) as passing:
        passing.write_text(json.dumps(fields, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_csv(path: Place, tables: Iterable[pd.DataFrame], *, overwrite: bool = True) -> None:
    """Write tables with the same columns under one header, each as it comes.

    Text that a spreadsheet would run as a formula gets a ``'`` before it, see `formula`.  Indices are not written.

    Parameters
    ----------
    path
        Where the file shall be.
    tables
        At least one; a first table without rows still gives the header.
    overwrite
        As for `atomic`.

    Raises
    ------
    OutputError
        As for `atomic`.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_csv(Path(folder) / "out.csv", [pd.DataFrame({"cell": ["=1+1"], "score": [-0.5]})])
    ...     print((Path(folder) / "out.csv").read_text())
    cell,score
    '=1+1,-0.5
    <BLANKLINE>
    """
    with atomic(path, overwrite=overwrite) as passing, passing.open("w", encoding="utf-8", newline="") as file:
        for position, table in enumerate(tables):
            guarded = _guarded(table)
            header = position == 0
            guarded.to_csv(file, index=False, header=header, lineterminator="\n", quoting=_quoting(guarded))


def _guarded(table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - slow to load, and needed for tables only

    columns = [
        column if pd.api.types.is_numeric_dtype(column.dtype) else column.map(_guard_any).astype(object)
        for _, column in table.items()
    ]
    guarded = pd.concat(columns, axis=1) if columns else table.copy()
    guarded.columns = pd.Index([guard(str(name)) for name in table.columns])
    return guarded


def _quoting(table: pd.DataFrame) -> Literal[0, 2]:
    """Have all text quoted where some holds a carriage return: readers take a bare one for the end of a line."""
    texts = (column for _, column in table.items() if column.dtype == object)
    bare = any("\r" in name for name in map(str, table.columns)) or any(
        isinstance(value, str) and "\r" in value for column in texts for value in column.unique()
    )
    return csv.QUOTE_NONNUMERIC if bare else csv.QUOTE_MINIMAL


def _guard_any(value: object) -> object:
    return guard(value) if isinstance(value, str) else value


def disk_reason(error: BaseException) -> str | None:
    """Say why the system refused to write, None if it was something else; some libraries hide the number in words."""
    hidden = re.search(r"(?:errno =|os error) (\d+)", str(error))
    number = int(hidden[1]) if hidden else getattr(error, "errno", None)
    return None if number is None else _REASONS.get(number)


def amount(size: int) -> str:
    """Give a number of bytes in words.

    Examples
    --------
    >>> amount(2_705_530), amount(31_000_000_000), amount(870)
    ('2.7 MB', '31.0 GB', '870 bytes')
    """
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size:,} bytes"


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all that is in it, if it is there; what a link leads to stays.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "models" / "blood").mkdir(parents=True)
    ...     remove(Path(folder) / "models")
    ...     list(Path(folder).iterdir())
    []
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have the system put a file or folder on the disk; folders can't be opened so everywhere."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
