"""Where PyTorch's compiler keeps what it has compiled, which in a training is nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = "TORCHINDUCTOR_CACHE_DIR"


@contextmanager
def cached_in(folder: Path) -> Iterator[None]:
    """Have a folder that is there taken for the compiler's cache, unless the user has named one.

    Otherwise PyTorch makes one among the system's temporary files with the first step, and leaves it there.

    Examples
    --------
    >>> _ = os.environ.pop(CACHE, None)
    >>> with cached_in(Path("models")):
    ...     os.environ[CACHE]
    'models'
    """
    if CACHE in os.environ:
        yield
        return
    os.environ[CACHE] = str(folder)
    try:
        yield
    finally:
        os.environ.pop(CACHE, None)
