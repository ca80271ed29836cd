"""An h5ad file on a web server: read where it lies through caches of several kinds, or brought here first.

    python -m benchmarks.speed.remote_reading --save remote_reading

Counts what travels for `check` and for `annotate` to csv, of cells drawn from real ones (see `page_server`), from a
server on this machine.  Needs the extra ``remote``.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

import fsspec
import h5py

import spoticell
from benchmarks.lib.saving import DATA, save_result
from benchmarks.speed.page_server import draw_cells
from spoticell.io.storage import hdf5

CACHES = (("readahead", 1 << 18), ("readahead", 1 << 22), ("background", 1 << 18), ("blockcache", 1 << 18))
"""Of the last two, 32 blocks are kept: less than the file, as it would be of a large one."""


class Server:
    """Serves one file with ranges, and counts what is asked for."""

    def __init__(self, path: Path) -> None:
        self.path, self.requests, self.bytes = path, 0, 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.answer(self)

            def do_HEAD(self) -> None:
                server.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/{path.name}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Send what is asked for."""
        size = self.path.stat().st_size
        wanted = [int(number) for number in re.findall(r"\d+", request.headers.get("Range") or "")]
        first, last = [*wanted, size - 1][:2] if wanted else (0, size - 1)
        last = min(last, size - 1)
        request.send_response(206 if wanted else 200)
        request.send_header("Accept-Ranges", "bytes")
        request.send_header("Content-Length", str(last - first + 1))
        if wanted:
            request.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        request.end_headers()
        if request.command == "GET":
            self.requests, self.bytes = self.requests + 1, self.bytes + last - first + 1
            with self.path.open("rb") as file:
                file.seek(first)
                request.wfile.write(file.read(last - first + 1))


def work(place: Any, what: str, folder: Path) -> None:
    """Check cells, or name them to csv."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if what == "check":
            spoticell.check(place, on_progress=False)
        else:
            spoticell.annotate(place, folder / "out.csv", overwrite=True, on_progress=False)


def row(server: Server, what: str, folder: Path, cache: tuple[str, int] | None) -> str:
    """Measure one way and give its row."""
    server.requests = server.bytes = 0
    if cache is None:
        work(server.url, what, folder)
        way = "brought here first"
    else:
        web = fsspec.filesystem("http", skip_instance_cache=True)

        def opened(_: Path) -> h5py.File:
            return h5py.File(web.open(server.url, cache_type=cache[0], block_size=cache[1]), rdcc_nbytes=hdf5.CACHE)

        with patch.object(hdf5, "_open", opened):
            work(server.path, what, folder)
        way = f"in place, {cache[0]} of {cache[1] / (1 << 20):g} MiB"
    return f"| {what} | {way} | {server.requests:,} | {server.bytes / server.path.stat().st_size:.2f} |"


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw_cells(folder / "cells.h5ad", args.cells, data=DATA)
        server = Server(folder / "cells.h5ad")
        size = server.path.stat().st_size / 1e6
        rows = [
            f"A file of {size:.0f} MB, {args.cells:,} cells. Each request costs the time to the server and back.",
            "",
            "| command | way | requests | times that the file travelled |",
            "|---|---|---|---|",
            *(row(server, what, folder, cache) for what in ("check", "annotate") for cache in (None, *CACHES)),
        ]
    print("\n".join(rows))
    if args.save:
        save_result(args.save, "Reading an h5ad file from a web server", rows)


if __name__ == "__main__":
    main()
