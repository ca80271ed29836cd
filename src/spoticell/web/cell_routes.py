"""One cell asked for by a name of any kind: a name may hold slashes, which the path of an address can't."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from spoticell.web.cell_schemas import CellInfo
from spoticell.web.routes import cell_info
from spoticell.web.routing import Id, faults

LONGEST = 4000
"""Characters of a name: no more fits into an address for certain."""
router = APIRouter(prefix="/api")
Name = Annotated[str, Query(max_length=LONGEST, description="The cell's place in the file, from 0, or its name.")]


@router.get("/jobs/{id}/cell", tags=["results"], responses=faults(404, 409, 422))
def cell_by_name(request: Request, id: Id, cell: Name) -> CellInfo:
    """Give one cell, by its place or by a name that may hold any character."""
    return cell_info(request, id, cell)
