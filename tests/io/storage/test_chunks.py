"""Chunks packed with gzip are unpacked side by side, and give what the HDF5 library gives."""

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import spoticell
from spoticell.io.open import open_source
from spoticell.io.storage.chunks import Chunks, packed

VALUES = np.random.default_rng(0).integers(0, 1000, 1003)


@pytest.fixture(scope="module")
def lists(tmp_path_factory):
    """Lists of numbers, packed in several ways."""
    with h5py.File(tmp_path_factory.mktemp("chunks") / "lists.h5", "w") as file:
        for name, kind, packing in (
            ("gzip", "f4", {"compression": "gzip"}),
            ("shuffled", "i4", {"compression": "gzip", "shuffle": True}),
            ("large first", ">i8", {"compression": 9}),
            ("summed", "f4", {"compression": "gzip", "fletcher32": True}),
            ("lzf", "f4", {"compression": "lzf"}),
            ("bare", "f4", {}),
        ):
            file.create_dataset(name, data=VALUES.astype(kind), chunks=(100,), **packing)
        file["contiguous"] = VALUES
        file.create_dataset("square", data=VALUES[:900].reshape(30, 30), chunks=(10, 10), compression="gzip")
        file.create_dataset("words", data=["a"] * 9, chunks=(3,), compression="gzip")
        yield file


def test_only_lists_of_numbers_that_are_packed_with_gzip_alone_are_unpacked_here(lists):
    assert {name for name in lists if packed(lists[name])} == {"gzip", "shuffled", "large first"}
    assert not packed(VALUES)


@pytest.mark.parametrize("name", ["gzip", "shuffled", "large first"])
@given(ends=st.lists(st.integers(0, len(VALUES)), min_size=2, max_size=6, unique=True))
def test_any_part_is_what_the_library_gives(lists, name, ends):
    chunks = Chunks(lists[name])
    for start, stop in zip(sorted(ends), sorted(ends)[1:], strict=False):
        found = chunks.read(start, stop, threads=2)
        assert (found.dtype.kind, found.dtype.itemsize) == (lists[name].dtype.kind, lists[name].dtype.itemsize)
        assert (found == VALUES[start:stop]).all()


@pytest.mark.parametrize("mend", ["cut", "plain", "long", "none"])
def test_a_chunk_that_is_not_what_it_should_be_is_left_to_the_library(tmp_path, mend):
    with h5py.File(tmp_path / "list.h5", "w") as file:
        array = file.create_dataset("a", (200,), "f4", chunks=(100,), compression="gzip")
        array[:100] = 1
        whole = array.id.read_direct_chunk((0,))[1]
        if mend == "cut":
            array.id.write_direct_chunk((100,), whole[:-9])
        elif mend == "plain":
            array.id.write_direct_chunk((100,), np.full(100, 2, "f4").tobytes(), filter_mask=1)
        elif mend == "long":
            array.id.write_direct_chunk((100,), b"x" * 50)
        assert Chunks(array).read(0, 200, threads=2) is None
        assert (Chunks(array).read(0, 100, threads=2) == 1).all()


def test_a_packed_file_gives_the_cells_of_a_plain_one_however_many_threads_unpack_it(tiny_cells, tmp_path):
    tiny_cells.X = sparse.csr_matrix(tiny_cells.X)
    tiny_cells.write_h5ad(tmp_path / "plain.h5ad")
    tiny_cells.write_h5ad(tmp_path / "packed.h5ad", compression="gzip")
    found = []
    for name, threads in (("plain", 1), ("packed", 1), ("packed", 2)):
        with open_source(tmp_path / f"{name}.h5ad") as source:
            source.threads = threads
            found.append(sparse.vstack([block.values_nv for block in source.blocks("X", size=7)]).toarray())
    assert (found[0] == found[1]).all()
    assert (found[0] == found[2]).all()


def test_a_damaged_packed_file_is_refused_with_the_same_words(tiny_cells, tiny_bundle, tmp_path):
    path = tmp_path / "packed.h5ad"
    tiny_cells.X = sparse.csr_matrix(tiny_cells.X)
    tiny_cells.write_h5ad(path, compression="gzip")
    with h5py.File(path, "r+") as file:
        array = file["X/data"]
        array.id.write_direct_chunk((0,), b"not gzip at all")
    said = []
    for threads in (1, 2):
        with pytest.raises(spoticell.errors.FileFormatError) as error:
            spoticell.annotate(path, model=tiny_bundle, threads=threads, on_progress=False)
        said.append(str(error.value))
    assert said[0] == said[1]
