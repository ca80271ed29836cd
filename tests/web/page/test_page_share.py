"""What is looked at as one file: it opens without a server, asks for nothing, and can be explored as the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect
from tests.conftest import tiny_adata
from tests.web.page.conftest import PATIENCE, Server, link_to_cells, until, window
from tests.web.page.test_page_access import check

HOSTILE = "</script><img src=x onerror=alert(1)>"
N = 181
COLOURS = """() => {
    const canvas = document.getElementById("plot");
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const count = {};
    for (const color of new Uint32Array(data.buffer)) count[color] = (count[color] ?? 0) + 1;
    return count;
}"""


@pytest.fixture(scope="module")
def shared_link(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A result whose file has a hostile value, a number, and names of cells."""
    cells = tiny_adata(per_type=30)
    cells.obs["condition"] = np.where(np.arange(N) % 3 == 0, HOSTILE, "control")
    cells.obs["donor"] = np.where(np.arange(N) % 2 == 0, "d1", "d2")
    cells.obs["depth"] = np.linspace(0, 1, N)
    path = tmp_path_factory.mktemp("share") / "cells.h5ad"
    cells.write_h5ad(path)
    return link_to_cells(server, path)


def looked_at(page: Any, link: str, **view: str) -> Any:
    """Give the page with something looked at, all of it there."""
    page.goto(link)
    page.wait_for_selector("#map[data-drawn]")
    page.wait_for_selector("#compare-place .part")
    hash_of_view = page.evaluate("(view) => String(new URLSearchParams(view))", view)
    page.goto(f"{link}#{hash_of_view}")
    page.wait_for_selector("#map[data-drawn]")
    return page


def save(page: Any, path: Path, *, without: str | None = None) -> Path:
    """Share what is looked at, by the page's own button."""
    # by key: a click is lost if the page moves under the mouse between its going down and up, as on a busy machine
    page.get_by_role("button", name="Share", exact=False).filter(has_text="What you see").press("Enter")
    dialog = page.get_by_role("dialog", name="Share this view")
    dialog.wait_for()
    if without is not None:
        dialog.get_by_label(without).uncheck()
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Save the page").click()
    download.value.save_as(path)
    dialog.wait_for(state="hidden")
    return path


