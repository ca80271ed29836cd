"""From file to file: cells in any format that ``io`` reads, answers as h5ad or csv, and a report.

This is what the command line runs.  Cells stream through in blocks and results are put in
place only when they are whole.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spoticell import keys
from spoticell.annotation.allowed import Allowed, allowed_types
from spoticell.annotation.commands import command_line
from spoticell.annotation.matches import Matcher
from spoticell.annotation.outputs import check_key, obs_columns, run_record, stale_columns, type_colors
from spoticell.annotation.pipeline import annotate_blocks, annotate_into, check_threshold
from spoticell.annotation.result import Annotation
from spoticell.annotation.sinks import Collector
from spoticell.errors import OutputError
from spoticell.io import open_cells
from spoticell.io.findings import Findings, inspect
from spoticell.io.source import CellSource
from spoticell.io.write import check_output
from spoticell.model.bundle import DEFAULT, Bundle, load_bundle
from spoticell.model.runtime import Runtime
from spoticell.progress import Progress, stretch

if TYPE_CHECKING:
    from anndata import AnnData

    from spoticell.index import OpenIndex

SUFFIXES = (".h5ad", ".csv")

LOOKING, ANSWERED = 20, 90
"""Percent of the time after which counts are found, and after which cells are answered and a report is written."""


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
        annotation = annotate_into(path, output, collector, runtime, on_progress=rest)
    if report is not None:
        _report(annotation, report, command_line(path, output, annotation, report))
        stretch(on_progress, start=ANSWERED, stop=100)(1, 1)
    return annotation


def _report(annotation: Annotation, page: Path, command: str) -> None:
    from spoticell.report.page import write_report  # noqa: PLC0415 - slow to load and not always wanted

    write_report(annotation, page, examples=annotation.examples, command=command)


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


def annotate(
    adata: AnnData,
    *,
    bundle: Bundle | Path | str = DEFAULT,
    layer: str | None = None,
    key_added: str = keys.KEY_ADDED,
    threshold: float | None = None,
    allow: Sequence[str] = (),
    deny: Sequence[str] = (),
    tissue: str | None = None,
    index: OpenIndex | Path | str | None = None,
    copy: bool = False,
    threads: int | None = None,
) -> AnnData | None:
    """Name the cells of an AnnData object.

    Parameters
    ----------
    adata
        Human cells.  Counts are looked for in ``layers``, ``raw`` and ``X``; log-normalised values do.  Genes are
        Ensembl ids or symbols, in the index or a column of ``var``.
    bundle
        The name of a packaged bundle, a bundle's folder, or a loaded bundle.
    layer
        The one matrix to use: a layer's name, ``"X"`` or ``"raw"``.
    key_added
        What every key that is written starts with.
    threshold
        Smallest chance of an answer's term, in [0, 1]; the bundle's own if not given.
    allow, deny
        Types that an answer may and may not be, with their subtypes: Cell Ontology ids, names or exact synonyms.
    tissue
        Where the cells are from, such as ``"lung"`` or ``"PBMC"``: types of other tissues are then no answer.
    index
        An index of reference cells, or its folder or address: what their types say of each cell is written too.
    copy
        Whether to leave ``adata`` as it is and give an annotated copy.
    threads
        How many threads to use; all cores that the process may use if not given.

    Returns
    -------
    None, or the copy.  Written are, with the default ``key_added``: ``obs["spoticell_cell_type"]`` and more columns,
    ``obsm["X_spoticell"]`` (fingerprints), ``obsm["spoticell_probabilities"]`` (columns as in
    ``uns["spoticell"]["classes"]``), ``uns["spoticell"]`` and ``uns["spoticell_cell_type_colors"]``.

    Raises
    ------
    SpoticellError
        If counts of known genes can't be had; ``adata`` is then as it was.
    """
    check_key(key_added)
    loaded = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
    rules = check_threshold(threshold, loaded), allowed_types(loaded, allow=allow, deny=deny, tissue=tissue)
    matcher = None if index is None else Matcher(index, loaded)
    annotation = _answer(_in_memory(adata, layer), Runtime(loaded, threads=threads), *rules, matcher)
    target = adata if not copy else adata.to_memory() if adata.isbacked else adata.copy()
    _write(target, annotation, key_added)
    return target if copy else None


def _in_memory(adata: AnnData, layer: str | None) -> CellSource:
    from spoticell.io.in_memory import AnnDataCells  # noqa: PLC0415 - anndata is slow to load

    return AnnDataCells(adata, layer=layer)


def _answer(
    source: CellSource, runtime: Runtime, threshold: float, allowed: Allowed | None, matcher: Matcher | None
) -> Annotation:
    findings = inspect(source, runtime.bundle.vocabulary)
    collector = Collector(
        source,
        findings,
        runtime,
        threshold=threshold,
        allowed=allowed,
        sample=source.n_cells,
        keep_probabilities=True,
        matcher=matcher,
    )
    for block in annotate_blocks(source, findings, runtime, threshold=threshold, allowed=allowed):
        collector.add(block)
    return collector.finish()


def _write(adata: AnnData, annotation: Annotation, key: str) -> None:
    from anndata import ImplicitModificationWarning  # noqa: PLC0415

    from spoticell.io.annotated import storable  # noqa: PLC0415

    with warnings.catch_warnings():
        # writing into a view makes it an object of its own, which is what was asked for
        warnings.simplefilter("ignore", ImplicitModificationWarning)
        for name, values in obs_columns(annotation, key=key).items():
            adata.obs[name] = values.array
        for name in set(stale_columns(annotation, key=key)) & set(adata.obs):
            del adata.obs[name]
    adata.obsm[keys.FINGERPRINT.format(key=key)] = annotation.fingerprint_sd
    adata.obsm[keys.PROBABILITIES.format(key=key)] = annotation.probabilities_nm
    adata.uns[keys.RUN.format(key=key)] = storable(run_record(annotation))
    adata.uns[keys.COLORS.format(key=key)] = type_colors(annotation)
