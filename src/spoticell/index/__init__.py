"""An index of reference cells: fingerprints that can be searched, with what is known of their cells.

A folder of segments, each written once, and ``index.json``, which names them and is replaced in one step.  Or else a
Lance database, for what one disk is too small for.
"""

from __future__ import annotations

from spoticell.index.backends import append, create_index, merge_into, open_index, set_background
from spoticell.index.cells import COLUMNS, ReferenceCells
from spoticell.index.folder.reader import Index
from spoticell.index.hits import Hits
from spoticell.index.opened import OpenIndex

__all__ = [
    "COLUMNS",
    "Hits",
    "Index",
    "OpenIndex",
    "ReferenceCells",
    "append",
    "create_index",
    "merge_into",
    "open_index",
    "set_background",
]
