"""The answers of a run that is done, shown for another tissue without a new run.

What a run with that tissue would leave for the page takes the place of what was there; the files to keep stay.
Axes: ``n`` cells, ``b`` cells of a block, ``c`` labels, ``m`` ontology nodes.
"""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spoticell.annotation.decision import grounds_of
from spoticell.annotation.first_blocks import STEP, relatives_of
from spoticell.annotation.groups import GroupTally
from spoticell.annotation.options import Options
from spoticell.biology.relatives import Relatives
from spoticell.io.findings import Findings
from spoticell.web import grounds, sink
from spoticell.web.chances import POSSIBLE, PROBABILITIES, keep_possible
from spoticell.web.grounds import GroundsWriter, read_grounds
from spoticell.web.kept import recall
from spoticell.web.refusal import Refusal
from spoticell.web.task import RESULTS
from spoticell.web.threshold import grouping_of, show_at
from spoticell.web.weights import TISSUES, WEIGHTS, WEIGHTS_ALONE, kept_tissues, read_weights, tissue_can_be_told

LISTED = "This run was told which types are allowed. Choose the tissue in “Run again”."
OLDER = "These results don’t hold what it takes to show them for another tissue. Run the job again."
MADE = "tissue.new"
"""Folder of what is being made."""


def show_for(tissue: str | None, folder: Path, options: Options) -> dict[str, Any]:
    """Write the answers for a tissue into the results of a job, and give their summary.

    Parameters
    ----------
    tissue
        Its name here, or `ANY`; None for what the cells show themselves.
    folder
        The job's.
    options
        Of its run, with this tissue and the threshold at which the result is shown.

    Raises
    ------
    Refusal
        If the run was told which types are allowed, or is of a release that didn't keep what this takes.
    """
    if not tissue_can_be_told(options):
        raise Refusal(409, LISTED)
    results, findings = folder / RESULTS, recall(folder, bundle_sha256=options.bundle.sha256)
    if findings is None or not (results / TISSUES).exists():
        raise Refusal(409, OLDER)
    tissues = kept_tissues(results, options.bundle) if tissue is None else None
    made = results / MADE
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    try:
        relatives = relatives_of(options, tissues)
        _Answering(results, made, findings, options, relatives).write()
        keep_possible(relatives, made)
        # those of what was shown before
        for name in (PROBABILITIES, POSSIBLE):
            (results / name).unlink(missing_ok=True)
        for path in sorted(made.rglob("*")):
            if path.is_file():
                path.replace(results / path.relative_to(made))
    finally:
        shutil.rmtree(made, ignore_errors=True)
    before = json.loads((results / sink.SUMMARY).read_text(encoding="utf-8"))
    told = {
        "tissue": before["tissue"] | {"shown": tissue},
        "allowed": None if options.allowed is None else options.allowed.describe(),
        "tissues": None if tissues is None else tissues.describe(),
    }
    return show_at(options.lowest, folder, options, told=told)


@dataclass(frozen=True)
class _Answering:
    """Writes what answers follow from in another tissue."""

    results: Path
    made: Path
    findings: Findings
    options: Options
    relatives: Relatives | None

    def write(self) -> None:
        """Write that of each cell alone and, beside it, of those that were read together."""
        n_labels = len(self.options.bundle.manifest.labels)
        alone, together = (read_weights(self.results / name, n_labels=n_labels) for name in (WEIGHTS_ALONE, WEIGHTS))
        if alone is None:
            raise Refusal(409, OLDER)
        with ThreadPoolExecutor(2) as both:
            work = [both.submit(self._write_one, grounds.GROUNDS_ALONE, alone, is_shown=together is None)]
            if together is not None:
                work.append(both.submit(self._write_one, grounds.GROUNDS, together, is_shown=True))
            for one in work:
                one.result()

    def _write_one(self, name: str, weight_nc: NDArray[np.float32], *, is_shown: bool) -> None:
        bundle, before = self.options.bundle, read_grounds(self.results / name)
        if before is None:
            raise Refusal(409, OLDER)
        with ExitStack() as files:
            writer = files.enter_context(GroundsWriter(self.made / name))
            shown = files.enter_context(_Shown(self, len(weight_nc))) if is_shown else None
            # the blocks of a run, so that sums are added up in the same order
            for start in range(0, len(weight_nc), STEP):
                rows = slice(start, start + STEP)
                known_n = None if before.familiarity_n is None else before.familiarity_n[rows]
                weight_bc, counts_b = weight_nc[rows], before.counts_n[rows]
                probability_bm, found = grounds_of(weight_bc, counts_b, known_n, bundle, self.relatives)
                writer.append(found)
                if shown is not None:
                    shown.add(start, probability_bm)


class _Shown:
    """Writes what is counted by the probabilities that are shown; a context manager."""

    def __init__(self, answering: _Answering, n_cells: int) -> None:
        results, self._made, options = answering.results, answering.made, answering.options
        self._n_counts_n, self._barred_n = np.load(results / sink.N_COUNTS), np.zeros(n_cells, dtype=np.bool_)
        grouping, self._tally = grouping_of(results, options), None
        if grouping is not None:
            empty_up_to = answering.findings.verdict.empty_up_to
            self._tally = GroupTally(grouping, options.bundle, empty_up_to=empty_up_to)

    def add(self, start: int, probability_bm: NDArray[np.float32]) -> None:
        """Take in the next cells."""
        rows = slice(start, start + len(probability_bm))
        counts_b = self._n_counts_n[rows]
        self._barred_n[rows] = (counts_b > 0) & ~probability_bm.any(axis=1)
        if self._tally is not None:
            self._tally.weigh(start, counts_b, probability_bm)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        np.save(self._made / grounds.BARRED, self._barred_n, allow_pickle=False)
        if self._tally is not None:
            np.save(self._made / grounds.GROUP_SUMS, self._tally.probability_km, allow_pickle=False)
