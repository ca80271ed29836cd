"""What Python, the command line and the page can be asked about samples, groups and conditions is the same."""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest

import spoticell
from spoticell.annotation.options import Options
from spoticell.cli import annotate as command
from spoticell.web.inlined import static_text
from spoticell.web.job_schemas import JobSettings, RunOrder
from spoticell.web.tables import COMPOSITION, DIFFERENCES, GROUPS, tables_of

SAME = (
    *("model", "threshold", "allow", "deny", "tissue", "by", "condition", "groups", "markers"),
    *("each_cell_alone", "cellxgene"),
)
TABLES = {"composition": COMPOSITION, "differences": DIFFERENCES, "groups_output": GROUPS}
"""Options of the command line that are files of the page."""
ELSEWHERE = {
    "cells": "what is brought",
    "output": "a file to save",
    "report": "a file to save",
    "sample": "the name of the file",
    "index": "whoever runs the server chooses it",
    "device": "whoever runs the server chooses the processor",
    "dask": "the page has workers of its own",
    "threads": "whoever runs the server chooses them",
    "layer": "the best matrix is taken",
    "gene_column": "the best column is taken",
    "key_added": "what the page reads has one name",
    "overwrite": "a run replaces the last",
    "as_json": "all answers are JSON",
    "quiet": "there is no terminal",
}
"""Options of the command line that are no settings of the page, and why."""
BOXES = {"each_cell_alone": "alone"}


def test_every_option_of_the_command_line_is_a_setting_of_the_page_or_has_a_reason_why_not():
    asked = set(inspect.signature(command.annotate).parameters)
    assert asked == {*SAME, *TABLES, *ELSEWHERE}


@pytest.mark.parametrize("option", SAME)
def test_an_option_is_at_every_door(option):
    assert option in inspect.signature(spoticell.annotate).parameters
    assert option in {item.name for item in fields(Options)}
    assert option in RunOrder.model_fields
    assert option in JobSettings.model_fields
    assert f'id="{BOXES.get(option, option)}"' in static_text("index.html")


def test_the_tables_of_the_command_line_are_files_of_the_page():
    asked = dict.fromkeys(("by", "condition", "groups"), "a column")
    assert tables_of(asked) == list(TABLES.values())
    assert all(f'"{name}"' in static_text("js/take.js") for name in TABLES.values())
