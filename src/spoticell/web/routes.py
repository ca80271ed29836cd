"""The JSON API: uploads, jobs, progress, results.  What each does is in ``site``, ``results`` and ``responses``."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from spoticell.biology.tissues import tissue_names
from spoticell.version import __version__
from spoticell.web import demo, sink
from spoticell.web.cell_schemas import CellInfo
from spoticell.web.curated import FOLDER as CURATED
from spoticell.web.filters import read_rules
from spoticell.web.guard import WRONG, cookie, is_right
from spoticell.web.job_schemas import JobInfo, RunOrder
from spoticell.web.jobs import AT_REST
from spoticell.web.kept_marks import with_marks
from spoticell.web.refusal import Refusal
from spoticell.web.responses import events, gzipped, packed, to_keep
from spoticell.web.routing import AS_BYTES, Cell, Filter, Id, faults, position_of, site_of
from spoticell.web.schemas import (
    Commands,
    GeneList,
    Info,
    LimitsInfo,
    ModelInfo,
    Summary,
    Token,
)
from spoticell.web.site import told
from spoticell.web.task import INPUT
from spoticell.web.upload import FIELD, receive
from spoticell.web.visitors import visitor_of

FileName = Literal["annotated.h5ad", "types.csv", "report.html", "composition.csv", "differences.csv", "groups.csv"]

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "string", "format": "binary", "description": "A file of cells."}},
                }
            }
        },
    }
}


_EVENT = {
    "type": "object",
    "properties": {
        "event": {"const": "job"},
        "id": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json", "description": "A job, as JSON."},
    },
}
NOT_ASKED = "This run was asked for nothing that this table would tell. Name samples, conditions or groups."
HESITATION = 0.5
"""Seconds before a wrong token is refused, so that guessing takes long."""
router = APIRouter(prefix="/api")


@router.get("/info", tags=["server"], responses=faults())
def info(request: Request) -> Info:
    """Give the models, the tissues, the limits and whether there are reference cells."""
    site = site_of(request)
    settings = site.settings
    manifests = [(name, site.bundle(name).manifest) for name in site.offered]
    return Info(
        version=__version__,
        models=[
            ModelInfo(name=name, description=m.description, n_labels=len(m.labels), threshold=m.threshold)
            for name, m in manifests
        ],
        limits=LimitsInfo(file_bytes=settings.limits.file_bytes, cells=settings.limits.cells),
        tissues=tissue_names(),
        keep_hours=settings.keep_hours,
        has_index=site.neighbours is not None,
        demo=demo.WORDS,
    )


@router.post("/token", status_code=204, tags=["server"], responses=faults(403, 413, 422))
async def show_token(request: Request, shown: Token) -> Response:
    """Enter the access token. The browser gets a cookie that stands for it in later requests."""
    if not is_right(shown.token, site_of(request).settings):
        await asyncio.sleep(HESITATION)
        raise Refusal(401, WRONG)
    return Response(status_code=204, headers={"Set-Cookie": cookie(shown.token, request.scope)})


@router.post(
    "/jobs", status_code=201, tags=["jobs"], openapi_extra=_BODY, responses=faults(403, 408, 413, 415, 429, 507)
)
async def upload(request: Request) -> JobInfo:
    """Send a file of cells. It is checked at once; nothing is run yet."""
    site, visitor = site_of(request), visitor_of(request)
    with site.visitors.sending(visitor), site.begin(int(request.headers.get("content-length", 0))) as id:
        arrived = partial(site.quota.arrived, id)
        job = site.add(id, await receive(request, site.folder(id) / INPUT, on_bytes=arrived), visitor)
    return JobInfo(**told(job, site.jobs))


@router.post("/jobs/demo", status_code=201, tags=["jobs"], responses=faults(403, 429, 507))
def begin_demo(request: Request) -> JobInfo:
    """Make a job of the demo cells, as if they had been sent."""
    site = site_of(request)
    with site.begin(demo.size()) as id:
        job = site.add(id, demo.write(site.folder(id) / INPUT), visitor_of(request))
    return JobInfo(**told(job, site.jobs))


@router.get("/jobs/{id}", tags=["jobs"], responses=faults(404, 422))
def job(request: Request, id: Id) -> JobInfo:
    """Give a job: its state, what was found in its file, and where its results are."""
    site = site_of(request)
    return JobInfo(**told(site.job(id), site.jobs))


@router.get(
    "/jobs/{id}/events",
    tags=["jobs"],
    response_class=StreamingResponse,
    responses=faults(404, 422)
    | {
        200: {"content": {"text/event-stream": {"schema": _EVENT}}},
        204: {"description": "The job is at rest, and the event named in Last-Event-ID was the last"},
    },
)
async def job_events(request: Request, id: Id) -> Response:
    """Send the job now and after each change, as server-sent events named ``job``, until it is at rest."""
    site = site_of(request)
    found = site.job(id)
    if found.state in AT_REST and request.headers.get("last-event-id") == str(found.version):
        return Response(status_code=204)
    return StreamingResponse(
        events(request, site, found), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


@router.post("/jobs/{id}/run", status_code=202, tags=["jobs"], responses=faults(403, 404, 409, 413, 422, 429, 507))
def run(request: Request, id: Id, order: RunOrder | None = None) -> JobInfo:
    """Name the cells: put the job into the queue. Earlier results are replaced when the new ones are whole."""
    site = site_of(request)
    return JobInfo(**told(site.run(id, order or RunOrder()), site.jobs))


@router.post("/jobs/{id}/cancel", tags=["jobs"], responses=faults(403, 404, 422, 507))
def cancel(request: Request, id: Id) -> JobInfo:
    """Stop the work on a job. Its file and an earlier result stay, and it can be run again."""
    site = site_of(request)
    return JobInfo(**told(site.cancel(id), site.jobs))


@router.delete("/jobs/{id}", status_code=204, tags=["jobs"], responses=faults(403, 404, 422))
def delete(request: Request, id: Id) -> Response:
    """Delete a job, its file and its results."""
    site_of(request).delete(id)
    return Response(status_code=204)


@router.get("/jobs/{id}/summary", tags=["results"], responses=faults(404, 409, 422), response_model=Summary)
def summary(request: Request, id: Id) -> Response:
    """Give the types that cells have, with counts, scores and colours, and the levels of the ontology."""
    contents = (site_of(request).results(id) / sink.SUMMARY).read_bytes()
    return Response(contents, media_type="application/json")


@router.get(
    "/jobs/{id}/map", tags=["results"], responses=faults(404, 409, 422) | {200: AS_BYTES}, response_class=Response
)
def map_of_cells(request: Request, id: Id) -> Response:
    """Give each cell's place on the map, its score and its type.

    Little-endian: uint32 n; float32 x[n], y[n] from 0 to 1, NaN for cells without counts; float32 score[n];
    uint16 type[n], 65535 for unknown.
    """
    return gzipped(request, (site_of(request).results(id) / sink.MAP).read_bytes())


@router.get(
    "/jobs/{id}/groups", tags=["results"], responses=faults(404, 409, 422) | {200: AS_BYTES}, response_class=Response
)
def groups_of_cells(request: Request, id: Id) -> Response:
    """Give the place of each cell's group in the summary, little-endian uint16; 65535 for a cell in none."""
    path = site_of(request).results(id) / sink.GROUPS
    if not path.exists():
        raise Refusal(404, "This run was asked for no groups.")
    return gzipped(request, path.read_bytes())


