"""The JSON API of why: the genes that speak for what a cell, a type or a group is called, and against it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from spoticell.web.explain_schemas import Why
from spoticell.web.explaining import why_cell, why_group, why_types
from spoticell.web.refusal import Refusal
from spoticell.web.responses import packed
from spoticell.web.routing import Filter, Id, faults, kept_of, position_of, site_of

JSON = "application/json"
router = APIRouter(prefix="/api", tags=["results"])
Name = Annotated[str | None, Query(max_length=4000, description="A cell's place in the file, from 0, or its name.")]
Numbers = Annotated[
    list[Annotated[int, Query(ge=0, le=65534)]] | None,
    Query(alias="type", max_length=2000, description="Numbers of types in the summary, asked about together."),
]
Group = Annotated[int | None, Query(ge=0, le=65534, description="A group's place in the summary.")]
Term = Annotated[str | None, Query(max_length=40, description="Asks about this Cell Ontology term instead.")]


@router.get("/jobs/{id}/why", responses=faults(404, 409, 422), response_model=Why)
def why(
    request: Request,
    id: Id,
    *,
    cell: Name = None,
    types: Numbers = None,
    group: Group = None,
    term: Term = None,
    filter: Filter = "",
) -> Response:
    """Give the genes that speak for what a cell, a type or a group is called, and those that speak against it.

    Name one of the three. What a gene adds to the network's probability is told, each cell alone; of a type or a group
    it is the mean over at most 50 of its cells, of those that the filters keep. What is unknown is asked about what it
    is likeliest to be.
    """
    results = site_of(request).cells(id)
    if (cell is not None) + bool(types) + (group is not None) != 1:
        raise Refusal(422, "Say what is asked about in one way: cell, type or group.")
    if cell is not None:
        told = why_cell(results, position_of(cell, results), term)
    elif group is not None:
        told = why_group(results, group, term, kept_n=kept_of(results, filter))
    else:
        told = why_types(results, types or [], term, kept_n=kept_of(results, filter))
    return packed(request, told, media_type=JSON)
