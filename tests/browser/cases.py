"""The inputs that Python and the engine of the browser must answer alike, made by script."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
from benchmarks.reliability.formats import FORMATS as FILE_FORMATS
from benchmarks.reliability.forms import FORMS
from benchmarks.reliability.names import NAMES, Table
from scipy import sparse
from tests.conftest import MARKERS
from tests.io import declared_files  # noqa: F401 - more of the bad files
from tests.io.bad_files import BAD_FILES
from tests.io.written import FORMATS, Cells

from spoticell.biology.genes import load_vocabulary
from spoticell.io.demo import DEMO

NOT_READ = ("zarr", "SOMA", "store", "xz", "packed twice", "packed Matrix Market", "missing file")
"""Parts of the names of inputs that the browser doesn't read, and refuses in words of its own, or that are nothing."""
N_CELLS, N_GENES = 60, 1200
ORGANS = {
    "type B pancreatic cell": ("INS", "IAPP", "MAFA", "PCSK1", "ADCYAP1", "HADH", "DLK1", "G6PC2"),
    "pancreatic acinar cell": ("PRSS1", "CPA1", "CELA3A", "PNLIP", "CTRB1", "REG1A", "CPB1", "CLPS"),
    "hepatocyte": ("ALB", "APOA1", "APOC3", "FGB", "SERPINA1", "AMBP", "APOH", "TTR"),
    "oligodendrocyte": ("PLP1", "MBP", "MOG", "MAG", "MOBP", "CNP", "CLDN11", "ERMN"),
}
"""Marker genes of types of several organs."""


@dataclass(frozen=True)
class Case:
    """One input, and what is asked of its run."""

    name: str
    build: Callable[[Path], Path]
    """Makes the input in an empty folder and gives its path."""
    settings: dict[str, Any] = field(default_factory=dict)


def all_cases() -> Iterator[Case]:
    """Give all: every format, bad file, form of values and form of names, and settings of a run."""
    yield from (Case(f"format: {name}", _written(make)) for name, make in FORMATS.items() if _is_read(name))
    yield from (Case(f"bad: {name}", bad.build) for name, bad in BAD_FILES.items() if _is_read(name))
    formats = [name for name in FILE_FORMATS if _is_read(name) and name != "in memory"]
    for place, form in enumerate(FORMS):
        name = f"values: {form}, {formats[place % len(formats)]}"
        yield Case(name, _formed(form, "symbols", formats[place % len(formats)]))
    for place, names in enumerate(NAMES):
        file = formats[(3 * place + 1) % len(formats)]
        yield Case(f"names: {names}, {file}", _formed("counts", names, file))
    yield from _with_settings()


def _is_read(name: str) -> bool:
    return not any(part in name for part in NOT_READ)


def _written(make: Callable[..., Path]) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        table, vocabulary = typical_cells(24), load_vocabulary()
        ids = [vocabulary.ids[vocabulary.by_symbol[gene]] for gene in table.genes]
        labels = [("B cell", "T cell")[n % 2] for n in range(24)]
        return make(folder, Cells(table.values_nv.astype(np.float32), table.cells, table.genes, ids, labels))

    return build


def typical_cells(n_cells: int = N_CELLS, seed: int = 0, markers: Mapping[str, Sequence[str]] = MARKERS) -> Table:
    """Give cells of some types: much of the markers of their own, and a little of many genes."""
    rng = np.random.default_rng(seed)
    vocabulary = load_vocabulary()
    marked = sorted({vocabulary.by_symbol[gene] for genes in markers.values() for gene in genes})
    others = np.setdiff1d(np.arange(len(vocabulary)), marked)
    chosen = np.sort(np.concatenate([marked, rng.choice(others, N_GENES - len(marked), replace=False)]))
    symbols = [vocabulary.symbols[gene] for gene in chosen]
    place = {symbol: at for at, symbol in enumerate(symbols)}
    counts_nv = rng.poisson(rng.gamma(0.3, 1.2, size=len(chosen)), size=(n_cells, len(chosen))).astype(np.float64)
    for n in range(n_cells):
        own = list(markers.values())[n % len(markers)]
        counts_nv[n, [place[gene] for gene in own]] += rng.poisson(30, size=len(own))
    return Table(counts_nv, [f"cell{n}" for n in range(n_cells)], symbols)


def _formed(form: str, names: str, file: str) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        table = NAMES[names](typical_cells())
        make = next(iter(FORMS.values())).make if form == "counts" else FORMS[form].make
        with np.errstate(divide="ignore", invalid="ignore"):
            values_nv = make(table.values_nv, np.random.default_rng(0))
        made = FILE_FORMATS[file](Table(values_nv, table.cells, table.genes, table.columns), folder)
        assert isinstance(made, Path)
        return made

    return build


def _with_settings() -> Iterator[Case]:
    for name, settings in (
        ("demo", {}),
        ("demo, alone", {"each_cell_alone": True}),
        ("demo, blood", {"tissue": "blood", "threshold": 0.6}),
        ("demo, T cells only", {"allow": ["T cell"], "deny": ["CL:0000625"]}),
        ("demo, clusters", {"groups": "bulk_labels"}),
        ("demo, groups that are found", {"groups": "auto"}),
        ("demo, samples", {"by": "bulk_labels"}),
        ("demo, a tissue that isn't", {"tissue": "feather"}),
        ("demo, a column that isn't", {"groups": "clusters"}),
    ):
        yield Case(f"settings: {name}", lambda folder: Path(shutil.copy(DEMO, folder)), settings)
    conditions = {"by": "donor", "condition": "stim", "groups": "donor"}
    yield Case("settings: two conditions", _of_two_conditions, conditions)
    yield Case("settings: several organs", _of_several_organs)


def _of_two_conditions(folder: Path) -> Path:
    table = typical_cells(240, seed=3)
    donors = [f"d{n % 8}" for n in range(240)]
    obs = pd.DataFrame(
        {"donor": donors, "stim": ["yes" if int(donor[1]) % 2 else "no" for donor in donors]}, index=table.cells
    )
    data = anndata.AnnData(sparse.csr_matrix(table.values_nv), obs=obs, var=pd.DataFrame(index=table.genes))
    data.write_h5ad(folder / "cells.h5ad")
    return folder / "cells.h5ad"


def _of_several_organs(folder: Path) -> Path:
    path = FILE_FORMATS["h5ad by cell"](typical_cells(80, markers=ORGANS), folder)
    assert isinstance(path, Path)
    return path
