"""Each row of the list of bad inputs in docs/inputs.md has a test with its number, and each number a row."""

import re
from pathlib import Path

from tests.io.bad_files import ROWS

TESTS = Path(__file__).parent
INPUTS = TESTS.parent / "docs" / "inputs.md"


def test_every_row_of_the_list_is_tested_and_no_other():
    listed = [int(number) for number in re.findall(r"^\| (\d+) \|", INPUTS.read_text(encoding="utf-8"), re.MULTILINE)]
    texts = [path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py")]
    marks = [found for text in texts for found in re.findall(r"pytest\.mark\.rows\(([\d, ]+)\)", text)]
    tested = {int(number) for mark in marks for number in mark.split(",")} | ROWS.keys()
    assert listed == list(range(1, 63))
    assert sorted(tested) == listed
