"""The JSON API of further questions: a type by sample, genes by condition, labels, and unsure cells."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from spoticell.web.against import against
from spoticell.web.ask_schemas import Labelled, SampleShares, Split, Unsure
from spoticell.web.columns import MOST_COLUMNS
from spoticell.web.columns_routes import Place
from spoticell.web.responses import packed
from spoticell.web.routing import AS_BYTES, Filter, Id, faults, kept_of, site_of
from spoticell.web.sample_routes import Genes, Numbers
from spoticell.web.split import split
from spoticell.web.type_shares import shares
from spoticell.web.unsure import MOST_ROWS, codes, unsure

Column = Annotated[int | None, Query(ge=0, le=MOST_COLUMNS + 10, description="Place in the list of columns, from 0.")]
router = APIRouter(prefix="/api/jobs/{id}", tags=["results"], responses=faults(404, 409, 422))


@router.get("/shares")
def type_by_sample(
    request: Request, id: Id, types: Numbers, column: Column = None, filter: Filter = ""
) -> SampleShares:
    """Give the share of a type, or of several together, among the cells of each sample, with its interval.

    ``column`` says from which sample each cell is; without it, it is the column that the run was told.
    """
    results = site_of(request).cells(id)
    return SampleShares(**shares(results, types, column, kept_n=kept_of(results, filter)))


@router.get("/columns/{place}/expression")
def genes_by_type_and_value(request: Request, id: Id, place: Place, genes: Genes, filter: Filter = "") -> Split:
    """Give for each gene the share of cells that have it, and its mean, by type and by the values of a column.

    The 12 commonest types and the 6 commonest values are told.
    """
    results = site_of(request).cells(id)
    return Split(**split(results, genes, place, kept_n=kept_of(results, filter)))


@router.get("/columns/{place}/labels")
def answers_against_labels(request: Request, id: Id, place: Place, filter: Filter = "") -> Labelled:
    """Say which labels of a column are understood as types, and how the answers agree with them by the ontology.

    Agreement is told only where 80 % of the labelled cells have a label that is understood.
    """
    results = site_of(request).cells(id)
    return Labelled(**against(results, place, kept_n=kept_of(results, filter)))


@router.get("/unsure")
def unsure_cells(
    request: Request,
    id: Id,
    *,
    reason: Annotated[str | None, Query(max_length=100)] = None,
    of: Annotated[int | None, Query(alias="type", ge=0, le=65535, description="Its number in the summary.")] = None,
    start: Annotated[int, Query(ge=0)] = 0,
    most: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
) -> Unsure:
    """Give the cells whose answers aren't sure, each with the reason; those of one reason, or type, if it is given."""
    return Unsure(**unsure(site_of(request).cells(id), reason=reason, of=of, start=start, most=most))


@router.get("/unsure/cells", responses={200: AS_BYTES}, response_class=Response)
def reasons_of_cells(request: Request, id: Id) -> Response:
    """Give for each cell the place of its reason, from 1, a byte each; 0 where the answer is sure."""
    return packed(request, (codes(site_of(request).cells(id)) + 1).astype("u1").tobytes())
