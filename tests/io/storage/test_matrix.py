import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from spoticell.errors import FileFormatError, OutputError
from spoticell.io.storage import dense, matrix, spool
from spoticell.io.storage.matrix import ByCell, ByGene, regroup
from spoticell.io.storage.spool import Spool

WHERE = ("cells.h5ad", "X")

shapes = st.tuples(st.integers(0, 9), st.integers(1, 7))
counts = hnp.arrays(np.float32, shapes, elements=st.integers(0, 3).map(float))


def stacked(stored, size):
    return np.vstack(
        [np.zeros((0, stored.shape[1]), np.float32), *(b.values_nv.toarray() for b in stored.blocks(size))]
    )


@given(counts, st.integers(1, 11), st.integers(1, 5))
@settings(deadline=None)
def test_any_order_of_entries_gives_the_same_rows(values_nv, size, band_entries):
    compressed = sparse.csc_array(values_nv)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "BAND_ENTRIES", band_entries)
        patch.setattr(matrix, "ENTRIES_AT_ONCE", 3)
        by_gene = ByGene((compressed.data, compressed.indices, compressed.indptr), values_nv.shape, where=WHERE)
        np.testing.assert_array_equal(stacked(by_gene, size), values_nv)
        np.testing.assert_array_equal(stacked(by_gene, 2048), values_nv)
        by_gene.close()


@given(counts, st.integers(1, 11), st.integers(1, 5))
@settings(deadline=None)
def test_pieces_of_any_size_give_the_same_rows(values_nv, size, piece):
    compressed = sparse.csr_array(values_nv)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matrix, "PIECE_ENTRIES", piece)
        by_cell = ByCell((compressed.data, compressed.indices, compressed.indptr), values_nv.shape, where=WHERE)
        np.testing.assert_array_equal(stacked(by_cell, size), values_nv)


class Chunked:
    """A list that lies in one chunk, so that all of it is unpacked whenever a part is read."""

    def __init__(self, values):
        self.values, self.shape, self.chunks, self.unpacked = values, values.shape, values.shape, 0

    def __getitem__(self, part):
        self.unpacked += 1
        return self.values[part]


def test_a_large_chunk_is_unpacked_a_few_times_however_many_blocks_there_are():
    values_nv = np.ones((500, 4), np.float32)
    compressed = sparse.csr_array(values_nv)
    arrays = [Chunked(part) for part in (compressed.data, compressed.indices, compressed.indptr)]
    assert (stacked(ByCell(tuple(arrays), values_nv.shape, where=WHERE), 2) == 1).all()
    assert max(array.unpacked for array in arrays) <= 5


@given(st.lists(st.integers(0, 6), max_size=8), st.integers(1, 5))
def test_blocks_are_of_one_size_but_for_the_last(heights, size):
    values_nv = np.arange(1, 2 * sum(heights) + 1, dtype=np.float32).reshape(-1, 2)
    cut = np.split(values_nv, np.cumsum(heights)[:-1]) if heights else []
    blocks = list(regroup(map(sparse.csr_array, cut), size=size))
    assert [block.start for block in blocks] == list(range(0, len(values_nv), size))
    assert all(len(block) == size for block in blocks[:-1])
    got_nv = np.vstack([np.zeros((0, 2)), *(block.values_nv.toarray() for block in blocks)])
    np.testing.assert_array_equal(got_nv, values_nv)


@pytest.mark.parametrize("by_gene", [False, True], ids=["cells x genes", "genes x cells"])
@pytest.mark.parametrize("chunks", [None, (1, 7), (50, 1), (7, 3)], ids=str)
def test_dense_matrices_are_read_whatever_their_chunks(tmp_path, monkeypatch, chunks, by_gene):
    monkeypatch.setattr(dense, "TALL_CHUNK", 20)
    monkeypatch.setattr(dense, "VALUES_AT_ONCE", 30)
    values = np.random.default_rng(0).poisson(0.5, (50, 7)).astype(np.float64)
    with h5py.File(tmp_path / "dense.h5", "w") as file:
        turned = values.T if by_gene else values
        chunks = chunks if chunks is None or not by_gene else chunks[::-1]
        array = file.create_dataset("X", data=turned, chunks=chunks, compression=None if chunks is None else "gzip")
        stored = dense.dense(array, where=WHERE, by_gene=by_gene)
        assert isinstance(stored, dense.TallDense) == (chunks is not None and 50 in chunks)
        np.testing.assert_array_equal(stacked(stored, 8), values)
        stored.close()


def test_nan_negatives_and_infinities_are_passed_on():
    values_nv = np.array([[np.nan, -1, 0], [np.inf, 0, 1e300]])
    compressed = sparse.csr_array(values_nv)
    by_cell = ByCell((compressed.data, compressed.indices, compressed.indptr), (2, 3), where=WHERE)
    np.testing.assert_array_equal(stacked(by_cell, 2), [[np.nan, -1, 0], [np.inf, 0, np.inf]])


def test_words_are_no_numbers():
    arrays = (np.array(["a"]), np.array([0]), np.array([0, 1]))
    with pytest.raises(FileFormatError, match="<U1 where numbers belong in 'X'"):
        list(ByCell(arrays, (1, 1), where=WHERE).blocks(1))


def test_fractions_are_no_indices():
    arrays = (np.array([1.0]), np.array([0.5]), np.array([0, 1]))
    with pytest.raises(FileFormatError, match="whole numbers expected, found float64"):
        list(ByCell(arrays, (1, 1), where=WHERE).blocks(1))


def test_more_numbers_than_memory_can_hold_are_refused(monkeypatch):
    monkeypatch.setattr(matrix, "MOST_IN_BLOCK", 3)
    compressed = sparse.csr_array(np.ones((2, 2)))
    arrays = (compressed.data, compressed.indices, compressed.indptr)
    with pytest.raises(FileFormatError, match="4 numbers in 2 cells"):
        list(ByCell(arrays, (2, 2), where=WHERE).blocks(2))


def test_a_cell_with_far_more_values_than_genes_is_refused(monkeypatch):
    monkeypatch.setattr(matrix, "ENTRIES_AT_ONCE", 3)
    arrays = (np.ones(4), np.zeros(4, int), np.array([0, 4, 4, 4, 4]))
    with pytest.raises(FileFormatError, match="a cell with 4 values for 1 genes"):
        list(ByCell(arrays, (4, 1), where=WHERE).blocks(1))


def test_a_spool_removes_its_files(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    some = Spool((3, 2), n_entries=1)
    some.add(np.array([0]), np.array([0]), np.array([1.0]))
    assert list(tmp_path.iterdir())
    some.close()
    assert not list(tmp_path.iterdir())


def test_a_spool_is_gone_when_filling_it_fails(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    arrays = (np.ones(2), np.array([0, 9]), np.array([0, 1, 2]))
    with pytest.raises(FileFormatError, match="index 9"):
        list(ByGene(arrays, (2, 2), where=WHERE).blocks(1))
    assert not list(tmp_path.iterdir())


def test_a_full_temporary_disk_is_told(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    some = Spool((1, 1), n_entries=1)
    monkeypatch.setattr("pathlib.Path.open", full)
    with pytest.raises(OutputError, match=r"temporary folder .* is full.*TMPDIR"):
        some.add(np.array([0]), np.array([0]), np.array([1.0]))
    monkeypatch.undo()
    some.close()