@contextmanager
def alone(browser: Any, path: Path, **look: Any) -> Iterator[Any]:
    """Open a file from the disk without any network; fails if it asks for anything, or says an error."""
    context = browser.new_context(offline=True, accept_downloads=True, reduced_motion="reduce", **look)
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    faults: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: message.type == "error" and faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on("request", lambda request: request.url.startswith("data:") or asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("#map[data-drawn]")
    yield page
    context.close()
    assert faults == []
    assert [url for url in asked if not url.startswith("blob:")] == [path.as_uri()]


def frame_of(page: Any) -> Any:
    """Give the frame of the map, which has no address in a file."""
    return page.frames[1]


@pytest.fixture(scope="module")
def view(browser: Any, server: Server, shared_link: str) -> Iterator[Any]:
    """A window with a gene, a filter, and a cell that are looked at."""
    page = window(browser, server, viewport={"width": 1280, "height": 860}, color_scheme="light")
    rules = json.dumps({"file depth": {"low": 0.5, "high": None}})
    looked_at(page, shared_link, by="gene", gene="MS4A1", cell="5", filter=rules, column="file condition")
    page.locator("#chips", has_text="depth: from 0.5").wait_for()
    page.locator("#cell .called").wait_for()
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def shared_file(view: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of that view; tests share it, and each opens it anew."""
    return save(view, tmp_path_factory.mktemp("shared") / "cells.shared.html")


def test_it_opens_without_a_server_and_shows_what_was_seen(browser, view, shared_file):
    seen = view.locator("#shown").inner_text()
    with alone(browser, shared_file) as own:
        until(own, "document.getElementById('chips').textContent.includes('depth: from 0.5')")
        expect(own.locator("#shown")).to_have_text(seen)
        assert own.locator("input[name=by][value=gene]").is_checked()
        assert own.locator("#cell").get_by_text("Cell 5").is_visible()
        assert "cell-5" not in own.content()
        assert len(frame_of(own).evaluate(COLOURS)) > 20
        assert own.title() == "cells.h5ad · Spoticell"


def test_colours_change_and_filters_are_taken_off(browser, shared_file):
    with alone(browser, shared_file) as own:
        frame = frame_of(own)
        before = frame.evaluate(COLOURS)
        own.get_by_role("button", name="Remove the filter depth: from 0.5").click()
        expect(own.locator("#shown")).to_have_text("181 cells")
        until(frame, f"(before) => JSON.stringify(({COLOURS})()) !== before", json.dumps(before))
        own.locator("input[name=by][value=column]").check(force=True)
        expect(own.locator("#one-column")).to_contain_text(HOSTILE)
        own.get_by_label("Look at control").uncheck()
        expect(own.locator("#chips")).to_contain_text("condition")
        expect(own.locator("#shown")).to_have_text("61 of 181 cells")
        own.locator("input[name=by][value=score]").check(force=True)
        expect(own.locator("#key")).to_contain_text("score 0")
        own.locator("#unsure").check()
        own.locator("#below").fill("0.3")
        expect(own.locator("#below-out")).to_have_text("0.30")


def test_dots_are_those_of_the_page_and_follow_the_filters(browser, view, shared_file):
    # the page, which asks the server
    view.locator("#tab-genes").click()
    view.get_by_label("Genes to compare").fill("MS4A1")
    view.locator("#gene-list").get_by_role("button", name="Compare").click()
    told = view.locator("#by-type title", has_text="MS4A1, B cell").text_content()
    with alone(browser, shared_file) as own:
        dot = own.locator("#by-type title", has_text="MS4A1, B cell")
        (in_page, mean_in_page), (here, mean) = (dots(text) for text in (told, dot.text_content()))
        assert here == in_page
        assert mean == pytest.approx(mean_in_page, abs=0.02)
        before = dot.text_content()
        own.get_by_role("button", name="Remove the filter depth: from 0.5").click()
        expect(dot).not_to_have_text(before)


def dots(title: str) -> tuple[str, float]:
    """Give the share and the mean that a dot tells."""
    share, mean = title.split(" in ")[1].split(" of the cells, mean ")
    return share, float(mean)


def test_levels_genes_types_and_cells_can_be_looked_at(browser, shared_file):
    with alone(browser, shared_file) as own:
        own.locator("input[name=by][value=level]").check(force=True)
        own.locator("#level").select_option("1")
        expect(own.locator("#which")).to_be_visible()
        own.locator("input[name=by][value=type]").check(force=True)
        own.locator("#tab-types").click()
        row = own.locator("#types tbody").get_by_role("button").first
        name = row.locator(".type-name").evaluate("name => name.firstChild.textContent")
        row.hover()
        until(frame_of(own), "!document.getElementById('light').hidden")
        row.click()
        expect(own.locator("#shown")).to_contain_text(f"{name}: ")
        row.click()
        own.locator("#composition").get_by_role("button").first.click()
        expect(own.locator("#shown")).to_contain_text(" of 181 cells")
        own.locator("#grades button:not(:disabled)").first.click()
        expect(own.locator("#shown")).to_contain_text("answers")
        own.locator("#tab-genes").click()
        own.locator("#by-type .gene", has_text="MS4A1").click()
        expect(own.locator("#key")).to_contain_text("MS4A1")
        own.locator("#gene").select_option("0")


def test_cells_have_a_short_card_and_the_one_that_was_looked_at_its_whole(browser, shared_file):
    with alone(browser, shared_file) as own:
        own.locator("#cell img.picture").wait_for()
        frame = frame_of(own)
        left, top = frame.evaluate("window.mapPlace(150)")
        own.locator("#map iframe").click(position={"x": left, "y": top})
        own.locator("#cell", has_text="score").wait_for()
        back = own.get_by_role("button", name="Back to cell 5")
        back.click()
        own.locator("#cell img.picture").wait_for()
        left, top = frame.evaluate("window.mapPlace(5)")
        own.locator("#map iframe").click(position={"x": left, "y": top})
        own.locator("#cell img.picture").wait_for()


def test_it_is_accessible_fits_any_window_and_follows_the_system_s_colours(browser, shared_file):
    grounds = set()
    for width, scheme in ((1920, "dark"), (1280, "light"), (390, "dark")):
        with alone(browser, shared_file, viewport={"width": width, "height": 900}, color_scheme=scheme) as own:
            check(own, f"a shared file, {width} pixels wide, {scheme}")
            grounds.add(own.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2


def test_the_keyboard_moves_the_map_and_colours_can_be_turned_dark(browser, shared_file):
    with alone(browser, shared_file, color_scheme="light") as own:
        frame = frame_of(own)
        before = frame.evaluate("JSON.stringify(window.mapRange())")
        own.locator("#map").focus()
        own.keyboard.press("+")
        until(frame, "(before) => JSON.stringify(window.mapRange()) !== before", before)
        ground = "getComputedStyle(document.body).backgroundColor"
        light = own.evaluate(ground)
        own.get_by_role("button", name="Dark colours").click()
        assert own.evaluate(ground) != light


def test_pictures_are_saved_from_it(browser, shared_file):
    with alone(browser, shared_file) as own:
        own.locator("#tab-genes").click()
        for name, button in (
            ("cells.map.png", own.get_by_role("button", name="Save the map as a picture (PNG)")),
            ("genes.svg", own.locator("#by-type").get_by_role("button", name="Save SVG")),
        ):
            with own.expect_download() as download:
                button.click()
            assert download.value.suggested_filename == name


def test_a_column_that_is_left_out_is_not_in_the_file(browser, page, shared_link, tmp_path):
    rules = json.dumps({"file depth": {"low": 0.5, "high": None}, "file donor": {"keep": ["d1"]}})
    looked_at(page, shared_link, by="column", column="file donor", filter=rules)
    page.locator("#chips", has_text="donor: d1").wait_for()
    path = save(page, tmp_path / "cells.shared.html", without="donor")
    with alone(browser, path) as own:
        expect(own.locator("#chips")).to_contain_text("depth: from 0.5")
        assert "donor" not in own.locator("body").inner_text()
        assert own.locator("input[name=by][value=type]").is_checked()
        assert not own.locator("input[name=by][value=gene]").is_visible()


def test_a_selection_and_given_names_go_along(browser, page, shared_link, tmp_path):
    looked_at(page, shared_link, below="0.95")
    page.locator("#tab-chosen").click()
    page.get_by_role("button", name="Take what is shown").click()
    page.locator("#chosen .called").wait_for()
    page.get_by_label("Name for these cells").or_(page.locator("#name-box")).first.fill("My own")
    page.keyboard.press("Enter")
    page.locator("#given", has_text="My own").wait_for()
    path = save(page, tmp_path / "named.shared.html")
    with alone(browser, path) as own:
        assert own.locator("input[name=by][value=curated]").is_checked()
        expect(own.locator("#key")).to_contain_text("names that you gave")
    page.locator("#tab-chosen").click()
    page.get_by_role("button", name="Take what is shown").click()
    page.locator("#shown", has_text="Selection").wait_for()
    seen = page.locator("#shown").inner_text()
    path = save(page, tmp_path / "selection.shared.html")
    with alone(browser, path) as own:
        expect(own.locator("#shown")).to_have_text(seen)


def test_it_opens_whatever_was_looked_at_before(browser, page, shared_link, tmp_path):
    looked_at(page, shared_link)
    for tab in ("Tree", "Unsure"):
        page.get_by_role("tab", name=tab).click()
    page.locator("#unsure-cells p").first.wait_for()
    page.get_by_role("tab", name="Genes").click()
    page.get_by_label("Genes to compare").fill("MS4A1 LYZ")
    page.locator("#gene-list").get_by_role("button", name="Compare").click()
    page.locator("#by-type svg").wait_for()
    page.get_by_label("Compare by").select_option("file donor")
    page.locator("#compare .bars", has_text="d2").wait_for()
    page.get_by_label("Compare by").select_option("file condition")
    page.locator("#compare .bars", has_text="control").wait_for()
    with alone(browser, save(page, tmp_path / "type.html", without="condition")) as own:
        expect(own.get_by_role("alert")).to_be_hidden()
        expect(own.locator("#compare")).to_contain_text("d2")
        assert "condition" not in own.locator("body").inner_text()
        own.get_by_role("tab", name="Tree").click()
        own.get_by_role("treeitem").first.locator(".leaf").first.click()
        expect(own.locator("#shown")).to_contain_text(" of 181 cells")
        expect(own.locator("#key")).to_contain_text("the types below it")
        own.get_by_role("tab", name="Types").click()
        own.locator("#types tbody .name").first.click()
        assert own.locator("input[name=by][value=type]").is_checked()


@pytest.mark.parametrize("by", ["column", "gene", "tree"])
def test_it_opens_with_every_colouring(browser, page, shared_link, tmp_path, by):
    if by == "tree":
        looked_at(page, shared_link)
        page.get_by_role("tab", name="Tree").click()
        page.get_by_role("treeitem").first.locator(".leaf").first.click()
        page.locator("#key", has_text="the types below it").wait_for()
    else:
        looked_at(page, shared_link, by=by, gene="MS4A1", column="file donor")
        page.locator("#key", has_text={"gene": "MS4A1", "column": "d1"}[by]).wait_for()
    key, shown = page.locator("#key").inner_text(), page.locator("#shown").inner_text()
    path = save(page, tmp_path / "seen.html")
    with alone(browser, path, viewport={"width": 390, "height": 844}, color_scheme="dark") as own:
        expect(own.locator("#key")).to_have_text(key, use_inner_text=True)
        expect(own.locator("#shown")).to_have_text(shown)


def test_columns_that_nobody_asked_for_are_not_ticked(page, shared_link):
    looked_at(page, shared_link, by="column", column="file donor")
    page.locator("#key", has_text="d1").wait_for()
    page.get_by_role("button", name="Share", exact=True).click()
    columns = page.get_by_role("dialog", name="Share this view").get_by_role("group")
    assert columns.get_by_label("donor").is_checked()
    assert not columns.get_by_label("condition").is_checked()


def test_a_refusal_is_told_in_the_dialog(page, shared_link):
    looked_at(page, shared_link)
    page.route("**/share", lambda route: route.fulfill(status=409, json={"error": "Run the job again."}))
    page.locator("#share-this").click()
    dialog = page.get_by_role("dialog", name="Share this view")
    dialog.get_by_role("button", name="Save the page").click()
    dialog.get_by_text("Run the job again.").wait_for()
    check(page, "share")
    dialog.get_by_role("button", name="Close").click()
    dialog.wait_for(state="hidden")


def test_a_browser_that_is_too_old_is_told_so(browser, shared_file):
    context = browser.new_context(offline=True)
    context.set_default_timeout(1000 * PATIENCE)
    context.add_init_script("delete window.DecompressionStream")
    page = context.new_page()
    page.goto(shared_file.as_uri())
    page.get_by_role("alert").get_by_text("This browser is too old for this file.").wait_for()
    context.close()
