"""Naming the cells of an upload, and all that the page shows of them, written into a folder.

    annotated.h5ad, types.csv, report.html    for the visitor to keep
    summary.json, commands.json, map.bin.gz   what the page asks for at once
    counts/, *.npy, names.bin                 what it asks for cell by cell and gene by gene

Fingerprints are kept too (``fingerprints.npy``, float32, one row a cell): the place to look for a cell's neighbours.
Axes: ``n`` cells, ``d`` fingerprint, ``m`` ontology nodes, ``g`` the bundle's genes, ``o`` example cells, ``s``
sampled cells.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.annotation.allowed import allowed_types
from spoticell.annotation.commands import commands
from spoticell.annotation.matches import Matcher
from spoticell.annotation.outputs import obs_columns, run_record, stale_columns, type_colors
from spoticell.annotation.pipeline import annotate_blocks, check_threshold
from spoticell.annotation.result import Annotation
from spoticell.annotation.sinks import Collector, write_answers
from spoticell.io.annotated import AnnotatedH5ad
from spoticell.io.findings import Findings
from spoticell.io.source import CellSource
from spoticell.model.bundle import Bundle
from spoticell.model.runtime import Runtime
from spoticell.report.map import choose_mapped, place_near, project
from spoticell.report.page import write_report
from spoticell.web.arrays import ArrayFile, CountsWriter
from spoticell.web.summary import UNKNOWN_TYPE, common_types, summarise

H5AD, CSV, REPORT = "annotated.h5ad", "types.csv", "report.html"
SUMMARY, COMMANDS, MAP = "summary.json", "commands.json", "map.bin.gz"
FINGERPRINTS, PROBABILITIES = "fingerprints.npy", "probabilities.npy"
TYPES, NODES = "types.npy", "nodes.npy"
SCORES, N_COUNTS, N_GENES = "scores.npy", "n_counts.npy", "n_genes.npy"
EXAMPLES, EXAMPLE_TYPES, MEASURED = "examples.npy", "example_types.npy", "measured.npy"
COUNTS, NAMES, NAME_ENDS = "counts", "names.bin", "name_ends.npy"
STEP = 1024
"""Cells between two steps of the progress, and in a block of the counts that are kept."""
ANSWERED, DRAWN = 0.75, 0.95
"""Shares of the work after which cells are answered, and have a place on the map."""

Tell = Callable[[str, float], None]
"""Called with the stage and the share of the work that is done, in [0, 1]."""
Positions = NDArray[np.float64]


@dataclass(frozen=True)
class Order:
    """What is wanted of a run."""

    upload: Path
    folder: Path
    """Where everything goes; there and empty."""
    name: str
    """What the visitor calls the upload."""
    threshold: float | None
    tissue: str | None
    """Where the cells are from; types of other tissues are then no answer."""
    threads: int
    matcher: Matcher | None = None
    """What matches the cells with an index, where there is one."""


def write_outcome(source: CellSource, findings: Findings, bundle: Bundle, order: Order, tell: Tell) -> Annotation:
    """Name the cells of an open upload and write everything about them.

    Parameters
    ----------
    source
        The upload.
    findings
        What would be used of it.
    bundle
        The trained model.
    order
        What is wanted, and where to.
    tell
        Hears how far the work is.

    Raises
    ------
    SpoticellError
        If the upload turns out damaged, or the disk is full.
    """
    runtime = Runtime(bundle, threads=order.threads)
    threshold = check_threshold(order.threshold, bundle)
    allowed = allowed_types(bundle, tissue=order.tissue)
    collector = Collector(source, findings, runtime, threshold=threshold, allowed=allowed, matcher=order.matcher)
    with _h5ad(source, findings, bundle, order) as file:
        with _Kept(order.folder, source.n_cells, bundle) as kept:
            for block in annotate_blocks(source, findings, runtime, threshold=threshold, allowed=allowed, block=STEP):
                collector.add(block)
                kept.fingerprints.append(block.fingerprint_nd)
                kept.probabilities.append(block.probabilities_nm)
                kept.counts.append(block.counts_ng)
                file.add_block(
                    block.start, fingerprint_nd=block.fingerprint_nd, probabilities_nm=block.probabilities_nm
                )
                tell("naming cells", ANSWERED * (block.start + len(block)) / source.n_cells)
        annotation = collector.finish()
        tell("drawing the map", ANSWERED)
        with ThreadPoolExecutor(1) as beside:
            drawn = beside.submit(draw_map, annotation, order.folder)
            file.finish(
                obs_columns(annotation),
                uns=run_record(annotation),
                colors=type_colors(annotation),
                stale=stale_columns(annotation),
            )
            write_answers(order.folder / CSV, annotation, source.cell_names)
            _write_names(order.folder, source.cell_names)
            _write_cells(order.folder, annotation)
            annotation = replace(annotation, position_s2=drawn.result()[annotation.sample_s])
    tell("writing the report", DRAWN)
    words = commands(order.name, annotation)
    write_report(annotation, order.folder / REPORT, examples=annotation.examples, command=words["shell"])
    _write_json(order.folder / COMMANDS, words)
    _write_json(order.folder / SUMMARY, summarise(annotation))
    return annotation


def draw_map(annotation: Annotation, folder: Path) -> Positions:
    """Lay out some cells, place the others beside them, and write what the page draws.

    The file holds, little-endian and gzipped, the number of cells (uint32), all x and all y (float32, in [0, 1], NaN
    for cells without counts), scores (float32) and types (uint16, `UNKNOWN_TYPE` for unknown).

    Returns
    -------
    Positions of all cells, ``(n, 2)``.
    """
    positions_n2 = _place(annotation, np.load(folder / FINGERPRINTS, mmap_mode="r"))
    types_n = type_numbers(annotation)
    parts = [
        np.array([len(types_n)], dtype="<u4"),
        *positions_n2.T.astype("<f4"),
        annotation.score_n.astype("<f4"),
        types_n.astype("<u2"),
    ]
    with gzip.GzipFile(folder / MAP, "wb", compresslevel=1, mtime=0) as file:
        for part in parts:
            file.write(part.tobytes())
    return positions_n2


def _place(annotation: Annotation, fingerprint_nd: NDArray[np.float32]) -> Positions:
    held_s = np.flatnonzero(annotation.fingerprint_sd.any(axis=1))
    empty_n = annotation.n_counts_n == 0
    if not len(held_s):
        return np.full((len(empty_n), 2), np.nan)
    landmarks = held_s[choose_mapped(len(held_s))]
    position_l2 = project(annotation.fingerprint_sd[landmarks])
    positions_n2 = place_near(fingerprint_nd, annotation.fingerprint_sd[landmarks], position_l2)
    positions_n2[annotation.sample_s[landmarks]] = position_l2
    positions_n2[empty_n] = np.nan
    return positions_n2


def type_numbers(annotation: Annotation) -> NDArray[np.uint16]:
    """Give the number of each cell's type in the summary, `UNKNOWN_TYPE` for unknown."""
    number_m = np.full(len(annotation.nodes) + 1, UNKNOWN_TYPE, dtype=np.uint16)
    number_m[common_types(annotation)] = np.arange(len(common_types(annotation)), dtype=np.uint16)
    # the last place is that of -1
    return number_m[annotation.answer_n]


