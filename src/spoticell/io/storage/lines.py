"""Text files line by line, packed with gzip or not, in UTF-8 or UTF-16, with a limit on the length of a line."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from spoticell.errors import FileFormatError

LONGEST_LINE = 1 << 27
"""Characters; a table of a million cells fits."""
MOST_PACKED = 500
"""Characters for each byte of a packed file."""

_SMALL = 1 << 26
"""Characters that are read however well they are packed."""
_AT_ONCE = 1 << 20


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """Open a text file for reading; what is wrong with it becomes a :class:`FileFormatError`."""
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            raw: io.BufferedIOBase = gzip.GzipFile(fileobj=plain) if packed else plain
            with io.TextIOWrapper(io.BufferedReader(raw), encoding=_encoding(path, packed=packed)) as file:
                yield file
    except EOFError as error:
        raise FileFormatError(f"{path.name} is cut short: its gzip data end too early. Copy it again.") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise FileFormatError(f"{path.name} is a damaged gzip file ({error}). Copy or download it again.") from error
    except UnicodeError as error:
        raise FileFormatError(
            f"{path.name} is not UTF-8 text ({error.__class__.__name__}). Save it as UTF-8."
        ) from error


def lines(path: Path) -> Iterator[str]:
    """Lines of a text file without their ends.

    Raises
    ------
    FileFormatError
        If the file is damaged, not UTF-8, or has a line of more than ``LONGEST_LINE`` characters.
    """
    most = max(_SMALL, MOST_PACKED * path.stat().st_size)
    with open_text(path) as file:
        rest, n_lines, n_read = "", 0, 0
        while piece := file.read(_AT_ONCE):
            n_read += len(piece)
            if n_read > most:
                raise FileFormatError(
                    f"{path.name} unpacks to more than {MOST_PACKED} times its bytes, which tables of counts don't. "
                    "Get a fresh copy or write the file again."
                )
            found = (rest + piece).split("\n")
            rest = found.pop()
            n_lines += len(found)
            if len(rest) > LONGEST_LINE:
                raise FileFormatError(f"{path.name}: line {n_lines + 1} is too long for a table of text.")
            yield from found
        if rest:
            yield rest


def _encoding(path: Path, *, packed: bool) -> str:
    """Tell the encoding by the mark at the beginning: UTF-16 as Excel writes it, else UTF-8."""
    with path.open("rb") as plain:
        start = (gzip.GzipFile(fileobj=plain) if packed else plain).read(2)
    return "utf-16" if start in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else "utf-8-sig"
