"""From file to file: cells in any format that ``io`` reads, answers as h5ad or csv, and a report.

This is what the command line runs.  Cells stream through in blocks and results are put in
place only when they are whole.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spoticell.allowed import allowed_types
from spoticell.annotation import Annotation, Collector
from spoticell.bundle import DEFAULT, PACKAGED, Bundle, load_bundle
from spoticell.corpus.progress import stretch
from spoticell.errors import OutputError
from spoticell.findings import Findings, Progress, inspect
from spoticell.io import BLOCK, open_cells
from spoticell.io.source import CellSource
from spoticell.io.write import check_output, write_csv
from spoticell.keys import KEY_ADDED, MATCH_MEAN, MATCH_P, MATCH_SHARE, MATCH_SIMILARITY, N_COUNTS, SCORE
from spoticell.matching import Matcher
from spoticell.outputs import obs_columns, run_record, stale_columns, type_colors
from spoticell.runtime import Runtime
from spoticell.stream import annotate_blocks, check_threshold

if TYPE_CHECKING:
    from spoticell.index import OpenIndex
    from spoticell.io.annotated import AnnotatedH5ad

SUFFIXES = (".h5ad", ".csv")
ROWS = 16 * BLOCK
"""Rows of a csv file that are made at once."""
LOOKING, ANSWERED = 20, 90
"""Percent of the time after which counts are found, and after which cells are answered and a report is written."""
STEP = BLOCK // 2
"""Cells between two steps of the progress."""


def check(path: Path | str, *, bundle: Bundle | Path | str = DEFAULT, on_progress: Progress | None = None) -> Findings:
    """Say what would be used of a file, without running anything on it.

    Parameters
    ----------
    path
        The file or folder of cells.
    bundle
        The name of a packaged bundle, a bundle's folder, or a loaded bundle.
    on_progress
        Called with the steps done and the steps there are.

    Raises
    ------
    SpoticellError
        If the file can't be used; the message says why.
    """
    with open_cells(path) as source:
        return inspect(source, _loaded(bundle).vocabulary, on_progress=on_progress)


def annotate_file(
    path: Path | str,
    output: Path | str,
    *,
    bundle: Bundle | Path | str = DEFAULT,
    report: Path | str | None = None,
    threshold: float | None = None,
    allow: Sequence[str] = (),
    deny: Sequence[str] = (),
    tissue: str | None = None,
    index: OpenIndex | Path | str | None = None,
    threads: int | None = None,
    overwrite: bool = False,
    on_progress: Progress | None = None,
) -> Annotation:
    """Name the cells of a file and write the answers to another.

    Parameters
    ----------
    path
        The file or folder of cells.
    output
        Where to write: ``.h5ad`` (all of an h5ad input, with the answers added) or ``.csv`` (the answers alone).
    bundle
        The name of a packaged bundle, a bundle's folder, or a loaded bundle.
    report
        Where to write a page about the outcome, ``.html``; none if not given.
    threshold, allow, deny, tissue, index, threads
        As for `spoticell.annotate`.
    overwrite
        Whether files at ``output`` and ``report`` may be replaced, the input among them.
    on_progress
        Called with the steps done and the steps there are.

    Returns
    -------
    The annotation, without the probabilities of every node: these are in the h5ad file.

    Raises
    ------
    SpoticellError
        If the file can't be used or the results can't be written; nothing is left behind then.
    """
    path, output = Path(path), Path(output)
    report = None if report is None else Path(report)
    _check_outputs(path, output, report, overwrite=overwrite)
    loaded = _loaded(bundle)
    threshold = check_threshold(threshold, loaded)
    allowed = allowed_types(loaded, allow=allow, deny=deny, tissue=tissue)
    matcher = None if index is None else Matcher(index, loaded, threads=threads)
    with open_cells(path) as source:
        findings = inspect(source, loaded.vocabulary, on_progress=stretch(on_progress, start=0, stop=LOOKING))
        runtime = Runtime(loaded, threads=threads)
        collector = Collector(source, findings, runtime, threshold=threshold, allowed=allowed, matcher=matcher)
        rest = stretch(on_progress, start=LOOKING, stop=100 if report is None else ANSWERED)
        annotation = _stream(path, output, collector, runtime, on_progress=rest)
    if report is not None:
        _report(annotation, report, command_line(path, output, annotation, report))
        stretch(on_progress, start=ANSWERED, stop=100)(1, 1)
    return annotation


def _report(annotation: Annotation, page: Path, command: str) -> None:
    from spoticell.report import write_report  # noqa: PLC0415 - slow to load and not always wanted

    write_report(annotation, page, examples=annotation.examples, command=command)


def command_line(path: Path, output: Path, annotation: Annotation, report: Path) -> str:
    """Give the command that repeats an annotation."""
    words = ["spoticell", "annotate", str(path), "-o", str(output), "--report", str(report)]
    bundle = annotation.bundle
    if bundle.path.parent != PACKAGED:
        words += ["--bundle", str(bundle.path)]
    elif bundle.name != DEFAULT:
        words += ["--bundle", bundle.name]
    if annotation.threshold != bundle.manifest.threshold:
        words += ["--threshold", str(annotation.threshold)]
    if annotation.allowed is not None:
        words += annotation.allowed.options()
    if annotation.matches is not None:
        words += ["--index", str(annotation.matches.folder)]
    return shlex.join(words)


def _stream(path: Path, output: Path, collector: Collector, runtime: Runtime, *, on_progress: Progress) -> Annotation:
    source, findings, threshold, allowed = collector.source, collector.findings, collector.threshold, collector.allowed
    with ExitStack() as stack:
        file = stack.enter_context(_h5ad(source, path, output, findings, runtime)) if output.suffix == ".h5ad" else None
        for block in annotate_blocks(source, findings, runtime, threshold=threshold, allowed=allowed, block=STEP):
            collector.add(block)
            if file is not None:
                file.add_block(
                    block.start, fingerprint_nd=block.fingerprint_nd, probabilities_nm=block.probabilities_nm
                )
            on_progress(block.start + len(block), source.n_cells)
        annotation = collector.finish()
        if file is None:
            write_answers(output, annotation, source.cell_names)
        else:
            file.finish(
                obs_columns(annotation),
                uns=run_record(annotation),
                colors=type_colors(annotation),
                stale=stale_columns(annotation),
            )
    return annotation


def _h5ad(source: CellSource, path: Path, output: Path, findings: Findings, runtime: Runtime) -> AnnotatedH5ad:
    from spoticell.io.annotated import AnnotatedH5ad  # noqa: PLC0415 - anndata is slow to load, and csv does without

    return AnnotatedH5ad(
        output,
        source=source,
        matrix=findings.matrix,
        path_in=path,
        fingerprint_size=runtime.bundle.manifest.fingerprint_size,
        n_nodes=len(runtime.bundle.nodes),
    )


def write_answers(path: Path, annotation: Annotation, cell_names: pd.Index) -> None:
    """Write the answers as csv, a row for each cell under its name."""
    write_csv(path, _tables(annotation, cell_names))


def _tables(annotation: Annotation, cell_names: pd.Index) -> Iterator[pd.DataFrame]:
    """Give the rows of the csv file in parts: counts without a decimal point, scores with six."""
    table = obs_columns(annotation)
    table.insert(0, "cell", np.asarray(cell_names, dtype=object))
    counts = N_COUNTS.format(key=KEY_ADDED)
    rounded = [name.format(key=KEY_ADDED) for name in (SCORE, MATCH_SHARE, MATCH_SIMILARITY, MATCH_MEAN, MATCH_P)]
    for name in table.columns.intersection(rounded):
        table[name] = table[name].astype(np.float64).round(6)
    whole = (annotation.n_counts_n % 1 == 0).all()
    table[counts] = table[counts].astype(np.int64) if whole else table[counts].astype(np.float64).round(3)
    for start in range(0, max(len(table), 1), ROWS):
        yield table.iloc[start : start + ROWS]


def _check_outputs(path: Path, output: Path, report: Path | None, *, overwrite: bool) -> None:
    if output.suffix not in SUFFIXES:
        raise OutputError(f"{output} ends in {output.suffix or 'nothing'!r}; answers are written as .h5ad or .csv.")
    check_output(output, input_path=path, overwrite=overwrite)
    if report is None:
        return
    if report.suffix not in {".html", ".htm"}:
        raise OutputError(f"{report} ends in {report.suffix or 'nothing'!r}; a report is written as .html.")
    check_output(report, overwrite=overwrite)


def _loaded(bundle: Bundle | Path | str) -> Bundle:
    return bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
