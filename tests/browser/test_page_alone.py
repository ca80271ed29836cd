"""The page in the browser alone: a file is named, looked at and saved, and nothing is asked of any server."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anndata
import pytest

from spoticell.io.demo import DEMO

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="these tests need axe-playwright-python")

PATIENCE = 120_000


class Visit:
    """A tab with the page in it, and what it asked for since it was ready."""

    def __init__(self, browser: Any, address: str) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 860}, accept_downloads=True)
        self.context.set_default_timeout(PATIENCE)
        self.page, self.asked, self.faults = self.context.new_page(), [], []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: said.type == "error" and self.faults.append(said.text))
        self.page.goto(address)
        self.page.wait_for_selector("html[data-view=start] #version:not(:empty)")
        # all is there when the folder is kept
        self.page.evaluate("() => navigator.serviceWorker.ready.then(() => 1)")
        self.page.wait_for_load_state("networkidle")
        self.context.on("request", lambda request: request.url.startswith("http") and self.asked.append(request.url))

    def name(self, path: Path) -> None:
        self.page.set_input_files("#file", path)
        self.page.get_by_role("button", name="Name the cells").click()
        self.page.wait_for_selector("html[data-view=result] #map[data-drawn]")

    def start(self) -> None:
        if not self.page.locator("html[data-view=start]").count():
            self.page.click(".brand")
            self.page.wait_for_selector("html[data-view=start]")

    def accessible(self, state: str) -> None:
        found = axe.Axe().run(self.page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(fault["id"], [node["html"][:120] for node in fault["nodes"]]) for fault in found] == [], state


@pytest.fixture(scope="module")
def visit(browser: Any, address: str) -> Iterator[Visit]:
    visit = Visit(browser, address)
    visit.name(DEMO)
    yield visit
    visit.context.close()


@pytest.fixture
def result(visit: Visit) -> Any:
    """The tab with the result, as when it was first seen."""
    visit.start()
    visit.page.locator("#recent a", has_text="pbmc68k").click()
    visit.page.wait_for_selector("html[data-view=result] #map[data-drawn]")
    return visit.page


@pytest.fixture(autouse=True)
def nothing_is_asked_and_nothing_fails(visit: Visit) -> Iterator[None]:
    yield
    assert visit.asked == []
    assert visit.faults == []


def test_cells_are_named_as_by_python(visit: Visit, result: Any):
    assert "700 of 700 cells have a type" in result.inner_text("#result-lead")
    assert result.inner_text("#types tbody tr:first-child").split()[1] == "cDC2"
    visit.accessible("a result")


def test_the_map_is_coloured_by_a_gene(result: Any):
    result.fill("#search", "LYZ")
    result.locator("#hits [role=option]", has_text="LYZ").first.click()
    result.locator("#gene-name", has_text="LYZ").wait_for()


def test_a_cell_is_told(visit: Visit, result: Any):
    result.get_by_role("tab", name="One cell").click()
    result.fill("#which-cell", "7")
    result.press("#which-cell", "Enter")
    result.locator("#cell .sky canvas").first.wait_for()
    visit.accessible("a cell")


def test_the_surest_cells_of_a_type_are_shown(result: Any):
    result.get_by_role("tab", name="Types").click()
    result.locator("#types tbody button").first.click()
    pictures = result.locator("#card .typical img")
    pictures.last.scroll_into_view_if_needed()
    pictures.last.evaluate("async image => { await image.decode(); }")
    assert pictures.evaluate_all("all => all.length && all.every(({ naturalWidth }) => naturalWidth > 0)")


@pytest.mark.parametrize("file", [pytest.param("types.csv", marks=pytest.mark.slow), "annotated.h5ad", "report.html"])
def test_files_are_saved(result: Any, file: str):
    with result.expect_download() as saved:
        # by key: a click is lost if the page moves under the mouse
        result.press(f"[data-file='{file}']", "Enter")
    assert saved.value.suggested_filename == f"pbmc68k_reduced.{file}"
    path = Path(saved.value.path())
    if file == "types.csv":
        with path.open(newline="") as table:
            terms = [row["spoticell_cell_type_ontology_term_id"] for row in csv.DictReader(table)]
        assert len(terms) == 700
        assert all(term.startswith("CL:") for term in terms)
    elif file == "annotated.h5ad":
        adata = anndata.read_h5ad(path)
        assert adata.obs["spoticell_cell_type"].notna().all()
        assert adata.obsm["X_spoticell"].shape == (700, 64)
    else:
        assert "700 of 700 cells have a type" in path.read_text(encoding="utf-8")


def test_the_threshold_moves_without_a_new_run(result: Any):
    result.fill("#moved", "0.9")
    result.locator("#unsaved").wait_for()
    result.click("#move-back")
    result.locator("#result-lead", has_text="700 of 700").wait_for()


def test_back_leads_to_the_start_and_forward_to_the_result(result: Any):
    result.click(".brand")
    result.wait_for_selector("html[data-view=start]")
    result.go_back()
    result.wait_for_selector("html[data-view=result]")


def test_a_file_that_cannot_be_used_is_refused_in_words(visit: Visit, tmp_path: Path):
    visit.start()
    (tmp_path / "paper.pdf").write_bytes(b"%PDF-1.7 " + b"x" * 1000)
    visit.page.set_input_files("#file", tmp_path / "paper.pdf")
    visit.page.wait_for_selector("html[data-view=trouble]")
    assert "paper.pdf" in visit.page.inner_text("#trouble-text")
    visit.accessible("refused")


def test_no_word_is_of_a_server(visit: Visit):
    parts = visit.page.locator("main > section:not(#token, #unserved), dialog")
    text = " ".join(parts.evaluate_all("all => all.map(({ textContent }) => textContent)"))
    for word in ("server", "upload", "Delete", "link stops", "Sending", "zarr"):
        assert word not in text.replace("nothing is uploaded", "")


def test_a_folder_without_cells_is_refused_by_what_this_page_reads(browser: Any, address: str, tmp_path: Path):
    (tmp_path / "letter.doc").write_bytes(b"x")
    page = browser.new_page()
    page.goto(address)
    page.wait_for_selector("html[data-view=start] #version:not(:empty)")
    page.set_input_files("#folder", tmp_path)
    page.locator("#refused", has_text="Drop h5ad, 10x, csv or loom, or a folder").wait_for()
    page.close()


def test_opened_as_a_file_it_says_that_it_needs_a_server(browser: Any, page_folder: Path):
    page = browser.new_page()
    page.goto((page_folder / "index.html").as_uri())
    page.get_by_role("heading", name="This page needs a web server").wait_for()
    assert page.is_hidden("#start")
    page.close()


def test_what_is_loaded_for_a_file_can_be_stopped(browser: Any, address: str, tmp_path: Path):
    (tmp_path / "cells.csv").write_text("cell,CD3D\na,1\n")
    page = browser.new_context(service_workers="block").new_page()
    held: list[Any] = []
    page.route("**/model.onnx.gz", lambda route: held.append(route))  # noqa: PLW0108 - it marks what it is given
    page.goto(address)
    page.wait_for_selector("html[data-view=start] #version:not(:empty)")
    page.set_input_files("#file", tmp_path / "cells.csv")
    page.locator("#stage", has_text="Loading what reads the file").wait_for()
    page.click("#cancel")
    page.wait_for_selector("html[data-view=start]")
    held[0].abort()
    page.context.close()


def test_a_folder_that_does_not_answer_is_told_in_words(browser: Any, address: str):
    page = browser.new_context(service_workers="block").new_page()
    page.route("**/manifest.json", lambda route: route.abort())
    page.goto(address)
    page.locator("#trouble-text", has_text="The page’s folder doesn’t answer").wait_for()
    page.context.close()


def test_it_opens_without_a_network_after_the_first_visit(visit: Visit, address: str):
    page = visit.context.new_page()
    visit.context.set_offline(True)
    try:
        page.goto(address)
        page.wait_for_selector("html[data-view=start] #version:not(:empty)")
        page.set_input_files("#file", DEMO)
        page.wait_for_selector("#run:visible")
    finally:
        visit.context.set_offline(False)
        page.close()
    visit.asked.clear()
