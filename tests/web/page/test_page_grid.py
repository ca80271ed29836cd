"""The gene grid on the page: a cell's picture, the one under the mouse, two that are pinned."""

from __future__ import annotations

from typing import Any

from tests.web.page.test_page_access import check
from tests.web.page.test_page_journey import centre


def show_cell(page: Any, number: int) -> None:
    page.get_by_role("tab", name="One cell").click()
    page.locator("#which-cell").fill(str(number))
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_text(f"Cell {number} · ").wait_for()
    page.wait_for_selector("#cell .sky canvas")


def show_types(page: Any) -> None:
    page.locator("#skies").scroll_into_view_if_needed()
    page.wait_for_selector(".tile canvas")


def test_arrow_keys_name_the_genes_of_a_cell_and_enter_colours_the_map(result):
    show_cell(result, 3)
    result.locator("#cell .sky").focus()
    result.keyboard.press("ArrowRight")
    told = result.locator("#cell .told").inner_text()
    symbol = told.split(" · ")[0]
    assert symbol == result.locator("#cell .gene").first.inner_text().split(" ")[0]
    assert "chromosome" in told
    assert told.endswith(("count", "counts"))
    result.keyboard.press("Enter")
    result.locator("#gene-name", has_text=symbol).wait_for()
    result.keyboard.press("ArrowDown")
    assert result.locator("#cell .told").inner_text() != told
    result.keyboard.press("Tab")
    assert result.locator("#cell .told").inner_text().startswith("Move over the picture")


def test_the_mouse_names_the_genes_of_a_cell(result):
    show_cell(result, 3)
    box = result.locator("#cell .sky").bounding_box()
    result.mouse.move(box["x"] + 2, box["y"] + 2)
    assert (
        result.locator("#cell .told").inner_text() in {"No gene lives here."} or result.locator("#cell .told b").count()
    )
    result.mouse.move(box["x"] - 20, box["y"] - 20)
    assert result.locator("#cell .told").inner_text().startswith("Move over the picture")


def test_the_picture_of_a_cell_is_not_cut_off(result):
    show_cell(result, 3)
    panel, sky = (result.locator(which).bounding_box() for which in ("#panel-cell", "#cell .sky"))
    assert sky["y"] + sky["height"] <= panel["y"] + panel["height"]


def test_the_cell_under_the_mouse_lights_up(result):
    result.mouse.move(*centre(result, 0))
    result.wait_for_selector(".inset.lit canvas")
    assert result.locator("#inset canvas").evaluate("canvas => canvas.width") == 155
    result.get_by_role("button", name="Hide the picture").click()
    assert not result.locator("#inset canvas").is_visible()
    result.mouse.move(*centre(result, 1))
    result.get_by_role("button", name="Show the picture").click()
    assert result.locator("#inset canvas").count() == 1


def test_two_types_are_set_against_each_other(result):
    show_types(result)
    assert result.locator(".tile").count() == 6
    result.locator(".tile", has_text="B cell").first.click()
    result.locator(".pinned").wait_for()
    result.locator(".tile", has_text="fibroblast").click()
    result.locator(".pinned").nth(2).wait_for()
    apart = result.locator(".pinned").nth(2)
    more, less = apart.locator("p:has(.swatch)").all()
    assert {"MS4A1", "CD79A"} <= set(more.locator(".gene").all_inner_texts())
    assert "COL1A1" in less.inner_text()
    check(result, "two pinned")
    less.get_by_role("button", name="COL1A1").click()
    result.locator("#gene-name", has_text="COL1A1").wait_for()
    assert result.locator(".tile[aria-pressed=true]").count() == 2
    result.get_by_role("button", name="Clear both").click()
    assert result.locator(".pinned").count() == 0


def test_a_cell_is_pinned_beside_a_type_and_taken_away(result):
    show_types(result)
    result.locator(".tile", has_text="fibroblast").click()
    result.locator(".pinned").wait_for()
    show_cell(result, 3)
    result.get_by_role("button", name="Pin", exact=True).click()
    result.locator(".pinned").nth(2).wait_for()
    assert result.locator(".pinned").nth(1).inner_text().startswith("Cell 3")
    result.get_by_role("button", name="Take fibroblast away").click()
    result.locator(".pinned").nth(1).wait_for(state="detached")
    assert result.locator(".pinned").inner_text().startswith("Cell 3")


def test_small_pictures_show_types_as_they_are_too(result):
    show_types(result)
    look = "canvas => canvas.toDataURL()"
    against = result.locator(".tile canvas").first.evaluate(look)
    result.get_by_label("As they are").check()
    assert result.locator(".tile canvas").first.evaluate(look) != against


def test_what_a_fingerprint_is_is_told_with_the_cell_at_hand(result):
    show_cell(result, 3)
    result.locator("#cell").get_by_role("button", name="What is this?").click()
    result.locator("#lesson canvas").nth(1).wait_for()
    assert result.locator("#lesson li").count() == 2, "the tiny model has no atlas"
    assert "This is the cell you are looking at." in result.locator("#lesson").inner_text()
    check(result, "lesson")
    result.get_by_role("button", name="Close").click()
    assert not result.locator("#lesson").is_visible()


def test_a_model_without_an_atlas_says_so(page):
    page.goto("/")
    page.get_by_role("link", name="Atlas").click()
    page.locator("#atlas-lead", has_text="brings no weights").wait_for()
    assert not page.locator("#atlas-desk").is_visible()
