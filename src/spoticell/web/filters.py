"""Which cells a reader's filters leave out, so that files to keep can say it.

Filters are written as the page's address has them: ``{"file condition": {"keep": ["stim"]}, "run counts": {"low": 500,
"high": null}}``. A filter keeps some values of a column, or a range of its numbers; ends that are null are open, and
``""`` stands for cells without a value. A cell is looked at if all filters keep it.
Axis: ``n`` cells.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from spoticell.web import columns
from spoticell.web.refusal import Refusal

LONGEST = 20_000
"""Characters that filters may take."""
NO_VALUE = ""
UNREADABLE = 'The filter can\'t be read. Write it as {"run counts": {"low": 500, "high": null}}.'


class Rule(BaseModel):
    """What is kept of one column."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    keep: list[str] | None = None
    low: float | None = None
    high: float | None = None


_RULES = TypeAdapter(Annotated[dict[str, Rule], Field(max_length=columns.MOST_COLUMNS)])


def read_rules(text: str) -> dict[str, Rule]:
    """Read filters, by the columns that they are of; there are none in an empty text.

    Examples
    --------
    >>> read_rules('{"run counts": {"low": 500}}')["run counts"].low
    500.0
    """
    if not text:
        return {}
    try:
        return _RULES.validate_json(text)
    except ValidationError:
        raise Refusal(422, UNREADABLE) from None


def kept_cells(folder: Path, text: str, n_cells: int) -> NDArray[np.bool_]:
    """Say of each cell whether filters keep it, as an address has them; all are kept where there are none, ``(n,)``."""
    return ~left_out(folder, read_rules(text), n_cells)


def left_out(folder: Path, rules: dict[str, Rule], n_cells: int) -> NDArray[np.bool_]:
    """Say of each cell whether the filters leave it out, ``(n,)``."""
    listed = columns.listed(folder)["columns"] if (folder / columns.LIST).exists() else []
    places = {f"{'run' if column['ours'] else 'file'} {column['name']}": at for at, column in enumerate(listed)}
    kept_n = np.ones(n_cells, dtype=np.bool_)
    for key, rule in rules.items():
        if key not in places:
            raise Refusal(422, f"There is no column {key[:200]!r} to filter by.")
        packed = (folder / columns.COLUMNS / columns.packed_name(places[key])).read_bytes()
        kept_n &= _kept(gzip.decompress(packed), listed[places[key]], rule)
    return ~kept_n


def _kept(packed: bytes, column: dict[str, Any], rule: Rule) -> NDArray[np.bool_]:
    if column["kind"] == columns.NUMBER:
        # whole precision, as the page compares; a cell without a number is in no range
        value_n = np.frombuffer(packed, dtype="<f4").astype(np.float64)
        low, high = (-np.inf if rule.low is None else rule.low), (np.inf if rule.high is None else rule.high)
        return np.asarray((value_n >= low) & (value_n <= high))
    code_n = np.frombuffer(packed, dtype="<u2")
    keep = set(rule.keep or ())
    kept_c = np.array([category["name"] in keep for category in column["categories"]] + [NO_VALUE in keep])
    return np.asarray(kept_c[np.minimum(code_n, len(kept_c) - 1)])
