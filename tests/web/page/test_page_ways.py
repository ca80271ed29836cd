"""The ways from an answer to the next question: from the head to the parts, from a caution to its cells, from a label
to what is said against it, from a type to how its genes go with a condition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.conftest import tiny_adata
from tests.web.page.conftest import link_to_cells, until
from tests.web.page.test_page_access import check

N, MISSING = 181, 65535
B_CELL, NK = "CL:0000236", "CL:0000623"
MIXED = np.where(np.arange(N) < 4, 0, MISSING).astype("<u2")
"""Four cells that look like two."""


@pytest.fixture(scope="module")
def ways_link(server, tmp_path_factory) -> str:
    """Where a result is whose author calls six B cells natural killer cells."""
    cells = tiny_adata(per_type=30)
    labels = cells.obs.pop("cell_type_ontology_term_id").astype(str).replace({"unknown": None})
    labels.iloc[np.flatnonzero(labels == B_CELL)[:6]] = NK
    cells.obs["label"] = labels
    cells.obs["condition"] = ["control", "treated"] * 90 + ["control"]
    path = tmp_path_factory.mktemp("ways") / "cells.h5ad"
    cells.write_h5ad(path)
    return link_to_cells(server, path)


@pytest.fixture
def own(page: Any, ways_link: str) -> Any:
    page.route("**/summary", lambda route: route.fulfill(json=warned(route.fetch().json())))
    page.route("**/columns", lambda route: route.fulfill(json=with_mixed(route.fetch().json())))
    page.route("**/columns/*", answered)
    page.goto(ways_link)
    page.wait_for_selector("#map[data-drawn]")
    page.wait_for_selector("#compare-place .part")
    page.wait_for_selector("#cross .unread")
    return page


def warned(summary: dict[str, Any]) -> dict[str, Any]:
    return summary | {"cautions": [{"kind": "mixed", "text": "4 cells look like two."}]}


def with_mixed(told: dict[str, Any]) -> dict[str, Any]:
    column = {"name": "mixed", "kind": "category", "ours": True, "missing": N - 4}
    column |= {"categories": [{"name": "B cell + T cell", "cells": 4}]}
    return told | {"columns": [*told["columns"], column]}


def answered(route: Any) -> None:
    reply = route.fetch()
    route.fulfill(response=reply) if reply.ok else route.fulfill(body=MIXED.tobytes())


def in_sight(page: Any, place: str) -> bool:
    return bool(
        page.evaluate(
            "id => { const { top } = document.getElementById(id).getBoundingClientRect();"
            " return top >= -1 && top < window.innerHeight; }",
            place,
        )
    )


def test_the_head_names_the_parts_below_and_leads_there(own):
    ways = own.locator("#ways button")
    assert ways.all_inner_texts()[:2] == ["Compare by condition", "Against label"]
    assert not in_sight(own, "cross-title")
    ways.nth(1).click()
    assert in_sight(own, "cross-title")
    assert own.evaluate("document.activeElement.id") == "cross-title"
    check(own, "a part that was led to")


def test_cells_that_look_mixed_are_no_condition_and_no_label(page, ways_link):
    page.route("**/columns", lambda route: route.fulfill(json=with_mixed({**route.fetch().json(), "columns": []})))
    page.route("**/columns/*", lambda route: route.fulfill(body=MIXED.tobytes()))
    page.goto(ways_link)
    page.wait_for_selector("#compare-place .part")
    assert page.locator("#ways button").all_inner_texts() == ["Gene grid", "Files to save"]


def test_a_part_that_is_not_there_is_not_named(own):
    assert "Composition by sample" not in own.locator("#ways").inner_text()
    assert own.locator("#samples").is_hidden()


def test_a_caution_leads_to_its_cells_and_leaves_them_out(own):
    own.get_by_role("button", name="Show these cells").click()
    own.locator("#one-column h3", has_text="mixed").wait_for()
    assert in_sight(own, "map")
    own.get_by_role("button", name="Leave them out").click()
    own.locator("#chips", has_text="177 of 181 cells").wait_for()
    assert "mixed: no value" in own.locator("#chips").inner_text()


@pytest.mark.slow
def test_an_address_with_a_filter_is_opened_without_a_fault(own, ways_link):
    own.get_by_role("button", name="Leave them out").click()
    own.locator("#chips", has_text="177 of 181 cells").wait_for()
    own.reload()
    own.wait_for_selector("#compare-place .part")
    own.locator("#chips", has_text="177 of 181 cells").wait_for()


def test_a_label_whose_cells_are_called_otherwise_is_named_with_what_they_are_called(own):
    row = own.locator("#cross .unread tbody tr")
    assert row.count() == 1
    said = row.inner_text()
    assert "read as NK" in said
    assert "17% of 36" in said
    assert "B cell 6" in said
    row.get_by_role("button", name=NK).click()
    until(own, "() => document.getElementById('shown').textContent.includes('called another type: 6 of 181 cells')")
    assert in_sight(own, "map")
    own.get_by_role("button", name="What are these?").click()
    own.locator("#chosen h3", has_text="6 cells selected").wait_for()
    assert own.get_by_role("button", name="What are these?").is_hidden(), "it was asked"


def test_what_is_shown_as_a_type_has_its_card_and_is_not_asked_about(own):
    assert own.get_by_role("button", name="What are these?").is_hidden()
    own.locator("#types .name").first.click()
    own.locator("#card h3").wait_for()
    assert own.get_by_role("button", name="What are these?").is_hidden()


def test_a_press_anywhere_in_a_row_of_the_comparison_opens_its_type(own):
    own.locator(".changes tbody tr", has_text="NK").first.locator(".change").click()
    own.locator("#card h3", has_text="NK").wait_for()


def test_the_genes_of_a_card_are_compared_by_type_and_condition(own):
    own.locator("#types .name").first.click()
    own.get_by_role("button", name="Compare these genes by type").click()
    own.locator("#by-type [aria-label='Dot plot by type and condition']").wait_for()
    assert own.locator("#compared").input_value().count(",") >= 2
    assert own.locator("#tab-genes").get_attribute("aria-selected") == "true"
