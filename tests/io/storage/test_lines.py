"""Text files line by line: how much text a packed file may turn into."""

import gzip

import pytest

from spoticell.errors import FileFormatError
from spoticell.io.storage import lines as module
from spoticell.io.storage.lines import lines


def packed(folder, text: str):
    path = folder / "cells.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_a_packed_table_that_unpacks_to_far_more_than_counts_do_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SMALL", 1 << 20)
    path = packed(tmp_path, ("0," * 999 + "0\n") * 2000)
    with pytest.raises(FileFormatError, match=r"cells.csv.gz unpacks to more than 500 times its bytes"):
        list(lines(path))


def test_a_small_table_may_be_packed_as_well_as_can_be(tmp_path):
    text = ("0," * 999 + "0\n") * 2000
    assert sum(len(line) + 1 for line in lines(packed(tmp_path, text))) == len(text)
