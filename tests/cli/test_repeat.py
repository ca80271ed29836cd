"""The command that a report shows repeats its run: it holds all that was given and that changes what comes out."""

from __future__ import annotations

import html
import inspect
import re
import shlex

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import spoticell
from spoticell.cli import annotate as command
from spoticell.cli.app import app

NO_MATTER = {
    "overwrite": "pasting must not replace a file unasked",
    "as_json": "what is printed",
    "quiet": "what is printed",
    "threads": "how fast it is",
    "device": "how fast it is",
    "dask": "how fast it is",
}
"""Options of ``annotate`` that the command of a report lacks, and why."""


def command_in(report):
    return shlex.split(html.unescape(re.search(r"<code>(spoticell annotate .*?)</code>", report, re.DOTALL)[1]))


@pytest.fixture
def given(make_tiny_cells, tiny_bundle_folder, tmp_path):
    """What can be given, by the names of the parameters."""
    cells = make_tiny_cells(per_type=30)
    cells.layers["umi"] = cells.X.copy()
    cells.obs["donor"] = [f"{batch}-{number % 3}" for number, batch in enumerate(cells.obs["batch"])]
    index = tmp_path / "index"
    spoticell.build_index(cells, index, model=tiny_bundle_folder, study="Mine", on_progress=False)
    cells.obs["author"] = cells.obs.pop("cell_type_ontology_term_id").astype(str)
    cells.write_h5ad(tmp_path / "cells.h5ad")
    (tmp_path / "markers.csv").write_text("cell_type,gene\nB cell,MS4A1\n")
    return {
        "cells": tmp_path / "cells.h5ad",
        "output": tmp_path / "named.h5ad",
        "report": tmp_path / "named.html",
        "model": tiny_bundle_folder,
        "index": index,
        "threshold": "0.4",
        "allow": "CL:0000084",
        "deny": "CL:0000625",
        "tissue": "blood",
        "layer": "umi",
        "gene_column": "gene_id",
        "key_added": "mine",
        "by": "donor",
        "condition": "batch",
        "composition": tmp_path / "shares.csv",
        "sample": "the file",
        "differences": tmp_path / "changes.csv",
        "each_cell_alone": True,
        "groups": "author",
        "markers": tmp_path / "markers.csv",
        "groups_output": tmp_path / "groups.csv",
        "cellxgene": True,
    }


def option_of(name):
    """Give the long option of a parameter, as its name is written in commands to copy."""
    return f"--{name.replace('_', '-')}"


def test_every_option_is_in_the_command_of_the_report_or_is_no_matter_of_what_comes_out(given):
    assert set(inspect.signature(command.annotate).parameters) == {*given, *NO_MATTER}
    cells, output, *others = given.items()
    words = ["annotate", str(cells[1]), "-o", str(output[1])]
    for name, value in others:
        words += [option_of(name)] if value is True else [option_of(name), str(value)]
    done = CliRunner().invoke(app, words, prog_name="spoticell")
    assert done.exit_code == 0, done.output
    first = given["report"].read_text()
    said = command_in(first)
    assert said[:5] == ["spoticell", *words[:4]]
    for name, value in others:
        place = said.index(option_of(name))
        assert value is True or said[place + 1] == str(value), name
    for name in ("output", "report", "composition", "differences", "groups_output"):
        given[name].unlink()
    again = CliRunner().invoke(app, said[1:], prog_name="spoticell")
    assert again.exit_code == 0, again.output
    assert command_in(given["report"].read_text()) == said
    assert given["groups_output"].exists()


def test_all_options_can_be_given_by_the_names_that_python_has_for_them():
    there = {opt for param in get_command(app).commands["annotate"].params for opt in param.opts}
    given = set(inspect.signature(command.annotate).parameters) - {"cells", *NO_MATTER}
    assert {option_of(name) for name in given} <= there


def test_a_copy_is_in_the_python_of_the_report(tiny_cells, tiny_bundle, tmp_path):
    spoticell.annotate(tiny_cells, model=tiny_bundle, report=tmp_path / "a.html", copy=True, on_progress=False)
    assert "copy=True" in html.unescape((tmp_path / "a.html").read_text())
