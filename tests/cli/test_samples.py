"""Naming the sample in the table of its composition, as pipelines do that join such tables."""

import pandas as pd
import pytest
from typer.testing import CliRunner

from spoticell.cli.app import app


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="spoticell")


@pytest.mark.parametrize(
    ("asked", "named"), [((), {"Zoë, day 1"}), (("--by", "batch"), {"Zoë, day 1: a", "Zoë, day 1: b"})]
)
def test_a_sample_has_the_name_that_it_is_given(tiny_h5ad, tiny_bundle_folder, tmp_path, asked, named):
    where = ("-o", tmp_path / "out.csv", "-b", tiny_bundle_folder, "--composition", tmp_path / "types.csv")
    result = run("annotate", tiny_h5ad, *where, "--sample", "Zoë, day 1", *asked)
    assert result.exit_code == 0, result.output
    assert set(pd.read_csv(tmp_path / "types.csv")["sample"]) == named


def test_a_name_without_a_table_or_for_several_files_is_refused(tiny_h5ad, tmp_path):
    for files, why in (
        ([tiny_h5ad], "give --composition TABLE too"),
        ([tiny_h5ad, "b.h5ad"], "sample is for one file"),
    ):
        result = run("annotate", *files, "-o", tmp_path / "out.csv", "--sample", "x")
        assert (result.exit_code, result.stderr.count("\n"), result.stdout) == (1, 1, "")
        assert why in result.stderr
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("name", ["", " ", "\n"])
def test_a_name_without_letters_is_refused(tiny_h5ad, tmp_path, name):
    tables = ("--composition", tmp_path / "types.csv", "--sample", name)
    result = run("annotate", tiny_h5ad, "-o", tmp_path / "out.csv", *tables)
    assert (result.exit_code, result.stderr.count("\n"), result.stdout) == (1, 1, "")
    assert "the name of the sample is empty" in result.stderr
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("overwrite", [(), ("--overwrite",)])
def test_no_table_takes_the_place_of_answers_cells_or_another_table(tiny_h5ad, tiny_bundle_folder, tmp_path, overwrite):
    answers, table = tmp_path / "out.csv", tmp_path / "types.csv"
    cells = tmp_path / "cells.csv"
    cells.write_text("cell,MS4A1\na,1\n")
    condition = ("--by", "batch", "--condition", "batch", "--differences", table)
    for asked, why in (
        ((tiny_h5ad, "--composition", answers), "out.csv is given for the answers and for the composition."),
        ((cells, "--composition", cells), "cells.csv is given for the cells and for the composition."),
        ((tiny_h5ad, "--composition", table, *condition), "for the composition and for the differences."),
    ):
        result = run("annotate", *asked, "-o", answers, "-b", tiny_bundle_folder, *overwrite)
        assert (result.exit_code, result.stderr.count("\n"), result.stdout) == (1, 1, "")
        assert why in result.stderr
    several = run("annotate", tiny_h5ad, cells, "-o", tmp_path / "all", "--composition", cells, *overwrite)
    assert "cells.csv is given for the cells and for the composition." in several.stderr
    explained = run("explain", cells, "-o", cells, *overwrite)
    assert "cells.csv is given for the cells and for the table." in explained.stderr
    assert cells.read_text() == "cell,MS4A1\na,1\n"
    assert {path.name for path in tmp_path.iterdir()} <= {"cells.csv", "all", tiny_h5ad.name}
