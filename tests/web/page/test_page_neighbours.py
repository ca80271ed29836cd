"""The page of a server that has an index of reference cells."""

from __future__ import annotations

import pytest
from tests.web.page.conftest import Server, link_to_cells
from tests.web.page.test_page_journey import centre


@pytest.fixture(scope="module")
def server(tmp_path_factory, tiny_bundle_folder, tiny_index):
    server = Server(tmp_path_factory.mktemp("server") / "data", tiny_bundle_folder, "--index", str(tiny_index))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def link(server, cells_file):
    return link_to_cells(server, cells_file)


def test_a_cell_that_is_clicked_on_shows_its_neighbours(result):
    result.mouse.click(*centre(result, 0))
    result.wait_for_selector(".nearest")
    assert result.locator(".nearest li").count() == 10
    called = result.locator("#cell .called").inner_text()
    near = result.locator(".nearest li").first.inner_text()
    assert near.startswith(called)
    assert "study_" in near
    panel = result.locator("#cell").inner_text()
    assert f"matches say “{called}”, from 3 studies." in panel
    assert "contradicts" not in panel
