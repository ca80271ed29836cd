"""What the Cell Ontology says that its terms are, in a sentence or more (CC BY 4.0)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files


def definition(term: str) -> str:
    """Give the definition of a Cell Ontology term; an empty text where it has none.

    Examples
    --------
    >>> definition("CL:0000084")
    'A type of lymphocyte whose defining characteristic is the expression of a T cell receptor complex.'
    >>> definition("unknown")
    ''
    """
    return _definitions().get(term, "")


@lru_cache(maxsize=1)
def _definitions() -> Mapping[str, str]:
    packed = files("spoticell").joinpath("data", "definitions.json.gz").read_bytes()
    table: dict[str, str] = json.loads(gzip.decompress(packed))
    return table
