"""The report fits a phone, and report and page are printed in light colours also where the reader likes dark ones."""

import pytest
from tests.conftest import tiny_adata
from tests.web.page.conftest import window

LONG = "x" * 60


@pytest.fixture(scope="module")
def report(browser, server, tmp_path_factory):
    """A report with long names of groups and samples, saved as a visitor saves it."""
    cells = tiny_adata(per_type=30)
    cells.obs["batch"] = [LONG, "two"] * (cells.n_obs // 2) + ["two"] * (cells.n_obs % 2)
    folder = tmp_path_factory.mktemp("cells")
    cells.write_h5ad(folder / "cells.h5ad")
    page = window(browser, server, accept_downloads=True)
    page.goto("/")
    page.set_input_files("#file", folder / "cells.h5ad")
    page.get_by_text("Settings", exact=True).click()
    page.select_option("#groups", "batch")
    page.select_option("#by", "batch")
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Report").click()
    saved.value.save_as(folder / "report.html")
    page.context.close()
    return (folder / "report.html").as_uri()


def test_the_report_is_no_wider_than_a_phone(browser, report):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(report)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.close()


def test_a_report_is_printed_light_from_dark_colours(browser, report):
    def looks(media, scheme):
        page.emulate_media(media=media, color_scheme=scheme)
        return page.evaluate(
            """() => {
              const style = getComputedStyle(document.documentElement);
              const names = "ground card ink line accent track q0 q1 q2 q3 q4 q5 none".split(" ");
              return [style.colorScheme, ...names.map((name) => style.getPropertyValue(`--${name}`))];
            }"""
        )

    page = browser.new_page()
    page.goto(report)
    assert looks("print", "dark") == looks("print", "light")
    assert looks("screen", "dark") != looks("screen", "light")
    assert looks("print", "dark")[7:] == looks("screen", "light")[7:], "the scale of the map is that of light colours"
    page.close()


@pytest.mark.parametrize("look", [{"color_scheme": "dark"}])
def test_a_result_is_printed_light_without_what_can_be_pressed(result):
    lightness = "() => getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).every((part) => part > 200)"
    assert not result.evaluate(lightness)
    result.emulate_media(media="print")
    assert result.evaluate(lightness)
    for shown in ("#types", "#map", "#compare", "#commands", "#result-lead"):
        assert result.locator(shown).is_visible(), shown
    for left_out in ("#search", "#delete", "#moving", "#take", "#tab-cell", "#theme"):
        assert not result.locator(left_out).is_visible(), left_out
    assert result.locator("button.button:visible").count() == 0
