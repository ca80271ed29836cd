"""Reference cells with random fingerprints."""

import json

import numpy as np
import pandas as pd

from spoticell.index import COLUMNS, ReferenceCells
from spoticell.io.sealed import record_of

TYPES = (("CL:0000236", "B cell"), ("CL:0000084", "T cell"), ("CL:0000576", "monocyte"))
TISSUES = ("blood", "lung")


def unit(values_nd):
    return (values_nd / np.linalg.norm(values_nd, axis=1, keepdims=True)).astype(np.float32)


def random_cells(n, *, seed=0, study="a", spread=1.0):
    """Cells around three centres, one for each type; the smaller the spread, the nearer they are to them."""
    rng = np.random.default_rng(seed)
    kind_n = np.arange(n) % len(TYPES)
    centre_nd = np.random.default_rng(99).normal(size=(len(TYPES), 8))[kind_n]
    table = pd.DataFrame(dict.fromkeys(COLUMNS, ""), index=range(n)).astype(object)
    table["term"], table["cell_type"] = zip(*(TYPES[kind] for kind in kind_n), strict=True)
    table["tissue"] = [TISSUES[i // 2 % len(TISSUES)] for i in range(n)]
    table["study"] = study
    names = [f"{study}-{seed}-{i}" for i in range(n)]
    return ReferenceCells(unit(centre_nd + spread * rng.normal(size=(n, 8))), names, table)


def stored(cells):
    """Fingerprints as an index gives them back."""
    return cells.fingerprint_nd.astype(np.float16).astype(np.float32)


def restated(folder, change=lambda manifest: None):
    """Change the manifest of an index and have it state what its files are, as who wants to do harm would."""
    manifest = json.loads((folder / "index.json").read_text())
    for segment in manifest["segments"]:
        place = folder / "segments" / segment["name"]
        segment["files"] = {name: record_of(place / name).model_dump() for name in segment["files"]}
    change(manifest)
    (folder / "index.json").write_text(json.dumps(manifest))
