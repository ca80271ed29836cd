"""What all routes of the JSON API share: the words for jobs and cells, the site, and how a request may be refused."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import Path, Query, Request
from numpy.typing import NDArray

from spoticell.web.filters import LONGEST, kept_cells
from spoticell.web.refusal import Refusal
from spoticell.web.responses import BYTES
from spoticell.web.results import Results
from spoticell.web.schemas import Fault
from spoticell.web.site import Site

Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="The job's 32 hex digits.")]
Cell = Annotated[str, Path(max_length=300, description="The cell's place in the file, from 0, or its name.")]
Filter = Annotated[str, Query(max_length=LONGEST, description="Filters of columns, as the page's address has them.")]
AS_BYTES: dict[str, Any] = {"content": {BYTES: {"schema": {"type": "string", "format": "binary"}}}}
"""How a route says in the documentation that it answers with bytes."""


def faults(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Describe the refusals of a route by their codes, for the documentation; 400 and 401 may come of any."""
    words = {
        400: "The request can't be understood, or names another server",
        401: "The access token is missing",
        403: "Sent by another web site",
        404: "There is no such job, cell, gene, column or map",
        408: "The upload stopped coming",
        409: "The job is in the wrong state",
        413: "Too large",
        415: "Not a file of cells",
        422: "A value can't be used",
        429: "Too many jobs wait; Retry-After says when to try again",
        507: "There is no room for more files, or the disk is full",
    }
    return {code: {"model": Fault, "description": words[code]} for code in (400, 401, *codes)}


def site_of(request: Request) -> Site:
    """Give the site that a request is to."""
    site: Site = request.app.state.site
    return site


def kept_of(results: Results, filter: str) -> NDArray[np.bool_]:
    """Say of each cell whether a reader's filters keep it, or refuse."""
    return kept_cells(results.folder, filter, results.n_cells)


def position_of(cell: str, results: Results) -> int:
    """Give the place of the cell that a place or a name means, or refuse."""
    position = results.find_cell(cell)
    if position is None:
        raise Refusal(
            404, f"There is no such cell. Give a position from 0 to {results.n_cells - 1:,}, or a cell's name."
        )
    return position
