"""The route that keeps a visitor's own table of known markers with a job."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request

from spoticell.web.job_schemas import KeptTable
from spoticell.web.responses import BYTES
from spoticell.web.routing import Id, faults, site_of

BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}}}
}
router = APIRouter(prefix="/api/jobs/{id}", tags=["jobs"])


@router.put("/markers", openapi_extra=BODY, responses=faults(403, 404, 413, 422, 507))
async def keep_markers(
    request: Request, id: Id, name: Annotated[str, Query(max_length=300)] = "markers.tsv"
) -> KeptTable:
    """Keep a table of known markers with a job, csv or tsv of types and genes, for runs that name its ``id``.

    It may be gzipped. What is sent may have 256 kB, and 4 MB unpacked.
    """
    site = site_of(request)
    contents = await request.body()
    return KeptTable(**await to_thread.run_sync(site.keep_markers, id, contents, name))
