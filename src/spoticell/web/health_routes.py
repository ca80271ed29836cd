"""The address at which programs ask whether the server is well."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from spoticell.web import health as state
from spoticell.web.schemas import Fault, Shape
from spoticell.web.site import Site

router = APIRouter(prefix="/api")


class Health(Shape):
    """Whether the server does its work."""

    ok: bool
    wrong: list[str]
    """What is not well, a sentence each."""
    workers: int
    """Threads that check uploads and run jobs."""
    workers_needed: int
    """How many there should be."""
    sweeper: bool
    """Whether the thread is there that deletes what is to be kept no longer."""
    seconds_since_sweep: float
    table: bool
    """Whether the table of jobs can be read."""
    free_bytes: int
    """What uploads and results may still take."""
    oldest_waits_seconds: float | None
    """How long the oldest job waits; null if none waits."""


_FAULTS: dict[int | str, dict[str, Any]] = {
    400: {"model": Fault, "description": "The request names another server"},
    503: {"model": Health, "description": "Something is not well"},
}


@router.get("/health", tags=["server"], responses=_FAULTS)
def health(request: Request, response: Response) -> Health:
    """Say whether the server does its work. It asks for no token, and tells of no job."""
    site: Site = request.app.state.site
    found = Health(**state.health(site))
    response.status_code = 200 if found.ok else 503
    return found


router.head("/health", include_in_schema=False)(health)
