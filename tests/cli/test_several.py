"""Several files in one go, and the tables of samples that commands print and write."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from spoticell.annotation.cluster.task import place_of
from spoticell.annotation.composition import Composition
from spoticell.annotation.differences import differences
from spoticell.cli.app import app
from spoticell.cli.samples import sample_lines
from spoticell.cli.several import _with_workers, names_of, places_of
from spoticell.errors import ConfigError
from spoticell.io.address import Address

RUNNER = CliRunner()


def run(*arguments):
    return RUNNER.invoke(app, [str(argument) for argument in arguments], prog_name="spoticell")


@pytest.fixture
def files(make_tiny_cells, tmp_path):
    """Three files of tiny cells, two of which have the same name."""
    paths = [tmp_path / "one" / "cells.h5ad", tmp_path / "two" / "cells.h5ad", tmp_path / "lung.h5ad"]
    for seed, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        make_tiny_cells(seed=seed).write_h5ad(path)
    return paths


def test_every_file_is_named_into_one_of_its_own_and_one_table_tells_of_all(files, tiny_bundle_folder, tmp_path):
    out = tmp_path / "named"
    result = run("annotate", *files, "-o", out, "--report", out / "pages", "-b", tiny_bundle_folder)
    assert result.exit_code == 0, result.output
    names = ["lung", "one-cells", "two-cells"]
    assert sorted(path.name for path in out.glob("*.h5ad")) == [f"{name}.h5ad" for name in names]
    assert sorted(path.name for path in (out / "pages").iterdir()) == [f"{name}.html" for name in names]
    assert "spoticell_cell_type" in anndata.read_h5ad(out / "one-cells.h5ad").obs
    table = pd.read_csv(out / "composition.csv")
    assert table.groupby("sample")["cells"].sum().to_dict() == dict.fromkeys(names, 31)
    for text in (
        f"2 of 3: {files[1]}",
        "30 of 31 cells named (96.8%)",
        "share in each of 3 samples",
        "composition.csv",
    ):
        assert text in result.stderr
    assert result.stdout == ""


def test_a_file_that_cant_be_used_stops_no_other_and_is_told_at_the_end(files, tiny_bundle_folder, tmp_path):
    files[0].write_text("no cells")
    missing = tmp_path / "nowhere.h5ad"
    result = run("annotate", *files, missing, "-o", tmp_path / "out", "-b", tiny_bundle_folder, "--json", "-q")
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[0] == "spoticell: 2 of 4 files could not be used:"
    assert lines[1].startswith(str(files[0]))
    assert lines[2] == f"{missing}: there is no such file or folder."
    told = json.loads(result.stdout)
    assert [Path(one["file"]) for one in told] == [*files, missing]
    assert ["error" in one for one in told] == [True, False, False, True]
    assert told[1]["output"] == str(tmp_path / "out" / "two-cells.h5ad")
    assert set(pd.read_csv(tmp_path / "out" / "composition.csv")["sample"]) == {"two-cells", "lung"}


def test_where_no_file_can_be_used_there_is_no_table(tiny_bundle_folder, tmp_path):
    result = run("annotate", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "out", "-b", tiny_bundle_folder)
    assert result.exit_code == 1
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("there", ["lung.h5ad", "composition.csv"])
def test_what_is_there_is_refused_before_any_work_and_replaced_if_allowed(files, tiny_bundle_folder, tmp_path, there):
    out = tmp_path / "out"
    out.mkdir()
    (out / there).write_text("precious")
    refused = run("annotate", *files, "-o", out, "-b", tiny_bundle_folder)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "is there already" in refused.stderr
    assert [path.name for path in out.iterdir()] == [there]
    assert (out / there).read_text() == "precious"
    assert run("annotate", *files, "-o", out, "-b", tiny_bundle_folder, "--overwrite").exit_code == 0


def test_an_option_that_cant_be_is_told_once_and_nothing_is_made(files, tiny_bundle_folder, tmp_path):
    result = run("annotate", *files, "-o", tmp_path / "out", "-b", tiny_bundle_folder, "--tissue", "moon")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert not (tmp_path / "out").exists()


def test_samples_of_several_files_carry_the_files_names_and_conditions(files, tiny_bundle_folder, tmp_path):
    for path, condition in zip(files, ("well", "ill", "well"), strict=True):
        cells = anndata.read_h5ad(path)
        cells.obs["disease"] = condition
        cells.write_h5ad(path)
    out, compared = tmp_path / "out", tmp_path / "differences.csv"
    arguments = ("--by", "batch", "--condition", "disease", "--differences", compared)
    result = run("annotate", *files, "-o", out, "-b", tiny_bundle_folder, *arguments)
    assert result.exit_code == 0, result.output
    table = pd.read_csv(out / "composition.csv").drop_duplicates("sample")
    assert dict(zip(table["sample"], table["condition"], strict=True)) == {
        "one-cells: a": "well",
        "one-cells: b": "well",
        "lung: a": "well",
        "lung: b": "well",
        "two-cells: a": "ill",
        "two-cells: b": "ill",
    }
    assert set(pd.read_csv(compared)["second"]) == {"ill"}
    assert result.stderr.count("note: no difference is tested") == 1


def test_names_are_told_apart_by_the_nearest_folder_that_differs():
    runs = [Path("s1/outs/matrix"), Path("s2/outs/matrix"), Path("s3/other.1.csv.gz")]
    assert names_of(runs) == ["s1-matrix", "s2-matrix", "other.1"]
    assert names_of([Path("a/cells.h5ad"), Path("a/cells.csv"), Path("b.h5")]) == ["cells-1", "cells-2", "b"]
    assert names_of([Path("a/X.h5"), Path("b/x.h5")]) == ["a-X", "b-x"]


def test_names_stay_apart_where_a_file_has_the_name_that_another_is_given():
    names = names_of([Path("a/x.h5"), Path("b/x.h5"), Path("a-x.h5")])
    assert len(set(names)) == 3


def test_a_file_that_is_given_twice_is_refused():
    with pytest.raises(ConfigError, match="is given 2 times"):
        places_of([Path("a.h5ad"), Path("b.h5ad"), Path("./a.h5ad")], Path("out"), None)


@pytest.mark.parametrize("places", [("-o", "out.h5ad"), ("-o", "out", "--report", "page.html")])
def test_several_files_need_folders(files, tmp_path, monkeypatch, places):
    monkeypatch.chdir(tmp_path)
    result = run("annotate", *files, *places)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert f"{places[-1]} is a file. Name a folder" in result.stderr
    assert not Path("out").exists()


def test_one_file_gets_its_tables_of_samples(tiny_cells, tiny_bundle_folder, tmp_path):
    tiny_cells.obs["condition"] = ["x"] * 15 + ["y"] * 16
    tiny_cells.obs["donor"] = [f"{condition}{row % 3}" for row, condition in enumerate(tiny_cells.obs["condition"])]
    tiny_cells.write_h5ad(tmp_path / "in.h5ad")
    tables = ("--composition", tmp_path / "types.csv", "--differences", tmp_path / "differ.csv")
    asked = ("-o", tmp_path / "out.csv", "-b", tiny_bundle_folder, "--by", "donor", "--condition", "condition")
    result = run("annotate", tmp_path / "in.h5ad", *asked, *tables, "--json")
    assert result.exit_code == 0, result.output
    assert pd.read_csv(tmp_path / "types.csv")["cells"].sum() == 31
    compared = pd.read_csv(tmp_path / "differ.csv")
    assert list(compared.columns[-2:]) == ["p", "q"]
    told = json.loads(result.stdout)["samples"]
    assert (told["by"], told["condition"], told["n_samples"]) == ("donor", "condition", [3, 3])
    assert len(told["differences"]) == len(compared)
    assert "share in each of 6 samples" in result.stderr
    again = run("annotate", tmp_path / "in.h5ad", *asked[2:], *tables, "-o", tmp_path / "new.csv")
    assert "types.csv is there already" in again.stderr
    assert not (tmp_path / "new.csv").exists()


def test_differences_without_conditions_and_tables_of_another_kind_are_refused(tiny_h5ad, tiny_bundle_folder, tmp_path):
    out = ("-o", tmp_path / "out.csv", "-b", tiny_bundle_folder)
    without = run("annotate", tiny_h5ad, *out, "--differences", tmp_path / "d.csv")
    assert "give --condition COLUMN too" in without.stderr
    other = run("annotate", tiny_h5ad, *out, "--composition", tmp_path / "types.xlsx")
    assert "a table is written as .csv" in other.stderr
    assert not (tmp_path / "out.csv").exists()


def composition(samples):
    cells_st = np.random.default_rng(0).integers(1, 50, size=(samples, 3))
    names = tuple(f"a long name of sample {row}" for row in range(samples))
    terms = ("CL:0000084", "CL:0000236", "unknown")
    conditions = tuple("xy"[row % 2] for row in range(samples))
    return Composition(names, conditions, terms, ("T cell", "B cell", "unknown"), cells_st)


def test_few_samples_have_a_column_each_and_many_are_summed_up():
    few = sample_lines(composition(3), None)
    assert "a long…ample 2" in few[0]
    assert few[0].endswith("share in each of 3 samples")
    many = sample_lines(composition(30), None)
    assert many[0].split()[:3] == ["least", "median", "most"]
    assert max(map(len, many)) < 80


def test_what_differs_most_is_listed_with_its_q():
    lines = sample_lines(composition(8), differences(composition(8)))
    assert any(line.split()[:6] == ["x", "y", "change", "95%", "p", "q"] for line in lines)
    assert sum(line.endswith("T cell") for line in lines) == 2


def test_workers_are_told_the_whole_address_of_each_file(tmp_path, monkeypatch):
    signed, told = Address("https://example.org/cells.h5ad?signature=secret"), []

    @contextmanager
    def crew_of(*_, **__):
        yield SimpleNamespace(expect=lambda cells, _: told.extend(map(place_of, cells)))

    monkeypatch.setattr("spoticell.annotation.cluster.crew.crew_of", crew_of)
    places = places_of([signed, tmp_path / "other.h5ad"], tmp_path, None)
    with _with_workers(places, {"dask": "local", "overwrite": False}):
        assert told == [signed.full, str(tmp_path / "other.h5ad")]
