"""What the page shows of a run, and the files to keep, written into a folder while the cells are named.

    annotated.h5ad, types.csv, report.html    for the visitor to keep
    summary.json, commands.json, *.bin.gz     what the page asks for at once
    columns.json, columns/, maps/             what the upload says of its cells (``columns``)
    counts/, *.npy, names.bin                 what it asks for cell by cell and gene by gene

Fingerprints are kept too (``fingerprints.npy``, float32, one row a cell): the place to look for a cell's neighbours.
Axes: ``n`` cells, ``d`` fingerprint, ``m`` ontology nodes, ``g`` the bundle's genes, ``o`` example cells, ``s``
sampled cells.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.annotation.decision import can_read_together
from spoticell.annotation.first_blocks import relatives_of
from spoticell.annotation.result import AnnotatedBlock, Annotation, FirstBlock
from spoticell.annotation.sinks import CsvSink, H5adSink
from spoticell.io.annotated import can_be_copied
from spoticell.io.embeddings import add_map
from spoticell.io.findings import Findings
from spoticell.io.source import CellSource
from spoticell.io.storage.links import leading_out
from spoticell.model.bundle import Bundle
from spoticell.report.map import choose_mapped, place_near, project
from spoticell.report.page import write_report
from spoticell.web.arrays import ArrayFile, CountsWriter
from spoticell.web.chances import PROBABILITIES, keep_possible
from spoticell.web.columns import ColumnKeeper
from spoticell.web.grounds import GROUNDS, GROUNDS_ALONE, GroundsWriter, keep
from spoticell.web.summary import UNKNOWN_TYPE, common_types, summarise
from spoticell.web.tables import places_of, write_tables
from spoticell.web.weights import WEIGHTS, WEIGHTS_ALONE, WeightsWriter, keep_tissues

H5AD, CSV, REPORT = "annotated.h5ad", "types.csv", "report.html"
SUMMARY, COMMANDS, MAP, GROUPS = "summary.json", "commands.json", "map.bin.gz", "groups.bin.gz"
FINGERPRINTS = "fingerprints.npy"
TYPES, NODES = "types.npy", "nodes.npy"
SINGLE, SINGLE_SCORES = "single.npy", "single_scores.npy"
SCORES, N_COUNTS, N_GENES = "scores.npy", "n_counts.npy", "n_genes.npy"
EXAMPLES, EXAMPLE_TYPES, MEASURED = "examples.npy", "example_types.npy", "measured.npy"
COUNTS, NAMES, NAME_ENDS = "counts", "names.bin", "name_ends.npy"
ANSWERED, DRAWN = 0.6, 0.95
"""Shares of the work after which cells are answered, and have a place on the map."""

Tell = Callable[[str, float], None]
"""Called with the stage and the share of the work that is done, in [0, 1]."""
Positions = NDArray[np.float64]


class PageSink:
    """Writes what the page shows of a run.

    Parameters
    ----------
    folder
        Where everything goes; made by the sink, and gone again if the run fails.
    upload
        The file that is annotated.
    name
        What the visitor calls it.
    tell
        Hears how far the work is once the cells are named.
    """

    def __init__(self, folder: Path, *, upload: Path, name: str, tell: Tell) -> None:
        self._folder, self._name, self._tell = folder, name, tell
        # others download this file, and would read on their own machines what links in it name
        left_out = leading_out(upload) if can_be_copied(upload) else []
        self._h5ad = H5adSink(folder / H5AD, path_in=upload, left_out=left_out)
        self._csv = CsvSink(folder / CSV)
        self._growing = ExitStack()

    def begin(self, source: CellSource, findings: Findings, bundle: Bundle) -> None:
        """Make the folder, and begin the files that grow with every block."""
        self._folder.mkdir(mode=0o700)
        try:
            self._h5ad.begin(source, findings, bundle)
            self._csv.begin(source, findings, bundle)
            self._begin_arrays(source.n_cells, bundle)
            self._columns = ColumnKeeper(source, bundle.vocabulary.symbols)
        except BaseException:
            self.abandon()
            raise

    def see(self, block: FirstBlock) -> None:
        """Write counts."""
        self._counts.append(block.counts_ng)
        self._columns.see(block.counts_ng)
        self._weights.append(WEIGHTS_ALONE, block.weight_nc)
        if block.alone.grounds is not None:
            self._grounds_alone.append(block.alone.grounds)

    def add(self, block: AnnotatedBlock) -> None:
        """Write fingerprints and probabilities."""
        self._fingerprints.append(block.fingerprint_nd)
        if self._probabilities is not None:
            self._probabilities.append(block.probabilities_nm)
        self._weights.append(WEIGHTS, block.weight_nc)
        if block.single_n is not None and block.grounds is not None:
            self._grounds.append(block.grounds)
        self._h5ad.add(block)
        self._csv.add(block)

    def finish(self, annotation: Annotation) -> None:
        """Draw the map beside the h5ad file's last columns, and write the rest."""
        self._growing.close()
        self._tell("drawing the map", ANSWERED)
        with ThreadPoolExecutor(1) as beside:
            drawn = beside.submit(draw_map, annotation, self._folder)
            self._h5ad.finish(annotation)
            self._csv.finish(annotation)
            write_tables(annotation, self._folder)
            _write_names(self._folder, annotation.cell_names)
            _write_cells(self._folder, annotation)
            keep(annotation, self._folder)
            keep_tissues(annotation, self._folder)
            keep_possible(relatives_of(annotation.options, annotation.tissues), self._folder)
            positions_n2 = drawn.result()
        add_map(self._folder / H5AD, positions_n2)
        self._columns.finish(annotation, self._folder)
        self._tell("writing the report", DRAWN)
        words = commands(self._name, annotation)
        placed = replace(annotation, position_s2=positions_n2[annotation.sample_s])
        write_report(placed, self._folder / REPORT, examples=annotation.examples, command=words["shell"])
        _write_json(self._folder / COMMANDS, words)
        _write_json(self._folder / SUMMARY, summarise(annotation))

    def abandon(self) -> None:
        """Remove the folder."""
        with suppress(OSError):  # what is full can't take the last bytes of these files either
            self._growing.close()
        self._h5ad.abandon()
        self._csv.abandon()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _begin_arrays(self, n_cells: int, bundle: Bundle) -> None:
        def growing(name: str, width: int, dtype: type[np.floating[Any]]) -> ArrayFile:
            return self._growing.enter_context(ArrayFile(self._folder / name, (n_cells, width), dtype))

        self._fingerprints = growing(FINGERPRINTS, bundle.manifest.fingerprint_size, np.float32)
        # where labels have weights, probabilities follow from these
        follow = can_read_together(bundle)
        self._probabilities = None if follow else growing(PROBABILITIES, len(bundle.nodes), np.float16)
        writer = CountsWriter(self._folder / COUNTS, n_genes=bundle.manifest.n_genes)
        self._counts = self._growing.enter_context(writer)
        self._weights = self._growing.enter_context(WeightsWriter(self._folder))
        self._grounds = self._growing.enter_context(GroundsWriter(self._folder / GROUNDS))
        self._grounds_alone = self._growing.enter_context(GroundsWriter(self._folder / GROUNDS_ALONE))


