"""The part of the JSON API that gives what a reader looks at as one HTML file."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from spoticell.web.responses import kept_name
from spoticell.web.routing import Id, faults, site_of
from spoticell.web.share import shared_page
from spoticell.web.share_schemas import ShareOrder, ShareSelection

AS_HTML: dict[str, Any] = {"content": {"text/html": {"schema": {"type": "string"}}}}
NAME = "shared.html"
router = APIRouter(prefix="/api/jobs/{id}", tags=["results"])


@router.get("/share", responses=faults(404, 409, 422) | {200: AS_HTML}, response_class=Response)
def share(request: Request, id: Id, order: Annotated[ShareOrder, Query()]) -> Response:
    """Give one HTML file of the map as it is looked at. It opens anywhere and asks nobody for anything.

    In it are places, types and scores of all cells, and the columns, genes and the cell that are asked for; no names
    of cells.
    """
    return _file(request, id, order)


@router.post("/share", responses=faults(403, 404, 409, 413, 422) | {200: AS_HTML}, response_class=Response)
def share_selection(request: Request, id: Id, order: ShareSelection) -> Response:
    """Give the same with highlighted cells that were chosen one by one."""
    return _file(request, id, order)


def _file(request: Request, id: str, order: ShareOrder) -> Response:
    site = site_of(request)
    results, job = site.cells(id), site.job(id)
    disposition = f'attachment; filename="{kept_name(job.name, NAME)}"'
    return Response(
        shared_page(results, job, order), media_type="text/html", headers={"Content-Disposition": disposition}
    )
