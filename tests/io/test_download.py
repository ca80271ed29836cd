"""Fetching, from a server on this machine that breaks in every way it is told to."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import namedtuple
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.serving import server_of

from spoticell.corpus import original
from spoticell.corpus.original import OriginalDataset, fetch_originals
from spoticell.errors import DownloadError, OutputError
from spoticell.io import download
from spoticell.io.download import fetch
from spoticell.io.sealed import alone

PAYLOAD = bytes(range(256)) * 40


class Server:
    """Serves one file; ``script`` says how each request is answered, and once it is used up all goes well.

    A number below 400 cuts the connection after so many bytes, one from 400 on is an error, ``no ranges`` gives
    the whole file whatever was asked for.
    """

    def __init__(self) -> None:
        self.payload, self.tag, self.script, self.headers = PAYLOAD, '"one"', list[object](), dict[str, str]()
        self.asked: list[str | None] = []
        self.http = server_of(self.answer)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/cells.h5ad"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range")
        self.asked.append(wanted)
        step = self.script.pop(0) if self.script else None
        if isinstance(step, int) and step >= 400:
            request.send_response(step)
            self._end(request, {"Content-Length": "0"} | self.headers)
            return
        start = int(re.findall(r"\d+", wanted)[0]) if wanted else 0
        if request.headers.get("If-Range") != self.tag or step == "no ranges":
            start = 0
        if start and start >= len(self.payload):
            request.send_response(416)
            self._end(request, {"Content-Range": f"bytes */{len(self.payload)}", "Content-Length": "0"})
            return
        body = self.payload[start:]
        request.send_response(206 if start else 200)
        ranges = {"Content-Range": f"bytes {start}-{len(self.payload) - 1}/{len(self.payload)}"} if start else {}
        self._end(request, {"Content-Length": str(len(body)), "ETag": self.tag} | ranges | self.headers)
        request.wfile.write(body[:step] if isinstance(step, int) else body)

    def _end(self, request: BaseHTTPRequestHandler, headers: dict[str, str]) -> None:
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collects the seconds waited for, and doesn't wait."""
    waited: list[float] = []
    monkeypatch.setattr(download.time, "sleep", waited.append)
    return waited


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "raw" / "cells.h5ad"


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


def test_a_file_comes_whole_and_its_record_says_what_it_is(server: Server, path: Path) -> None:
    assert fetch(server.url, path) == path
    assert path.read_bytes() == PAYLOAD
    record = json.loads(path.with_name("cells.h5ad.json").read_text())
    assert record == {"url": server.url, "bytes": len(PAYLOAD), "sha256": hashlib.sha256(PAYLOAD).hexdigest()}
    assert names(path) == ["cells.h5ad", "cells.h5ad.json"]


def test_a_file_that_is_there_is_not_asked_for_again(server: Server, path: Path) -> None:
    fetch(server.url, path)
    fetch(server.url, path)
    assert len(server.asked) == 1


@pytest.mark.parametrize("cuts", [[0], [1], [399], [300, 0, 0, 300, 17]], ids=str)
@pytest.mark.rows(53)
def test_a_cut_connection_is_taken_up_where_it_broke(server: Server, path: Path, cuts: list[int]) -> None:
    server.script = list(cuts)
    fetch(server.url, path)
    assert path.read_bytes() == PAYLOAD
    assert server.asked[-1] == (f"bytes={sum(cuts)}-" if sum(cuts) else None)


def test_any_number_of_cuts_is_survived_while_bytes_keep_coming(server: Server, path: Path) -> None:
    server.script = [300] * 30
    fetch(server.url, path, tries=2)
    assert path.read_bytes() == PAYLOAD


def test_what_an_earlier_process_fetched_is_used(server: Server, path: Path) -> None:
    server.script = [350, 500, 500]
    with pytest.raises(DownloadError):
        fetch(server.url, path, tries=2)
    assert names(path) == ["cells.h5ad.part", "cells.h5ad.part.tag"]
    fetch(server.url, path)
    assert path.read_bytes() == PAYLOAD
    assert server.asked[-1] == "bytes=350-"


def test_a_file_that_changed_on_the_server_is_fetched_anew(server: Server, path: Path) -> None:
    server.script = [350, 500]
    with pytest.raises(DownloadError):
        fetch(server.url, path, tries=1)
    server.script, server.payload, server.tag = [], PAYLOAD[::-1], '"two"'
    fetch(server.url, path)
    assert path.read_bytes() == PAYLOAD[::-1]


@pytest.mark.parametrize("tag", ['W/"weak"', ""])
def test_without_a_firm_tag_nothing_is_joined(server: Server, path: Path, tag: str) -> None:
    server.tag, server.script = tag, [350]
    fetch(server.url, path)
    assert path.read_bytes() == PAYLOAD
    assert server.asked == [None, None]


def test_a_server_without_ranges_sends_it_all_again(server: Server, path: Path) -> None:
    server.script = [350, "no ranges"]
    fetch(server.url, path)
    assert path.read_bytes() == PAYLOAD


