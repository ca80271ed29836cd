"""The page of a server that has an index of reference cells."""

from __future__ import annotations

import pytest
from tests.web.page.conftest import link_to_cells
from tests.web.page.test_page_journey import centre
from tests.web.page.test_page_sample import press


@pytest.fixture(scope="module")
def server(started, tiny_bundle_folder, tiny_index):
    return started(tiny_bundle_folder, "--index", str(tiny_index))


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
    assert "another type" not in panel


@pytest.mark.slow
def test_reference_cells_say_what_a_type_and_a_selection_are(result):
    press(result, "B cell")
    result.get_by_text("Of 30 cells compared, the matches of 30 go with the cell’s own type.").wait_for()
    assert "study_" in result.locator("#card").inner_text()
    result.get_by_role("button", name="Select these cells").click()
    result.locator("#chosen").get_by_text("Of 30 cells compared").wait_for()
