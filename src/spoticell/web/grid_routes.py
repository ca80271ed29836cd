"""The JSON API of the gene grid: where genes live, pictures with their numbers, and the atlas of a model's types."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from spoticell.model.bundle import Bundle
from spoticell.report.picture import level_colors
from spoticell.web.atlas import Atlas, atlas_of
from spoticell.web.grid_schemas import AtlasInfo, GridInfo
from spoticell.web.refusal import Refusal
from spoticell.web.responses import packed
from spoticell.web.routing import AS_BYTES, Cell, Id, faults, position_of, site_of
from spoticell.web.skies import skies_of_types, sky_of_cell, sky_of_type

JSON = "application/json"
Model = Annotated[str, Query(max_length=200, description="Name of a model; the first that is offered if empty.")]
router = APIRouter(prefix="/api")


@router.get("/grid", tags=["grid"], responses=faults(404, 422), response_model=GridInfo)
def grid(request: Request, model: Model = "") -> Response:
    """Give the place of each gene on the grid of a model, and the colours of pictures."""
    bundle = _bundle(request, model)
    told = GridInfo(
        model=bundle.name,
        side=bundle.manifest.grid,
        colors=level_colors(),
        pixels=bundle.pixel_g.tolist(),
        symbols=list(bundle.vocabulary.symbols),
        chromosomes=list(bundle.vocabulary.chromosomes),
    )
    return packed(request, json.dumps(told.model_dump()).encode(), media_type=JSON)


@router.get("/atlas", tags=["grid"], responses=faults(404, 422), response_model=AtlasInfo)
def atlas(request: Request, model: Model = "") -> Response:
    """Give all types that a model knows, with the genes that speak for each. The first time takes some seconds."""
    return packed(request, _atlas(request, model).words, media_type=JSON)


@router.get("/atlas/pictures", tags=["grid"], responses=faults(404, 422) | {200: AS_BYTES}, response_class=Response)
def atlas_pictures(request: Request, model: Model = "") -> Response:
    """Give the pictures of the atlas, type by type.

    For each type the pixels of its ``shown`` genes, little-endian uint16, then the level of each, uint8.
    """
    return packed(request, _atlas(request, model).pictures)


@router.get(
    "/jobs/{id}/cells/{cell}/sky",
    tags=["grid"],
    responses=faults(404, 409, 422) | {200: AS_BYTES},
    response_class=Response,
)
def cell_sky(request: Request, id: Id, cell: Cell) -> Response:
    """Give a cell's picture with its counts.

    The level of each pixel, uint8, row by row; then the counts of the pixels with a level of 3 and more, little-endian
    float32.
    """
    results = site_of(request).cells(id)
    return packed(request, sky_of_cell(results.folder, results.bundle, position_of(cell, results)))


@router.get(
    "/jobs/{id}/skies", tags=["grid"], responses=faults(404, 409, 422) | {200: AS_BYTES}, response_class=Response
)
def type_skies(request: Request, id: Id) -> Response:
    """Give the mean pictures of the types in the order of the summary: the level of each pixel, uint8."""
    results = site_of(request).cells(id)
    return packed(request, skies_of_types(results.folder, results.bundle))


@router.get(
    "/jobs/{id}/skies/{index}",
    tags=["grid"],
    responses=faults(404, 409, 422) | {200: AS_BYTES},
    response_class=Response,
)
def type_sky(request: Request, id: Id, index: Annotated[int, Path(ge=0, le=65534)]) -> Response:
    """Give a type's mean picture with its numbers, which are mean log-normalised counts; else as that of a cell."""
    results = site_of(request).cells(id)
    if index >= results.n_types:
        raise Refusal(404, "There is no type of that number in the summary.")
    return packed(request, sky_of_type(results.folder, results.bundle, index))


def _bundle(request: Request, model: str) -> Bundle:
    site = site_of(request)
    name = model or next(iter(site.offered))
    if name not in site.offered:
        raise Refusal(404, f"There is no model of that name. There are: {', '.join(site.offered)}.")
    return site.bundle(name)


def _atlas(request: Request, model: str) -> Atlas:
    found = atlas_of(_bundle(request, model))
    if found is None:
        raise Refusal(404, "This model brings no weights to look into, so it has no atlas.")
    return found