@pytest.mark.parametrize("spare", [0, 5], ids=["whole", "too long"])
def test_a_part_that_reaches_the_end_is_finished_or_begun_anew(server: Server, path: Path, spare: int) -> None:
    path.parent.mkdir()
    path.with_name("cells.h5ad.part").write_bytes(PAYLOAD + b"x" * spare)
    path.with_name("cells.h5ad.part.tag").write_text('"one"')
    fetch(server.url, path)
    assert path.read_bytes() == PAYLOAD


@pytest.mark.parametrize("code", [403, 404, 410])
def test_a_refusal_is_final(server: Server, path: Path, code: int) -> None:
    server.script = [code]
    with pytest.raises(DownloadError, match=rf"cells.h5ad can't be fetched: the server answered {code}"):
        fetch(server.url, path)
    assert len(server.asked) == 1


def test_a_busy_server_is_asked_again_after_growing_pauses(server: Server, path: Path, pauses: list[float]) -> None:
    server.script = [503, 429, 500]
    fetch(server.url, path)
    assert path.read_bytes() == PAYLOAD
    assert pauses == [1, 2, 4]


def test_a_busy_server_may_name_the_pause_within_reason(server: Server, path: Path, pauses: list[float]) -> None:
    server.script, server.headers = [503, 503], {"Retry-After": "7"}
    fetch(server.url, path)
    assert pauses == [7, 7]
    server.script, server.headers = [503], {"Retry-After": "99999"}
    fetch(server.url, path.with_name("other.h5ad"))
    assert pauses[-1] == 60


@pytest.mark.rows(53)
def test_without_a_server_it_says_so_after_a_few_tries(server: Server, path: Path, pauses: list[float]) -> None:
    server.http.server_close()
    with pytest.raises(DownloadError, match=r"can't be fetched: the server can't be reached \(.*refused"):
        fetch(server.url, path)
    assert pauses == [1, 2, 4]
    assert not path.exists()


def test_a_silent_server_counts_as_unreachable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    silent = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # listens, but nobody answers
    with silent, pytest.raises(DownloadError, match="did not answer in time"):
        fetch(f"http://127.0.0.1:{silent.server_address[1]}/x", path, timeout=0.05, tries=2)


def test_progress_ends_at_the_size(server: Server, path: Path) -> None:
    seen: list[tuple[int, int]] = []
    server.script = [300]
    fetch(server.url, path, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (300, len(PAYLOAD))
    assert seen[-1] == (len(PAYLOAD), len(PAYLOAD))


@pytest.mark.rows(53)
def test_two_processes_do_not_write_one_file(server: Server, path: Path) -> None:
    path.parent.mkdir()
    part = path.with_name("cells.h5ad.part")
    part.write_bytes(PAYLOAD[:300])
    with alone(part, OutputError("taken")), pytest.raises(OutputError, match=r"cells.h5ad.part is being .*another"):
        fetch(server.url, path)
    assert part.read_bytes() == PAYLOAD[:300]


def test_a_disk_without_room_is_noticed_before_it_is_filled(
    server: Server, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(download.shutil, "disk_usage", lambda folder: usage(100))
    with pytest.raises(OutputError, match="has 100 bytes left and 10,240 bytes are still to come"):
        fetch(server.url, path)
    assert len(server.asked) == 1


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x", "/etc/passwd"])
def test_only_the_web_is_fetched_from(url: str, path: Path) -> None:
    with pytest.raises(DownloadError, match="only https and http"):
        fetch(url, path)


def test_the_seven_come_from_their_addresses_into_files_of_their_names(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tuple(OriginalDataset(name, 1, name, server.url, frozenset()) for name in ("a", "b"))
    monkeypatch.setattr(original, "original_datasets", lambda: here)
    seen: list[tuple[int, int]] = []
    paths = fetch_originals(tmp_path / "raw", on_progress=lambda done, total: seen.append((done, total)))
    assert [path.name for path in paths] == ["a.h5ad", "b.h5ad"]
    assert seen == [(1000, 2000), (2000, 2000)]


def test_without_network_the_seven_point_to_local_files(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = (OriginalDataset("a", 1, "a", server.url, frozenset()),)
    monkeypatch.setattr(original, "original_datasets", lambda: here)
    server.http.server_close()
    with pytest.raises(DownloadError, match="give local files with --datasets"):
        fetch_originals(tmp_path / "raw")


@pytest.mark.parametrize("stated", [True, False])
def test_a_file_longer_than_it_may_be_is_refused_and_not_kept(server: Server, path: Path, stated: bool) -> None:
    if not stated:
        server.headers = {"Content-Length": ""}
    with pytest.raises(DownloadError, match="it is longer than the 999 bytes that it may have"):
        fetch(server.url, path, most=999)
    assert not path.exists()
    assert path.with_name("cells.h5ad.part").stat().st_size == 0
    assert fetch(server.url, path, most=len(PAYLOAD)) == path
