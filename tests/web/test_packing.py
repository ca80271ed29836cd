"""What is sent gzipped, and what isn't."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping

import httpx
import pytest


def raw(client: httpx.Client, path: str, **headers: str) -> tuple[Mapping[str, str], bytes]:
    with client.stream("GET", path, headers=headers) as reply:
        return reply.headers, b"".join(reply.iter_raw())


@pytest.mark.parametrize("path", ["/", "/static/js/result.js", "/static/css/base.css", "/api/openapi.json"])
def test_text_is_sent_gzipped_to_those_who_can_read_that(shared, path):
    headers, contents = raw(shared, path)
    assert headers["content-encoding"] == "gzip"
    plain_headers, plain = raw(shared, path, **{"accept-encoding": "identity"})
    assert "content-encoding" not in plain_headers
    assert gzip.decompress(contents) == plain
    assert len(contents) < len(plain)


def test_the_answers_of_the_api_are_gzipped_once(shared, done_job):
    for name in ("summary", "map"):
        headers, contents = raw(shared, done_job["links"][name])
        assert headers["content-encoding"] == "gzip"
        assert gzip.decompress(contents)[:2] != b"\x1f\x8b"


@pytest.mark.parametrize("name", ["annotated.h5ad", "report.html", "events"])
def test_files_and_events_are_sent_as_they_are(shared, done_job, name):
    headers, _ = raw(shared, done_job["links"][name])
    assert "content-encoding" not in headers


def test_the_page_is_light(shared):
    """All its files together, as they are sent."""
    html = shared.get("/").text
    pieces = {part.split('"')[0] for part in html.split('="')[1:] if part.startswith("/static/")}
    modules, seen = {"/static/js/main.js", "/static/map.html"} | pieces, set()
    while modules:
        path = modules.pop()
        seen.add(path)
        text = shared.get(path).text
        found = {f"/static/js/{name}" for name in re.findall(r'(?:from |import\()"\./([^"]+)"', text)}
        found |= {part.split('"')[0] for part in text.split('="')[1:] if part.startswith("/static/")}
        modules |= found - seen
    assert "/static/js/painter.js" in seen
    assert "/static/js/result.js" in seen
    assert sum(len(raw(shared, path)[1]) for path in seen | {"/"}) < 250_000


def test_no_two_parts_of_the_page_have_one_name(shared):
    names = re.findall(r' id="([^"]+)"', shared.get("/").text)
    assert sorted(names) == sorted(set(names))
