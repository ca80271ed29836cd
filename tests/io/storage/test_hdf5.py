"""Files that lie about themselves, and a library that may crash on them: read in a child process where it could."""

import json
import os
import struct
import subprocess
import sys

import h5py
import numpy as np
import pytest
from tests.io import written as formats
from tests.io.test_bad_files import read_everything

from spoticell.errors import FileFormatError
from spoticell.io import open_cells
from spoticell.io.storage.hdf5 import Hdf5Tree
from spoticell.io.storage.heaps import START, broken_heap

N_FLIPPED = int(os.environ.get("SPOTICELL_FUZZ", "60"))

CHILD = """
import faulthandler, json, resource, sys, warnings
from pathlib import Path
from spoticell.errors import SpoticellError
from spoticell.io import open_cells

faulthandler.enable()
warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
content, trials = Path(sys.argv[1]).read_bytes(), json.loads(sys.argv[3])
path = Path(sys.argv[2])
for trial in trials[int(sys.argv[4]):]:
    broken = bytearray(content)
    for place, bit in trial:
        broken[place] ^= 1 << bit
    path.write_bytes(broken)
    print("trial", flush=True)
    try:
        with open_cells(path) as source:
            source.cell_names, source.obs()
            for matrix in source.matrices:
                source.gene_columns(matrix)
                for block in source.blocks(matrix):
                    block.values_nv.toarray().sum()
    except SpoticellError as error:
        assert str(error), trial
"""


