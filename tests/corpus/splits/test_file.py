from __future__ import annotations

import json

import pandas as pd
import pytest

from spoticell.corpus.splits.make import Split, SplitSpec, make_split, read_split, write_split
from spoticell.errors import OutputError, StoreError

CELLS = pd.DataFrame({"dataset_id": list("abc"), "donor_id": list("pqr"), "assay": "x"})


@pytest.fixture
def split() -> Split:
    return make_split(CELLS, SplitSpec(name="sets", by="dataset", test=["c"]))


def test_a_split_comes_back_as_it_was(tmp_path, split):
    assert write_split(tmp_path, split) == tmp_path / "splits" / "sets.json"
    assert read_split(tmp_path, "sets") == split


def test_the_hash_stands_in_the_file_and_follows_from_its_content(tmp_path, split):
    written = json.loads(write_split(tmp_path, split).read_text())
    assert written["sha256"] == split.sha256
    other = make_split(CELLS, SplitSpec(name="sets", by="dataset", test=["b"]))
    assert other.sha256 != split.sha256


def test_a_changed_file_is_refused(tmp_path, split):
    path = write_split(tmp_path, split)
    path.write_text(path.read_text().replace('"c"', '"b"'))
    with pytest.raises(StoreError, match="was changed after it was written"):
        read_split(tmp_path, "sets")


def test_a_renamed_file_is_refused(tmp_path, split):
    path = write_split(tmp_path, split)
    path.rename(path.with_name("other.json"))
    with pytest.raises(StoreError, match="its hash doesn't fit"):
        read_split(tmp_path, "other")


def test_the_same_split_may_be_written_again_but_no_other_under_its_name(tmp_path, split):
    path = write_split(tmp_path, split)
    before = path.stat().st_mtime_ns
    write_split(tmp_path, split)
    assert path.stat().st_mtime_ns == before
    with pytest.raises(OutputError, match="is another split"):
        write_split(tmp_path, make_split(CELLS, SplitSpec(name="sets", by="dataset", test=["b"])))


def test_a_split_that_is_not_there_is_refused_with_those_that_are(tmp_path, split):
    write_split(tmp_path, split)
    with pytest.raises(StoreError, match="has no split 'donors'; it has 'sets'"):
        read_split(tmp_path, "donors")


def test_a_split_of_a_later_format_is_refused(tmp_path, split):
    path = write_split(tmp_path, split)
    path.write_text(path.read_text().replace('"format_version": "1.0"', '"format_version": "1.1"'))
    with pytest.raises(StoreError, match=r"format 1.1, which a later release wrote"):
        read_split(tmp_path, "sets")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format_version": "1.0"}', "\x00"])
def test_what_is_no_split_is_refused(tmp_path, text):
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits" / "sets.json").write_text(text)
    with pytest.raises(StoreError):
        read_split(tmp_path, "sets")


def test_groups_are_written_and_not_cells(tmp_path):
    cells = pd.concat([CELLS] * 10_000, ignore_index=True)
    path = write_split(tmp_path, make_split(cells, SplitSpec(name="sets", by="dataset", test=["c"])))
    assert path.stat().st_size < 1500
