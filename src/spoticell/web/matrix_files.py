"""Several files that are one data set: a Matrix Market file with the files that name its genes and cells.

On disk they have names of ours, those that the reader looks for; what a visitor calls them decides only what each is.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from spoticell.errors import FileFormatError
from spoticell.io.formats.sidefiles import side_names
from spoticell.io.sniff import sniff
from spoticell.web.refusal import Refusal

NOT_ONE = (
    "Several files are taken together where they are one matrix (matrix.mtx) with the files that name its genes and "
    "cells (features.tsv or genes.tsv, barcodes.tsv). Send other files one by one."
)
_OURS = {"genes": "features", "cells": "barcodes", "rows": "mtx_rows", "columns": "mtx_cols"}


def part_matrix(joined: Path, files: Sequence[tuple[str, int]]) -> tuple[Path, str]:
    """Part a matrix from the files of names that came with it, each by its first bytes a file of its kind.

    Parameters
    ----------
    joined
        The contents of all, one after another; gone afterwards.
    files
        The visitor's name of each, with folders before it or not, and its bytes.

    Returns
    -------
    The folder that holds them, and the name to show: of the visitor's folder, or else of the matrix.

    Raises
    ------
    Refusal
        If they aren't one matrix with its files of names.

    Examples
    --------
    >>> import tempfile
    >>> joined = Path(tempfile.mkdtemp()) / "joined"
    >>> _ = joined.write_text("%%MatrixMarket ..." + "CD3E," + "cell-1")
    >>> folder, name = part_matrix(joined, [("run 7/matrix.mtx", 18), ("run 7/genes.tsv", 5), ("run 7/cells.txt", 6)])
    >>> name, sorted(path.name for path in folder.iterdir())
    ('run 7', ['barcodes.tsv', 'features.tsv', 'matrix.mtx'])
    """
    places = [PurePosixPath(name.replace("\\", "/")) for name, _ in files]
    names = [place.name for place in places]
    matrices = [name for name in names if name.lower().endswith((".mtx", ".mtx.gz"))]
    if len(matrices) != 1 or len({name.lower() for name in names}) < len(names):
        raise Refusal(400, NOT_ONE)
    found = {name: kind for kind, name in side_names(matrices[0], sorted(names)).items()}
    folder = joined.with_name(f"{joined.name}-files")
    folder.mkdir(mode=0o700)
    for name, (_, size) in reversed(list(zip(names, files, strict=True))):
        ours = "matrix.mtx" if name == matrices[0] else f"{_OURS[found[name]]}.tsv" if name in found else "other"
        path = folder / (f"{ours}.gz" if name.lower().endswith(".gz") else ours)
        _take_end(joined, size, path)
        if ours == "other":
            path.unlink()
        else:
            _check(path, name)
    joined.unlink()
    parents = {str(place.parent) for place in places}
    return folder, places[0].parent.name if len(parents) == 1 and places[0].parent.name else matrices[0]


def _take_end(joined: Path, size: int, path: Path) -> None:
    """Move the last bytes of a file into one of their own; all that is left is moved without a copy."""
    start = joined.stat().st_size - size
    if start == 0:
        joined.rename(path)
        joined.touch()
        return
    with joined.open("r+b") as file, path.open("wb") as target:
        file.seek(start)
        shutil.copyfileobj(file, target)
        file.truncate(start)


def _check(path: Path, name: str) -> None:
    try:
        sniff(path)
    except FileFormatError as error:
        raise Refusal(415, str(error).replace(path.name, name)) from None
