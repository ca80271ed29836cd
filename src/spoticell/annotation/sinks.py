"""Where annotated blocks go: an `Annotation`, an h5ad or csv file, an AnnData object.

Axes: ``n`` cells, ``g`` the model's genes, ``m`` ontology nodes, ``d`` fingerprint, ``s`` sampled cells.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from spoticell import keys
from spoticell.annotation.groups import Grouping, Groups, GroupTally
from spoticell.annotation.matches import Matcher, Matches
from spoticell.annotation.options import Options
from spoticell.annotation.outputs import csv_rows, obs_columns, run_record, stale_columns, type_colors
from spoticell.annotation.result import EXAMPLES, AnnotatedBlock, Annotation, Example, FirstBlock
from spoticell.annotation.sample_tissue import SampleTissues
from spoticell.annotation.samples import Samples
from spoticell.annotation.seen import Surest
from spoticell.biology.group_genes import group_genes, telling
from spoticell.biology.programs import PROGRAMS, programs_shown
from spoticell.io.address import Place
from spoticell.io.aligned import aligned_sample
from spoticell.io.findings import Findings
from spoticell.io.source import CellSource
from spoticell.io.write import write_csv
from spoticell.model.bundle import Bundle

if TYPE_CHECKING:
    from anndata import AnnData

    from spoticell.io.annotated import AnnotatedH5ad

SAMPLE = 20_000
"""Most cells whose fingerprints are kept for a picture of them."""


class Sink(Protocol):
    """Takes the cells as they are read, and their answers, each first to last.

    Where cells are read together all of them, or a million, are read before the first has its answer.

    All sinks of a run are begun before the first block, so that what can't be written is found early.  If anything
    fails, all that were begun are abandoned.
    """

    def begin(self, source: CellSource, findings: Findings, bundle: Bundle) -> None:
        """Make ready; what fails here leaves nothing behind."""

    def see(self, block: FirstBlock) -> None:
        """Take in the next cells as they are read, each named alone."""

    def add(self, block: AnnotatedBlock) -> None:
        """Take in the answers for the next cells."""

    def finish(self, annotation: Annotation) -> None:
        """Complete the result and put it in its place."""

    def abandon(self) -> None:
        """Leave nothing behind; a result that is in its place already stays."""


class ResultSink:
    """Gathers blocks into an `Annotation`, holding a bounded part of what is large.

    Not a `Sink`: it is what the others get to finish with.

    Parameters
    ----------
    source, findings
        What is annotated.
    options
        What was asked for.
    tissues
        Those that the sample shows.
    samples
        Those that the cells are from.
    grouping
        The groups to name, if they are told.
    sample
        Most cells whose fingerprints to hold.
    """

    def __init__(
        self,
        source: CellSource,
        findings: Findings,
        options: Options,
        tissues: SampleTissues | None = None,
        *,
        samples: Samples | None = None,
        grouping: Grouping | None = None,
        sample: int = SAMPLE,
    ) -> None:
        n, self._bundle = source.n_cells, options.bundle
        self._source, self._findings, self._options = source, findings, options
        self._matcher = None if options.opened is None else Matcher(options.opened)
        self._answer_n = np.full(n, -1, dtype=np.intp)
        self._score_n = np.zeros(n, dtype=np.float32)
        self._barred_n = np.zeros(n, dtype=np.bool_)
        self._doubted_n = np.zeros(n, dtype=np.bool_)
        self._second_n = np.full(n, -1, dtype=np.intp)
        self._second_probability_n = np.zeros(n, dtype=np.float32)
        self._tissues, self._samples = tissues, samples
        self._n_counts_n, self._n_genes_n = np.zeros(n, dtype=np.float32), np.zeros(n, dtype=np.int32)
        self._programs_np = np.zeros((n, len(PROGRAMS)), dtype=np.bool_)
        self._sample_s = spread_sample(n, sample, rng=np.random.default_rng(0))
        size = self._bundle.manifest.fingerprint_size
        self._fingerprint_sd = np.zeros((len(self._sample_s), size), dtype=np.float32)
        self._tally: GroupTally | None = None
        if grouping is not None:
            self.group_by(grouping)
        self._single_n: NDArray[np.intp] | None = None
        self._single_score_n: NDArray[np.float32] | None = None
        self._surest = Surest()

    def group_by(self, grouping: Grouping) -> None:
        """Settle the groups to name, before any cell is answered."""
        self._tally = GroupTally(grouping, self._bundle, empty_up_to=self._findings.verdict.empty_up_to)

    def see(self, block: FirstBlock) -> None:
        """Keep which programmes the cells show, and the counts of the surest cells of each type."""
        alone = block.alone
        if block.seen is None:
            measured_g = self._findings.match.measured_g
            programs_np = programs_shown(block.counts_ng, self._bundle.vocabulary, measured_g, alone.n_counts_n)
            self._surest.see(block)
        else:
            programs_np = block.seen.programs_np
            self._surest.take(block.seen.surest)
        self._programs_np[alone.start : alone.start + len(alone)] = programs_np

    def add(self, block: AnnotatedBlock) -> None:
        """Take in a block."""
        rows = slice(block.start, block.start + len(block))
        self._answer_n[rows] = block.answer_n
        self._score_n[rows] = block.score_n
        self._barred_n[rows] = block.barred_n
        self._doubted_n[rows] = block.doubted_n
        self._second_n[rows] = block.second_n
        self._second_probability_n[rows] = block.second_probability_n
        self._n_counts_n[rows] = block.n_counts_n
        self._n_genes_n[rows] = block.n_genes_n
        first, last = np.searchsorted(self._sample_s, (rows.start, rows.stop))
        self._fingerprint_sd[first:last] = block.fingerprint_nd[self._sample_s[first:last] - block.start]
        if block.single_n is not None and block.single_score_n is not None:
            if self._single_n is None or self._single_score_n is None:
                self._single_n, self._single_score_n = np.full_like(self._answer_n, -1), np.zeros_like(self._score_n)
            self._single_n[rows], self._single_score_n[rows] = block.single_n, block.single_score_n
        if self._matcher is not None:
            self._matcher.add(block.fingerprint_nd)
        if self._tally is not None:
            self._tally.add(block)

    def finish(self) -> Annotation:
        """Give all that was taken in."""
        matches = None if self._matcher is None else self._matcher.finish()
        return Annotation(
            findings=self._findings,
            bundle=self._bundle,
            threshold=self._options.lowest,
            answer_n=self._answer_n,
            score_n=self._score_n,
            barred_n=self._barred_n,
            doubted_n=self._doubted_n,
            second_n=self._second_n,
            second_probability_n=self._second_probability_n,
            n_counts_n=self._n_counts_n,
            n_genes_n=self._n_genes_n,
            sample_s=self._sample_s,
            fingerprint_sd=self._fingerprint_sd,
            examples=tuple(self._examples()),
            cell_names=self._source.cell_names,
            options=self._options,
            matches=matches,
            allowed=self._options.allowed,
            single_n=self._single_n,
            single_score_n=self._single_score_n,
            tissues=self._tissues,
            samples=self._samples,
            groups=None if self._tally is None else self._name_groups(self._tally, matches),
            programs_np=self._programs_np,
        )

    def _name_groups(self, tally: GroupTally, matches: Matches | None) -> Groups:
        grouping, findings = tally.grouping, self._findings
        genes = group_genes(
            aligned_sample(findings),
            grouping.code_n[findings.sample_at_s],
            len(grouping.names),
            among_g=telling(self._bundle.vocabulary),
        )
        return tally.finish(genes=genes, markers=self._options.known_markers, matches=matches)

    def _examples(self) -> Iterator[Example]:
        """Give the surest cell of each of the commonest types, among those whose counts were kept."""
        types, cells = np.unique(self._answer_n[self._answer_n >= 0], return_counts=True)
        kept = self._surest.all()
        for answer in types[np.argsort(-cells, kind="stable")][:EXAMPLES].tolist():
            of_type = [sure for sure in kept if self._answer_n[sure.position] == answer]
            if of_type:
                surest = max(of_type, key=lambda sure: (self._score_n[sure.position], -sure.position))
                place, counts_g = surest.position, surest.counts_g.toarray()[0]
                yield Example(place, str(self._source.cell_names[place]), answer, float(self._score_n[place]), counts_g)


class H5adSink:
    """Writes an h5ad file: all of the input with the answers added.

    Parameters
    ----------
    output
        Where to write.
    path_in
        The input; None where it is no file.
    key_added
        What every key that is written starts with.
    overwrite
        Whether a file may be replaced that is there in the end.
    left_out
        Places of the input to leave out.
    """

    def __init__(
        self,
        output: Place,
        *,
        path_in: Path | None,
        key_added: str = keys.KEY_ADDED,
        overwrite: bool = False,
        left_out: Sequence[str] = (),
    ) -> None:
        self._output, self._path_in, self._key, self._overwrite = output, path_in, key_added, overwrite
        self._left_out = left_out
        self._file: AnnotatedH5ad | None = None

    def begin(self, source: CellSource, findings: Findings, bundle: Bundle) -> None:
        """Copy the input, or stream the matrix into a new file, and make room for the answers."""
        from spoticell.io.annotated import AnnotatedH5ad  # noqa: PLC0415 - anndata is slow to load, and csv does without

        file = AnnotatedH5ad(
            self._output,
            source=source,
            matrix=findings.matrix,
            path_in=source.inner or self._path_in,
            fingerprint_size=bundle.manifest.fingerprint_size,
            n_nodes=len(bundle.nodes),
            key_added=self._key,
            overwrite=self._overwrite,
            left_out=self._left_out,
        )
        self._file = file.__enter__()

    def see(self, block: FirstBlock) -> None:
        """Do nothing: what is written is the answers."""

    def add(self, block: AnnotatedBlock) -> None:
        """Write fingerprints and probabilities."""
        self._open_file().add_block(
            block.start, fingerprint_nd=block.fingerprint_nd, probabilities_nm=block.probabilities_nm
        )

    def finish(self, annotation: Annotation) -> None:
        """Write the columns about cells and what was done, and put the file in its place."""
        file, columns = self._open_file(), obs_columns(annotation)
        file.finish(
            columns,
            uns=run_record(annotation),
            colors=type_colors(annotation, columns),
            stale=stale_columns(annotation),
        )
        self._file = None
        file.__exit__(None, None, None)

    def abandon(self) -> None:
        """Remove what was written."""
        file, self._file = self._file, None
        if file is not None:
            file.__exit__(RuntimeError, RuntimeError("the run failed"), None)

    def _open_file(self) -> AnnotatedH5ad:
        if self._file is None:
            raise RuntimeError("begin() was not called")
        return self._file


class CsvSink:
    """Writes the answers alone, a row for each cell.

    Parameters
    ----------
    output
        Where to write.
    overwrite
        Whether a file may be replaced that is there in the end.
    """

    def __init__(self, output: Place, *, overwrite: bool = False) -> None:
        self._output, self._overwrite = output, overwrite

    def begin(self, source: CellSource, findings: Findings, bundle: Bundle) -> None:
        """Do nothing: the file is written in one go at the end."""

    def see(self, block: FirstBlock) -> None:
        """Do nothing: what is written is the answers."""

    def add(self, block: AnnotatedBlock) -> None:
        """Do nothing: the annotation holds all that is written."""

    def finish(self, annotation: Annotation) -> None:
        """Write the file."""
        write_csv(self._output, csv_rows(annotation), overwrite=self._overwrite)

    def abandon(self) -> None:
        """Do nothing: there is no file until it is whole."""


class AnnDataSink:
    """Writes the answers into an AnnData object when all of them are there.

    Parameters
    ----------
    adata
        The object that is annotated.
    copy
        Whether to leave it as it is and write into a copy.
    """

    def __init__(self, adata: AnnData, *, copy: bool) -> None:
        self.adata = adata
        """The object that has the answers in the end."""
        self._copy = copy
        self._fingerprint_nd = np.zeros((0, 0), dtype=np.float32)
        self._probabilities_nm = np.zeros((0, 0), dtype=np.float32)

    def begin(self, source: CellSource, findings: Findings, bundle: Bundle) -> None:
        """Make room for fingerprints and probabilities."""
        n = source.n_cells
        self._fingerprint_nd = np.zeros((n, bundle.manifest.fingerprint_size), dtype=np.float32)
        self._probabilities_nm = np.zeros((n, len(bundle.nodes)), dtype=np.float32)

    def see(self, block: FirstBlock) -> None:
        """Do nothing: what is written is the answers."""

    def add(self, block: AnnotatedBlock) -> None:
        """Keep fingerprints and probabilities."""
        rows = slice(block.start, block.start + len(block))
        self._fingerprint_nd[rows] = block.fingerprint_nd
        self._probabilities_nm[rows] = block.probabilities_nm

    def finish(self, annotation: Annotation) -> None:
        """Write all into the object, or a copy of it."""
        from anndata import ImplicitModificationWarning  # noqa: PLC0415 - slow to load, and files do without

        from spoticell.io.annotated import storable  # noqa: PLC0415

        if self._copy:
            self.adata = self.adata.to_memory() if self.adata.isbacked else self.adata.copy()
        adata, key, columns = self.adata, annotation.options.key_added, obs_columns(annotation)
        with warnings.catch_warnings():
            # writing into a view makes it an object of its own, which is what was asked for
            warnings.simplefilter("ignore", ImplicitModificationWarning)
            for name, values in columns.items():
                adata.obs[name] = values.array
            for name in set(stale_columns(annotation)) & set(adata.obs):
                del adata.obs[name]
        adata.obsm[keys.FINGERPRINT.format(key=key)] = self._fingerprint_nd
        adata.obsm[keys.PROBABILITIES.format(key=key)] = self._probabilities_nm
        adata.uns[keys.RUN.format(key=key)] = storable(run_record(annotation))
        for name in stale_columns(annotation):
            adata.uns.pop(keys.COLORS.format(column=name), None)
        adata.uns.update(type_colors(annotation, columns))

    def abandon(self) -> None:
        """Do nothing: the object is as it was until all answers are there."""


def spread_sample(n: int, size: int, *, rng: np.random.Generator) -> NDArray[np.intp]:
    """Give up to ``size`` positions among ``n``, rising and evenly spread: one at random from each equal stretch.

    Examples
    --------
    >>> spread_sample(3, 5, rng=np.random.default_rng(0)).tolist()
    [0, 1, 2]
    """
    size = min(n, size)
    edges = np.arange(size + 1, dtype=np.int64) * n // max(size, 1)
    return rng.integers(edges[:-1], edges[1:]).astype(np.intp)
