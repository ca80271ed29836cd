"""A web server on this machine for the files of a folder, which breaks where it is told to."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote


def server_of(answer: Callable[[BaseHTTPRequestHandler], None]) -> ThreadingHTTPServer:
    """Give a silent server at a free port, whose requests a function answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *args: object) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


class FolderServer:
    """Serves the files of a folder, with ranges.

    Of the files named in ``cut`` no answer has more bytes than are stated there, though it promises all.  Where
    ``stalls`` names one, the connection stays open after these bytes until ``go_on`` is set.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.cut, self.stalls = folder, dict[str, int](), frozenset[str]()
        self.go_on, self.asked = threading.Event(), list[tuple[str, str | None]]()
        self.http = server_of(self.answer)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range")
        path = self.folder / unquote(request.path.partition("?")[0]).lstrip("/")
        self.asked.append((path.name, wanted))
        if not path.is_file():
            request.send_error(404)
            return
        whole = path.read_bytes()
        start = int(re.findall(r"\d+", wanted)[0]) if wanted else 0
        body = whole[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(body)))
        request.send_header("ETag", f'"{hash(whole)}"')
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(whole) - 1}/{len(whole)}")
        request.end_headers()
        request.wfile.write(body[: self.cut.get(path.name, len(body))])
        if path.name in self.stalls:
            request.wfile.flush()
            self.go_on.wait(60)


@contextmanager
def serving(folder: Path) -> Iterator[FolderServer]:
    """Serve a folder meanwhile."""
    server = FolderServer(folder)
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.http.shutdown()
        server.http.server_close()
        thread.join()
