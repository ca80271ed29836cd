"""Groups from end to end: files, objects, the table, the page."""

import json
import re

import anndata
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import spoticell
from spoticell.cli.app import app
from spoticell.errors import ConfigError
from spoticell.report.page import render
from spoticell.web.schemas import Summary
from spoticell.web.summary import summarise

LABEL = "cell_type_ontology_term_id"


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="spoticell")


@pytest.fixture
def markers(tmp_path):
    path = tmp_path / "markers.csv"
    path.write_text("cell_type,gene\nB cell,MS4A1\nT cell,CD8A\n")
    return path


@pytest.fixture
def many_cells(make_tiny_cells):
    """Thirty cells of each type, with their labels, and an empty one."""
    return make_tiny_cells(per_type=30)


def test_a_column_gives_the_table_the_columns_and_the_record(many_cells, tiny_bundle, markers):
    result = spoticell.annotate(many_cells, model=tiny_bundle, groups=LABEL, markers=markers, on_progress=False)
    rows = result.groups.table.set_index("group")
    assert list(rows["cell_type_ontology_term_id"]) == [*rows.index.drop("unknown"), "unknown"]
    assert (rows["share"].drop("unknown") == 1).all()
    assert rows.loc["CL:0000236", "known_markers"] == "MS4A1"
    assert {"CD8A", "CD8B", "GZMK", "CCL5"} == set(rows.loc["CL:0000625", "genes"].split(", "))
    assert many_cells.obs["spoticell_group"].astype(str).tolist() == many_cells.obs[LABEL].astype(str).tolist()
    assert many_cells.obs["spoticell_group_cell_type"].iloc[0] == "B cell"
    assert many_cells.obs["spoticell_group_share"].dtype == np.float32
    assert many_cells.uns["spoticell"]["groups"]["cells"].tolist() == [30] * 6 + [1]


def test_a_file_keeps_the_groups_and_a_run_without_groups_removes_them(many_cells, tiny_bundle_folder, tmp_path):
    many_cells.obs.loc[many_cells.obs_names[:3], LABEL] = np.nan
    many_cells.write_h5ad(tmp_path / "cells.h5ad")
    first, second = tmp_path / "first.h5ad", tmp_path / "second.h5ad"
    done = run("annotate", tmp_path / "cells.h5ad", "-o", first, "-b", tiny_bundle_folder, "--groups", LABEL)
    assert done.exit_code == 0, done.output
    named = anndata.read_h5ad(first)
    assert named.obs["spoticell_group"].isna().tolist()[:4] == [True, True, True, False]
    assert named.obs["spoticell_group_cell_type"].iloc[0] == "unknown"
    assert named.obs["spoticell_group_share"].isna().sum() == 3
    assert named.uns["spoticell"]["groups"]["column"] == LABEL
    assert run("annotate", first, "-o", second, "-b", tiny_bundle_folder).exit_code == 0
    again = anndata.read_h5ad(second)
    assert not [name for name in again.obs if name.startswith("spoticell_group")]
    assert "groups" not in again.uns["spoticell"]


def test_the_command_lists_the_groups_and_tells_them_in_json(many_cells, tiny_bundle_folder, markers, tmp_path):
    many_cells.write_h5ad(tmp_path / "cells.h5ad")
    table = tmp_path / "groups.csv"
    out = ("-o", tmp_path / "out.csv", "-b", tiny_bundle_folder, "--groups", LABEL)
    done = run("annotate", tmp_path / "cells.h5ad", *out, "--markers", markers, "--groups-output", table, "--json")
    assert done.exit_code == 0, done.output
    assert re.search(r"CL:0000236 +30 +100% .* B cell .*MS4A1\*", done.stderr)
    assert f"{table}" in done.stderr
    told = json.loads(done.stdout)
    assert pd.read_csv(table)["cells"].tolist() == [group["cells"] for group in told["groups"]]
    assert [group["cell_type"] for group in told["groups"]][:2] == ["fibroblast", "B cell"]
    assert "spoticell_group_share" in (tmp_path / "out.csv").read_text().splitlines()[0]


def test_groups_are_found_where_none_are_told_whatever_the_order_of_cells(many_cells, tiny_bundle):
    found = spoticell.annotate(many_cells, model=tiny_bundle, groups="auto", on_progress=False)
    types = {group.term for group in found.groups.groups}
    assert set(many_cells.obs[LABEL]) - {"unknown"} <= types
    assert found.groups.grouping.code_n[-1] == -1  # the empty cell
    order = np.random.default_rng(0).permutation(many_cells.n_obs)
    again = spoticell.annotate(many_cells[order].copy(), model=tiny_bundle, groups="auto", on_progress=False)
    assert again.groups.grouping.code_n.tolist() == found.groups.grouping.code_n[order].tolist()


