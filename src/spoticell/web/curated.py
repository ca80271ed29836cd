"""Names that the reader gave to cells: kept beside the results, one small file for each naming.

A later name replaces an earlier one.  Files are numbered, so that of two who name cells at the same moment one is the
first, and the last can be undone.  Axis: ``n`` cells.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.everyday import read_name
from spoticell.biology.palette import oklch, term_color
from spoticell.errors import OutputError
from spoticell.io.write import atomic
from spoticell.keys import UNKNOWN
from spoticell.web import sink
from spoticell.web.refusal import Refusal
from spoticell.web.results import Results

FOLDER = "curated"
MOST_EDITS = 500
"""How often the cells of a job may be named."""
TURN = 137.5
"""Degrees between the hues of two names that are no types: any number of them stay apart."""


class Curated:
    """The names that were given to the cells of a job.

    Parameters
    ----------
    folder
        The job's results.
    n_cells
        How many cells there are.
    """

    def __init__(self, folder: Path, n_cells: int) -> None:
        self._folder, self._n_cells = folder / FOLDER, n_cells

    def add(self, member_n: NDArray[np.bool_], name: str) -> None:
        """Call some cells by a name."""
        number = max((int(path.stem) for path in self._edits()), default=0) + 1
        if number > MOST_EDITS:
            raise Refusal(409, f"The cells were named {MOST_EDITS} times already. Undo some first.")
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / f"{number:06}.npz"
        try:
            with atomic(path, overwrite=False) as passing, passing.open("wb") as file:
                np.savez(file, bits=np.packbits(member_n), name=np.array(name))
        except OutputError:
            if path.exists():
                raise Refusal(409, "Somebody else named cells at the same moment. Try again.") from None
            raise Refusal(429, "The server has no room for this name. Try again later.", retry_after=60) from None

    def undo(self) -> None:
        """Take the last name back."""
        edits = self._edits()
        if not edits:
            raise Refusal(409, "No cell was named, so there is nothing to undo.")
        edits[-1].unlink(missing_ok=True)

    def names(self) -> tuple[list[str], NDArray[np.uint16]]:
        """Give the names in the order in which they were first given, and for each cell its name's place, from 1."""
        code_n = np.zeros(self._n_cells, dtype=np.uint16)
        names: list[str] = []
        for path in self._edits():
            with np.load(path) as edit:
                name, bits = str(edit["name"]), edit["bits"]
            names += [] if name in names else [name]
            code_n[np.unpackbits(bits, count=self._n_cells).astype(np.bool_)] = names.index(name) + 1
        return names, code_n

    def told(self) -> dict[str, Any]:
        """Give the names with their cells; one that has none any more is left out."""
        names, code_n = self.names()
        cells = np.bincount(code_n, minlength=len(names) + 1)[1:].tolist()
        return {
            "names": [_given(place, name, n) for place, (name, n) in enumerate(zip(names, cells, strict=True)) if n],
            "edits": len(self._edits()),
        }

    def shown(self) -> NDArray[np.uint16]:
        """Give for each cell its name's place in what is told, from 1; 0 where it has none."""
        names, code_n = self.names()
        left = np.bincount(code_n, minlength=len(names) + 1)[1:] > 0
        place = np.concatenate([[0], np.where(left, np.cumsum(left), 0)])
        return place[code_n].astype(np.uint16)

    def _edits(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*.npz"))


def _given(place: int, name: str, cells: int) -> dict[str, Any]:
    term = read_name(name)
    color = oklch(TURN * place, 0.66, 0.13) if term is None else term_color(term)
    return {"name": name, "term": term, "color": color, "cells": cells}


def curated_names(results: Results) -> NDArray[np.object_] | None:
    """Give each cell's given name, or else the name of its type, ``(n,)``; None where no name was given."""
    names, code_n = Curated(results.folder, results.n_cells).names()
    if not code_n.any():
        return None
    types = [*(results.bundle.node_names[node] for node in results.array(sink.NODES).tolist()), UNKNOWN]
    type_n = np.minimum(results.types(), len(types) - 1)
    given_n, named_n = np.array(["", *names], dtype=object)[code_n], np.array(types, dtype=object)[type_n]
    return np.where(code_n > 0, given_n, named_n)