@pytest.mark.parametrize("start", ["h5ad by cell", "h5ad by gene", "10x h5 version 3", "loom"])
@pytest.mark.rows(4)
def test_flipped_bits_give_a_result_or_a_plain_error(tmp_path, some, start):
    path = formats.FORMATS[start](tmp_path, some)
    rng = np.random.default_rng(1)
    size = path.stat().st_size
    trials = [
        [(int(rng.integers(size)), int(rng.integers(8))) for _ in range(rng.integers(1, 9))]
        for _ in range(N_FLIPPED // 4)
    ]
    done = 0
    while done < len(trials):
        command = [sys.executable, "-c", CHILD, path, tmp_path / f"broken{path.suffix}", json.dumps(trials), str(done)]
        child = subprocess.run(command, capture_output=True, text=True, check=False)
        done += child.stdout.count("trial")
        # A crash inside the HDF5 library is beyond Python; it ends the child, and only the child.
        crashed = child.returncode < 0
        assert child.returncode == 0 or crashed, f"{trials[done - 1]}\n{child.stderr[-3000:]}"
        assert crashed or done == len(trials)


@pytest.mark.rows(3)
def test_a_file_cut_anywhere_is_called_short_or_damaged(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    content = path.read_bytes()
    for length in range(0, len(content), len(content) // 10):
        path.write_bytes(content[:length])
        with pytest.raises(FileFormatError, match=r"cut short|damaged|is empty|not an HDF5 file"):
            read_everything(path)


@pytest.mark.parametrize(("number", "length"), [(0, 0), (0, 1 << 40), (3, (1 << 64) - 1)])
@pytest.mark.rows(4)
def test_text_without_an_end_is_damage_and_is_never_read(tmp_path, some, number, length):
    # the library goes on with the next piece for ever where a piece states no length, or the largest
    path = formats.h5ad(tmp_path, some)
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    content[heap + 16 : heap + 32] = struct.pack("<HHIQ", number, 0, 0, length)
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match="damaged HDF5 file"):
        open_cells(path)


@pytest.mark.rows(4)
def test_text_that_is_said_to_be_longer_than_its_file_is_damage_and_is_never_read(tmp_path):
    path = tmp_path / "text.h5"
    with h5py.File(path, "w") as file:
        file["words"] = ["CD3E", "CD4"]
        start = file["words"].id.get_offset()
    tree = Hdf5Tree(path)
    assert tree.read(tree.array("words"), "words").tolist() == [b"CD3E", b"CD4"]
    tree.close()
    content = bytearray(path.read_bytes())
    content[start + 3] = 0x7F
    path.write_bytes(content)
    tree = Hdf5Tree(path)
    with pytest.raises(FileFormatError, match=r"a piece of its text is said to take 2,13\d,\d+,\d+ bytes, more than"):
        tree.read(tree.array("words"), "words")
    tree.close()


def test_letters_that_look_like_the_start_of_text_are_left_alone(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(path, "r+") as file:
        file["uns/letters"] = np.frombuffer(START + struct.pack("<Q", 7), dtype=np.uint8)
    assert broken_heap(path) is None
    assert open_cells(path).cell_names.tolist() == some.names


@pytest.mark.rows(18)
def test_a_file_that_is_being_written_is_in_use(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    hold = "import h5py, sys; f = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "open\n"
        with pytest.raises(FileFormatError, match="is in use: another program is writing it"):
            open_cells(path)
        child.communicate("\n")
    with open_cells(path) as source:
        assert source.n_cells == len(some.names)


def test_hdf5_behind_a_user_block_is_found(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(path) as file, h5py.File(tmp_path / "moved.h5ad", "w", userblock_size=1024) as moved:
        for name in file:
            file.copy(name, moved)
    with open_cells(tmp_path / "moved.h5ad") as source:
        assert source.cell_names.tolist() == some.names


@pytest.mark.rows(1)
def test_a_file_that_may_not_be_read_says_so(tmp_path, some, monkeypatch):
    path = formats.h5ad(tmp_path, some)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(FileFormatError, match="may not be read: you lack the permission"):
        open_cells(path)


def test_what_is_neither_file_nor_folder_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "cells.csv")
    with pytest.raises(FileFormatError, match="neither a file nor a folder"):
        open_cells(tmp_path / "cells.csv")


@pytest.mark.rows(8)
def test_a_declared_bomb_costs_no_memory(tmp_path, some):
    """A file of kilobytes that declares a matrix of 80 GB is refused with little more memory than Python needs."""
    path = formats.h5ad(tmp_path, some)
    with h5py.File(path, "r+") as file:
        n, v = 400_000, 50_000
        del file["X"], file["obs/_index"], file["var/_index"], file["var/gene_ids"], file["obs/label"]
        file.create_dataset("X", shape=(n, v), dtype="f4", chunks=(2048, 500), compression="gzip")
        file["obs"].create_dataset("_index", shape=(n,), dtype="S9", chunks=(4096,), compression="gzip")
        file["var"].create_dataset("_index", shape=(v,), dtype="S9", chunks=(4096,), compression="gzip")
    code = """
import sys
from pathlib import Path
from spoticell.io import open_cells
try:
    open_cells(sys.argv[1])
except ValueError as error:
    print(error)
# not the peak of getrusage, which starts from that of the process that started this one
peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
assert peak < 400_000, peak
"""
    child = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    assert child.stdout.startswith("cells.h5ad declares 400,000 cells, more than it has bytes")


def test_a_name_that_is_stored_once_and_pointed_to_by_all_cells_is_not_read_for_each(tmp_path, monkeypatch):
    monkeypatch.setattr("spoticell.io.storage.room._SMALL_LIST", 1 << 20)
    path = formats.h5ad(tmp_path, formats.cells(2000))
    with h5py.File(path, "r+") as file:
        attributes = dict(file["obs/_index"].attrs)
        del file["obs/_index"]
        names = file["obs"].create_dataset("_index", shape=(2000,), dtype=h5py.string_dtype(), chunks=(2000,))
        names.attrs.update(attributes)
        names[:] = ["a" * 50_000, *["b"] * 1999]
        place = names.id.get_chunk_info(0).byte_offset
    contents = bytearray(path.read_bytes())
    contents[place : place + 2000 * 16] = contents[place : place + 16] * 2000
    path.write_bytes(contents)
    with (
        open_cells(path) as source,
        pytest.raises(FileFormatError, match="'obs/_index' unpacks to more than 100 times the bytes of the file"),
    ):
        _ = source.cell_names
