"""What a network in whole numbers of 8 bits would save: what comes after the first layer, as shipped and quantized.

    python -m benchmarks.speed.whole_numbers --save whole_numbers

ONNX Runtime quantizes weights beforehand and what goes through them while it runs (``quantize_dynamic``): once products
of matrices alone, once convolutions too.  Processor time is of one thread, the median of turns by which all are run;
cells are made ones (see ``made_cells``).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import anndata
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.lib.made_cells import write_cells
from benchmarks.lib.saving import save_result
from spoticell.biology.genes import align_counts, match_genes
from spoticell.model.bundle import load_bundle
from spoticell.model.first_layer import part_graph
from spoticell.model.runtime import FAMILIARITY, OUTPUTS, PICTURE_BATCH, REST_BATCH, onnxruntime

Arrays: TypeAlias = dict[str, NDArray[np.float32]]

BUNDLES = ("human-v1", "human-v1-dual")
SHIPPED = "as shipped"
WAYS: Mapping[str, list[str]] = {
    "matrices in 8 bits": ["MatMul", "Gemm"],
    "matrices and convolutions in 8 bits": ["MatMul", "Gemm", "Conv"],
}
TURNS = 40


def session_of(path: Path, *, folded: Path | None = None) -> Any:
    """Open a graph on one thread; with ``folded`` it is written there with what is constant worked out."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    if folded is not None:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(folded)
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def rest_of(name: str, cells: anndata.AnnData, folder: Path) -> tuple[dict[str, Any], Arrays]:
    """Give what comes after a bundle's first layer, in each way, and what a batch of cells hands to it."""
    bundle = load_bundle(name)
    manifest = bundle.manifest
    reach = (len(manifest.labels), len(manifest.nodes))
    parted = part_graph(
        bundle.read("model.onnx"), n_genes=manifest.n_genes, outputs=(*OUTPUTS, FAMILIARITY), reach=reach
    )
    if parted is None:
        raise ValueError(f"{name} can't be parted behind its first layer")
    match = match_genes({"index": cells.var_names.tolist()}, bundle.vocabulary)
    size = REST_BATCH if parted.windows is None else PICTURE_BATCH
    counts_ng = align_counts(sparse.csr_array(cells.X[:size]), match)
    handed = [parted.first(counts_ng, match.measured_g)]
    if parted.windows is not None:
        handed += [parted.windows(parted.first.scaled(counts_ng, match.measured_g)), match.measured_g.astype("f4")]
    shipped, folded, short = (folder / f"{kind}.onnx" for kind in ("shipped", "folded", "short"))
    shipped.write_bytes(parted.rest)
    sessions = {SHIPPED: session_of(shipped)}
    session_of(shipped, folded=folded)
    # ONNX Runtime is loaded by Spoticell, which keeps it from reporting, before any part of it is
    quantization = import_module("onnxruntime.quantization")
    for way, operators in WAYS.items():
        numbers = quantization.QuantType.QInt8
        quantization.quantize_dynamic(folded, short, weight_type=numbers, op_types_to_quantize=operators)
        sessions[way] = session_of(short)
    return sessions, dict(zip(parted.given, handed, strict=True))


def measured(name: str, cells: anndata.AnnData) -> list[str]:
    """Measure a bundle in each way, and give the rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        sessions, given = rest_of(name, cells, Path(folder))
    n_cells = len(next(iter(given.values())))
    spent: dict[str, list[float]] = {way: [] for way in sessions}
    for _ in range(TURNS):
        for way, session in sessions.items():
            begun = time.process_time()
            session.run(None, given)
            spent[way].append(time.process_time() - begun)
    meant = sessions[SHIPPED].run(None, given)
    rows = []
    for way, session in sessions.items():
        away = max(float(np.abs(one - other).max()) for one, other in zip(session.run(None, given), meant, strict=True))
        rows.append(f"| {name} | {way} | {np.median(spent[way]) / n_cells * 1e6:,.0f} | {away:.3f} |")
    return rows


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_cells(Path(folder) / "cells.h5ad", REST_BATCH)
        cells = anndata.read_h5ad(Path(folder) / "cells.h5ad")
    lines = [
        f"What comes after the first layer: processor time a cell, the median of {TURNS} turns, and how far the",
        "furthest number is from what the shipped network gives.",
        "",
        "| model | numbers | microseconds a cell | furthest |",
        "|---|---|---|---|",
        *(row for name in BUNDLES for row in measured(name, cells)),
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Networks in whole numbers", lines)


if __name__ == "__main__":
    main()
