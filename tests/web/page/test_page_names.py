"""Types on the page: short names to see, the ontology's to hover over and to hear, everyday words to search by."""

from __future__ import annotations

import re

from tests.web.page.conftest import until
from tests.web.page.test_page_journey import centre

CD4 = "CD4-positive, alpha-beta T cell"
WRITTEN = {
    "T cells": "T cell",
    "CD4+ T cells": "CD4 T",
    "NK cells": "NK",
    "NK": "NK",
    "Fibroblasts": "Fibroblast",
    "b lymphocytes": "B cell",
    "CL:0000625": "CD8 T",
    "mono": "Monocyte",
}
"""What people write into the search, and the first type that it finds."""


def test_a_type_is_seen_by_its_short_name_and_heard_by_both(result):
    button = result.locator("#types").get_by_role("button", name=re.compile(f"^CD4 T ?, {CD4}$"))
    assert button.is_visible()
    name = button.locator(".type-name")
    assert name.get_attribute("title") == f"{CD4} (CL:0000624)"
    assert name.locator(".hidden").inner_text().strip() == f", {CD4}"
    assert result.locator("#types .type-name", has_text="unknown").get_attribute("title") is None


def test_a_name_that_is_short_as_it_is_is_not_said_twice(result):
    assert result.locator("#types").get_by_role("button", name="B cell", exact=True).is_visible()


def test_a_cell_under_the_mouse_says_its_type_in_short_and_in_full(result):
    names = {}
    for name in result.locator("#types .type-name").all():
        names[name.evaluate("name => name.firstChild.textContent")] = name.get_attribute("title")
    told = {}
    for row in range(6):
        result.mouse.move(*centre(result, row))
        tip = result.locator("#tip")
        tip.wait_for()
        told[tip.locator("b").inner_text()] = tip.inner_text()
    assert "NK" in told
    for short, words in told.items():
        assert (names[short] in words) == (short not in {"B cell", "Fibroblast"})


def test_the_search_understands_what_people_write(result):
    hit = result.locator("#hits [role=option]").first
    for words, first in WRITTEN.items():
        result.locator("#search").fill(words)
        hit.wait_for()
        until(result, "short => document.querySelector('#hits .type-name')?.firstChild.textContent === short", first)
        assert hit.locator(".type-name").count() == 1
        result.locator("#search").fill("")
        hit.wait_for(state="hidden")
