"""Names from files don't turn the words around them, and every cell can be asked for."""

import pytest
from tests.conftest import tiny_adata

HEBREW = "\u05d0\u05d1\u05d2"
SLASHED = f"{HEBREW}/1?a#b%20" + "x" * 400


@pytest.fixture(scope="module")
def cells_file(tmp_path_factory):
    cells = tiny_adata(per_type=30)
    cells.obs_names = [SLASHED, *cells.obs_names[1:]]
    cells.obs["batch"] = [HEBREW, "two"] * (cells.n_obs // 2) + ["two"] * (cells.n_obs % 2)
    path = tmp_path_factory.mktemp("cells") / f"{HEBREW} (1).h5ad"
    cells.write_h5ad(path)
    return path


def apart(page, where):
    return page.locator(f"{where} bdi").all_text_contents()


@pytest.fixture
def named_result(page, cells_file):
    page.goto("/")
    page.set_input_files("#file", cells_file)
    page.get_by_text("Settings", exact=True).click()
    page.select_option("#groups", "batch")
    page.select_option("#by", "batch")
    assert apart(page, "#job-title") == [cells_file.name]
    page.get_by_role("button", name="Name the cells").click()
    page.wait_for_selector("#map[data-drawn]")
    return page


@pytest.mark.slow
def test_names_of_files_samples_groups_and_cells_stand_apart(named_result, cells_file):
    page = named_result
    assert apart(page, "#result-title") == [cells_file.name]
    assert set(apart(page, "#sample-bars")) == {HEBREW, "two"}
    assert apart(page, "#samples-title") == ["batch"]
    assert "batch" in apart(page, "#used")
    page.get_by_role("tab", name="Groups").click()
    assert sorted(apart(page, "#groups-table")) == sorted([HEBREW, "two"])
    page.locator("#groups-table .name").first.click()
    assert apart(page, "#shown")[0].startswith("Group ")
    page.get_by_role("tab", name="One cell").click()
    page.fill("#which-cell", SLASHED)
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_selector("#cell .sky canvas")
    assert apart(page, "#cell > .small:first-child")[0] == SLASHED
    assert page.locator("#cell .sky canvas").evaluate("canvas => canvas.width") == 155
    page.goto("/")
    assert cells_file.name in apart(page, "#recent")


def test_a_page_that_is_not_there_is_told_in_the_pages_look(page):
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        reply = page.goto("/nothing")
        assert reply.status == 404
        assert page.locator("h1").text_content() == "There is nothing here"
    page.get_by_role("link", name="Go to the start").click()
    page.wait_for_selector("#drop")
