"""Answers of servers that are strange, lead elsewhere, or come too slowly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.request import Request

import pytest
from tests.serving import server_of

from spoticell.errors import DownloadError
from spoticell.io import download
from spoticell.io.download import fetch

Serve = Callable[..., str]


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collects the seconds waited for, and doesn't wait."""
    waited: list[float] = []
    monkeypatch.setattr(download.time, "sleep", waited.append)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return waited


@pytest.fixture
def answering() -> Iterator[Serve]:
    """Starts a server that answers each request with a number, headers and a body; it waits before its last byte."""
    running, end = [], threading.Event()

    def start(code: int, headers: dict[str, str], body: bytes = b"cells", *, stalls: bool = False) -> str:
        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(code, "\x1b[31mEVIL")
            for name, value in headers.items():
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(body[:-1] if stalls else body)
            if stalls:
                request.wfile.flush()
                end.wait(20)

        http = server_of(answer)
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((http, thread))
        return f"http://127.0.0.1:{http.server_address[1]}/x"

    yield start
    end.set()
    for http, thread in running:
        http.shutdown()
        http.server_close()
        thread.join()


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "abc"},
        {"Content-Length": "-5"},
        {"Content-Length": "9" * 30},
        {"Content-Length": "\xb2"},
        {"Content-Range": "cells"},
        {"Content-Range": "bytes 99999999999999999999-5/7"},
        {"Content-Range": "bytes 0-4/\xb2"},
    ],
    ids=str,
)
def test_a_length_that_cant_be_is_refused_at_once(
    answering: Serve, tmp_path: Path, pauses: list[float], headers: dict[str, str]
) -> None:
    with pytest.raises(DownloadError, match="the server states a length that can't be"):
        fetch(answering(200, headers), tmp_path / "x")
    assert pauses == []


def test_a_part_of_a_file_of_unknown_length_is_taken(answering: Serve, tmp_path: Path) -> None:
    assert fetch(answering(206, {"Content-Range": "bytes 0-4/*"}), tmp_path / "x").read_bytes() == b"cells"


def test_another_part_than_was_asked_for_is_not_taken(answering: Serve, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="sent another part of the file"):
        fetch(answering(206, {"Content-Range": "bytes 3-7/8"}), tmp_path / "x", tries=1)


@pytest.mark.parametrize("tag", ["\x1b[31m", "t\xe4g", "x" * 201])
def test_a_strange_tag_is_not_remembered(answering: Serve, tmp_path: Path, tag: str) -> None:
    with pytest.raises(DownloadError, match="was cut"):
        fetch(answering(200, {"ETag": tag, "Content-Length": "9"}), tmp_path / "x", tries=1)
    assert [path.name for path in tmp_path.iterdir()] == ["x.part"]


@pytest.mark.parametrize("tag", [b"\xff\xfe", b"a\nb", b""])
def test_a_damaged_record_of_a_tag_has_the_file_fetched_anew(answering: Serve, tmp_path: Path, tag: bytes) -> None:
    (tmp_path / "x.part").write_bytes(b"cel")
    (tmp_path / "x.part.tag").write_bytes(tag)
    assert fetch(answering(200, {"Content-Length": "5"}), tmp_path / "x").read_bytes() == b"cells"


@pytest.mark.parametrize("asked", ["\xb2", "9" * 400, "soon", "-1"])
def test_a_strange_pause_is_not_kept(answering: Serve, tmp_path: Path, pauses: list[float], asked: str) -> None:
    with pytest.raises(DownloadError, match=r"answered 503 \(Service Unavailable\)"):
        fetch(answering(503, {"Retry-After": asked}), tmp_path / "x", tries=2)
    assert pauses == [1]


@pytest.mark.parametrize("code", [404, 799])
def test_the_words_of_a_server_are_not_repeated(answering: Serve, tmp_path: Path, code: int) -> None:
    with pytest.raises(DownloadError, match=f"the server answered {code} ") as error:
        fetch(answering(code, {}), tmp_path / "x")
    assert "EVIL" not in str(error.value)


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("http://example.org/x", "an address without https"),
        ("ftp://example.org/x", "only https and http"),
        ("ftp://127.0.0.1/x", "only https and http"),
        ("file:///etc/passwd", "leads in circles, or to what is no address of the web"),
        ("http://loc alhost/x", "an address without https"),
        ("http://a..b/x", "is no address"),
    ],
)
def test_a_server_of_this_machine_cant_lead_astray(
    answering: Serve, tmp_path: Path, pauses: list[float], place: str, why: str
) -> None:
    with pytest.raises(DownloadError, match=why):
        fetch(answering(302, {"Location": place}), tmp_path / "x")
    assert pauses == []


def test_a_server_of_this_machine_may_lead_to_another_one_of_it(answering: Serve, tmp_path: Path) -> None:
    other = answering(200, {"Content-Length": "5"})
    assert fetch(answering(302, {"Location": other}), tmp_path / "x").read_bytes() == b"cells"


@pytest.mark.rows(53)
@pytest.mark.parametrize("new", ["http://b/x", "http://127.0.0.1/x", "ftp://b/x"])
def test_https_is_never_left(new: str) -> None:
    with pytest.raises(DownloadError, match="https"):
        download._SafeRedirects().redirect_request(Request("https://a/x"), None, 302, "", {}, new)


def test_https_may_lead_to_https() -> None:
    led = download._SafeRedirects().redirect_request(Request("https://a/x"), None, 302, "", {}, "https://b/x")
    assert led is not None
    assert led.full_url == "https://b/x"


@pytest.mark.parametrize(
    "url",
    [
        "https://loc alhost/x",
        "https://ex\x00ample.org/x",
        "https://[::1/x",
        "https://localhost:99999999/x",
        "https://localhost:port/x",
        "https:///x",
        "https://a..b/x",
        "https://example.org/a b",
        "https://example.org/\xe4",
    ],
)
def test_an_address_that_cant_be_is_tried_once(tmp_path: Path, pauses: list[float], url: str) -> None:
    with pytest.raises(DownloadError, match="can't be fetched: it is no address"):
        fetch(url, tmp_path / "x")
    assert pauses == []


def test_a_long_address_is_cut_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(DownloadError) as error:
        fetch("ftp://example.org/" + "x" * 5_000, tmp_path / "x")
    assert len(str(error.value)) < 400


def test_a_server_that_stops_in_the_middle_counts_as_silent(
    answering: Serve, tmp_path: Path, pauses: list[float]
) -> None:
    url = answering(200, {"Content-Length": "5"}, stalls=True)
    with pytest.raises(DownloadError, match="the server did not answer in time"):
        fetch(url, tmp_path / "x", timeout=0.05, tries=3)
    assert pauses == [1, 2]
