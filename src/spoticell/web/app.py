"""The application: guard, API and page put together."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Request, Response
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from spoticell.version import __version__
from spoticell.web.guard import Guard
from spoticell.web.responses import gzipped
from spoticell.web.routes import router
from spoticell.web.settings import Settings
from spoticell.web.site import GONE, Site

STATIC = Path(str(files("spoticell"))) / "web" / "static"
A_WEEK = "public, max-age=604800"


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
    app.include_router(router)
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_values)
    app.add_exception_handler(FileNotFoundError, _gone)
    app.add_exception_handler(Exception, _fail)
    app.add_api_route("/", _page, include_in_schema=False)
    app.add_api_route("/jobs/{id}", _page_of_job, include_in_schema=False)
    app.add_api_route("/static/plotly.min.js", _plotly, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC, check_dir=False))
    app.add_middleware(Guard, settings=settings)
    return app


def _page() -> FileResponse:
    return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})


def _page_of_job(id: Annotated[str, InPath(max_length=100)]) -> FileResponse:
    # the page itself asks for the job, and says it where there is none
    return _page()


def _plotly(request: Request) -> Response:
    return gzipped(request, plotly_script(), media_type="text/javascript", **{"cache-control": A_WEEK})


@lru_cache(maxsize=1)
def plotly_script() -> bytes:
    """Give plotly's JavaScript, gzipped, from the installed package."""
    return gzip.compress(files("plotly").joinpath("package_data", "plotly.min.js").read_bytes(), mtime=0)


def _refuse(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    words = {404: "There is no such page.", 405: "That can't be done here."}
    plain = error.detail in {"Not Found", "Method Not Allowed"}
    sentence = words.get(error.status_code, error.detail) if plain else error.detail
    return JSONResponse({"error": str(sentence)}, status_code=error.status_code, headers=error.headers)


def _refuse_values(request: Request, error: Exception) -> Response:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    first = problems[0] if problems else {"loc": (), "msg": "a value can't be read"}
    place = ".".join(str(part) for part in first["loc"] if part not in {"body", "query", "path"})
    return JSONResponse({"error": f"{place or 'The request'}: {first['msg']}."[:300]}, status_code=422)


def _gone(request: Request, error: Exception) -> Response:
    # deleted while it was asked for
    return JSONResponse({"error": GONE}, status_code=404)


def _fail(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "The server failed on this request. Its log says where."}, status_code=500)
