"""What a library raises over a damaged file is the file's fault; what our own code raises is not."""

import h5py
import numpy as np
import pytest
from tests.io import written as formats
from tests.io.test_bad_files import read_everything

from spoticell.errors import FileFormatError
from spoticell.io.storage.tree import DAMAGE

OURS = {
    "h5ad by cell": (
        "formats.frames.text",
        "formats.frames._plain",
        "formats.frames.StoredFrame._layout",
        "formats.frames.StoredFrame._length",
        "formats.frames.StoredFrame._column",
        "formats.frames.StoredFrame._categorical",
        "formats.frames.StoredFrame._check_stored",
        "formats.h5ad._sides",
        "formats.h5ad._is_by_cell",
        "storage.hdf5.is_group",
        "storage.hdf5.Hdf5Tree._resolve",
        "storage.hdf5.Hdf5Tree._check_array",
        "storage.matrix.integers",
        "storage.matrix.in_range",
        "storage.matrix.numbers",
        "storage.matrix.canonical",
        "storage.tree._word",
    ),
    "h5ad of AnnData 0.7": ("formats.frames.StoredFrame._categorical", "formats.frames.StoredFrame._is_ordered"),
    "h5ad of AnnData 0.5": ("formats.frames._plain",),
    "h5ad by gene": ("storage.matrix.integers", "storage.matrix.in_range", "storage.matrix.numbers"),
    "h5ad dense": ("storage.dense.numbers", "storage.dense.Tiles.across", "storage.dense.Dense._strip"),
    "10x h5 version 3": ("formats.tenx.text", "formats.tenx.is_nested"),
    "loom": ("formats.loom.text", "storage.dense.Tiles.__getitem__"),
    "zarr 3": ("storage.zarr._codecs", "storage.zarr.is_group", "storage.zarr.ZarrTree._check_array"),
    "zipped zarr": ("storage.zarr._inside",),
}
"""Parts of our own code that reading a file of each format comes by."""


@pytest.mark.parametrize("error", [TypeError, AttributeError, LookupError, AssertionError])
@pytest.mark.parametrize("at", [(start, part) for start, parts in OURS.items() for part in parts], ids=" at ".join)
def test_a_fault_of_our_own_comes_out_as_itself(tmp_path, some, monkeypatch, at, error):
    start, part = at
    path = formats.FORMATS[start](tmp_path, some)

    def at_fault(*args, **kwargs):
        raise error("a fault of our own")

    monkeypatch.setattr(f"spoticell.io.{part}", at_fault)
    with pytest.raises(error, match="a fault of our own") as caught:
        read_everything(path)
    assert type(caught.value) is error


@pytest.mark.parametrize("error", DAMAGE)
@pytest.mark.parametrize("start", ["h5ad by cell", "h5ad by gene", "h5ad dense", "10x h5 version 2", "loom"])
def test_a_fault_of_the_library_is_the_files(tmp_path, some, monkeypatch, start, error):
    path = formats.FORMATS[start](tmp_path, some)

    def at_fault(*args, **kwargs):
        raise error("a fault of the library")

    monkeypatch.setattr(h5py.Dataset, "__getitem__", at_fault)
    with pytest.raises(FileFormatError, match=r"can't be read, the file is damaged .*a fault of the library"):
        read_everything(path)


ODD = {
    "a word": "shape",
    "nothing": h5py.Empty("f4"),
    "fractions": np.array([11.5, 60.0]),
    "words": np.array([b"11", b"60"]),
    "not a number": np.array([np.nan, 60.0]),
    "one number": 660,
}


@pytest.mark.parametrize("what", ODD)
def test_a_shape_that_is_none_is_damage(tmp_path, some, what):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(path, "r+") as file:
        file["X"].attrs["shape"] = ODD[what]
    with pytest.raises(FileFormatError, match=r"'X' can't be read.*its shape is no list of whole numbers"):
        read_everything(path)
