"""The part of the JSON API that gives the columns and maps of a file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from spoticell.web import columns
from spoticell.web.changes import NO_COLUMNS, changes
from spoticell.web.column_schemas import Changes, ColumnList
from spoticell.web.refusal import Refusal
from spoticell.web.responses import gzipped
from spoticell.web.routing import AS_BYTES, Filter, Id, faults, kept_of, site_of

Place = Annotated[int, Path(ge=0, le=columns.MOST_COLUMNS + 10, description="Place in the list, from 0.")]
Value = Annotated[int, Query(ge=0, lt=columns.MOST_CATEGORIES, description="Place of a value of the column, from 0.")]
router = APIRouter(prefix="/api/jobs/{id}", tags=["results"], responses=faults(404, 409, 422))


@router.get("/columns", response_model=ColumnList)
def columns_of_cells(request: Request, id: Id) -> Response:
    """Give the columns of the file's table about cells by which they can be coloured and chosen, and its maps."""
    path = site_of(request).results(id) / columns.LIST
    if not path.exists():
        raise Refusal(404, NO_COLUMNS)
    return Response(path.read_bytes(), media_type="application/json")


@router.get("/columns/{place}", responses={200: AS_BYTES}, response_class=Response)
def column(request: Request, id: Id, place: Place) -> Response:
    """Give each cell's value in a column, little-endian.

    Of categories uint16, the value's place in the list, 65535 for none; of numbers float32, NaN for none.
    """
    return _packed(request, id, columns.COLUMNS, place, "There is no such column.")


@router.get("/maps/{place}", responses={200: AS_BYTES}, response_class=Response)
def map_of_file(request: Request, id: Id, place: Place) -> Response:
    """Give each cell's place on a map of the file, little-endian.

    float32 x[n], y[n], brought into the square from 0 to 1, both by the same scale; NaN for no place.
    """
    return _packed(request, id, columns.MAPS, place, "There is no such map.")


@router.get("/columns/{place}/changes")
def changes_of_column(
    request: Request,
    id: Id,
    place: Place,
    *,
    first: Value,
    second: Value,
    samples: Annotated[int | None, Query(ge=0, le=columns.MOST_COLUMNS + 10)] = None,
    filter: Filter = "",
) -> Changes:
    """Compare the types of the cells of two values of a column.

    ``samples`` is the place of the column that says from which sample each cell is. With three samples or more of each
    value there is a test.
    """
    results = site_of(request).cells(id)
    found = changes(
        results.folder,
        results.bundle,
        column=place,
        first=first,
        second=second,
        samples=samples,
        kept_n=kept_of(results, filter),
    )
    return Changes(**found)


def _packed(request: Request, id: str, kind: str, place: int, missing: str) -> Response:
    path = site_of(request).results(id) / kind / columns.packed_name(place)
    if not path.exists():
        raise Refusal(404, missing)
    return gzipped(request, path.read_bytes())
