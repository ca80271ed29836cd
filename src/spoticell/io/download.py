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
import sys
import time
from http.client import HTTPException, InvalidURL, responses
from io import BufferedRandom
from pathlib import Path
from ssl import SSLCertVerificationError
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from spoticell.errors import DownloadError, OutputError
from spoticell.io.address import LOCAL
from spoticell.io.sealed import alone
from spoticell.io.write import amount, write_json, writing
from spoticell.progress import Progress

_CHUNK = 1 << 20
_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_SATISFIABLE = 416
_LONGEST_PAUSE = 60.0
_TAG = re.compile(r"[\x21-\x7e ]{1,200}")
_log = logging.getLogger("spoticell.download")
"""Of its own, so that a command whose output a program reads can do without its remarks."""


def fetch(
    url: str,
    path: Path,
    *,
    most: int | None = None,
    timeout: float = 30,
    tries: int = 4,
    pause: float = 1,
    on_progress: Progress | None = None,
) -> Path:
    """Fetch a file unless it is there already.

    Parameters
    ----------
    url
        An ``https`` or ``http`` address; one that leads from ``https`` to ``http``, or from this machine to another
        one without ``https``, is refused.
    path
        Where the file shall be; its folder is made if need be.
    most
        Bytes that it may have; a longer one is refused, and nothing of it kept.
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
    _host_of(url)
    if path.is_file():
        return path
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        taken = OutputError(f"{part} is being written by another process. Wait for it, or stop it.")
        with alone(part, taken) as file:
            transfer = _Transfer(url, part, file, most=most, timeout=timeout, on_progress=on_progress)
            _complete(transfer, path, tries=tries, pause=pause)
    return path


def _complete(transfer: _Transfer, path: Path, *, tries: int, pause: float) -> None:
    faster = path.is_file()  # another process, while this one waited for its turn
    if not faster:
        transfer.run(tries=tries, pause=pause)
        _write_record(path, transfer.url, transfer.file)
    if os.name == "nt":  # where an open file can be neither moved nor removed
        transfer.file.close()
    if faster:
        transfer.part.unlink(missing_ok=True)
    else:
        transfer.part.replace(path)
        transfer.tag.unlink(missing_ok=True)


class _Transfer:
    """Bytes of one address on their way into an open file, which keeps what came by earlier tries."""

    def __init__(
        self,
        url: str,
        part: Path,
        file: BufferedRandom,
        *,
        most: int | None,
        timeout: float,
        on_progress: Progress | None,
    ) -> None:
        self.url, self.part, self.tag, self.file, self.timeout = url, part, _tag_of(part), file, timeout
        self.most = sys.maxsize if most is None else most
        self.on_progress = on_progress or (lambda done, total: None)
        self.opener = build_opener(_SafeRedirects)

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
                _log.warning("%s: %s; trying again in %.0f s", _shown(self.url), _reason(error), seconds)
                time.sleep(seconds)

    def _attempt(self) -> None:
        have = self._size()
        headers = {"User-Agent": "spoticell", "Accept-Encoding": "identity"}
        if have and self.tag.is_file():
            tag = self.tag.read_text(encoding="utf-8", errors="replace")
            headers |= {"Range": f"bytes={have}-", "If-Range": tag} if _TAG.fullmatch(tag) else {}
        try:
            with self.opener.open(Request(self.url, headers=headers), timeout=self.timeout) as response:  # noqa: S310
                self._receive(response, have)
        except HTTPError as error:
            error.close()
            if error.code != _NOT_SATISFIABLE or not have:
                raise
            if self._extent(error, have)[1] != have:  # the part is of no use: start over
                self.file.truncate(0)
                raise ConnectionError("the server's file is shorter than what was fetched of it") from None

    def _receive(self, response: Any, have: int) -> None:  # noqa: ANN401 - a response of http.client
        start, total = self._extent(response, have)
        if start not in {0, have}:
            raise ConnectionError("the server sent another part of the file than was asked for")
        self._check_length(total)
        self._check_room(total - start)
        with writing(self.part):
            self._remember_tag(response)
            self.file.truncate(start)
            while chunk := response.read(_CHUNK):
                self.file.write(chunk)
                self.file.flush()
                self._check_length(self._size())
                self.on_progress(self._size(), total)
            os.fsync(self.file.fileno())
        if self._size() < total:
            raise ConnectionError(f"the connection was cut after {self._size():,} of {total:,} bytes")

    def _extent(self, response: Any, have: int) -> tuple[int, int]:  # noqa: ANN401
        """Where the bytes of an answer start, and how many the whole file has (0: not said)."""
        part, length = (str(response.headers.get(name) or "") for name in ("Content-Range", "Content-Length"))
        found = re.fullmatch(r"bytes (?:([0-9]{1,18})-[0-9]{1,18}|\*)/([0-9]{1,18}|\*)", part)
        if found:
            return int(found[1] or have), 0 if found[2] == "*" else int(found[2])
        if part or not re.fullmatch(r"[0-9]{0,18}", length):
            raise _failed(self.url, f"the server states a length that can't be ({(part or length)[:40]!r})")
        return 0, int(length or 0)

    def _remember_tag(self, response: Any) -> None:  # noqa: ANN401
        if tag := _tag(response):
            self.tag.write_text(tag, encoding="utf-8")
        else:
            self.tag.unlink(missing_ok=True)

    def _size(self) -> int:
        return os.fstat(self.file.fileno()).st_size

    def _check_length(self, found: int) -> None:
        if found > self.most:
            self.file.truncate(0)
            raise _failed(self.url, f"it is longer than the {self.most:,} bytes that it may have")

    def _check_room(self, needed: int) -> None:
        free = shutil.disk_usage(self.tag.parent).free
        if needed > free:
            raise OutputError(
                f"{self.tag.parent} has {amount(free)} left and {amount(needed)} are still to come. "
                "Make room, or choose another disk."
            )


class _SafeRedirects(HTTPRedirectHandler):
    def redirect_request(  # noqa: PLR0917 - the library calls it so
        self,
        req: Request,
        fp: Any,  # noqa: ANN401
        code: int,
        msg: str,
        headers: Any,  # noqa: ANN401
        newurl: str,
    ) -> Request | None:
        (before, was_local), (after, is_local) = _host_of(req.full_url), _host_of(newurl)
        if after != "https" and (before == "https" or (was_local and not is_local)):
            raise _failed(req.full_url, "the server leads to an address without https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _host_of(url: str) -> tuple[str, bool]:
    """Give the scheme of an address and whether it is on this machine; one that can't be is refused."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        raise _failed(url, "it is no address") from None
    if parts.scheme not in {"https", "http"}:
        raise _failed(url, "only https and http are spoken here")
    # a path with such characters is one whose writer forgot to quote it; no server could be asked for it
    if (
        not host
        or not re.fullmatch(r"[^\s\x00-\x20\x7f]+", host)
        or not re.fullmatch(r"[!-~]*", parts.path + parts.query)
    ):
        raise _failed(url, "it is no address")
    return parts.scheme, host in LOCAL


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
    tag = "" if tag.startswith("W/") else tag or str(response.headers.get("Last-Modified") or "")
    return tag if _TAG.fullmatch(tag) else ""


