"""Several files in one go, folders, and matrices with their files of names, brought to the page."""

from __future__ import annotations

import pytest
from tests.conftest import tiny_adata
from tests.web.page.conftest import PATIENCE, playwright
from tests.web.page.test_page_access import check
from tests.web.test_uploads import tenx

expect = playwright.expect
expect.set_options(timeout=1000 * PATIENCE)
CHECKED = "#run:visible"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a 10x folder, a zarr store, a file of cells, one that is none, and a note."""
    folder = tmp_path_factory.mktemp("brought") / "brought"
    (folder / "run 7").mkdir(parents=True)
    for name, contents in tenx(tiny_adata(per_type=10), folder="run 7/").items():
        (folder / name).write_bytes(contents)
    more = tiny_adata(per_type=15)
    more.obs["state"] = ["ill", "well"] * (more.n_obs // 2) + ["ill"] * (more.n_obs % 2)
    more.write_h5ad(folder / "more.h5ad")
    (folder / "broken.h5ad").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(600))
    (folder / "notes.pdf").write_bytes(b"%PDF")
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "cells.zarr"
    tiny_adata(per_type=10).write_zarr(path)
    return path


def test_a_folder_with_a_matrix_and_its_files_of_names_is_one_job(page, folder):
    page.goto("/")
    page.set_input_files("#folder", folder / "run 7")
    page.wait_for_selector(CHECKED)
    assert page.locator("#job-title").inner_text() == "run 7"
    expect(page.locator("#found-facts")).to_contain_text("10x folder")


def test_a_matrix_and_its_files_of_names_chosen_together_are_one_job(page, folder):
    page.goto("/")
    page.set_input_files("#file", sorted((folder / "run 7").iterdir()))
    page.wait_for_selector(CHECKED)
    assert page.locator("#job-title").inner_text() == "matrix.mtx.gz"


@pytest.mark.filterwarnings("ignore")
def test_a_zarr_store_is_sent_as_one_file(page, store):
    page.goto("/")
    page.set_input_files("#folder", store)
    page.wait_for_selector(CHECKED)
    expect(page.locator("#found-figures")).to_contain_text("61")
    expect(page.locator("#found-facts")).to_contain_text("zarr")


def test_files_that_are_brought_together_are_named_together(page, folder):
    page.goto("/")
    page.set_input_files("#folder", folder)
    expect(page.locator("#batch-title")).to_have_text("3 files")
    expect(page.locator("#batch-list")).to_contain_text("broken.h5ad is a PNG picture")
    page.get_by_role("button", name="Name all").click()
    expect(page.locator("#batch-text")).to_have_text("2 of 3 named, 1 can’t be used")
    expect(page.get_by_role("button", name="Name all")).to_be_hidden()
    assert page.locator("#batch-bars .cut").count() == 2
    page.get_by_text("As a table").click()
    cells = page.locator("#batch-table tbody tr td:nth-child(2) small").all_inner_texts()
    assert sum(map(int, cells)) == 61
    first = page.locator("#batch-list li", has_text="more.h5ad")
    assert "have a type, half of them with a score of" in first.inner_text(), "that cells have a type says little"
    assert [note.split()[0] for note in first.locator(".caution").all_inner_texts()] == ["Only"], "a small panel"
    for button, name in (("Save SVG", "composition.svg"), ("Save CSV", "composition.csv")):
        with page.expect_download() as saved:
            page.locator("#batch-save").get_by_role("button", name=button).click()
        assert saved.value.suggested_filename == name
    kept = saved.value.path().read_text()
    shown = page.locator("#batch-table tbody td small").all_inner_texts()
    assert sum(int(line.split(",")[3]) for line in kept.splitlines()[1:]) == sum(map(int, shown))
    page.locator("#batch-list").get_by_role("link", name="more.h5ad").click()
    page.wait_for_selector("#map[data-drawn]")
    assert page.locator("#result-title").inner_text() == "more.h5ad"
    page.go_back()
    expect(page.locator("#batch-title")).to_have_text("2 files")
    expect(page.locator("#batch-text")).to_have_text("2 of 2 named")


def test_files_that_are_under_way_cannot_be_named_again(page, server, folder):
    page.goto("/")
    page.set_input_files("#file", [folder / "more.h5ad", folder / "broken.h5ad"])
    expect(page.locator("#batch-list")).to_contain_text("Checked, ")
    with server.holding():
        page.get_by_role("button", name="Name all").click()
        expect(page.locator("#batch-list")).not_to_contain_text("Checked, ")
        # who comes back by the link wished for nothing yet
        page.reload()
        expect(page.locator("#batch-list")).to_contain_text("more.h5ad")
        expect(page.get_by_role("button", name="Name all")).to_be_disabled()
    expect(page.get_by_role("button", name="Name all")).to_be_hidden()


@pytest.mark.slow
def test_files_are_compared_by_a_condition_that_is_written_or_in_a_column_of_all(page, folder, tmp_path):
    other = tmp_path / "other.h5ad"
    other.write_bytes((folder / "more.h5ad").read_bytes())
    page.goto("/")
    page.set_input_files("#file", [folder / "more.h5ad", other])
    page.get_by_role("button", name="Name all").click()
    place = page.locator("#across-place")
    expect(page.locator("#across-by option").last).to_have_text("is in the column state")
    assert place.inner_text() == ""
    page.get_by_label("more.h5ad").fill("control")
    page.get_by_label("other.h5ad").fill("treated")
    page.get_by_label("other.h5ad").press("Tab")
    expect(place).to_contain_text("control has 1 sample, treated has 1. A type counts its subtypes too.")
    expect(place).to_contain_text("No difference is tested: each condition needs 3 samples")
    changes = place.locator("tbody .change").all_inner_texts()
    assert set(changes) == {"0.0"}, "the same cells differ by nothing"
    check(page, "files compared")
    page.locator("#across-by").select_option("state")
    expect(place).to_contain_text("ill has 2 samples, well has 2, by the column state.")
    page.get_by_label("Second condition").select_option("ill")
    expect(place).to_contain_text("There is nothing to compare in the column state.")
    # the news of jobs leave alone what was chosen
    page.wait_for_timeout(2000)
    expect(page.get_by_label("Second condition")).to_have_value("ill")


def test_a_batch_tells_of_a_file_that_was_deleted_meanwhile(page, folder):
    page.goto("/")
    page.set_input_files("#file", [folder / "more.h5ad", folder / "broken.h5ad"])
    expect(page.locator("#batch-list")).to_contain_text("Checked, ")
    address = page.url
    page.request.delete(f"/api/jobs/{address.split('=')[1]}", headers={"Origin": address.split("/#")[0]})
    page.reload()
    expect(page.locator("#batch-list")).to_contain_text("There is no such job")
    expect(page.locator("#batch-text")).to_have_text("0 of 1 named, 1 can’t be used")


def test_a_file_that_the_server_had_no_room_for_can_be_sent_again(page, folder):
    full = {"status": 429, "json": {"error": "Too many files are being worked on. Try again in a moment."}}
    page.goto("/")
    page.route("**/api/jobs", lambda route: route.fulfill(**full), times=1)
    page.set_input_files("#file", [folder / "more.h5ad", folder / "more.h5ad"])
    expect(page.locator("#batch-list")).to_contain_text("Too many files are being worked on.")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("#batch-list a")).to_have_count(2)
    expect(page.locator("#batch-list")).not_to_contain_text("Too many")


def test_a_folder_without_cells_is_told_so(page, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.pdf").write_bytes(b"%PDF")
    page.goto("/")
    page.set_input_files("#folder", tmp_path / "empty")
    expect(page.locator("#refused")).to_contain_text("There is no file of cells in it.")


def test_the_check_says_what_the_cells_look_like(page, cells_file):
    page.goto("/")
    page.set_input_files("#file", cells_file)
    page.wait_for_selector(CHECKED)
    facts = page.locator("#found-facts")
    expect(facts).to_contain_text("that were looked at:")
    expect(facts).to_contain_text("2 columns about the cells: ")
