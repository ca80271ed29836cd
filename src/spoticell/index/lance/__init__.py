"""An index in a Lance database, on a disk or in an object store: https://github.com/lance-format/lance.

    cells       a row for each cell: row, group, lot, name, fingerprint (half floats), with an inverted file over these
    groups      what is known, a row for each group of cells that share it
    about       one row: the manifest, and the planes of the binary code

Lance keeps every version of a table.  The manifest names those versions of ``cells`` and ``groups`` that are the index,
and is replaced in one step; later versions belong to nothing and are taken back by the next writer.
"""

from __future__ import annotations

from spoticell.index.lance.reader import LanceIndex
from spoticell.index.lance.writer import append, create, set_background

__all__ = ["LanceIndex", "append", "create", "set_background"]
