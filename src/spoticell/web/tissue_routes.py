"""The route that says from which tissue the cells of a result are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field

from spoticell.web.routing import Id, faults, site_of
from spoticell.web.schemas import Shape, Summary

router = APIRouter(prefix="/api")


class Told(Shape):
    """From which tissue the cells are."""

    model_config = ConfigDict(extra="forbid")

    tissue: str | None = Field(max_length=100)
    """One of the server's tissues, or ``any``; null for what the cells show themselves."""


@router.put(
    "/jobs/{id}/tissue",
    tags=["results"],
    responses=faults(403, 404, 409, 422, 507),
    response_model=Summary,
)
def show_for(request: Request, id: Id, told: Told) -> dict[str, Any]:
    """Show the answers for another tissue, without a new run. Map, summary and cells follow; the files to keep don't.

    The answers are those of a run with that tissue. They are shown to all who have the job's link.
    """
    return site_of(request).show_for(id, told.tissue)
