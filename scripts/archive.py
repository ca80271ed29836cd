"""Writes a small one of each kind of thing that is kept on disk, in today's format, for `tests/archive`.

Run it whenever a format changes, and never again into a folder that is there: what is in the archive stays as it is,
and later versions must read it.

    python -m scripts.archive bundle tests/archive/bundle-1.5
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import anndata
import numpy as np
import onnx
import pandas as pd
from onnx import TensorProto, helper
from scipy import sparse
from tests.conftest import FINGERPRINT, tiny_adata, tiny_vocabulary, write_tiny_bundle
from tests.corpus.conftest import make_block

from spoticell.api import annotate, evaluate
from spoticell.biology.vocabulary import Vocabulary
from spoticell.corpus.splits.file import write_split
from spoticell.corpus.splits.make import make_split
from spoticell.corpus.splits.split import SplitSpec
from spoticell.corpus.store.store import Store
from spoticell.corpus.store.writer import StoreWriter
from spoticell.index.build import add_to_index, build_index
from spoticell.index.search import search
from spoticell.keys import DONOR, LABEL
from spoticell.model.bundle import write_manifest

ARCHIVE = Path(__file__).parents[1] / "tests" / "archive"
CELLS = ARCHIVE / "cells.h5ad"
DERIVED = ("format_version", "spoticell_version", "n_genes", "gene_sha256", "files")
"""Fields of a bundle's manifest that follow from its folder."""


def newest_bundle() -> Path:
    """Give the bundle of the latest format in the archive."""
    folders = ARCHIVE.glob("bundle-*")
    return max(folders, key=lambda folder: [int(part) for part in folder.name.split("-")[1].split(".")]) / "bundle"


def bundle(folder: Path) -> None:
    """Write a bundle with all that its format can say, and its answers."""
    place = write_tiny_bundle(folder / "bundle")
    model = onnx.load(place / "model.onnx")
    model.graph.node.append(helper.make_node("ReduceLogSumExp", ["logits"], ["familiarity_n"], axes=[1], keepdims=0))
    model.graph.output.append(helper.make_tensor_value_info("familiarity_n", TensorProto.FLOAT, ["n"]))
    onnx.save(model, place / "model.onnx")
    planes_bd = np.random.default_rng(5).normal(size=(64, FINGERPRINT)).astype(np.float16)
    np.save(place / "code.npy", planes_bd, allow_pickle=False)
    fields = json.loads((place / "bundle.json").read_text(encoding="utf-8"))
    fields |= {"softening": {"power": -0.2, "depth": 0.1}}
    fields |= {"trust": {"chance": 0.1, "depth": 0.4, "familiarity": 0.5, "intercept": -10.0, "doubt": 0.05}}
    fields["trust"]["stranger"] = {"counts": 0.5, "genes": 1.0, "intercept": -9.0}
    fields["together"] = {"power": 0.1, "trust": fields["trust"]}
    write_manifest(place, **{name: value for name, value in fields.items() if name not in DERIVED})
    annotate(CELLS, folder / "answers.csv", model=place)


def index(folder: Path, name: str = "index") -> None:
    """Write an index of two parts, and its hits."""
    place = folder / name
    with tempfile.TemporaryDirectory() as passing:
        for seed in (1, 2):
            cells = references(seed)
            cells.write_h5ad(Path(passing) / f"{seed}.h5ad")
            given = {"model": newest_bundle(), "facts": {"study": f"study {seed}"}}
            if seed == 1:
                build_index(Path(passing) / "1.h5ad", place, **given)
            else:
                add_to_index(place, Path(passing) / "2.h5ad", **given)
    search(CELLS, place, k=3, model=newest_bundle()).to_csv(folder / "hits.csv", index=False)


def references(seed: int) -> anndata.AnnData:
    """Make cells for an index, of one donor and tissue."""
    cells = tiny_adata(per_type=2, seed=seed)
    cells.obs_names = [f"{seed}-{name}" for name in cells.obs_names]
    cells.obs["tissue"], cells.obs[DONOR] = "blood", f"d{seed}"
    return cells


def lance(folder: Path) -> None:
    """Write an index in a Lance database, and its hits."""
    index(folder, "index.lance")


def store(folder: Path) -> None:
    """Write a store of two sources with a split by donor, and a table of its cells."""
    full = tiny_vocabulary()
    genes = Vocabulary(full.ids[:50], full.symbols[:50], full.chromosomes[:50])
    with StoreWriter(folder / "store", genes, recipe={"name": "archive"}, shard_cells=20) as writer:
        for seed, name in enumerate(("blood", "marrow")):
            block = make_block(30, len(genes), seed=seed, dataset=name)
            block.cells[DONOR] = [f"{name} {donor}" for donor in block.cells[DONOR]]
            writer.add(name, block)
            writer.close_source(name, {"cells": 30})
        writer.finish({})
    cells = table_of(Store(folder / "store"))
    write_split(
        folder / "store", make_split(cells, SplitSpec(name="donors", by="donor", shares={"train": 0.6, "test": 0.4}))
    )
    cells.to_csv(folder / "cells.csv", index=False)


def table_of(kept: Store) -> pd.DataFrame:
    """Give the cells of a store by name, with what is known of them and the sum of their counts."""
    tables = []
    for _, shard in kept.shards():
        counts_kg = sparse.vstack([shard.piece(p) for p in range(len(shard.first_p) - 1)])
        table = shard.cells().astype(str)
        table.insert(0, "cell", shard.names())
        tables.append(table.assign(counts=counts_kg.sum(axis=1).astype(int)))
    return pd.concat(tables).sort_values("cell").reset_index(drop=True)


def annotated(folder: Path) -> None:
    """Write an annotated h5ad file, with all that it can say, and how its answers compare with labels."""
    with tempfile.TemporaryDirectory() as passing:
        index(Path(passing))
        output = folder / "cells.h5ad"
        asked = {"index": Path(passing) / "index", "deny": ["fibroblast"], "groups": "batch", "by": "batch"}
        annotate(CELLS, output, model=newest_bundle(), **asked)
    figures = evaluate(output, label_column=LABEL).to_dict()
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


KINDS: dict[str, Callable[[Path], None]] = {
    "bundle": bundle,
    "index": index,
    "lance": lance,
    "store": store,
    "annotated": annotated,
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("folder", type=Path, help="a new folder")
    given = parser.parse_args(arguments)
    given.folder.mkdir()
    KINDS[given.kind](given.folder)


if __name__ == "__main__":
    main()
