"""Short names and colours: the page, the annotated file and the report of a run agree."""

from __future__ import annotations

import re

import anndata
import pytest


@pytest.fixture
def summary(shared, done_job):
    return shared.get(done_job["links"]["summary"]).json()


def test_types_have_short_names_and_the_words_that_people_use(summary):
    names = {kind["term"]: (kind["short"], kind["name"]) for kind in summary["types"]}
    assert names["CL:0000623"] == ("NK", "natural killer cell")
    assert names["CL:0000624"] == ("CD4 T", "CD4-positive, alpha-beta T cell")
    killer = next(kind for kind in summary["types"] if kind["term"] == "CL:0000623")
    assert "CD56 NK" in killer["also"]
    assert [step["short"] for step in killer["path"]][-1] == "NK"
    assert {group["short"] for group in summary["levels"][0]["groups"]} >= {"NK", "T cell", "B cell"}


def test_page_file_and_report_have_the_same_colours(shared, done_job, summary, tmp_path):
    of_page = {kind["name"]: kind["color"] for kind in summary["types"]}
    assert len(set(of_page.values())) == len(of_page)
    (tmp_path / "out.h5ad").write_bytes(shared.get(done_job["links"]["annotated.h5ad"]).content)
    adata = anndata.read_h5ad(tmp_path / "out.h5ad")
    for column, key in (("spoticell_cell_type", "name"), ("spoticell_cell_type_short", "short")):
        names, colors = adata.obs[column].cat.categories, adata.uns[f"{column}_colors"]
        of_file = dict(zip(names, colors, strict=True))
        assert {kind[key]: kind["color"] for kind in summary["types"]}.items() <= of_file.items()
    names, colors = adata.obs["spoticell_level_broad"].cat.categories, adata.uns["spoticell_level_broad_colors"]
    of_file = dict(zip(names, colors, strict=True))
    assert {group["name"]: group["color"] for group in summary["levels"][0]["groups"]}.items() <= of_file.items()
    report = shared.get(done_job["links"]["report.html"]).text
    drawn = dict(re.findall(r'<g stroke-width="[^"]*" stroke="(#\w{6})"><title>([^<]*)</title>', report))
    assert {name: color for color, name in drawn.items() if name != "unknown"} == of_page


def test_on_each_level_no_two_groups_share_a_colour(summary):
    for level in summary["levels"]:
        colors = [group["color"] for group in level["groups"]]
        assert len(set(colors)) == len(colors)
