"""The route that moves the threshold at which a result is shown."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import ConfigDict

from spoticell.web.routing import Id, faults, site_of
from spoticell.web.schemas import Shape, Share, Summary

router = APIRouter(prefix="/api")


class Shown(Shape):
    """How a result is to be shown."""

    model_config = ConfigDict(extra="forbid")

    threshold: Share
    """Lowest probability at which a type is named."""


@router.put(
    "/jobs/{id}/threshold",
    tags=["results"],
    responses=faults(403, 404, 409, 422),
    response_model=Summary,
)
def show_at(request: Request, id: Id, shown: Shown) -> dict[str, Any]:
    """Show the answers at another threshold, without a new run. Map, summary and cells follow; the files to keep don't.

    The answers are those of a run with that threshold. They are shown to all who have the job's link.
    """
    return site_of(request).show_at(id, shown.threshold)
