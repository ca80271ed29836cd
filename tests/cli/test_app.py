import json
import os
import pickle
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import anndata
import pandas as pd
import pytest
from typer.testing import CliRunner

from spoticell import __version__
from spoticell.cli.app import app

LABEL = "cell_type_ontology_term_id"
RUNNER = CliRunner()


def run(*arguments):
    return RUNNER.invoke(app, [str(argument) for argument in arguments], prog_name="spoticell")


def shell(*arguments, **options):
    """Run the command as its own process."""
    source = str(Path(__file__).parents[2] / "src")
    environment = os.environ | {"PYTHONPATH": source, "OMP_NUM_THREADS": "1"} | options.pop("env", {})
    command = [sys.executable, "-c", "from spoticell.cli.app import main; main()", *map(str, arguments)]
    options = {"capture_output": True, "text": True} | options
    return subprocess.run(command, env=environment, check=False, **options)


def assert_refused(result, message):
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("spoticell: ")
    assert message in result.stderr
    assert result.stdout == ""


def test_annotate_tells_the_composition_on_stderr_and_keeps_stdout_clean(tiny_h5ad, tiny_bundle_folder, tmp_path):
    result = run("annotate", tiny_h5ad, "-o", tmp_path / "out.h5ad", "-b", tiny_bundle_folder)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    for text in (
        "31 cells, 200 genes",
        "5  16.1%   1.00  B cell ",
        "unknown: no counts in known genes",
        "30 of 31 cells named (96.8%) by tiny, threshold 0.50",
        str(tmp_path / "out.h5ad"),
    ):
        assert text in result.stderr
    assert (tmp_path / "out.h5ad").is_file()


def test_json_is_one_document_on_stdout_and_quiet_is_silent(tiny_h5ad, tiny_bundle_folder, tmp_path):
    result = run(
        "annotate", tiny_h5ad, "-o", tmp_path / "o.csv", "-b", tiny_bundle_folder, "--json", "--quiet", "--threads", 1
    )
    assert result.stderr == ""
    summary = json.loads(result.stdout)
    assert (summary["cells"], summary["unknown"]) == (31, 1)
    assert sum(row["cells"] for row in summary["composition"]) == 31
    assert summary["bundle"]["name"] == "tiny"
    assert summary["output"] == str(tmp_path / "o.csv")
    quiet = run("annotate", tiny_h5ad, "-o", tmp_path / "p.csv", "-b", tiny_bundle_folder, "-q")
    assert (quiet.stdout, quiet.stderr, quiet.exit_code) == ("", "", 0)


def test_many_types_are_summed_below_the_commonest(monkeypatch, tiny_h5ad, tiny_bundle_folder, tmp_path):
    monkeypatch.setattr("spoticell.cli.tables.TOP", 4)
    result = run("annotate", tiny_h5ad, "-o", tmp_path / "out.csv", "-b", tiny_bundle_folder)
    assert "10  32.3%         2 other types" in result.stderr


def test_threshold_changes_the_answers(vague_cells, tiny_bundle_folder, tmp_path):
    vague_cells.write_h5ad(tmp_path / "flat.h5ad")
    result = run("annotate", tmp_path / "flat.h5ad", "-o", tmp_path / "o.csv", "-b", tiny_bundle_folder, "-t", 0.999)
    assert "unknown: no type passed the threshold" in result.stderr
    assert "0 of 31 cells named" in result.stderr


def test_answers_are_kept_to_the_types_that_are_asked_for(tiny_h5ad, tiny_bundle_folder, tmp_path):
    command = ("annotate", tiny_h5ad, "-o", tmp_path / "o.csv", "-b", tiny_bundle_folder, "--overwrite")
    result = run(*command, "--allow", "CD4-positive, alpha-beta T cell", "--allow", "B cell", "--tissue", "pbmc")
    assert (
        "Answers were kept to 2 of the 6 types that the model knows: in blood; among B cell (CL:0000236), CD4-pos"
        in (result.stderr)
    )
    assert "20  64.5%         unknown: next to nothing speaks for an allowed type" in result.stderr
    summary = json.loads(run(*command, "--deny", "T cell", "--json", "-q").stdout)
    assert summary["allowed"] == {"allow": [], "deny": ["CL:0000084"], "tissue": None, "labels": 4}


