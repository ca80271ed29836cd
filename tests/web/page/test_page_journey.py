"""From a file to named cells, as a person does it."""

from __future__ import annotations

import base64
import re
import struct
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
from tests.web.page.conftest import name_cells, until

from spoticell.annotation.samples import natural

DROP = """([name, contents]) => {
    const bytes = Uint8Array.from(atob(contents), (letter) => letter.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name));
    for (const type of ["dragenter", "dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(type, {dataTransfer, bubbles: true, cancelable: true}));
}"""


def centre(page: Any, row: int) -> tuple[float, float]:
    """Give a place in the window where a cell of the table's type `row` lies; outside it there is no mouse."""
    page.locator("#map").scroll_into_view_if_needed()
    job = page.url.split("/jobs/")[1].split("#")[0]
    cells = page.request.get(f"/api/jobs/{job}/map").body()
    (n,) = struct.unpack_from("<I", cells)
    types = np.frombuffer(cells, "<u2", n, 4 + 12 * n)
    box = page.locator("#map iframe").bounding_box()
    left, top = map_frame(page).evaluate("mapPlace", int(np.flatnonzero(types == row)[0]))
    return box["x"] + left, box["y"] + top


def map_frame(page: Any) -> Any:
    return next(frame for frame in page.frames if "map.html" in frame.url)


def test_a_dropped_file_is_looked_at_before_anything_is_run(page, cells_file):
    page.goto("/")
    page.evaluate(DROP, ["dropped.h5ad", base64.b64encode(cells_file.read_bytes()).decode()])
    page.wait_for_selector("#run:visible")
    assert page.locator("#job-title").inner_text() == "dropped.h5ad"
    assert page.locator("#found-figures").inner_text().split("\n")[:2] == ["cells", "181"]
    assert "stay unknown: 1." in page.locator("#found-warnings").inner_text()


def test_settings_are_what_the_run_uses(page, cells_file):
    page.goto("/")
    page.set_input_files("#file", cells_file)
    page.get_by_text("Settings", exact=True).click()
    page.get_by_role("slider", name="Threshold").fill("0.75")
    page.locator("#tissue").select_option("bone marrow")
    page.get_by_label("Allowed types").fill("T cell\n\n CL:0000236 ")
    page.get_by_label("Excluded types").fill("CD4-positive, alpha-beta T cell\nhepatocyte")
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")
    used = page.locator("#used").inner_text()
    for line in ("0.75", "Bone marrow", "T cell", "CL:0000236", "CD4-positive, alpha-beta T cell", "hepatocyte"):
        assert line in used.split("\n")
    assert "knows neither hepatocyte (CL:0000182) nor a subtype." in used
    command = page.locator("#commands pre").first.inner_text()
    assert "--threshold 0.75 --allow CL:0000084 --allow CL:0000236 --deny CL:0000182 --deny CL:0000624" in command
    assert "--tissue 'bone marrow'" in command
    assert "types that the model knows: in bone marrow; among T cell" in page.locator("#result-lead").inner_text()


def test_a_run_can_be_repeated_with_other_settings(page, cells_file):
    page.goto("/")
    page.set_input_files("#file", cells_file)
    page.get_by_text("Settings", exact=True).click()
    page.get_by_label("Allowed types").fill("T cell")
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")
    page.get_by_role("button", name="Run again").click()
    assert page.get_by_label("Allowed types").input_value() == "T cell"
    page.get_by_label("Allowed types").fill("B cell")
    page.get_by_role("button", name="Name the cells").click()
    page.locator("#types").get_by_role("button", name="B cell").wait_for()
    assert page.locator("#used").get_by_text("T cell", exact=True).count() == 0


def test_a_run_in_which_no_cell_is_named_is_shown(page, tmp_path, vague_cells):
    vague_cells[:5].copy().write_h5ad(tmp_path / "alike.h5ad")
    page.goto("/")
    page.set_input_files("#file", tmp_path / "alike.h5ad")
    page.get_by_text("Settings", exact=True).click()
    page.get_by_role("slider", name="Threshold").fill("0.95")
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")
    assert "0 of 5 cells have a type." in page.locator("#result-lead").inner_text()
    assert page.locator("#types tbody tr").count() == 1


