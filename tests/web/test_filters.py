"""Filters of the page, read by the server."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from spoticell.web import columns
from spoticell.web.filters import left_out, read_rules
from spoticell.web.refusal import Refusal

NAN, NONE = float("nan"), columns.MISSING


@pytest.fixture
def folder(tmp_path):
    """Five cells with a number and a category, of which the last has neither."""
    (tmp_path / columns.COLUMNS).mkdir()
    values = [np.array([1, 0.1, 3, 4, NAN], dtype="<f4"), np.array([0, 1, 0, 1, NONE], dtype="<u2")]
    for place, of_n in enumerate(values):
        (tmp_path / columns.COLUMNS / columns.packed_name(place)).write_bytes(gzip.compress(of_n.tobytes()))
    listed = [
        {"name": "counts", "kind": "number", "ours": True},
        {"name": "counts", "kind": "category", "ours": False, "categories": [{"name": "a"}, {"name": "b/c"}]},
    ]
    (tmp_path / columns.LIST).write_text(json.dumps({"columns": listed, "left_out": [], "maps": []}))
    return tmp_path


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, [0, 0, 0, 0, 0]),
        ({"run counts": {"low": 1, "high": 3}}, [0, 1, 0, 1, 1]),
        ({"run counts": {"low": None, "high": 3}}, [0, 0, 0, 1, 1]),
        ({"run counts": {"low": float(np.float32(0.1))}}, [0, 0, 0, 0, 1]),
        ({"run counts": {}}, [0, 0, 0, 0, 1]),
        ({"file counts": {"keep": ["b/c"]}}, [1, 0, 1, 0, 1]),
        ({"file counts": {"keep": ["a", "", "gone"]}}, [0, 1, 0, 1, 0]),
        ({"file counts": {}}, [1, 1, 1, 1, 1]),
        ({"file counts": {"keep": ["a"]}, "run counts": {"low": 2}}, [1, 1, 0, 1, 1]),
    ],
)
def test_a_cell_is_left_out_if_one_filter_says_so(folder, rules, expected):
    assert left_out(folder, read_rules(json.dumps(rules)), 5).tolist() == [bool(one) for one in expected]


@pytest.mark.parametrize("text", ["no json", "[]", '{"x": 5}', '{"x": {"most": 5}}', '{"x": {"low": NaN}}'])
def test_what_is_no_filter_is_refused_with_how_it_is_written(text):
    with pytest.raises(Refusal, match="Write it as"):
        read_rules(text)


def test_a_filter_of_a_column_that_is_not_there_is_refused(folder, tmp_path):
    rules = read_rules('{"file day": {"keep": []}}')
    with pytest.raises(Refusal, match="no column 'file day'"):
        left_out(folder, rules, 5)
    with pytest.raises(Refusal, match="no column"):
        left_out(tmp_path / "of an older run", rules, 5)


def test_nothing_is_no_filter():
    assert read_rules("") == {}
