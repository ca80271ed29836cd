"""The map: names, what lights up, words until it is drawn, pictures to keep, the whole screen, a phone."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image
from tests.web.page.conftest import until, window
from tests.web.page.test_page_journey import centre, map_frame

SVG = "{http://www.w3.org/2000/svg}"
LIT = "() => !document.getElementById('light').hidden"
BOXES = """() => [...document.querySelectorAll("#names span")].map((span) => {
    const {left, right, top, bottom} = span.getBoundingClientRect();
    return [left, right, top, bottom];
})"""
COUNT_PAINTS = """() => {
    window.paints = 0;
    window.addEventListener("message", ({data}) => { window.paints += data.kind === "drawn"; });
}"""
SLIDE = """() => {
    const slider = document.getElementById("below");
    for (let step = 1; step <= 13; step += 1) {
        slider.value = step / 20;
        slider.dispatchEvent(new Event("input"));
    }
}"""


def test_types_are_named_on_the_map_and_no_name_lies_on_another(result):
    frame = map_frame(result)
    assert "Fibroblast" in frame.locator("#names").inner_text()
    boxes = frame.evaluate(BOXES)
    assert len(boxes) > 3
    for k, (left, right, top, bottom) in enumerate(boxes):
        for other_left, other_right, other_top, other_bottom in boxes[:k]:
            assert left >= other_right or other_left >= right or top >= other_bottom or other_top >= bottom


def test_words_stand_there_until_the_map_is_drawn(page, link):
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route("**/painter.js", hold)
    with page.expect_request("**/painter.js"):
        page.goto(link)
    page.locator("#map-waiting", has_text="Drawing the map").wait_for()
    page.wait_for_selector("#types tbody tr")
    assert page.locator("#map-waiting").is_visible()
    held[0].continue_()
    page.wait_for_selector("#map[data-drawn]")
    page.locator("#map-waiting").wait_for(state="hidden")


def test_the_frame_of_the_map_is_there_before_the_cells_are_named(page, cells_file):
    page.goto("/")
    page.set_input_files("#file", cells_file)
    page.wait_for_selector("#run:visible")
    page.wait_for_selector("#map iframe", state="attached")
    frame = page.locator("#map iframe").element_handle()
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")
    assert frame.evaluate("frame => frame === document.querySelector('#map iframe')")


def test_a_row_under_the_mouse_lights_up_its_cells_and_lets_go(result):
    frame = map_frame(result)
    result.locator("#types .name").nth(1).hover()
    until(frame, LIT)
    assert frame.locator("#names .own").count() <= 1
    result.locator("h1#result-title").hover()
    until(frame, "() => document.getElementById('light').hidden")


def test_a_row_with_the_focus_lights_up_its_cells(result):
    result.locator("#types thead button").last.focus()
    result.keyboard.press("Tab")
    until(map_frame(result), LIT)
    assert "Fibroblast" in map_frame(result).locator("#names").inner_text(), "names stay, pale"


def test_while_a_type_is_chosen_no_other_lights_up(result):
    result.locator("#types .name").first.click()
    result.get_by_role("button", name="Select these cells").click()
    result.get_by_role("tab", name="Types").click()
    result.evaluate("document.getElementById('types').hidden = false")
    result.locator("#types .name").nth(2).hover()
    assert map_frame(result).evaluate("document.getElementById('light').hidden")


def test_a_cell_under_the_mouse_lights_up_its_row(result):
    result.mouse.move(*centre(result, 2))
    row = result.locator("#types tr.lit")
    row.wait_for()
    assert result.locator("#tip b").inner_text() in row.inner_text()


def test_of_many_steps_of_the_slider_the_latest_is_painted(result):
    result.evaluate(COUNT_PAINTS)
    result.evaluate(SLIDE)
    result.locator("#below-out", has_text="0.65").wait_for()
    result.wait_for_timeout(300)
    assert 1 <= result.evaluate("window.paints") <= 3


def saved(page: Any, name: str, tmp_path: Any) -> Any:
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_saved_drawing_has_names_a_legend_and_a_title(result, tmp_path):
    path = saved(result, "Save the map as a drawing (SVG)", tmp_path)
    assert path.name == "cells.map.svg"
    drawing = ElementTree.parse(path).getroot()
    texts = ["".join(text.itertext()) for text in drawing.iter(f"{SVG}text")]
    assert texts[0] == "Types · 181 cells"
    assert any(text.startswith("Fibroblast") for text in texts)
    assert "Fibroblast  30" in texts, "in the legend, with its cells"
    assert "?" in texts, "the unknown, as in the table"
    assert "unknown  1" in texts
    assert len(list(drawing.iter(f"{SVG}image"))) == 1


def test_a_saved_drawing_counts_what_is_coloured(page, link, tmp_path):
    page.goto(f"{link}#by=column&column=file+batch")
    page.wait_for_selector("#map[data-drawn]")
    page.get_by_role("tab", name="Types").click()
    page.locator("#types .name", has_text="Fibroblast").click()
    page.locator("#shown", has_text="Fibroblast").wait_for()
    drawing = ElementTree.parse(saved(page, "Save the map as a drawing (SVG)", tmp_path)).getroot()
    texts = ["".join(text.itertext()) for text in drawing.iter(f"{SVG}text")]
    assert texts == ["batch (Fibroblast) · 30 of 181 cells", "a  15", "b  15"], "dots have no sign"
    room = float(drawing.get("width")) - float(next(drawing.iter(f"{SVG}image")).get("width"))
    assert room < 120, "the legend is as wide as its words"


def test_a_saved_picture_says_by_which_gene_it_is_coloured_and_is_fine(result, tmp_path):
    result.locator("#search").fill("MS4A1")
    result.get_by_role("option", name="MS4A1").click()
    result.locator("#key", has_text="log of counts per 10,000; clipped at 99%").wait_for()
    with Image.open(saved(result, "Save the map as a picture (PNG)", tmp_path)) as picture:
        width = picture.width
    assert width >= 2 * result.locator("#map").bounding_box()["width"] - 4
    drawing = saved(result, "Save the map as a drawing (SVG)", tmp_path).read_text(encoding="utf-8")
    assert "MS4A1, log of counts per 10,000; clipped at 99% · 181 cells" in drawing


def test_a_legend_that_is_too_long_says_how_much_is_left_out(result, tmp_path):
    result.set_viewport_size({"width": 330, "height": 700})
    rows = [
        {"color": "#123456", "ink": "#ffffff", "number": k, "name": f"{k} " + 40 * "x", "note": "1"} for k in range(90)
    ]
    with result.expect_download() as download:
        result.evaluate(
            """async (legend) => {
                const {saveFigure} = await import("/static/js/figure.js");
                const canvas = document.createElement("canvas");
                await saveFigure({url: canvas.toDataURL(), width: 200, height: 200, names: [], title: "T", file: "f",
                    legend, theme: {ground: "#fff", ink: "#000", dim: "#888"}, format: "svg"});
            }""",
            rows,
        )
    path = tmp_path / "f.svg"
    download.value.save_as(path)
    text = path.read_text(encoding="utf-8")
    assert "and 71 more" in text
    assert "…" in text


def test_the_map_fills_the_screen_until_it_is_told_not_to(result):
    result.get_by_role("button", name="Map on the whole screen").click()
    until(result, "document.fullscreenElement?.id === 'desk'")
    result.locator("#whole[aria-pressed=true]").wait_for()
    result.get_by_role("button", name="Map on the whole screen").click()
    until(result, "document.fullscreenElement === null")


def test_a_wide_window_is_used(browser, server, link):
    page = window(browser, server, viewport={"width": 1920, "height": 1080})
    page.goto(link)
    page.wait_for_selector("#map[data-drawn]")
    box = page.locator("#map").bounding_box()
    assert box["width"] > 1250
    assert box["height"] > 640
    page.context.close()


def test_on_a_phone_a_tap_shows_the_cell_over_the_map(browser, server, link):
    page = window(browser, server, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page.goto(link)
    page.wait_for_selector("#map[data-drawn]")
    page.locator("#map").scroll_into_view_if_needed()
    page.touchscreen.tap(*centre(page, 0))
    page.wait_for_selector("#cell .sky canvas")
    panel, place = page.locator("#panel-cell").bounding_box(), page.locator("#map").bounding_box()
    assert panel["y"] + panel["height"] == pytest.approx(844, abs=1)
    assert place["y"] < panel["y"], "the map is still seen"
    page.get_by_role("button", name="Close").click()
    page.locator("#panel-cell").wait_for(state="hidden")
    page.touchscreen.tap(*centre(page, 1))
    page.wait_for_selector("#sheet-close:visible")
    page.locator("#sheet-close").focus()
    page.keyboard.press("Escape")
    assert page.locator("#panel-types").is_visible()
    page.context.close()
