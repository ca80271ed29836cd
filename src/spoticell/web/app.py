"""The application: guard, API and page put together."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Request, Response
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from spoticell.version import __version__
from spoticell.web import threshold_routes
from spoticell.web.ask_routes import router as ask_router
from spoticell.web.cell_routes import router as cell_router
from spoticell.web.columns_routes import router as columns_router
from spoticell.web.disk import FULL, is_full
from spoticell.web.explain_routes import router as explain_router
from spoticell.web.grid_routes import router as grid_router
from spoticell.web.guard import HEADERS, Guard
from spoticell.web.health_routes import router as health_router
from spoticell.web.inlined import needed, static_text
from spoticell.web.markers_routes import router as markers_router
from spoticell.web.packing import Packing
from spoticell.web.people import is_person, refusal_page
from spoticell.web.routes import router
from spoticell.web.sample_routes import router as sample_router
from spoticell.web.settings import Settings
from spoticell.web.share_routes import router as share_router
from spoticell.web.site import GONE, Site
from spoticell.web.tissue_routes import router as tissue_router

STATIC = Path(str(files("spoticell"))) / "web" / "static"
ROUTERS = (
    router,
    markers_router,
    cell_router,
    sample_router,
    columns_router,
    ask_router,
    threshold_routes.router,
    tissue_router,
    explain_router,
    grid_router,
    health_router,
    share_router,
)
"""Of the parts of the API."""
FRESH = {"Cache-Control": "no-cache"}


def create_app(settings: Settings) -> FastAPI:
    """Give the application of a server that is set up so.

    Parameters
    ----------
    settings
        How.

    Raises
    ------
    ConfigError
        If the data folder can't be used.

    Returns
    -------
    An ASGI application; its jobs are worked on between its startup and its shutdown.
    """
    site = Site(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with site.open():
            yield

    app = FastAPI(
        title="Spoticell",
        version=__version__,
        summary="Names human cells from single-cell RNA counts.",
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        # FastAPI can report requests, whose addresses are keys, to whom the environment names; older ones ignore this
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.site = site
    for part in ROUTERS:
        app.include_router(part)
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_values)
    app.add_exception_handler(FileNotFoundError, _gone)
    app.add_exception_handler(OSError, _full)
    app.add_exception_handler(sqlite3.OperationalError, _full)
    app.add_exception_handler(Exception, _fail)
    app.add_api_route("/", _page, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/atlas", _page, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/jobs/{id}", _page_of_job, methods=["GET", "HEAD"], include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC, check_dir=False))
    app.add_middleware(Packing)
    app.add_middleware(Guard, settings=settings)
    return app


def _page() -> HTMLResponse:
    return HTMLResponse(_index("main"), headers=FRESH)


def _page_of_job(id: Annotated[str, InPath(max_length=100)]) -> HTMLResponse:
    # the page itself asks for the job, and says it where there is none
    return HTMLResponse(_index("main", "result", "mine"), headers=FRESH)


@lru_cache
def _index(*modules: str) -> str:
    """Give the page, which asks at once for these modules and all that they need."""
    links = (f'<link rel="modulepreload" href="/static/js/{name}.js">\n' for name in needed(*modules))
    return static_text("index.html").replace("</head>", "".join(links) + "</head>")


def _refuse(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    words = {404: "There is no such page.", 405: "That can't be done here."}
    plain = error.detail in {"Not Found", "Method Not Allowed"}
    sentence = words.get(error.status_code, error.detail) if plain else error.detail
    return _answer(request, str(sentence), error.status_code, error.headers)


def _refuse_values(request: Request, error: Exception) -> Response:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    first = problems[0] if problems else {"loc": (), "msg": "a value can't be read"}
    place = ".".join(str(part) for part in first["loc"] if part not in {"body", "query", "path"})
    return _answer(request, f"{place or 'The request'}: {first['msg']}."[:300], 422)


def _gone(request: Request, error: Exception) -> Response:
    # deleted while it was asked for
    return _answer(request, GONE, 404)


def _full(request: Request, error: Exception) -> Response:
    if not is_full(error):
        raise error
    return JSONResponse({"error": FULL}, status_code=507)


def _fail(request: Request, error: Exception) -> Response:
    # this is answered outside of the guard
    headers = HEADERS | {"Cache-Control": "no-store"}
    return _answer(request, "The server failed on this request. Its log says where.", 500, headers)


def _answer(request: Request, sentence: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    if is_person(request.headers):
        return HTMLResponse(refusal_page(status, sentence), status_code=status, headers=headers)
    return JSONResponse({"error": sentence}, status_code=status, headers=headers)
