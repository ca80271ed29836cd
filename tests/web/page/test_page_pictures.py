"""Drawings of the page as files: with names and what colours mean, as SVG and as PNG of 300 dots an inch."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image
from tests.conftest import tiny_adata
from tests.web.page.conftest import link_to_cells

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def samples_link(server, tmp_path_factory) -> str:
    """A result with three samples."""
    cells = tiny_adata(per_type=30)
    cells.obs["donor"] = [f"d{n % 3}" for n in range(cells.n_obs)]
    path = tmp_path_factory.mktemp("samples") / "cells.h5ad"
    cells.write_h5ad(path)
    return link_to_cells(server, path, by="donor")


@pytest.fixture
def own(page: Any, samples_link: str) -> Any:
    page.goto(samples_link)
    page.wait_for_selector("#map[data-drawn]")
    page.wait_for_selector("#compare-place .part")
    return page


def saved(page: Any, place: str, form: str, tmp_path: Path) -> Path:
    with page.expect_download() as download:
        page.locator(place).get_by_role("button", name=f"Save {form}").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    return path


def texts(path: Path) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.parse(path).getroot().iter(f"{SVG}text")]


@pytest.mark.parametrize("place", ["#samples", "#compare"])
def test_compositions_are_kept_with_names_and_what_the_colours_mean(own, tmp_path, place):
    if place == "#compare":
        own.get_by_label("Compare by").select_option("file donor")
        own.locator("#compare .bars", has_text="d2").wait_for()
    path = saved(own, place, "SVG", tmp_path)
    assert path.name == "composition.svg"
    words = texts(path)
    assert words[0] == "Composition by donor"
    assert {"d0", "d1", "d2", "B cell", "Fibroblast"} <= set(words)
    assert any(word.endswith(" cells") for word in words)
    fills = {node.get("fill") for node in ElementTree.parse(path).getroot().iter()}
    assert not any(fill and "var(" in fill for fill in fills), "no colour needs the page's style"


def test_the_key_of_a_composition_has_shares_in_the_order_of_the_bars(own, tmp_path):
    own.get_by_label("Compare by").select_option("file donor")
    own.locator("#compare .bars", has_text="d2").wait_for()
    drawing = ElementTree.parse(saved(own, "#compare", "SVG", tmp_path)).getroot()
    words = ["".join(text.itertext()) for text in drawing.iter(f"{SVG}text")]
    told = words.index("Shares of the cells of d0 · d1 · d2, in the order of the bars")
    key = dict(zip(words[told + 1 :: 2], words[told + 2 :: 2], strict=True))
    for at in range(3):
        assert sum(float(shares.split(" · ")[at].strip("<% ")) for shares in key.values()) == pytest.approx(100, abs=3)
    titles = [node.findtext(f"{SVG}title", "") for node in drawing.iter(f"{SVG}rect")]
    pieces = [title.rsplit(":", 1)[0] for title in titles if title]
    assert list(dict.fromkeys(pieces)) == list(key)
    assert words[:told].count("B cell") == 3, "each bar has the name"


@pytest.mark.parametrize(
    "place",
    [pytest.param("#samples", marks=pytest.mark.slow), "#compare", pytest.param("#by-type", marks=pytest.mark.slow)],
)
def test_pictures_have_300_dots_an_inch(own, tmp_path, place):
    if place == "#by-type":
        own.get_by_role("tab", name="Genes").click()
        own.get_by_label("Genes to compare").fill("MS4A1 LYZ")
        own.locator("#gene-list").get_by_role("button", name="Compare").click()
        own.locator("#by-type svg").wait_for()
    with Image.open(saved(own, place, "PNG", tmp_path)) as picture:
        picture.load()
        dense, width, colours = picture.info["dpi"], picture.width, len(picture.convert("RGB").getcolors(1 << 20))
    assert dense == pytest.approx((300, 300), abs=0.1)
    drawing = ElementTree.parse(saved(own, place, "SVG", tmp_path)).getroot()
    assert width == round(float(drawing.get("width")) * 300 / 96)
    assert colours > 20


def test_the_map_is_as_dense(own, tmp_path):
    with own.expect_download() as download:
        own.get_by_role("button", name="Save the map as a picture (PNG)").click()
    download.value.save_as(tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert picture.width > 3 * own.locator("#map").bounding_box()["width"]


def test_a_dot_plot_names_genes_and_types(own, tmp_path):
    own.get_by_role("tab", name="Genes").click()
    own.get_by_label("Genes to compare").fill("MS4A1 LYZ")
    own.locator("#gene-list").get_by_role("button", name="Compare").click()
    own.locator("#by-type svg").wait_for()
    assert {"MS4A1", "LYZ", "B cell", "of the cells have it"} <= set(texts(saved(own, "#by-type", "SVG", tmp_path)))
