"""All text that is answered goes out gzipped, to visitors who can read that."""

from __future__ import annotations

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

LEAST = 500
"""Bytes from which on packing is worth it."""
LEVEL = 6


class Packing:
    """Gzips answers, but no files to keep, which are packed already, no pictures and no streams of events.

    Parameters
    ----------
    app
        What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._packing = GZipMiddleware(app, minimum_size=LEAST, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path: str = scope.get("path", "")
        as_it_is = scope["type"] != "http" or "/files/" in path or path.endswith(("/events", ".png"))
        await (self.app if as_it_is else self._packing)(scope, receive, send)