@pytest.mark.parametrize("cells", [1, 2, 3])
def test_of_next_to_no_cells_there_are_no_groups_to_be_found_but_all_is_written(
    tiny_cells, tiny_bundle, tmp_path, cells
):
    few = tiny_cells[:cells].copy()
    found = spoticell.annotate(few, model=tiny_bundle, groups="auto", on_progress=False)
    assert len(found.groups.groups) <= 1
    assert found.groups.table.columns[0] == "group"
    few.write_h5ad(tmp_path / "few.h5ad")
    assert "spoticell_group" in anndata.read_h5ad(tmp_path / "few.h5ad").obs
    assert 'id="groups"' in render(found, examples=(), command="")


def test_what_cannot_be_is_refused_before_any_cell_is_read(tiny_h5ad, tiny_bundle, markers, tmp_path):
    def annotate(**asked):
        return spoticell.annotate(tiny_h5ad, model=tiny_bundle, on_progress=False, **asked)

    with pytest.raises(ConfigError, match="no column 'leiden' about cells; its columns are"):
        annotate(groups="leiden")
    with pytest.raises(ConfigError, match="named alone; give a column of groups"):
        annotate(groups="auto", each_cell_alone=True)
    with pytest.raises(ConfigError, match="give groups too"):
        annotate(markers=markers)
    with pytest.raises(ConfigError, match="no table of markers"):
        annotate(groups="batch", markers=tmp_path / "none.csv")


def test_a_table_of_groups_that_cannot_be_written_is_refused(tiny_h5ad, tiny_bundle_folder, tmp_path):
    def refused(*arguments):
        done = run("annotate", tiny_h5ad, *arguments, "-b", tiny_bundle_folder)
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        return done.stderr

    out = ("-o", tmp_path / "out.csv")
    assert "no groups to write: give --groups" in refused(*out, "--groups-output", tmp_path / "groups.csv")
    named = ("--groups", "batch", "--groups-output")
    assert "a table is written as .csv" in refused(*out, *named, tmp_path / "groups.h5ad")
    several = (tiny_h5ad.parent, "-o", tmp_path / "named", *named, tmp_path / "groups.csv")
    assert "groups-output is for one file" in refused(*several)


def test_a_command_that_repeats_the_run_asks_for_the_same_groups(tiny_h5ad, tiny_bundle):
    options = spoticell.annotate(tiny_h5ad, model=tiny_bundle, groups="batch", on_progress=False).options
    assert "--groups batch" in options.command("a.h5ad", "b.h5ad")
    assert "groups='batch'" in options.python("a.h5ad", "b.h5ad")


def test_the_report_shows_groups_with_known_markers_in_bold(many_cells, tiny_bundle, markers):
    many_cells.obs["odd"] = np.where(many_cells.obs[LABEL] == "CL:0000236", "<script>b</script>", "rest")
    named = spoticell.annotate(many_cells, model=tiny_bundle, groups="odd", markers=markers, on_progress=False)
    page = render(named, examples=(), command="")
    section = page[page.index('<section id="groups">') : page.index('<section id="map">')]
    assert "<b>MS4A1</b>" in section
    assert "<script>" not in section
    assert "column <bdi>odd</bdi>" in section
    plain = spoticell.annotate(many_cells, model=tiny_bundle, on_progress=False)
    assert 'id="groups"' not in render(plain, examples=(), command="")


def test_the_summary_of_the_page_has_groups_as_its_schema_says(many_cells, tiny_bundle):
    named = spoticell.annotate(many_cells, model=tiny_bundle, groups=LABEL, on_progress=False)
    told = Summary.model_validate(summarise(named))
    assert [group.type for group in told.groups][:2] == ["fibroblast", "B cell"]
    plain = spoticell.annotate(many_cells, model=tiny_bundle, on_progress=False)
    assert Summary.model_validate(summarise(plain)).groups is None


def test_groups_that_are_found_lie_within_samples_where_these_are_told(many_cells, tiny_bundle):
    found = spoticell.annotate(many_cells, model=tiny_bundle, groups="auto", by="batch", on_progress=False)
    code_n, batch_n = found.groups.grouping.code_n, many_cells.obs["batch"].to_numpy()
    assert len(found.groups.groups) >= 12
    assert all(len(set(batch_n[code_n == code])) == 1 for code in range(len(found.groups.groups)))
