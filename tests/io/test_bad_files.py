"""Every bad file is refused with a sentence that says what is wrong, and the documentation names it."""

import re
import tracemalloc
from pathlib import Path

import pytest
from tests.io import declared_files  # noqa: F401 - more of the bad files
from tests.io.bad_files import BAD_FILES, ROWS

from spoticell.errors import FileFormatError, GeneMatchError
from spoticell.io import open_cells

INPUTS = Path(__file__).parents[2] / "docs" / "inputs.md"


def read_everything(path: Path) -> None:
    with open_cells(path) as source:
        assert len(source.cell_names) == source.n_cells
        for matrix in source.matrices:
            source.gene_columns(matrix)
            for block in source.blocks(matrix):
                block.values_nv.sum()
        source.obs()


def with_row(name: str) -> str:
    """Give a name with the row of the list of bad inputs that it belongs to, if there is one."""
    rows = [f"row-{row:02d}" for row, names in ROWS.items() if name in names]
    return "-".join([name, *rows])


def test_rows_name_bad_files_that_there_are():
    assert {name for names in ROWS.values() for name in names} <= BAD_FILES.keys()


@pytest.mark.parametrize("name", BAD_FILES, ids=with_row)
def test_a_bad_file_is_refused_in_one_or_two_plain_sentences(name, tmp_path):
    path = BAD_FILES[name].build(tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises(
            (FileFormatError, GeneMatchError), match=re.compile(BAD_FILES[name].message, re.DOTALL)
        ) as caught:
            read_everything(path)
        assert tracemalloc.get_traced_memory()[1] < 60e6
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert message.endswith((".", ")"))
    assert "\n" not in message
    assert len(message) < 500


@pytest.mark.parametrize("name", BAD_FILES)
def test_the_documentation_names_every_bad_file(name):
    assert f"**{name}**" in INPUTS.read_text()
