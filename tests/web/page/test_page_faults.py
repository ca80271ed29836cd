"""What the page says when something is wrong, and that it finds back."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.web.page.conftest import LIMIT_GIB, Server, window


def bring(page, path):
    page.goto("/")
    page.set_input_files("#file", path)


def test_a_file_that_holds_no_cells_is_refused_on_the_spot(page, tmp_path):
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7 " + b"x" * 1000)
    bring(page, paper)
    page.wait_for_selector("#refused:visible")
    assert "PDF" in page.locator("#refused").inner_text()
    assert page.locator("#start").is_visible()


def test_an_empty_file_is_refused_on_the_spot(page, tmp_path):
    empty = tmp_path / "empty.h5ad"
    empty.touch()
    bring(page, empty)
    page.wait_for_selector("#refused:visible")
    assert "empty" in page.locator("#refused").inner_text()


def test_a_file_that_is_too_large_isnt_sent(page, tmp_path):
    large = tmp_path / "large.h5ad"
    with large.open("wb") as file:
        file.truncate(int(LIMIT_GIB * 2**30) + 1)
    sent = []
    page.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    page.goto("/")
    # until the server has said what it takes, a file is sent for it to judge
    page.wait_for_selector("#limit:not(:empty)")
    page.set_input_files("#file", large)
    page.wait_for_selector("#refused:visible")
    assert "this server takes up to" in page.locator("#refused").inner_text()
    assert sent == []


def test_a_file_without_counts_says_what_is_wrong(page, tmp_path, tiny_cells):
    tiny_cells.X = tiny_cells.X.multiply(-1).tocsr()
    path = tmp_path / "negative.h5ad"
    tiny_cells.write_h5ad(path)
    bring(page, path)
    page.get_by_role("heading", name="This file can’t be used").wait_for()
    assert "negative.h5ad" in page.locator("#trouble-text").inner_text()
    page.get_by_role("button", name="Delete the file").click()
    page.locator("#sure-delete").click()
    page.wait_for_selector("#start:visible")


def test_a_type_that_is_none_is_said_to_beside_the_settings(page, cells_file):
    bring(page, cells_file)
    page.get_by_text("Settings", exact=True).click()
    page.get_by_label("Allowed types").fill("fibroblats")
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#run-refused:visible")
    assert "near it are 'fibroblast'" in page.locator("#run-refused").inner_text()
    assert page.get_by_label("Allowed types").input_value() == "fibroblats"
    page.get_by_label("Allowed types").fill("fibroblast")
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")


def test_a_run_can_be_cancelled_and_begun_again(page, server, cells_file):
    bring(page, cells_file)
    with server.holding():
        page.get_by_role("button", name="Name the cells").click()
        page.get_by_role("button", name="Cancel").click()
        page.locator("#job-eyebrow", has_text="Cancelled").wait_for()
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")


def test_an_upload_can_be_stopped(page, cells_file):
    page.route("**/api/jobs", lambda route: None)  # never answered
    bring(page, cells_file)
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_selector("#start:visible")


@pytest.mark.parametrize("hard", [pytest.param(False, marks=pytest.mark.slow), True], ids=["stopped", "killed"])
def test_a_server_that_is_started_again_during_a_run_finishes_it(page, server, cells_file, hard):
    bring(page, cells_file)
    with server.holding():
        page.get_by_role("button", name="Name the cells").click()
        page.locator("#stage", has_text="Naming cells").wait_for()
        server.stop(hard=hard)
    server.start()
    page.wait_for_selector("#map[data-drawn]")
    assert "cells have a type" in page.locator("#result-lead").inner_text()


def test_a_link_that_leads_nowhere_says_so(page):
    page.goto("/jobs/" + 32 * "0")
    page.get_by_role("heading", name="This result is gone").wait_for()
    page.get_by_role("link", name="Choose another file").click()
    page.wait_for_selector("#start:visible")


def test_a_server_that_doesnt_answer_is_said_to(page):
    page.route("**/api/info", lambda route: route.abort())
    page.goto("/")
    page.get_by_role("heading", name="The server doesn’t answer").wait_for()


def test_too_many_files_are_asked_to_come_back(page, cells_file):
    busy = {"status": 429, "headers": {"Retry-After": "20"}, "json": {"error": "Many files wait."}}
    page.route("**/api/jobs", lambda route: route.fulfill(**busy))
    bring(page, cells_file)
    page.wait_for_selector("#refused:visible")
    assert page.locator("#refused").inner_text() == "Many files wait. Try again in 20 seconds."


@pytest.mark.slow
def test_a_server_with_a_token_asks_for_it(browser, tmp_path, tiny_bundle_folder: Path):
    server = Server(tmp_path / "data", tiny_bundle_folder, "--token", "open sesame 1859")
    server.start()
    try:
        page = window(browser, server)
        page.goto("/")
        page.get_by_role("heading", name="This server asks for a token").wait_for()
        page.get_by_label("Access token").fill("wrong")
        page.get_by_role("button", name="Enter").click()
        page.wait_for_selector("#token-wrong:visible")
        page.get_by_label("Access token").fill("open sesame 1859")
        page.get_by_role("button", name="Enter").click()
        page.wait_for_selector("#start:visible")
        page.context.close()
    finally:
        server.stop()