def test_a_type_or_tissue_that_is_none_is_refused_in_one_line(tiny_h5ad, tiny_bundle_folder, tmp_path):
    command = ("annotate", tiny_h5ad, "-o", tmp_path / "o.csv", "-b", tiny_bundle_folder)
    assert_refused(run(*command, "--allow", "B sell"), "'B sell' is no id, name or synonym")
    assert_refused(run(*command, "--tissue", "lunge"), "there is no tissue 'lunge'; there are adipose tissue, ")


def test_check_says_what_would_be_used_and_writes_nothing(tiny_h5ad, tiny_bundle_folder):
    before = sorted(tiny_h5ad.parent.iterdir())
    result = run("check", tiny_h5ad, "--bundle", tiny_bundle_folder)
    assert result.exit_code == 0
    assert "cells.h5ad (h5ad): 31 cells, 200 genes" in result.stdout
    assert "counts: X:" in result.stdout
    assert json.loads(run("check", tiny_h5ad, "-b", tiny_bundle_folder, "--json").stdout)["matrix"] == "X"
    assert sorted(tiny_h5ad.parent.iterdir()) == before


def test_check_lists_gene_names_that_are_not_known_as_they_stand(tiny_cells, tiny_bundle_folder, tmp_path):
    names = tiny_cells.var_names.tolist()
    names[0] = "no such gene"
    tiny_cells.var_names = names
    del tiny_cells.var["gene_id"]
    tiny_cells.write_h5ad(tmp_path / "cells.h5ad")
    command = ("check", tmp_path / "cells.h5ad", "-m", tiny_bundle_folder, "--genes")
    assert "unmatched  no such gene" in run(*command).stdout
    listed = json.loads(run(*command, "--json").stdout)["genes"]
    assert listed == [{"name": "no such gene", "how": "unmatched", "gene_id": "", "symbol": ""}]


def test_layer_gene_column_and_key_are_taken_and_evaluate_finds_the_answers(tiny_cells, tiny_bundle_folder, tmp_path):
    tiny_cells.layers["umi"] = tiny_cells.X.copy()
    tiny_cells.X = tiny_cells.X[::-1].copy()
    tiny_cells.write_h5ad(tmp_path / "in.h5ad")
    named = ("--layer", "umi", "--gene-column", "gene_id")
    assert "counts: layers/umi" in run("check", tmp_path / "in.h5ad", "-m", tiny_bundle_folder, *named).stdout
    out = tmp_path / "out.h5ad"
    result = run("annotate", tmp_path / "in.h5ad", "-o", out, "-m", tiny_bundle_folder, *named, "--key-added", "run2")
    assert result.exit_code == 0, result.output
    assert_refused(run("evaluate", out, "--truth-key", LABEL), "Answers are under 'run2': say so with --key-added")
    assert "accuracy                1.000" in run("evaluate", out, "--truth-key", LABEL, "--key-added", "run2").stdout


