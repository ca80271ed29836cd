"""What the packaged model shows without any file of one's own: its atlas, and the demo."""

from __future__ import annotations

import pytest
from tests.web.page.test_page_access import check


@pytest.fixture(scope="module")
def server(started):
    return started("human-v1")


@pytest.fixture
def atlas(page):
    page.goto("/atlas")
    page.wait_for_selector("#atlas-type .sky canvas")
    return page


def test_all_types_can_be_browsed(atlas):
    assert "410 types" in atlas.locator("#atlas-lead").inner_text()
    assert atlas.locator("#atlas-types [data-term]").count() == 410
    assert atlas.locator("#atlas-type h2").inner_text() == "B cell"
    assert "MS4A1" in atlas.locator("#atlas-type .strengths").inner_text()
    check(atlas, "atlas")


@pytest.mark.slow
def test_a_type_is_found_by_name_and_its_address_is_kept(atlas):
    atlas.get_by_label("Search for a type or a gene").fill("hepatocyte")
    atlas.locator("#atlas-types").get_by_role("button", name="hepatocyte", exact=True).click()
    assert atlas.locator("#atlas-type h2").inner_text() == "Hepatocyte"
    assert atlas.url.endswith("#CL:0000182")
    atlas.reload()
    atlas.locator("#atlas-type h2", has_text="Hepatocyte").wait_for()


def test_a_gene_leads_to_the_types_that_listen_to_it(atlas):
    atlas.locator("#atlas-type .strengths").get_by_role("button", name="MS4A1").click()
    found = atlas.locator("#atlas-types").inner_text()
    assert "naive B cell" in found
    assert "hepatocyte" not in found
    assert atlas.locator("#atlas-count").inner_text().endswith("types")


def test_similar_types_and_types_above_are_a_press_away(atlas):
    atlas.locator(".near [data-term]").first.click()
    assert atlas.locator("#atlas-type h2").inner_text() != "B cell"
    atlas.locator(".path").get_by_role("button", name="B cell", exact=True).click()
    assert atlas.locator("#atlas-type h2").inner_text() == "B cell"


def test_arrow_keys_name_the_genes_of_a_type(atlas):
    atlas.locator("#atlas-type .sky").focus()
    atlas.keyboard.press("ArrowRight")
    assert "number 1 of the 300 that speak for it" in atlas.locator("#atlas-type .told").inner_text()


def test_what_a_fingerprint_is_is_told_in_three_steps(atlas):
    atlas.locator("#atlas").get_by_role("button", name="What is this?").click()
    atlas.wait_for_selector(".prints")
    assert atlas.locator(".lesson > li").count() == 3
    assert "similarity to naive B cell" in atlas.locator(".prints").inner_text()
    check(atlas, "lesson")


def test_the_demo_is_one_press_and_its_settings_are_there_afterwards(page):
    page.goto("/")
    page.get_by_role("button", name="Try with demo data").click()
    page.wait_for_selector("#map[data-drawn]")
    assert "of 700 cells have a type" in page.locator("#result-lead").inner_text()
    page.get_by_role("button", name="Run again").click()
    assert page.locator("#found-figures").inner_text().split("\n")[:2] == ["cells", "700"]
    assert not page.get_by_label("Name each cell alone").is_checked()
