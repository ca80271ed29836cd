"""Who opens an address in a browser reads words, a program JSON."""

from dataclasses import replace

import pytest
from tests.web.conftest import serving, small

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
TOKEN = "correct horse"


@pytest.fixture(scope="module")
def locked(tmp_path_factory, tiny_bundle_folder):
    settings = small(tmp_path_factory.mktemp("locked"), tiny_bundle_folder)
    with serving(replace(settings, token=TOKEN)) as client:
        yield client


def words_of(reply, status):
    assert reply.status_code == status
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["content-security-policy"].startswith("default-src 'self'; ")
    assert "[[" not in reply.text
    return reply.text


@pytest.mark.parametrize("path", ["/nothing", "/api/nothing", f"/api/jobs/{'0' * 32}", "/static/nothing.js"])
def test_an_address_where_nothing_is_is_told_in_words(shared, path):
    words = words_of(shared.get(path, headers=BROWSER), 404)
    assert "There is nothing here" in words
    assert 'href="/"' in words
    assert shared.get(path).json()["error"]


def test_an_old_link_with_a_token_is_told_in_words(locked):
    words = words_of(locked.get("/", params={"token": "old"}, headers=BROWSER), 401)
    assert "This link doesn’t open the server" in words
    assert "Enter a token" in words
    assert locked.get("/", params={"token": "old"}).json() == {"error": "That is not the token of this server."}


def test_a_result_behind_a_token_is_told_in_words(locked):
    assert "Enter a token" in words_of(locked.get(f"/api/jobs/{'0' * 32}", headers=BROWSER), 401)


def test_a_value_that_can_not_be_is_told_in_words_that_hold_no_page(shared):
    words = words_of(shared.get("/api/jobs/<b>x", headers=BROWSER), 422)
    assert "didn’t work" in words
    assert "<b>" not in words


def test_a_name_that_the_server_does_not_have_is_told_in_words(shared):
    words_of(shared.get("/", headers=BROWSER | {"Host": "evil.example"}), 400)


def test_a_fault_of_the_server_is_told_in_words(shared, done_job, monkeypatch):
    def fail(*_):
        raise ValueError("secret")

    monkeypatch.setattr("spoticell.web.site.Site.job", fail)
    assert "secret" not in words_of(shared.get(f"/api/jobs/{done_job['id']}", headers=BROWSER), 500)