def test_help_lists_the_commands_in_the_order_of_a_day():
    lines = run("--help").stdout.split("Commands:")[1].splitlines()
    order = [
        "check",
        "annotate",
        "evaluate",
        "explain",
        "search",
        "index",
        "serve",
        "page",
        "prepare",
        "train",
        "models",
    ]
    order += ["doctor"]
    assert [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "] == order


def test_evaluate_scores_what_annotate_wrote(tiny_h5ad, tiny_bundle_folder, tmp_path):
    run("annotate", tiny_h5ad, "-o", tmp_path / "out.h5ad", "-b", tiny_bundle_folder)
    result = run("evaluate", tmp_path / "out.h5ad", "--truth-key", LABEL)
    assert "1.000   1.000  1.000  CL:0000236  B cell" in result.stdout
    assert "accuracy                1.000" in result.stdout
    assert json.loads(run("evaluate", tmp_path / "out.h5ad", "--truth-key", LABEL, "--json").stdout)["accuracy"] == 1


def test_bundles_are_listed_and_shown(tiny_bundle_folder, monkeypatch):
    monkeypatch.setattr("spoticell.model.bundle.PACKAGED", tiny_bundle_folder.parent)
    listing = run("bundles").stdout
    header = ["name", "revision", "date", "types", "genes", "MB", "where", "description"]
    assert listing.splitlines()[0].split() == header
    assert "2026-01-01      6    200  0.0  shipped  Made by hand" in listing
    assert json.loads(run("bundles", "--json").stdout)[0]["name"] == "tiny"
    shown = run("bundles", "info", "tiny").stdout
    for text in ("6 labels", "200 on a grid of 155 x 155", "Cell Ontology 20", "nothing", "macro_f1"):
        assert text in shown
    assert json.loads(run("bundles", "info", tiny_bundle_folder, "--json").stdout)["grid"] == 155


def test_a_machine_without_bundles_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("spoticell.model.bundle.PACKAGED", tmp_path)
    result = run("bundles")
    assert result.exit_code == 0
    assert "no model is installed" in result.stderr


def write_bad(folder):
    """Files that can't be annotated, each with a part of the sentence that says why."""
    whole = (folder / "cells.h5ad").read_bytes()
    (folder / "cut.h5ad").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.h5ad").write_bytes(b"")
    (folder / "text.h5ad").write_text("these are no cells\n")
    (folder / "picture.h5ad").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (folder / "object.pkl").write_bytes(pickle.dumps({"cells": 1}))
    (folder / "folder").mkdir()
    return {
        "nowhere.h5ad": "no such file",
        "cut.h5ad": "cut.h5ad",
        "empty.h5ad": "is empty",
        "text.h5ad": "text.h5ad",
        "picture.h5ad": "PNG",
        "object.pkl": "pickle",
        "folder": "folder",
    }


@pytest.mark.parametrize("command", ["annotate", "check"])
@pytest.mark.parametrize(
    "name", ["nowhere.h5ad", "cut.h5ad", "empty.h5ad", "text.h5ad", "picture.h5ad", "object.pkl", "folder"]
)
@pytest.mark.rows(1, 2)
def test_bad_files_end_with_one_line_and_exit_code_1(tiny_h5ad, tiny_bundle_folder, command, name):
    message = write_bad(tiny_h5ad.parent)[name]
    output = ["-o", tiny_h5ad.parent / "out.csv"] if command == "annotate" else []
    result = run(command, tiny_h5ad.parent / name, *output, "-b", tiny_bundle_folder)
    assert_refused(result, message)
    assert not (tiny_h5ad.parent / "out.csv").exists()


def test_errors_are_one_line_even_where_a_name_holds_a_line_break(tmp_path, tiny_bundle_folder):
    assert_refused(run("check", tmp_path / "two\nlines.h5ad", "-b", tiny_bundle_folder), "two lines.h5ad")


def test_paths_with_spaces_and_foreign_letters_work(tiny_h5ad, tiny_bundle_folder, tmp_path):
    path = tiny_h5ad.rename(tmp_path / "über die Zellen.h5ad")
    assert run("annotate", path, "-o", tmp_path / "ergebnis ß.csv", "-b", tiny_bundle_folder).exit_code == 0


@pytest.mark.rows(19)
def test_results_that_are_there_are_not_replaced_without_overwrite(tiny_h5ad, tiny_bundle_folder, tmp_path):
    (tmp_path / "out.csv").write_text("precious")
    arguments = ("annotate", tiny_h5ad, "-o", tmp_path / "out.csv", "-b", tiny_bundle_folder)
    assert_refused(run(*arguments), "there already")
    assert run(*arguments, "--overwrite").exit_code == 0


@pytest.mark.parametrize("bundle", ["no-such-bundle", "."])
def test_bundles_that_are_none_are_refused(tiny_h5ad, tmp_path, bundle):
    assert_refused(run("annotate", tiny_h5ad, "-o", tmp_path / "out.csv", "-b", bundle), "bundle")


@pytest.mark.parametrize(
    "arguments",
    [
        ["annotate"],
        ["annotate", "in.h5ad"],
        ["annotate", "in.h5ad", "-o", "out.csv", "--threads", "0"],
        ["annotate", "in.h5ad", "-o", "out.csv", "--threshold", "2"],
        ["annotate", "in.h5ad", "-o", "out.csv", "--colour"],
        ["evaluate"],
        ["train", "--data-dir", "d"],
        ["nonsense"],
        [],
    ],
    ids=" ".join,
)
def test_commands_put_wrongly_exit_with_2(arguments):
    assert run(*arguments).exit_code == 2


def test_training_without_torch_names_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run("train", "--data-dir", tmp_path, "--output-dir", tmp_path / "out")
    assert_refused(result, "training needs torch. Install the extra 'train': pip install '.[train]' in your clone")


def test_options_of_train_go_to_the_training(monkeypatch, tmp_path):
    fit = pytest.importorskip("spoticell.training.train")
    seen = {}

    def fake(data_dir, output_dir, config, **options):
        seen.update(options, config=config, data_dir=data_dir)
        return output_dir / "best_model_f1"

    monkeypatch.setattr(fit, "train", fake)
    mine = tmp_path / "mine.yaml"
    mine.write_text("patience: 4\n")
    arguments = ["--data-dir", tmp_path, "--output-dir", tmp_path / "out", "--config", "original", "-c", mine]
    result = run("train", *arguments, "--epochs", 3, "--random-state", 7, "--resume")
    assert result.exit_code == 0, result.output
    assert (seen["config"].epochs, seen["config"].optimizer, seen["random_state"], seen["resume"]) == (
        3,
        "adam",
        7,
        True,
    )
    assert seen["config"].patience == 4
    assert "best_model_f1" in result.stderr


def test_an_interrupted_command_exits_with_130(monkeypatch, tiny_h5ad, tiny_bundle_folder):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("spoticell.api.look_at", interrupted)
    result = run("check", tiny_h5ad, "-b", tiny_bundle_folder)
    assert result.exit_code == 130
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "memory ran out"),
        (PermissionError(13, "Permission denied", "cells.h5ad"), "Permission denied"),
        (ZeroDivisionError("division by zero"), "SPOTICELL_DEBUG=1"),
    ],
)
def test_errors_that_nobody_foresaw_are_one_line_too(monkeypatch, tiny_h5ad, tiny_bundle_folder, error, message):
    def fails(*args, **kwargs):
        raise error

    monkeypatch.setattr("spoticell.api.look_at", fails)
    monkeypatch.delenv("SPOTICELL_DEBUG", raising=False)
    assert_refused(run("check", tiny_h5ad, "-b", tiny_bundle_folder), message)


