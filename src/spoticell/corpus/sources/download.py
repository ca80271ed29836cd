"""Large files fetched over networks that break: resumed, tried again, put in place only when whole.

A file that is being fetched is called ``NAME.part`` and stays for the next try, also after an
interruption; ``NAME.part.tag`` says which version of the file it is a part of.  Beside a whole file lies
``NAME.json`` with where it came from, its size and its sha256.  Nothing here opens what was fetched.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import time
from http.client import HTTPException
from io import BufferedRandom
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from spoticell.errors import DownloadError, OutputError
from spoticell.io.sealed import alone
from spoticell.io.write import write_json, writing
from spoticell.progress import Progress

_CHUNK = 1 << 20
_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_SATISFIABLE = 416
_LONGEST_PAUSE = 60.0
_log = logging.getLogger("spoticell")


def fetch(
    url: str, path: Path, *, timeout: float = 30, tries: int = 4, pause: float = 1, on_progress: Progress | None = None
) -> Path:
    """Fetch a file unless it is there already.

    Parameters
    ----------
    url
        An ``https`` or ``http`` address; one that leads from ``https`` to ``http`` is refused.
    path
        Where the file shall be; its folder is made if need be.
    timeout
        Seconds without a byte before a connection counts as lost.
    tries
        Tries in a row without a new byte before giving up.
    pause
        Seconds before the second try, doubled for each further one; a server may ask for another.
    on_progress
        Called with the bytes done and the bytes there are (0 where the server doesn't say).

    Returns
    -------
    ``path``.

    Raises
    ------
    DownloadError
        If the server can't be reached, or refuses.
    OutputError
        If the disk refuses, or another process is fetching the same file.

    Examples
    --------
    >>> fetch("ftp://example.org/cells.h5ad", Path("cells.h5ad"))
    Traceback (most recent call last):
    spoticell.errors.DownloadError: ftp://example.org/cells.h5ad can't be fetched: only https and http are spoken here.
    """
    if urlsplit(url).scheme not in {"https", "http"}:
        raise _failed(url, "only https and http are spoken here")
    if path.is_file():
        return path
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        taken = OutputError(f"{part} is being written by another process. Wait for it, or stop it.")
        with alone(part, taken) as file:
            faster = path.is_file()  # another process, while this one waited for its turn
            if not faster:
                _Transfer(url, part, file, timeout=timeout, on_progress=on_progress).run(tries=tries, pause=pause)
                _write_record(path, url, file)
            if os.name == "nt":  # where an open file can be neither moved nor removed
                file.close()
            if faster:
                part.unlink(missing_ok=True)
            else:
                part.replace(path)
                _tag_of(part).unlink(missing_ok=True)
    return path


class _Transfer:
    """Bytes of one address on their way into an open file, which keeps what came by earlier tries."""

    def __init__(
        self, url: str, part: Path, file: BufferedRandom, *, timeout: float, on_progress: Progress | None
    ) -> None:
        self.url, self.part, self.tag, self.file, self.timeout = url, part, _tag_of(part), file, timeout
        self.on_progress = on_progress or (lambda done, total: None)
        self.opener = build_opener(_NoDowngrade)

    def run(self, *, tries: int, pause: float) -> None:
        failures = 0
        while True:
            before = self._size()
            try:
                return self._attempt()
            except (OutputError, DownloadError):
                raise
            except (OSError, HTTPException) as error:
                failures = failures + 1 if self._size() <= before else 1
                if failures >= tries or not _may_pass(error):
                    raise _failed(self.url, _reason(error)) from error
                seconds = _asked_pause(error) or min(pause * 2 ** (failures - 1), _LONGEST_PAUSE)
                _log.warning("%s: %s; trying again in %.0f s", self.url, _reason(error), seconds)
                time.sleep(seconds)

    def _attempt(self) -> None:
        have = self._size()
        headers = {"User-Agent": "spoticell", "Accept-Encoding": "identity"}
        if have and self.tag.is_file():
            headers |= {"Range": f"bytes={have}-", "If-Range": self.tag.read_text(encoding="utf-8")}
        try:
            with self.opener.open(Request(self.url, headers=headers), timeout=self.timeout) as response:  # noqa: S310
                self._receive(response, have)
        except HTTPError as error:
            error.close()
            if error.code != _NOT_SATISFIABLE or not have:
                raise
            if _extent(error, have)[1] != have:  # the part is of no use: start over
                self.file.truncate(0)
                raise ConnectionError("the server's file is shorter than what was fetched of it") from None

    def _receive(self, response: Any, have: int) -> None:  # noqa: ANN401 - a response of http.client
        start, total = _extent(response, have)
        if start not in {0, have}:
            raise ConnectionError("the server sent another part of the file than was asked for")
        self._check_room(total - start)
        with writing(self.part):
            self._remember_tag(response)
            self.file.truncate(start)
            while chunk := response.read(_CHUNK):
                self.file.write(chunk)
                self.file.flush()
                self.on_progress(self._size(), total)
            os.fsync(self.file.fileno())
        if self._size() < total:
            raise ConnectionError(f"the connection was cut after {self._size():,} of {total:,} bytes")

    def _remember_tag(self, response: Any) -> None:  # noqa: ANN401
        if tag := _tag(response):
            self.tag.write_text(tag, encoding="utf-8")
        else:
            self.tag.unlink(missing_ok=True)

    def _size(self) -> int:
        return os.fstat(self.file.fileno()).st_size

    def _check_room(self, needed: int) -> None:
        free = shutil.disk_usage(self.tag.parent).free
        if needed > free:
            raise OutputError(
                f"{self.tag.parent} has {free / 1e9:.1f} GB left and {needed / 1e9:.1f} GB are still to come. "
                "Make room, or choose another disk."
            )


class _NoDowngrade(HTTPRedirectHandler):
    def redirect_request(  # noqa: PLR0917 - the library calls it so
        self,
        req: Request,
        fp: Any,  # noqa: ANN401
        code: int,
        msg: str,
        headers: Any,  # noqa: ANN401
        newurl: str,
    ) -> Request | None:
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme != "https":
            raise _failed(req.full_url, "the server leads to an address without https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _write_record(path: Path, url: str, file: BufferedRandom) -> None:
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    record = {"url": url, "bytes": os.fstat(file.fileno()).st_size, "sha256": digest}
    write_json(path.with_name(f"{path.name}.json"), record)


def _tag_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.tag")


def _tag(response: Any) -> str:  # noqa: ANN401
    """Give what tells this version of the server's file from others, or ''."""
    tag = str(response.headers.get("ETag") or "")
    return "" if tag.startswith("W/") else tag or str(response.headers.get("Last-Modified") or "")


def _extent(response: Any, have: int) -> tuple[int, int]:  # noqa: ANN401
    """Where the bytes of an answer start, and how many the whole file has (0: not said)."""
    found = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+)", response.headers.get("Content-Range", ""))
    if found:
        return int(found[1] or have), int(found[2])
    return 0, int(response.headers.get("Content-Length") or 0)


def _may_pass(error: Exception) -> bool:
    return error.code in _MAY_PASS if isinstance(error, HTTPError) else True


def _asked_pause(error: Exception) -> float:
    asked = error.headers.get("Retry-After", "") if isinstance(error, HTTPError) else ""
    return min(float(asked), _LONGEST_PAUSE) if asked.isdigit() else 0


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"the server answered {error.code} ({error.reason})"
    if isinstance(error, TimeoutError) or (isinstance(error, URLError) and isinstance(error.reason, TimeoutError)):
        return "the server did not answer in time"
    if isinstance(error, URLError):
        return f"the server can't be reached ({error.reason})"
    return str(error) or type(error).__name__


def _failed(url: str, reason: str) -> DownloadError:
    return DownloadError(f"{url} can't be fetched: {reason}.")
