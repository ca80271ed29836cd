"""Damaged files, bundles and indexes are answered or refused in a sentence; a part of the benchmark."""

from collections import Counter

import pytest
from benchmarks.reliability.fuzz import BAD, report, run
from benchmarks.reliability.fuzzed import write_originals

CASES = 500


@pytest.mark.slow
def test_damaged_files_are_answered_or_refused_in_a_sentence(tmp_path):
    write_originals(tmp_path)
    found = list(run(tmp_path, 0, CASES))
    assert [one["number"] for one in found] == list(range(CASES))
    assert {one["original"] for one in found} == {path.name for path in tmp_path.iterdir()}
    assert [one for one in found if one["outcome"] in BAD] == []
    assert min(Counter(one["outcome"] for one in found)[outcome] for outcome in ("answered", "refused")) > CASES / 10
    assert all(one["message"] for one in found if one["outcome"] == "refused")
    assert f"| all | {CASES} |" in "\n".join(report(found))
