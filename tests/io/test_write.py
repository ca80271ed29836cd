import csv
import errno
import os
import signal
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spoticell.errors import OutputError
from spoticell.io.formula import guard
from spoticell.io.write import atomic, check_output, write_csv, write_json, writing


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    with atomic(tmp_path / "out.csv") as passing:
        passing.write_text("half")
        assert not (tmp_path / "out.csv").exists()
        assert passing.parent == tmp_path
        assert passing.suffix == ".csv"
    assert (tmp_path / "out.csv").read_text() == "half"
    assert names(tmp_path) == ["out.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.rows(19)
def test_whatever_goes_wrong_leaves_the_old_file_and_nothing_else(tmp_path, error):
    (tmp_path / "out.csv").write_text("old")

    def fail():
        with atomic(tmp_path / "out.csv") as passing:
            passing.write_text("new")
            raise error

    with pytest.raises(error):
        fail()
    assert (tmp_path / "out.csv").read_text() == "old"
    assert names(tmp_path) == ["out.csv"]


def test_a_link_is_followed_and_stays(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "real" / "out.csv")
    with atomic(tmp_path / "link.csv") as passing:
        passing.write_text("new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real" / "out.csv").read_text() == "new"


def test_the_umask_decides_who_may_read(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic(tmp_path / "out.csv") as passing:
            passing.write_text("x")
    finally:
        os.umask(before)
    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "you may not write into this folder"),
        (errno.EDQUOT, "quota"),
        (errno.EFBIG, "larger than is allowed"),
    ],
)
def test_what_the_disk_refuses_is_said_plainly(tmp_path, number, words):
    with pytest.raises(OutputError, match=f"out.csv can't be written: .*{words}"), atomic(tmp_path / "out.csv"):
        raise OSError(number, "refused")
    hidden = f"Can't write data (file write failed: errno = {number}, error message = 'refused')"
    with pytest.raises(OutputError, match=words), writing(tmp_path / "out.csv"):
        raise RuntimeError(hidden)
    with pytest.raises(OutputError, match=words), writing(tmp_path / "out.csv"):
        raise Exception(f"Error while serializing: I/O error: refused (os error {number})")
    assert names(tmp_path) == []


def test_errors_that_are_not_the_disks_pass(tmp_path):
    with pytest.raises(RuntimeError, match="something else"), atomic(tmp_path / "out.csv"):
        raise RuntimeError("something else")


def test_a_missing_folder_is_named_before_anything_is_written(tmp_path):
    with pytest.raises(OutputError, match="its folder does not exist"), atomic(tmp_path / "no" / "out.csv"):
        raise AssertionError("never reached")


def test_a_file_that_grows_too_large_is_removed(tmp_path):
    code = """
import resource, signal, sys
from pathlib import Path
from spoticell.errors import OutputError
from spoticell.io.write import atomic
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with atomic(Path(sys.argv[1])) as passing:
        passing.write_bytes(bytes(5000))
except OutputError as error:
    print(error)
"""
    child = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "out.csv"], capture_output=True, text=True, check=True
    )
    assert "would be larger than is allowed here" in child.stdout
    assert names(tmp_path) == []


def interrupt(child):
    """Interrupt a process until it ends: one that comes while Python tidies up is lost."""
    while True:
        child.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return child.wait(timeout=10)