class _Kept:
    """The files that grow with every block."""

    def __init__(self, folder: Path, n_cells: int, bundle: Bundle) -> None:
        self._stack = ExitStack()
        n_genes, n_nodes, size = bundle.manifest.n_genes, len(bundle.nodes), bundle.manifest.fingerprint_size
        self.fingerprints = self._stack.enter_context(ArrayFile(folder / FINGERPRINTS, (n_cells, size), np.float32))
        self.probabilities = self._stack.enter_context(
            ArrayFile(folder / PROBABILITIES, (n_cells, n_nodes), np.float16)
        )
        self.counts = self._stack.enter_context(CountsWriter(folder / COUNTS, n_genes=n_genes))

    def __enter__(self) -> _Kept:
        return self

    def __exit__(self, *reason: Any) -> None:  # noqa: ANN401
        self._stack.__exit__(*reason)


def _h5ad(source: CellSource, findings: Findings, bundle: Bundle, order: Order) -> AnnotatedH5ad:
    return AnnotatedH5ad(
        order.folder / H5AD,
        source=source,
        matrix=findings.matrix,
        path_in=order.upload,
        fingerprint_size=bundle.manifest.fingerprint_size,
        n_nodes=len(bundle.nodes),
    )


def _write_cells(folder: Path, annotation: Annotation) -> None:
    """Write what is known of each cell, and the example cells that others are compared with."""
    counts_og = [example.counts_g for example in annotation.examples]
    arrays: dict[str, NDArray[Any]] = {
        TYPES: type_numbers(annotation),
        NODES: np.array(common_types(annotation), dtype=np.int64),
        SCORES: annotation.score_n,
        N_COUNTS: annotation.n_counts_n,
        N_GENES: annotation.n_genes_n,
        MEASURED: annotation.findings.match.measured_g,
        EXAMPLES: np.array(counts_og, dtype=np.float32).reshape(len(counts_og), -1),
        EXAMPLE_TYPES: np.array([example.answer for example in annotation.examples], dtype=np.int64),
    }
    for name, array in arrays.items():
        np.save(folder / name, array, allow_pickle=False)


def _write_names(folder: Path, names: pd.Index) -> None:
    words = [str(name).encode("utf-8", "replace") for name in names]
    (folder / NAMES).write_bytes(b"".join(words))
    np.save(folder / NAME_ENDS, np.cumsum([len(word) for word in words], dtype=np.int64), allow_pickle=False)


def _write_json(path: Path, value: Any) -> None:  # noqa: ANN401 - anything that JSON can hold
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
