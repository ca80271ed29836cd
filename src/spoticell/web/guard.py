"""What every request passes first: who may ask, under which name, how much may be sent; and what every answer carries.

Plain ASGI, so that nothing is read of a request that is turned away, but for the first of one that is too long.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spoticell.web.people import is_person, refusal_page
from spoticell.web.refusal import Refusal
from spoticell.web.settings import Settings

COOKIE = "spoticell"
FORM_ROOM = 256 * 1024
"""Bytes that a form takes around its file, and the longest body of other requests, which may name a million cells."""
READ_OFF = 4 * FORM_ROOM
"""Bytes of a body that is too long that are still read, and thrown away: who is sending when the connection closes may
see only that it closed, and never the sentence."""
PATIENCE = 2.0
"""Seconds that this may take."""
TOO_LONG = 413
A_MONTH = 30 * 24 * 3600
WRONG = "That is not the token of this server."
UPLOAD, SHOW_TOKEN, HEALTH = "/api/jobs", "/api/token", "/api/health"
WITHOUT_TOKEN = frozenset({SHOW_TOKEN, HEALTH})
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
MAP_PAGE = "/static/map.html"
MAP_POLICY = "; ".join(
    (
        "sandbox allow-scripts",
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src data: blob:",
        "frame-ancestors 'self'",
    )
)
"""The map is in a frame of its own without rights: of no origin, it reaches no cookie, no API and no other site."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
STATIC_HEADERS = HEADERS | {"Cross-Origin-Resource-Policy": "cross-origin"}
MAP_HEADERS = STATIC_HEADERS | {"Content-Security-Policy": MAP_POLICY, "X-Frame-Options": "SAMEORIGIN"}


class Guard:
    """Turns away what may not pass.

    Parameters
    ----------
    app
        What answers the rest.
    settings
        Names of the server, its token and the largest upload.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, send = Headers(scope=scope), _guarded(send, scope["path"])
        try:
            self._check_host(headers)
            self._check_origin(scope, headers)
            if (token := self._offered(scope)) is not None:
                await self._let_in(scope, token, headers, send)
                return
            self._check_token(scope, headers)
            receive = self._limited(scope, headers, receive)
        except Refusal as refusal:
            if refusal.status_code == TOO_LONG:
                await _read_off(receive)
            await _answer(refusal, headers, send)
            return
        await self.app(scope, receive, send)

    def _check_host(self, headers: Headers) -> None:
        if _bare(headers.get("host", "")) not in self.settings.hosts:
            raise Refusal(400, "This server does not answer to that name. The option --allow-host adds names.")

    def _check_origin(self, scope: Scope, headers: Headers) -> None:
        """Refuse what another site makes a browser send."""
        if scope["method"] not in WRITES:
            return
        origin = headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != headers.get("host")
        if foreign or headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            raise Refusal(403, "Requests from other web sites are refused.")

    def _offered(self, scope: Scope) -> str | None:
        """Give the token that a page is opened with, where the server has one."""
        if self.settings.token is None or scope["method"] != "GET" or scope["path"].startswith(("/api/", "/static/")):
            return None
        offered = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        return str(offered[0]) if offered else None

    async def _let_in(self, scope: Scope, token: str, asked: Headers, send: Send) -> None:
        """Keep a right token in a cookie, and lead to the same page without it in the address."""
        if not is_right(token, self.settings):
            await _answer(Refusal(401, WRONG), asked, send)
            return
        query = parse_qs(scope["query_string"].decode("latin-1"))
        rest = urlencode({name: values for name, values in query.items() if name != "token"}, doseq=True)
        # raw, so that no character of the path is read anew; two slashes would lead to another server
        place = "/" + scope.get("raw_path", b"/").decode("latin-1").split("?")[0].lstrip("/\\")
        where = place + (f"?{rest}" if rest else "")
        headers = [
            (b"location", where.encode("latin-1")),
            (b"set-cookie", cookie(token, scope).encode()),
            (b"content-length", b"0"),
        ]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _check_token(self, scope: Scope, headers: Headers) -> None:
        path = scope["path"]
        if self.settings.token is None or not path.startswith("/api/") or path in WITHOUT_TOKEN:
            return
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and is_right(token.strip(), self.settings):
            return
        if not hmac.compare_digest(_cookie(headers), _digest(self.settings.token)):
            raise Refusal(401, "This server asks for an access token. Open the page once with ?token=... added.")

    def _limited(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        """Give a way to read the body that ends at the limit, whatever the headers say."""
        uploading = scope["path"].rstrip("/") == UPLOAD
        most = FORM_ROOM + (self.settings.limits.file_bytes if uploading else 0)
        stated = headers.get("content-length", "0")
        if not stated.isdecimal():
            raise Refusal(400, "The length of the request is not a number.")
        if int(stated) > most:
            raise self._too_large(uploading=uploading)
        size = 0

        async def limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                await _read_off(receive)
                raise self._too_large(uploading=uploading)
            return message

        return limited

    def _too_large(self, *, uploading: bool) -> Refusal:
        if not uploading:
            return Refusal(TOO_LONG, "The request is too long.")
        most = self.settings.limits.file_bytes
        size = f"{most / 1e9:.1f} GB" if most >= 1e9 else f"{most / 1e6:.1f} MB"
        return Refusal(
            TOO_LONG, f"The file is too large: this server takes up to {size}. Use the command line for larger files."
        )


def is_right(token: str, settings: Settings) -> bool:
    """Whether a token is the server's; whatever is shown to a server without one is right."""
    return settings.token is None or hmac.compare_digest(_digest(token), _digest(settings.token))


def cookie(token: str, scope: Scope) -> str:
    """Give what makes a browser show a token with every request to this server, and to no other."""
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    return f"{COOKIE}={_digest(token)}; Path=/; Max-Age={A_MONTH}; HttpOnly; SameSite=Strict{secure}"


async def _read_off(receive: Receive) -> None:
    """Read what little may be left of a request that is refused."""
    size, more = 0, True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while more and size < READ_OFF:
                message = await receive()
                size += len(message.get("body", b""))
                more = message["type"] == "http.request" and message.get("more_body", False)


def _guarded(send: Send, path: str) -> Send:
    """Give a way to send that adds the headers that every answer carries."""
    static = path.startswith("/static/")
    carried = MAP_HEADERS if path == MAP_PAGE else STATIC_HEADERS if static else HEADERS

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in carried.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-cache" if static else "no-store")
        await send(message)

    return guarded


async def _answer(refusal: Refusal, asked: Headers, send: Send) -> None:
    if is_person(asked):
        kind, body = b"text/html; charset=utf-8", refusal_page(refusal.status_code, refusal.detail)
    else:
        kind, body = b"application/json", json.dumps({"error": refusal.detail}).encode()
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    headers += [(b"connection", b"close")] if refusal.status_code == TOO_LONG else []
    await send({"type": "http.response.start", "status": refusal.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _bare(host: str) -> str:
    """Give a host without its port.

    Examples
    --------
    >>> _bare("localhost:8000"), _bare("[::1]:8000"), _bare("lab.example.org")
    ('localhost', '::1', 'lab.example.org')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None and found.value.isascii() else ""


def _digest(token: str) -> str:
    """Give what stands for a token in the cookie: whoever reads it doesn't learn the token."""
    return hashlib.sha256(f"spoticell {token}".encode("utf-8", "replace")).hexdigest()
