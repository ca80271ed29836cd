"""Readers, one for each format, and writers that never leave half a file.

`open_cells` looks at a file or folder and gives it as a stream of cells, whatever its format; `open_source` takes
AnnData objects too.  Readers are loaded when they are first used: a bundle or an index is opened without them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spoticell.io.open import Cells, open_cells, open_source
    from spoticell.io.source import BLOCK, CellBlock, CellSource

_HOME = {
    "BLOCK": "source",
    "CellBlock": "source",
    "CellSource": "source",
    "Cells": "open",
    "open_cells": "open",
    "open_source": "open",
}

__all__ = ["BLOCK", "CellBlock", "CellSource", "Cells", "open_cells", "open_source"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'spoticell.io' has no attribute {name!r}")
    return getattr(import_module(f"spoticell.io.{_HOME[name]}"), name)
