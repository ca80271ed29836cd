"""Who may ask, and what every answer carries."""

from __future__ import annotations

import re
import socket
from dataclasses import replace

import pytest
from tests.web.conftest import send, serving, small

from spoticell.web import guard
from spoticell.web.guard import COOKIE, FORM_ROOM

TOKEN = "correct horse"


@pytest.fixture
def client(shared):
    return shared


@pytest.fixture(scope="module")
def locked_server(tmp_path_factory, tiny_bundle_folder):
    settings = small(tmp_path_factory.mktemp("locked"), tiny_bundle_folder)
    with serving(replace(settings, token=TOKEN, hosts=("localhost", "lab.example.org"))) as client:
        yield client


@pytest.fixture
def locked(locked_server):
    """A visitor who remembers nothing of earlier tests: the page leaves the token in a cookie."""
    locked_server.cookies.clear()
    return locked_server


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.nip.io", "[::2]:80"])
@pytest.mark.rows(62)
def test_other_names_are_not_answered_to(client, host):
    reply = client.get("/api/info", headers={"Host": host})
    assert reply.status_code == 400
    assert "error" in reply.json()


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1234", "127.0.0.1:8050", "[::1]:8050"])
def test_this_machine_is_answered_to_by_all_its_names(client, host):
    assert client.get("/api/info", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.rows(62)
def test_other_sites_can_write_nothing(client, headers, done_job):
    for method, path in (("POST", "/api/jobs/demo"), ("DELETE", f"/api/jobs/{done_job['id']}")):
        assert client.request(method, path, headers=headers).status_code == 403
    assert client.get(f"/api/jobs/{done_job['id']}").status_code == 200


def test_the_page_itself_can_write(client):
    origin = str(client.base_url).rstrip("/")
    reply = client.post("/api/jobs", headers={"Origin": origin, "Sec-Fetch-Site": "same-origin"})
    assert reply.status_code == 415


@pytest.mark.parametrize("path", ["/", "/jobs/x", "/api/info", "/api/nothing", "/static/js/main.js"])
def test_every_answer_carries_the_strict_policy(client, path):
    headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self'; ")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"


def test_results_stay_in_no_cache_and_the_pages_files_are_asked_after(client, done_job):
    assert client.get(done_job["links"]["summary"]).headers["cache-control"] == "no-store"
    script = client.get("/static/js/main.js")
    assert script.headers["cache-control"] == "no-cache"
    again = client.get("/static/js/main.js", headers={"If-None-Match": script.headers["etag"]})
    assert again.status_code == 304


def test_the_map_is_in_a_frame_without_rights(client):
    headers = client.get("/static/map.html").headers
    assert headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none'; ")
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert client.get("/static/js/frame.js").headers["cross-origin-resource-policy"] == "cross-origin"


def test_without_the_token_the_api_is_closed(locked):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Cookie": f"{COOKIE}=x"}):
        assert locked.get("/api/info", headers=headers).status_code == 401
        assert locked.post("/api/jobs", headers=headers).status_code == 401
    assert locked.get("/").status_code == 200
    assert locked.get("/static/map.html").status_code == 200


def test_programs_show_the_token_in_a_header(locked, tiny_file):
    assert locked.get("/api/info", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/jobs/0123"])
def test_a_browser_shows_the_token_once_and_keeps_a_cookie(locked, path):
    reply = locked.get(path, params={"token": TOKEN, "view": "map"})
    assert (reply.status_code, reply.headers["location"]) == (303, f"{path}?view=map")
    cookie = reply.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN.split(" ", maxsplit=1)[0] not in cookie
    shown = re.match(r"(\w+=\w+);", cookie)[1]
    locked.cookies.clear()
    assert locked.get("/api/info", headers={"Cookie": shown}).status_code == 200


def test_a_wrong_token_opens_nothing(locked):
    assert locked.get("/", params={"token": "wrong"}).status_code == 401
    reply = locked.post("/api/token", json={"token": "wrong"})
    assert (reply.status_code, "set-cookie" in reply.headers) == (401, False)


def test_a_form_can_show_the_token(locked):
    reply = locked.post("/api/token", json={"token": TOKEN})
    assert reply.status_code == 204
    shown = reply.headers["set-cookie"].split(";")[0]
    locked.cookies.clear()
    assert locked.get("/api/info", headers={"Cookie": shown}).status_code == 200


def test_a_token_in_the_address_leads_to_no_other_server(locked):
    reply = locked.get(f"{locked.base_url}//evil.example/?token={TOKEN.replace(' ', '+')}")
    assert not reply.headers.get("location", "/").startswith("//")


@pytest.mark.parametrize(
    "path",
    ["/static/../settings.py", "/static/%2e%2e/settings.py", "/static/..%2fsettings.py", "/static//etc/passwd",
     "/static/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd"],
)  # fmt: skip
@pytest.mark.rows(62)
def test_no_path_leads_out_of_the_pages_files(client, path):
    reply = client.get(f"{client.base_url}{path}")
    assert reply.status_code in {404, 200}
    assert "settings" not in reply.text or reply.headers["content-type"].startswith("text/html")
    assert "root:" not in reply.text


@pytest.mark.parametrize("name", ["..%2f..%2ffindings.json", "summary.json", "annotated.h5ad%00", "..%2fresults"])
def test_no_other_files_can_be_fetched(client, done_job, name):
    assert client.get(f"/api/jobs/{done_job['id']}/files/{name}").status_code in {404, 422}


@pytest.mark.parametrize("ident", ["0" * 32, "..", "%2e%2e", "f" * 31, "F" * 32, "' OR 1=1 --"])
@pytest.mark.rows(61)
def test_a_guessed_job_is_no_job(client, ident):
    assert client.get(f"/api/jobs/{ident}").status_code in {404, 422}
    assert client.delete(f"/api/jobs/{ident}").status_code in {404, 405, 422}


def test_jobs_are_not_listed(client):
    assert client.get("/api/jobs").status_code == 405
    assert client.get("/jobs").status_code == 404


@pytest.mark.rows(62)
def test_words_from_a_file_can_break_neither_a_header_nor_json(client, tiny_file):
    job = send(client, tiny_file, 'x"; filename="evil\r\nX-Evil: 1.h5ad').json()
    assert "\n" not in job["name"]
    client.delete(f"/api/jobs/{job['id']}")


@pytest.mark.parametrize("pieces", [None, 1, 8])
def test_a_body_that_is_too_long_is_refused_in_words(client, done_job, pieces):
    body = b" " * (2 * FORM_ROOM)
    for _ in range(5):
        # in pieces it doesn't say how long it is
        content = body if pieces is None else iter([body[: len(body) // pieces]] * pieces)
        reply = client.post(f"/api/jobs/{done_job['id']}/run", content=content)
        assert (reply.status_code, reply.json()) == (413, {"error": "The request is too long."})


def test_who_never_sends_the_rest_of_a_body_that_is_too_long_is_answered_all_the_same(client, monkeypatch):
    monkeypatch.setattr(guard, "PATIENCE", 0.1)
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=30) as line:
        line.sendall(f"POST /api/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: {2 * FORM_ROOM}\r\n\r\n".encode())
        assert line.recv(64).startswith(b"HTTP/1.1 413")


def test_a_run_with_a_wrong_order_is_refused(client, done_job):
    assert client.post(f"/api/jobs/{done_job['id']}/run", content=b'{"threshold": 7}').status_code == 422
