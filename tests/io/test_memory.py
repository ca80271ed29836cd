"""Memory does not grow with the file; each format is read in a process of its own."""

import subprocess
import sys

import h5py
import numpy as np
import pytest
from tests.io import written as formats

N, V, PER_CELL = 40_000, 4_000, 200

CHILD = """
import sys
from pathlib import Path
from spoticell.io import open_cells
# not the peak of getrusage, which starts from that of the process that started this one
peak = lambda: int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
before = peak()
total = 0
with open_cells(sys.argv[1]) as source:
    for block in source.blocks("X"):
        total += block.values_nv.sum(dtype="f8")
print(int(total), int(peak() - before))
"""


def write(path, kind):
    """Eight million ones, 64 MB unpacked: every cell has 200 of them, every gene 2,000."""
    n_lines, n_other = (N, V) if kind == "csr" else (V, N)
    per_line = N * PER_CELL // n_lines
    with h5py.File(path, "r+") as file:
        del file["X"], file["obs"], file["var"]
        group = file.create_group("X")
        group.attrs.update({"encoding-type": f"{kind}_matrix", "shape": (N, V)})
        indices = np.sort((np.arange(n_lines)[:, None] * 7 + np.arange(per_line) * (n_other // per_line)) % n_other)
        group.create_dataset("indices", data=indices.ravel().astype("i4"), chunks=(1 << 16,))
        group.create_dataset("data", data=np.ones(N * PER_CELL, "f4"), chunks=(1 << 16,))
        group["indptr"] = np.arange(n_lines + 1) * per_line
        file["obs/_index"] = np.arange(N).astype("S")
        file["var/_index"] = np.arange(V).astype("S")


@pytest.mark.parametrize(("kind", "most"), [("csr", 50), ("csc", 160)])
@pytest.mark.rows(34)
def test_memory_stays_flat(tmp_path, some, kind, most):
    path = formats.h5ad(tmp_path, some)
    write(path, kind)
    child = subprocess.run([sys.executable, "-c", CHILD, path], capture_output=True, text=True, check=True)
    total, grown = map(int, child.stdout.split())
    assert total == N * PER_CELL
    assert grown < most, f"{grown} MB"
