"""A visitor's own table of known markers, kept with a job for its runs.

It is read as the one of ``spoticell annotate --markers`` is.  What is sent is small, and is bounded when it is
unpacked, so it may be read in the server.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spoticell.biology.markers import Markers
from spoticell.errors import ConfigError
from spoticell.io.marker_table import markers_in
from spoticell.model.bundle import Bundle
from spoticell.web.refusal import Refusal

FOLDER = "markers"
LARGEST = 4 << 20
"""Bytes that a table may unpack to."""
LONGEST = 80
"""Letters of a table's name."""
GZIP = b"\x1f\x8b"
GONE = "That table of markers is no longer there. Choose it again."


def keep_markers(contents: bytes, name: str, bundle: Bundle, job: Path, *, in_use: set[str]) -> dict[str, Any]:
    """Keep a table with a job, and say what is understood of it.

    Parameters
    ----------
    contents
        The table as it was sent; it may be gzipped.
    name
        What the visitor calls it.
    bundle
        The model whose genes are looked for.
    job
        The folder of the job.
    in_use
        Tables that runs of the job need; all others are removed.

    Raises
    ------
    Refusal
        If it is no table of markers.
    """
    text, plain = _unpacked(contents), plain_name(name)
    try:
        markers = markers_in(io.StringIO(text, newline=""), plain, bundle.vocabulary)
    except ConfigError as error:
        raise Refusal(422, str(error)) from None
    id = hashlib.sha256(text.encode()).hexdigest()[:16]
    for old in (job / FOLDER).glob("*"):
        if old.name not in in_use:
            shutil.rmtree(old, ignore_errors=True)
    place = job / FOLDER / id
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    (place / plain).write_text(text, encoding="utf-8", newline="")
    return {
        "id": id,
        "name": plain,
        "types": len(markers.genes_of),
        "genes": len(frozenset().union(*markers.genes_of.values())),
        "unread": len(markers.unread),
    }


def markers_path(table: Mapping[str, str], job: Path) -> Path:
    """Give where a table of a job lies."""
    return job / FOLDER / table["id"] / table["name"]


def own_markers(path: Path, bundle: Bundle) -> Markers:
    """Read the markers of a kept table."""
    with path.open(encoding="utf-8", newline="") as file:
        return markers_in(file, path.name, bundle.vocabulary)


def plain_name(name: str) -> str:
    r"""Give a name as files and commands can have it: plain letters only.

    Examples
    --------
    >>> plain_name("my markers.tsv.gz"), plain_name("../.x\n"), plain_name("")
    ('my_markers.tsv', 'x', 'markers.tsv')
    """
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", name.removesuffix(".gz")).strip("_.-")[-LONGEST:]
    return plain.strip("_.-") or "markers.tsv"


def _unpacked(contents: bytes) -> str:
    """Give the text of a table, or refuse."""
    try:
        if contents.startswith(GZIP):
            # as far as it may go, and one more, so that what is longer is seen
            contents = zlib.decompressobj(31).decompress(contents, LARGEST + 1)
        text = contents.decode("utf-8-sig")
    except (zlib.error, UnicodeDecodeError):
        raise Refusal(422, "The table of markers is no text. Give csv or tsv, in UTF-8; it may be gzipped.") from None
    if len(contents) > LARGEST:
        raise Refusal(413, f"The table of markers is too long; it may have {LARGEST >> 20} MB.")
    return text
