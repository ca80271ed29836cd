"""What is looked at: in the address, in the words, in the search."""

from __future__ import annotations

import pytest
from tests.web.page.conftest import until, window


def gene(page, symbol):
    page.locator("#search").fill(symbol)
    page.get_by_role("option", name=symbol).click()
    page.locator("#gene-name", has_text=symbol).wait_for()


def test_a_link_shows_what_was_looked_at(result, browser, server):
    gene(result, "MS4A1")
    result.locator("#types .name", has_text="Fibroblast").click()
    result.locator("#below").fill("1")
    result.get_by_role("tab", name="One cell").click()
    result.locator("#which-cell").fill("cell-7")
    result.get_by_role("button", name="Show", exact=True).click()
    result.get_by_text("Cell 7 · cell-7").wait_for()
    other = window(browser, server)
    other.goto(result.url)
    other.get_by_text("Cell 7 · cell-7").wait_for()
    assert other.locator("input[name=by][value=gene]").is_checked()
    assert other.locator("#gene-name").inner_text() == "MS4A1"
    assert other.locator("#unsure").is_checked()
    assert other.locator("#shown").inner_text() == result.locator("#shown").inner_text()
    assert "Fibroblast" in other.locator("#types [aria-pressed=true]").text_content()
    other.context.close()


def test_back_leads_to_what_was_looked_at_before(result):
    start = result.url
    result.locator("input[name=by][value=score]").check()
    result.locator("#types .name", has_text="fibroblast").click()
    result.get_by_role("tab", name="One cell").click()
    result.locator("#which-cell").fill("7")
    result.get_by_role("button", name="Show", exact=True).click()
    result.get_by_text("Cell 7 · cell-7").wait_for()
    result.go_back()
    result.get_by_text("No cell is chosen").wait_for()
    assert "Fibroblast: 30 of" in result.locator("#shown").inner_text()
    result.go_back()
    until(result, "document.getElementById('shown').textContent === '181 cells'")
    assert result.locator("input[name=by][value=score]").is_checked()
    result.go_back()
    until(result, "document.querySelector('input[name=by][value=type]').checked")
    assert result.url == start
    result.go_forward()
    until(result, "document.querySelector('input[name=by][value=score]').checked")


def test_the_slider_leaves_one_step_to_go_back(result):
    result.locator("input[name=by][value=score]").check()
    for value in ("0.9", "0.8", "0.7"):
        result.locator("#below").fill(value)
    assert "below=0.7" in result.url
    result.go_back()
    until(result, "document.querySelector('input[name=by][value=type]').checked")
    assert not result.locator("#unsure").is_checked()


@pytest.mark.parametrize("view", ["by=gene&gene=NOTAGENE", "by=nothing&level=none&chosen=CL:1%2B", "below=7&chosen=x"])
def test_an_address_that_asks_for_what_is_not_there_shows_the_rest(page, link, view):
    page.goto(f"{link}#{view}")
    page.wait_for_selector("#map[data-drawn]")
    assert page.locator("input[name=by][value=type]").is_checked()
    assert page.locator("#shown").inner_text() == "181 cells"


def test_a_level_and_an_unknown_cell_can_be_linked_to(page, link):
    page.goto(f"{link}#by=level&level=broad&chosen=unknown")
    page.wait_for_selector("#map[data-drawn]")
    assert page.locator("input[name=by][value=level]").is_checked()
    assert page.locator("#shown").inner_text() == "unknown: 1 of 181 cells"


def test_a_broad_type_of_the_composition_is_highlighted_with_its_subtypes(result):
    result.locator("#composition").get_by_role("button", name="T cell").click()
    assert result.locator("#shown").inner_text() == "T cell: 60 of 181 cells"
    result.reload()
    result.wait_for_selector("#map[data-drawn]")
    assert result.locator("#shown").inner_text() == "T cell: 60 of 181 cells"


def test_everyday_names_of_types_are_understood(result):
    result.locator("#search").fill("T cells")
    option = result.get_by_role("option", name="with subtypes")
    option.wait_for()
    assert option.inner_text().startswith("T cell")
    option.click()
    assert result.locator("#shown").inner_text() == "T cell: 60 of 181 cells"


def test_the_head_counts_how_sure_the_answers_are(result):
    counts = dict(
        reversed(item.split(" ", 1)) for item in result.locator("#grades li").all_inner_texts() if " " in item
    )
    assert sum(int(counts[grade]) for grade in ("sure", "likely", "doubtful", "unknown")) == 181
    assert counts["unknown"] == "1"
    sure = result.locator("[data-grade=sure]")
    sure.click()
    assert result.locator("#shown").inner_text() == f"sure answers: {counts['sure']} of 181 cells"
    assert sure.get_attribute("aria-pressed") == "true"
    sure.click()
    assert result.locator("#shown").inner_text() == "181 cells"


def test_words_are_explained_where_they_stand(result):
    asked = result.locator("#scores").get_by_label("What does “threshold” mean?")
    asked.focus()
    result.keyboard.press("Enter")
    meaning = result.locator("#scores .hint[open] p")
    assert meaning.inner_text().startswith("A type is named if its probability is 0.")
    result.keyboard.press("Escape")
    meaning.wait_for(state="hidden")
    assert result.evaluate("document.activeElement.textContent") == "?"
    result.locator("#grades summary").click()
    assert "a score of 0.90 or more" in result.locator("#grades .hint[open] p").inner_text()
    result.locator("#result-title").click()
    result.locator("#grades .hint p").wait_for(state="hidden")


def test_what_a_cell_may_be_adds_up(result):
    result.get_by_role("tab", name="One cell").click()
    result.locator("#which-cell").fill("7")
    result.get_by_role("button", name="Show", exact=True).click()
    result.get_by_text("What it may be").wait_for()
    values = [float(text) for text in result.locator("#cell .steps-of").first.locator(".value").all_inner_texts()]
    assert sum(values) == pytest.approx(1, abs=0.03)
    assert f"score {values[0]:.2f}" in result.locator("#cell").inner_text()


@pytest.mark.parametrize("at", range(3))
def test_a_panel_does_not_cut_off_what_a_word_means(result, at):
    result.get_by_role("tab", name="One cell").click()
    result.locator("#which-cell").fill("7")
    result.get_by_role("button", name="Show", exact=True).click()
    result.get_by_text("What it may be").wait_for()
    result.locator("#cell .hint summary").nth(at).click()
    meaning, panel = result.locator("#cell .hint[open] p").bounding_box(), result.locator("#panel-cell").bounding_box()
    assert panel["x"] <= meaning["x"]
    assert meaning["x"] + meaning["width"] <= panel["x"] + panel["width"]
    assert result.evaluate(
        "(({scrollWidth: all, clientWidth: seen}) => all <= seen)(document.querySelector('#panel-cell'))"
    )


def test_a_type_has_one_score_in_table_and_card(result):
    row = result.locator("#types tbody tr", has_text="Fibroblast")
    in_table = row.locator("td").last.inner_text()
    row.locator(".name").click()
    result.get_by_text(f"The median score is {in_table}.").wait_for()


def test_the_key_of_a_gene_is_read_whole(result):
    gene(result, "MS4A1")
    unit = result.locator("#key .unit")
    assert unit.inner_text().endswith("clipped at 99%")
    assert unit.evaluate("({scrollWidth: all, clientWidth: seen}) => all <= seen")


def test_the_names_of_the_panels_stand_in_one_line(result):
    tops = {round(name.bounding_box()["y"]) for name in result.get_by_role("tab").all()}
    assert len(tops) == 1
