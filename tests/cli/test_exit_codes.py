"""The exit codes and JSON documents that docs/pipelines.md promises to pipelines."""

import json
import math
import re
import signal
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from spoticell.cli import console
from spoticell.cli.app import app
from spoticell.cli.ending import SIGNALS, Ending

PAGE = (Path(__file__).parents[2] / "docs" / "pipelines.md").read_text(encoding="utf-8")
PROMISED = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
DOCUMENTS = dict(
    re.findall(r"^\| (`[a-z` ,]+`) \| (.+) \|$", PAGE.split("### `--json`")[1].split("###")[0], re.MULTILINE)
)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="spoticell")


def code_of_signal(number):
    try:
        console.guarded(lambda: Ending()(number, None))()
    except (typer.Exit, SystemExit) as end:
        return end.exit_code if isinstance(end, typer.Exit) else end.code
    return 0


def test_all_exit_codes_are_promised_and_no_others(tiny_h5ad, tiny_bundle_folder):
    codes = {
        run("check", tiny_h5ad, "-b", tiny_bundle_folder).exit_code,
        run("check", "nothing.h5ad").exit_code,
        run("check", "--no-such-option").exit_code,
        *(code_of_signal(number) for number in SIGNALS),
    }
    assert codes == PROMISED
    assert code_of_signal(signal.SIGTERM) == 143


def test_of_several_files_one_error_is_in_the_code_and_in_its_place(tiny_h5ad, tiny_bundle_folder, tmp_path):
    done = run("annotate", "nothing.h5ad", tiny_h5ad, "-o", tmp_path / "out", "-b", tiny_bundle_folder, "--json", "-q")
    bad, good = json.loads(done.stdout)
    assert (done.exit_code, list(bad), good["cells"]) == (1, ["file", "error"], 31)


def test_an_error_leaves_stdout_empty():
    done = run("check", "nothing.h5ad", "--json")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)


def test_documents_hold_what_is_promised(tiny_h5ad, tiny_bundle_folder, tmp_path):
    model, out = ("-b", tiny_bundle_folder), tmp_path / "out.h5ad"
    run("annotate", tiny_h5ad, "-o", out, *model)
    asked = {
        "`check`": ("check", tiny_h5ad, *model),
        "`evaluate`": ("evaluate", out, "--label-column", "cell_type_ontology_term_id", "--partial"),
        "`explain`": ("explain", tiny_h5ad, *model),
        "`doctor`": ("doctor",),
    }
    for name, arguments in asked.items():
        told = json.loads(run(*arguments, "--json").stdout)
        promised = set(re.findall(r"`(\w+)`", DOCUMENTS[name]))
        assert promised - told.keys() == set(), name
        assert "more" in DOCUMENTS[name] or told.keys() == promised, name


def test_every_command_that_tells_json_is_in_the_table():
    def names(group, *before):
        for name, command in group.commands.items():
            if command.hidden:
                continue
            if hasattr(command, "commands"):
                yield from names(command, *before, name)
            elif any("--json" in one.opts for one in command.params):
                yield " ".join((*before, name))

    listed = {name for row in DOCUMENTS for name in re.findall(r"`([^`]+)`", row)}
    assert set(names(typer.main.get_command(app))) == listed


def test_json_is_what_every_parser_reads(capsys):
    value = {
        "a": np.array([1.5, np.nan]),
        "b": (math.inf, np.int64(3), True, None),
        "c": Path("x"),
        "d": np.float32("nan"),
    }
    console.show_json(value)
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert told == {"a": [1.5, None], "b": [None, 3, True, None], "c": "x", "d": None}