def commands(name: str, annotation: Annotation) -> dict[str, str]:
    """Give what repeats a run on the visitor's own machine, as a command line and as Python.

    Where model, index and markers lie on the server is nobody's business: they are named without their folders.

    Parameters
    ----------
    name
        What the visitor calls the file.
    annotation
        The answers, which know what was asked for.
    """
    settled = annotation.options.settled()
    index = None if annotation.matches is None else annotation.matches.name
    markers = None if settled.markers is None else PurePath(settled.markers).name
    options = replace(settled, model=annotation.bundle.name, index=index, markers=markers)
    stem = PurePath(name).name.split(".")[0] or "cells"
    places = (name, f"{stem}.spoticell.h5ad", f"{stem}.spoticell.html")
    also = places_of(annotation, f"{stem}.spoticell")
    return {"shell": options.command(*places, also=also), "python": options.python(*places)}


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
    _write_packed(folder / MAP, parts)
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


def _write_cells(folder: Path, annotation: Annotation) -> None:
    """Write what is known of each cell, and the example cells that others are compared with, which may be none."""
    n_genes = annotation.bundle.manifest.n_genes
    counts_og = [example.counts_g for example in annotation.examples]
    arrays: dict[str, NDArray[Any]] = {
        TYPES: type_numbers(annotation),
        NODES: np.array(common_types(annotation), dtype=np.int64),
        SCORES: annotation.score_n,
        N_COUNTS: annotation.n_counts_n,
        N_GENES: annotation.n_genes_n,
        MEASURED: annotation.findings.match.measured_g,
        EXAMPLES: np.array(counts_og, dtype=np.float32).reshape(len(counts_og), n_genes),
        EXAMPLE_TYPES: np.array([example.answer for example in annotation.examples], dtype=np.int64),
    }
    if annotation.single_n is not None and annotation.single_score_n is not None:
        arrays |= {SINGLE: annotation.single_n, SINGLE_SCORES: annotation.single_score_n}
    if annotation.groups is not None:
        # two bytes make 65535 of -1, a cell in no group
        _write_packed(folder / GROUPS, [annotation.groups.grouping.code_n.astype("<u2")])
    for name, array in arrays.items():
        np.save(folder / name, array, allow_pickle=False)


def _write_packed(path: Path, parts: Sequence[NDArray[Any]]) -> None:
    with gzip.GzipFile(path, "wb", compresslevel=1, mtime=0) as file:
        for part in parts:
            file.write(part.tobytes())


def _write_names(folder: Path, names: pd.Index) -> None:
    words = [str(name).encode("utf-8", "replace") for name in names]
    (folder / NAMES).write_bytes(b"".join(words))
    np.save(folder / NAME_ENDS, np.cumsum([len(word) for word in words], dtype=np.int64), allow_pickle=False)


def _write_json(path: Path, value: Any) -> None:  # noqa: ANN401 - anything that JSON can hold
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
