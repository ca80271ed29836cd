"""Real cells that Spoticell carries, to try the page with.

700 blood cells of Zheng 2017 (https://doi.org/10.1038/ncomms14049), 765 genes kept, as packaged with scanpy 1.11.5 as
``pbmc68k_reduced`` (BSD-3-Clause; the licence lies beside the file).  Values are scanpy's log-normalised ones.
"""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from spoticell.io.demo import DEMO, DEMO_WORDS
from spoticell.web.upload import Upload

NAME = DEMO.name
WORDS = DEMO_WORDS


def size() -> int:
    """Give the bytes of the file."""
    return DEMO.stat().st_size


def write(folder: Path) -> Upload:
    """Put the cells into a folder as if they had been sent."""
    file = f"{secrets.token_hex(8)}.h5ad"
    shutil.copyfile(DEMO, folder / file)
    return Upload(NAME, file, size())