@router.get("/jobs/{id}/genes", tags=["results"], responses=faults(404, 409, 422))
def genes(request: Request, id: Id, q: Annotated[str, Query(max_length=100)] = "") -> GeneList:
    """Give up to 20 genes that a symbol, the beginning of one, an alias or an Ensembl id may mean, and types."""
    results = site_of(request).cells(id)
    return GeneList(genes=results.find_genes(q), types=results.find_types(q))


@router.get(
    "/jobs/{id}/genes/{symbol}",
    tags=["results"],
    responses=faults(404, 409, 422) | {200: AS_BYTES},
    response_class=Response,
)
def gene(request: Request, id: Id, symbol: Annotated[str, Path(max_length=100)]) -> Response:
    """Give a gene's level in each cell, uint8, in proportion to log(1 + counts per 10,000 of the cell).

    Level 255 is the value that 99 % of the cells with a count don't exceed, or more; the header X-Gene-Max gives it.
    """
    results = site_of(request).cells(id)
    g = results.gene(symbol)
    if g is None:
        raise Refusal(404, "No gene of that name was measured.")
    level_n, most = results.gene_levels(g)
    return packed(request, level_n.tobytes(), **{"X-Gene-Max": f"{most:g}"})


@router.get("/jobs/{id}/cells/{cell}", tags=["results"], responses=faults(404, 409, 422))
def cell(request: Request, id: Id, cell: Cell) -> CellInfo:
    """Give one cell: its type, the path through the ontology, the genes that stand out, and similar reference cells."""
    return cell_info(request, id, cell)


def cell_info(request: Request, id: str, cell: str) -> CellInfo:
    """Give the cell of a job that a place or a name means."""
    results = site_of(request).cells(id)
    position = position_of(cell, results)
    return CellInfo(**results.cell(position), picture=f"/api/jobs/{id}/cells/{position}/picture.png")


@router.get(
    "/jobs/{id}/cells/{cell}/picture.png",
    tags=["results"],
    responses=faults(404, 409, 422) | {200: {"content": {"image/png": {}}}},
    response_class=Response,
)
def picture(request: Request, id: Id, cell: Cell) -> Response:
    """Give the picture of one cell on the gene grid, a pixel for each gene."""
    results = site_of(request).cells(id)
    return Response(results.picture(position_of(cell, results)), media_type="image/png")


@router.get("/jobs/{id}/commands", tags=["results"], responses=faults(404, 409, 422), response_model=Commands)
def commands(request: Request, id: Id) -> Response:
    """Give the command line and the Python code that repeat the run."""
    contents = (site_of(request).results(id) / sink.COMMANDS).read_bytes()
    return Response(contents, media_type="application/json")


@router.get(
    "/jobs/{id}/files/{name}",
    tags=["results"],
    responses=faults(404, 409, 422) | {200: AS_BYTES},
    response_class=FileResponse,
)
def file(request: Request, id: Id, name: FileName, filter: Filter = "") -> FileResponse:
    """Give a file to keep. What readers did to cells is in the h5ad and the csv.

    Names that they gave are in ``spoticell_curated``. With a filter, ``spoticell_filtered`` says which cells it leaves
    out; all cells stay in the files.
    """
    site = site_of(request)
    folder, job = site.results(id), site.job(id)
    rules = read_rules(filter)
    if rules or (folder / CURATED).is_dir():
        passing = with_marks(site.cells(id), name, rules)
        if passing is not None:
            return to_keep(passing, job, name=name, after=BackgroundTask(passing.unlink, missing_ok=True))
    if name not in told(job, site.jobs)["links"]:
        raise Refusal(404, NOT_ASKED)
    return to_keep(folder / name, job)
