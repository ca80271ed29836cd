"""Readers, one for each format, and writers that never leave half a file.

`open_cells` looks at a file or folder and gives it as a stream of cells, whatever its format; `open_source` takes
AnnData objects too.
"""

from __future__ import annotations

from spoticell.io.open import Cells, open_cells, open_source
from spoticell.io.source import BLOCK, CellBlock, CellSource

__all__ = ["BLOCK", "CellBlock", "CellSource", "Cells", "open_cells", "open_source"]