def test_an_interrupt_midway_leaves_nothing(tmp_path):
    code = """
import signal, sys, time
from pathlib import Path
from spoticell.io.write import atomic
# a shell that runs the tests in the background has interrupts ignored
signal.signal(signal.SIGINT, signal.default_int_handler)
with atomic(Path(sys.argv[1])) as passing:
    passing.write_bytes(bytes(5000))
    print("writing", flush=True)
    time.sleep(600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "out.csv"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stdout.readline() == "writing\n"
        written = names(tmp_path)
        assert interrupt(child) != 0
    assert [name.partition(".tmp")[1:] for name in written] == [("", ""), (".tmp", ".csv")]
    assert names(tmp_path) == []


@pytest.mark.rows(20)
def test_outputs_are_checked_before_any_work(tmp_path):
    (tmp_path / "in.h5ad").write_text("input")
    (tmp_path / "old.csv").write_text("old")
    (tmp_path / "link.h5ad").symlink_to(tmp_path / "in.h5ad")
    check_output(tmp_path / "new.csv", input_path=tmp_path / "in.h5ad")
    check_output(tmp_path / "old.csv", overwrite=True)
    check_output(tmp_path / "in.h5ad", input_path=tmp_path / "in.h5ad", overwrite=True)
    for path, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "out.csv", "its folder does not exist"),
        (tmp_path / "old.csv" / "out.csv", "its folder does not exist"),
        (tmp_path / "old.csv", "is there already. Give another path, or replace it with --overwrite"),
        (tmp_path / "in.h5ad", "is the input itself. Give another path, .*, in Python overwrite=True"),
        (tmp_path / "link.h5ad", "is the input itself"),
    ):
        with pytest.raises(OutputError, match=words):
            check_output(path, input_path=tmp_path / "in.h5ad")


def test_a_read_only_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(OutputError, match="you may not write into this folder"):
        check_output(tmp_path / "out.csv")


def test_what_is_no_ordinary_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "out.csv")
    with pytest.raises(OutputError, match="not an ordinary file"):
        check_output(tmp_path / "out.csv", overwrite=True)


def test_fields_are_written_as_json_that_people_can_read(tmp_path):
    write_json(tmp_path / "facts.json", {"name": "Zellé", "cells": 3})
    assert (tmp_path / "facts.json").read_text(encoding="utf-8") == '{\n "name": "Zellé",\n "cells": 3\n}\n'


def test_fields_that_are_no_json_leave_the_old_file(tmp_path):
    write_json(tmp_path / "facts.json", {"cells": 3})
    with pytest.raises(TypeError):
        write_json(tmp_path / "facts.json", {"cells": {3}})
    assert [path.read_text() for path in tmp_path.iterdir()] == ['{\n "cells": 3\n}\n']


def test_tables_are_written_under_one_heading(tmp_path):
    tables = [pd.DataFrame({"cell": ["a"], "score": [0.5]}), pd.DataFrame({"cell": ["b,c"], "score": [-1.0]})]
    write_csv(tmp_path / "out.csv", iter(tables))
    assert (tmp_path / "out.csv").read_bytes() == b'cell,score\na,0.5\n"b,c",-1.0\n'


def test_a_table_without_rows_gives_the_heading(tmp_path):
    write_csv(tmp_path / "out.csv", [pd.DataFrame({"cell": [], "score": []})])
    assert (tmp_path / "out.csv").read_text() == "cell,score\n"


def test_what_is_missing_leaves_a_field_empty_and_each_number_its_own_digits(tmp_path):
    table = pd.DataFrame(
        {
            "type": pd.Categorical(["T", None, 'B "1"']),
            "name": ["a,b", None, "c\nd"],
            "score": [0.1, np.nan, 1e-7],
            "share": np.float32([0.1, np.nan, 2]),
            "cells": [1, 2, 3],
            "novel": pd.array([True, None, False], dtype="boolean"),
        }
    )
    write_csv(tmp_path / "out.csv", [table])
    assert (tmp_path / "out.csv").read_text() == (
        'type,name,score,share,cells,novel\nT,"a,b",0.1,0.1,1,True\n,,,,2,\n"B ""1""","c\nd",1e-07,2.0,3,False\n'
    )


def test_an_empty_field_alone_is_a_row(tmp_path):
    write_csv(tmp_path / "out.csv", [pd.DataFrame({"group": ["", None, "1"]})])
    assert (tmp_path / "out.csv").read_text() == 'group\n""\n""\n1\n'


@pytest.mark.parametrize("tables", [{"a": ["x", "y\r=1"], "n": [1, 2]}, {"a\r=1": ["x", "y"], "n": [1, 2]}])
def test_a_bare_carriage_return_ends_no_line(tmp_path, tables):
    write_csv(tmp_path / "out.csv", [pd.DataFrame(tables)])
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [list(tables), *([word, str(n)] for word, n in zip(*tables.values(), strict=True))]


@pytest.mark.rows(47)
def test_formulas_are_defused_in_every_column_of_text(tmp_path):
    table = pd.DataFrame(
        {
            "=cell": ["=cmd()", "+1", "-1", "@x", "\tx", "\rx", "a=b"],
            "type": pd.Categorical(["=B", "T", "=B", "T", "T", "T", "T"]),
            "n": [-1, 1, 1, 1, 1, 1, 1],
        }
    )
    write_csv(tmp_path / "out.csv", [table])
    back = pd.read_csv(tmp_path / "out.csv", lineterminator="\n")
    assert back.columns.tolist() == ["'=cell", "type", "n"]
    assert back["'=cell"].tolist() == ["'=cmd()", "'+1", "'-1", "'@x", "'\tx", "'\rx", "a=b"]
    assert back["type"].tolist()[0] == "'=B"
    assert back["n"].tolist()[0] == -1


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r")), min_size=1, max_size=8))
@settings(deadline=None)
def test_any_words_come_back_from_a_csv(tmp_path_factory, words):
    path = tmp_path_factory.mktemp("csv") / "out.csv"
    write_csv(path, [pd.DataFrame({"cell": words, "n": range(len(words))})])
    back = pd.read_csv(path, keep_default_na=False, dtype=str)
    assert back["cell"].tolist() == [guard(word) for word in words]