def test_tracebacks_come_through_where_they_are_asked_for(monkeypatch, tiny_bundle_folder):
    monkeypatch.setenv("SPOTICELL_DEBUG", "1")
    assert "no such file" in str(run("check", "nowhere.h5ad", "-b", tiny_bundle_folder).exception)


@pytest.mark.parametrize(
    "command", [["annotate"], ["check"], ["evaluate"], ["train"], ["models"], ["models", "info"], ["doctor"]]
)
def test_the_help_of_every_command_has_an_example(command):
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert f"Example: spoticell {command[0]}" in result.stdout


def test_help_loads_nothing_heavy():
    assert "annotate" in shell("--help").stdout
    heavy = "{'numpy', 'pandas', 'anndata', 'onnxruntime', 'torch'}"
    code = f"import sys, spoticell.cli.app; print(*({heavy} & set(sys.modules)))"
    source = str(Path(__file__).parents[2] / "src")
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == ""


def test_the_version_is_that_of_the_package():
    assert run("--version").stdout == f"spoticell {__version__}\n"


def test_a_process_ends_cleanly_whoever_listens(tiny_h5ad, tiny_bundle_folder, tmp_path):
    arguments = ("check", tiny_h5ad, "--bundle", tiny_bundle_folder)
    reading, writing = os.pipe()
    os.close(reading)
    closed = shell(*arguments, stdout=writing, stderr=subprocess.PIPE, capture_output=False)
    os.close(writing)
    assert (closed.returncode, closed.stderr) == (0, "")
    bare = shell(*arguments, env={"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, stdin=subprocess.DEVNULL)
    assert bare.returncode == 0
    assert "31 cells" in bare.stdout
    missing = shell("check", tmp_path / "nowhere.h5ad", "--bundle", tiny_bundle_folder)
    assert (missing.returncode, missing.stderr.count("\n"), missing.stdout) == (1, 1, "")


def test_the_csv_of_two_processes_is_the_same_to_the_byte(tiny_h5ad, tiny_bundle_folder, tmp_path):
    for name in ("a.csv", "b.csv"):
        shell("annotate", tiny_h5ad, "-o", tmp_path / name, "-b", tiny_bundle_folder, "-q")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert len(pd.read_csv(tmp_path / "a.csv")) == 31


def test_remarks_of_the_library_are_lines_on_stderr_unless_quiet(tiny_h5ad, tiny_bundle_folder, tmp_path):
    later = shutil.copytree(tiny_bundle_folder, tmp_path / "later")
    fields = json.loads((later / "bundle.json").read_text()) | {"format_version": "1.9"}
    (later / "bundle.json").write_text(json.dumps(fields))
    loud = shell("check", tiny_h5ad, "-b", later)
    assert loud.stderr.startswith("note: ")
    assert "later format 1.9" in loud.stderr
    assert "later format" not in loud.stdout
    assert shell("check", tiny_h5ad, "-b", later, "--quiet").stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"])
@pytest.mark.rows(19)
def test_streams_that_are_closed_or_full_do_no_harm(tiny_h5ad, tiny_bundle_folder, tmp_path, closed):
    source = str(Path(__file__).parents[2] / "src")
    command = [sys.executable, "-m", "spoticell", "annotate", tiny_h5ad, "-b", tiny_bundle_folder]
    line = f"{shlex.join(map(str, [*command, '-o', tmp_path / 'out.h5ad']))} {closed}"
    environment = os.environ | {"PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    assert subprocess.run(line, shell=True, env=environment, check=False).returncode == 0
    assert len(anndata.read_h5ad(tmp_path / "out.h5ad")) == 31


@pytest.mark.parametrize("arguments", ["--help", "annotate --help", "--version", "bundles"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_what_cant_be_shown_is_said_in_one_sentence(arguments):
    source = str(Path(__file__).parents[2] / "src")
    line = f"{shlex.quote(sys.executable)} -m spoticell {arguments} > /dev/full"
    environment = os.environ | {"PYTHONPATH": source}
    ended = subprocess.run(line, shell=True, env=environment, check=False, capture_output=True, text=True)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert "No space left on device" in ended.stderr


def test_of_two_runs_on_one_new_output_the_second_is_told(monkeypatch, tiny_h5ad, tiny_bundle_folder, tmp_path):
    command = ("annotate", tiny_h5ad, "-b", tiny_bundle_folder)
    for name in ("out.csv", "out.h5ad"):
        with monkeypatch.context() as patched:
            # the other one was not there when this one looked
            patched.setattr("spoticell.api.check_answers", lambda *args, **kwargs: None)
            (tmp_path / name).write_text("the other's")
            refused = run(*command, "-o", tmp_path / name, "-q")
            assert_refused(refused, f"{name} came into being while this run was at work")
        assert (tmp_path / name).read_text() == "the other's"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells.h5ad", "out.csv", "out.h5ad"]