def test_the_result_names_the_cells_and_draws_them(result):
    assert "180 of 181 cells have a type" in result.locator("#result-lead").inner_text()
    assert result.locator("#types tbody tr").count() == 7
    assert result.locator("#types tbody tr").last.inner_text().startswith("?\nunknown")
    frame = map_frame(result)
    colours = frame.evaluate(
        """() => {
            const plot = document.getElementById("plot");
            const {data} = plot.getContext("2d").getImageData(0, 0, plot.width, plot.height);
            return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )
    assert colours > 7, "six types, unknown, and the ground"


def test_a_cell_that_is_clicked_on_shows_itself(result):
    result.mouse.click(*centre(result, 0))
    result.wait_for_selector("#cell .sky canvas")
    assert result.locator("#tab-cell").get_attribute("aria-selected") == "true"
    panel = result.locator("#cell").inner_text()
    assert "Path through the ontology" in panel
    assert re.search(r"Cell \d+ · cell-\d+", panel)
    assert result.locator("#cell .sky canvas").evaluate("canvas => canvas.width") == 155
    assert result.locator("#cell .sky text").count() > 2
    assert "Nearest reference cells" not in panel, "this server has no index"


def test_cells_are_found_by_number_and_name(result):
    result.get_by_role("tab", name="One cell").click()
    for text in ("7", "cell-7"):
        result.locator("#which-cell").fill(text)
        result.get_by_role("button", name="Show", exact=True).click()
        result.get_by_text("Cell 7 · cell-7").wait_for()
    result.locator("#which-cell").fill("nobody")
    result.get_by_role("button", name="Show", exact=True).click()
    result.locator("#cell .warning").wait_for()


def test_an_answer_that_comes_late_hides_no_newer_one_and_leaves_what_is_typed(result):
    held = []
    # a method of a list has no signature that playwright could read
    result.route("**/*cell-9*", lambda route: held.append(route))  # noqa: PLW0108
    result.get_by_role("tab", name="One cell").click()
    with result.expect_request("**/*cell-9*"):
        result.locator("#which-cell").fill("cell-9")
        result.get_by_role("button", name="Show", exact=True).click()
    result.locator("#which-cell").fill("nobody")
    result.get_by_role("button", name="Show", exact=True).click()
    result.locator("#cell .warning").wait_for()
    with result.expect_response("**/*cell-9*") as late:
        held[0].continue_()
    late.value.finished()
    result.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert result.locator("#cell .warning").is_visible()
    assert result.locator("#which-cell").input_value() == "nobody"
    result.unroute("**/*cell-9*")


def test_unsure_cells_can_be_filtered(result):
    result.locator("#below").fill("0.05")
    assert result.locator("#unsure").is_checked()
    result.locator("#shown", has_text="1 of 181 cells").wait_for()  # the next frame says it
    assert result.locator("#types tbody tr").count() == 1
    result.locator("#unsure").uncheck()
    assert result.locator("#shown").inner_text() == "181 cells"


def test_a_gene_that_is_searched_colours_the_map(result):
    result.locator("#search").fill("ms4a")
    result.get_by_role("option", name="MS4A1").wait_for()
    result.keyboard.press("Enter")
    result.locator("#gene-name", has_text="MS4A1").wait_for()
    assert result.locator("input[name=by][value=gene]").is_checked()
    assert "MS4A1" in result.locator("#key").inner_text()


def test_a_type_that_is_searched_is_highlighted(result):
    result.locator("#search").fill("fibro")
    result.get_by_role("option", name="fibroblast").click()
    assert "Fibroblast: 30 of 181 cells" in result.locator("#shown").inner_text()
    pressed = result.locator("#types [aria-pressed=true]")
    assert "Fibroblast" in pressed.text_content()
    result.get_by_role("button", name="All types").click()
    assert result.locator("#shown").inner_text() == "181 cells"


def test_the_table_can_be_sorted(result):
    result.locator("#types").get_by_role("button", name="Type").click()
    first = "names => names.map((name) => name.firstChild.textContent)"
    names = result.locator("#types tbody .type-name").evaluate_all(first)
    assert names[:-1] == sorted(names[:-1], key=natural)
    assert result.locator("#types [aria-sort=ascending]").count() == 1


def test_the_wheel_alone_scrolls_the_page_and_says_how_to_zoom(result):
    frame = map_frame(result)
    before = frame.evaluate("mapRange().x")
    result.locator("#map").hover()
    result.mouse.wheel(0, 300)
    result.locator(".wheel-hint").wait_for()
    until(result, "() => window.scrollY > 100")
    assert frame.evaluate("mapRange().x") == before
    result.locator(".wheel-hint").wait_for(state="hidden")
    result.evaluate("scrollTo(0, 0)")
    result.locator("#whole").click()
    until(result, "() => document.fullscreenElement !== null")
    result.locator("#map").hover()
    result.mouse.wheel(0, -400)
    until(frame, "before => mapRange().x[1] - mapRange().x[0] < 0.9 * (before[1] - before[0])", before)
    result.evaluate("document.exitFullscreen()")


def test_the_ring_is_of_a_cell_that_is_shown(result):
    frame = map_frame(result)
    result.get_by_role("tab", name="One cell").click()
    result.fill("#which-cell", "2")
    result.press("#which-cell", "Enter")
    until(frame, "() => !document.getElementById('ring').hidden")
    own = result.locator("#cell h3").inner_text()
    result.get_by_role("tab", name="Types").click()
    result.locator("#types .name", has_not_text=own).first.click()
    until(frame, "() => document.getElementById('ring').hidden")
    result.get_by_role("button", name="← All types").click()
    until(frame, "() => !document.getElementById('ring').hidden")


def with_wheel(page: Any, by: int) -> None:
    page.keyboard.down("Control")
    page.mouse.wheel(0, by)
    page.keyboard.up("Control")


def test_the_map_moves_by_mouse_and_by_keyboard(result):
    frame = map_frame(result)
    span = "(([low, high]) => high - low)(mapRange().x)"
    before = frame.evaluate(span)
    result.locator("#map").hover()
    with_wheel(result, -400)
    until(frame, f"before => {span} < 0.9 * before", before)
    result.locator("#map").focus()
    result.keyboard.press("0")
    until(frame, f"before => Math.abs({span} / before - 1) < 1e-6", before)


def test_each_file_can_be_taken_away(result, tmp_path):
    def take(role: str, name: str) -> Path:
        with result.expect_download() as download:
            result.get_by_role(role, name=name).click()
        path = Path(tmp_path / download.value.suggested_filename)
        download.value.save_as(path)
        return path

    assert anndata.read_h5ad(take("link", "Annotated h5ad")).obs["spoticell_cell_type"].nunique() == 7
    assert len(pd.read_csv(take("link", "Table"))) == 181
    assert take("link", "Report").read_bytes().startswith(b"<!DOCTYPE html>")
    assert take("button", "Save the map as a picture (PNG)").read_bytes().startswith(b"\x89PNG")


def test_a_link_to_a_result_opens_it_again(result):
    result.reload()
    result.wait_for_selector("#map[data-drawn]")
    assert "180 of 181" in result.locator("#result-lead").inner_text()
    result.get_by_role("link", name="Another file").click()
    result.locator("#recent").get_by_role("link", name="cells.h5ad").wait_for()


def test_a_result_is_deleted_after_a_question(page, cells_file):
    name_cells(page, cells_file)
    link = page.url
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Keep it").click()
    assert page.locator("#result").is_visible()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.locator("#sure-delete").click()
    page.wait_for_selector("#start:visible")
    page.goto(link)
    page.get_by_role("heading", name="This result is gone").wait_for()


def test_names_of_files_are_text_and_nothing_else(page, cells_file, tmp_path):
    odd = tmp_path / "<img src=x onerror=alert(1)>.h5ad"
    odd.write_bytes(cells_file.read_bytes())
    page.goto("/")
    page.set_input_files("#file", odd)
    page.wait_for_selector("#run:visible")
    assert "onerror" in page.locator("#job-title").inner_text()
    assert page.locator("#job-title img").count() == 0
