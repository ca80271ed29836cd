"""Answers that are more than JSON: packed bytes, files to keep, and a stream of events."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path, PurePath

from fastapi import Request, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from spoticell.web.jobs import AT_REST, Job
from spoticell.web.site import Site, told

LOOK, PING = 0.1, 15.0
"""Seconds between two looks at a job, and after which silence is broken so that proxies keep the line open."""
BYTES = "application/octet-stream"


def packed(request: Request, contents: bytes, **headers: str) -> Response:
    """Answer with bytes, gzipped where the visitor can read that."""
    return gzipped(request, gzip.compress(contents, compresslevel=1, mtime=0), **headers)


def gzipped(request: Request, contents: bytes, *, media_type: str = BYTES, **headers: str) -> Response:
    """Answer with what is gzipped already, unpacked where the visitor can't read that."""
    headers["vary"] = "Accept-Encoding"
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(contents, media_type=media_type, headers=headers | {"content-encoding": "gzip"})
    return Response(gzip.decompress(contents), media_type=media_type, headers=headers)


def to_keep(path: Path, job: Job, *, name: str | None = None, after: BackgroundTask | None = None) -> FileResponse:
    """Answer with a file to be kept, under a name made from that of the upload; ``after`` is done once it is sent."""
    return FileResponse(path, filename=kept_name(job.name, name or path.name), media_type=BYTES, background=after)


def kept_name(upload: str, file: str) -> str:
    r"""Give the name of a file to keep: plain letters only, the upload's stem first.

    Examples
    --------
    >>> kept_name("my cells.h5ad", "types.csv"), kept_name('";\r\nX: é', "report.html")
    ('my_cells.types.csv', 'X.report.html')
    """
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", PurePath(upload).name.split(".")[0]).strip("_")[:60]
    return f"{stem or 'cells'}.{file}"


async def events(request: Request, site: Site, job: Job) -> AsyncIterator[bytes]:
    """Tell of a job at once and whenever it changes, until it is at rest, as server-sent events."""
    yield b"retry: 2000\n\n"
    told_version, silent = -1, 0.0
    while True:
        if job.version != told_version:
            told_version, silent = job.version, 0.0
            data = json.dumps(told(job, site.jobs), ensure_ascii=False)
            yield f"event: job\nid: {job.version}\ndata: {data}\n\n".encode()
        if job.state in AT_REST or site.ending.is_set() or await request.is_disconnected():
            return
        await asyncio.sleep(LOOK)
        silent += LOOK
        if silent >= PING:
            silent = 0.0
            yield b": still here\n\n"
        current = site.jobs.get(job.id)
        if current is None:
            return
        job = current
