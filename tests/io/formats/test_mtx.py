import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spoticell.errors import FileFormatError
from spoticell.io import open_cells
from spoticell.io.formats import mtxfile
from spoticell.io.formats.mtxfile import read_entries, read_header


def entries(path):
    parts = list(read_entries(path, read_header(path)))
    return [list(map(float, line)) for part in parts for line in zip(*part, strict=True)]


def write(path, body, head="%%MatrixMarket matrix coordinate integer general"):
    path.write_text(f"{head}\n{body}")
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "matrix.mtx"


def test_comments_and_blank_lines_are_passed_over(path):
    write(path, "% made by hand\n%\n\n2 3 2\n1 3 5\n\n  2 1 7  \n\n")
    assert entries(path) == [[0, 2, 5], [1, 0, 7]]


def test_entries_without_values_count_one(path):
    write(path, "2 3 2\n1 3\n2 1\n", "%%MatrixMarket matrix coordinate pattern general")
    assert entries(path) == [[0, 2, 1], [1, 0, 1]]


def test_real_numbers_are_kept(path):
    write(path, "1 2 2\n1 1 0.5\n1 2 1e2\n", "%%MatrixMarket MATRIX Coordinate Real General")
    assert entries(path) == [[0, 0, 0.5], [0, 1, 100]]


def test_an_empty_matrix_has_no_entries(path):
    assert entries(write(path, "3 2 0\n")) == []


@given(
    lines=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(1, 99)), max_size=12),
    size=st.integers(1, 5),
)
@settings(deadline=None)
def test_batches_of_any_size_give_the_same_entries(tmp_path_factory, lines, size):
    path = tmp_path_factory.mktemp("mtx") / "matrix.mtx"
    write(path, f"5 7 {len(lines)}\n" + "".join(f"{row} {column} {value}\n" for row, column, value in lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mtxfile, "_LINES_AT_ONCE", size)
        assert entries(path) == [[row - 1, column - 1, value] for row, column, value in lines]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("3 1 1", "lies outside the matrix of 2 x 3"),
        ("1 -1 1", "lies outside"),
        ("1.5 1 1", "must be 3 numbers"),
        ("1 1 1 1", "must be 3 numbers"),
        ("1 1 1_0", "must be 3 numbers"),
        ("99999999999999999999 1 1", "lies outside"),
        ("% late", "must be 3 numbers"),
    ],
)
@pytest.mark.rows(14)
def test_a_bad_line_is_named_with_its_number(path, line, words):
    write(path, f"2 3 3\n1 1 1\n{line}\n2 2 2\n")
    with pytest.raises(FileFormatError, match=rf"matrix.mtx: line 4, '.*', {words}"):
        entries(path)


def test_barcodes_with_a_heading_and_numbers_are_understood(tmp_path):
    write(tmp_path / "counts.mtx", "2 3 1\n1 3 5\n")
    (tmp_path / "counts_genes.csv").write_text('"","x"\n"1","CD3E"\n"2","CD8A"\n')
    (tmp_path / "counts_barcodes.csv").write_text('"","x"\n"1","a"\n"2","b"\n"3","c"\n')
    with open_cells(tmp_path / "counts.mtx") as source:
        assert source.cell_names.tolist() == ["a", "b", "c"]
        assert source.gene_columns("matrix")["index"].tolist() == ["CD3E", "CD8A"]
        (block,) = source.blocks("matrix")
        np.testing.assert_array_equal(block.values_nv.toarray(), [[0, 0], [0, 0], [5, 0]])


def test_rows_and_columns_files_are_told_apart_by_gene_names(tmp_path):
    write(tmp_path / "quants_mat.mtx", "2 2 1\n1 2 5\n")
    (tmp_path / "quants_mat_rows.txt").write_text("AAAC\nAAAG\n")
    (tmp_path / "quants_mat_cols.txt").write_text("CD3E\nCD8A\n")
    with open_cells(tmp_path / "quants_mat.mtx") as source:
        assert source.cell_names.tolist() == ["AAAC", "AAAG"]
        (block,) = source.blocks("matrix")
        np.testing.assert_array_equal(block.values_nv.toarray(), [[0, 5], [0, 0]])


def test_side_files_of_another_matrix_are_not_taken(tmp_path):
    write(tmp_path / "a_matrix.mtx", "1 1 1\n1 1 5\n")
    for start, cell in (("a_", "mine"), ("b_", "other")):
        (tmp_path / f"{start}genes.tsv").write_text("CD3E\n")
        (tmp_path / f"{start}barcodes.tsv").write_text(f"{cell}\n")
    with open_cells(tmp_path / "a_matrix.mtx") as source:
        assert source.cell_names.tolist() == ["mine"]