def _may_pass(error: Exception) -> bool:
    if isinstance(error, URLError) and isinstance(error.reason, SSLCertVerificationError):
        return False
    return error.code in _MAY_PASS if isinstance(error, HTTPError) else not isinstance(error, InvalidURL)


def _asked_pause(error: Exception) -> float:
    asked = error.headers.get("Retry-After", "") if isinstance(error, HTTPError) else ""
    return min(float(asked), _LONGEST_PAUSE) if re.fullmatch("[0-9]{1,9}", asked) else 0


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        if error.code // 100 == 3:
            return "the server leads in circles, or to what is no address of the web"
        # in the words of the standard: the server's own may be anything
        words = responses.get(error.code, "a number without a meaning")
        return f"the server answered {error.code} ({words})"
    if isinstance(error, TimeoutError) or (isinstance(error, URLError) and isinstance(error.reason, TimeoutError)):
        return "the server did not answer in time"
    if isinstance(error, URLError) and isinstance(error.reason, SSLCertVerificationError):
        return f"the server's certificate is not valid ({error.reason.verify_message})"
    if isinstance(error, URLError):
        return f"the server can't be reached ({error.reason})"
    return str(error) or type(error).__name__


def _failed(url: str, reason: str) -> DownloadError:
    return DownloadError(f"{_shown(url)[:300]} can't be fetched: {reason}.")


def _shown(url: str) -> str:
    """Give an address without user and query, in which passwords and signatures stand."""
    return re.sub(r"//[^/@]*@", "//", re.split(r"[?#]", url, maxsplit=1)[0])
