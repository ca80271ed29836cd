"""The answers for a source of cells, and for a block of them.

What grows with the matrix isn't kept: of fingerprints an even sample, of counts a few example cells.
The blocks come from ``pipeline``; the columns and keys that are written are in ``outputs``.
Axes: ``n`` cells, ``g`` the bundle's genes, ``m`` ontology nodes, ``d`` fingerprint, ``s`` sampled cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.annotation.allowed import Allowed
from spoticell.annotation.cautions import Caution, cautions
from spoticell.annotation.colors import TypeColors, choose_colors
from spoticell.annotation.composition import Composition, count_types
from spoticell.annotation.differences import Differences, differences
from spoticell.annotation.groups import Groups
from spoticell.annotation.outputs import check_answers, csv_rows, obs_columns
from spoticell.annotation.printed import as_html, as_text
from spoticell.annotation.reasons import OF_UNKNOWN, reasons
from spoticell.annotation.sample_tissue import SampleTissues
from spoticell.annotation.samples import Samples, one_sample
from spoticell.biology.ontology import load_ontology
from spoticell.biology.short_names import short_name
from spoticell.errors import OutputError
from spoticell.io.address import Place, place
from spoticell.io.findings import Findings
from spoticell.io.write import atomic, write_csv
from spoticell.keys import UNKNOWN
from spoticell.model.bundle import Bundle

if TYPE_CHECKING:
    from anndata import AnnData
    from scipy import sparse

    from spoticell.annotation.decision import Decision, Grounds
    from spoticell.annotation.matches import Matches
    from spoticell.annotation.mixed import Marks
    from spoticell.annotation.options import Options
    from spoticell.annotation.seen import Kept, Seen


@dataclass(frozen=True)
class AnnotatedBlock:
    """Answers for some consecutive cells, with what they came from."""

    start: int
    """Position of the block's first cell in the source."""
    answer_n: NDArray[np.intp]
    """Position in the bundle's nodes; -1 is unknown."""
    score_n: NDArray[np.float32]
    """Probability that the answer is right; 0 for unknown."""
    doubted_n: NDArray[np.bool_]
    """Which cells are unknown because their answer would have been too doubtful."""
    second_n: NDArray[np.intp]
    """Position of the type that each cell would be if it weren't its answer; -1 where there is none."""
    second_probability_n: NDArray[np.float32]
    """Probability of that type; 0 where there is none."""
    fingerprint_nd: NDArray[np.float32]
    probabilities_nm: NDArray[np.float32]
    """Calibrated probability of each node."""
    n_counts_n: NDArray[np.float32]
    """Counts of the cell in the bundle's genes."""
    n_genes_n: NDArray[np.int32]
    """The bundle's genes that have a count in the cell."""
    single_n: NDArray[np.intp] | None = None
    """The answer to each cell alone, where the cells were read together; None where these are those."""
    single_score_n: NDArray[np.float32] | None = None
    """Score of that answer."""
    margin_n: NDArray[np.floating] | None = None
    """How far the familiarity of each cell is above the least of known cells; None where the model can't tell."""
    grounds: Grounds | None = None
    """What the answers follow from at any threshold; None where they aren't kept."""
    weight_nc: NDArray[np.float32] | None = None
    """Calibrated weight of each label, of all tissues, where cells were read together; None where they weren't."""

    def __len__(self) -> int:
        return len(self.answer_n)

    @property
    def barred_n(self) -> NDArray[np.bool_]:
        """Which cells have counts but next to no probability for any type that an answer may be."""
        barred_n: NDArray[np.bool_] = (self.n_counts_n > 0) & ~self.probabilities_nm.any(axis=1)
        return barred_n

    def without_probabilities(self) -> AnnotatedBlock:
        """Give the same without what takes most of the memory."""
        return replace(self, probabilities_nm=np.zeros((len(self), 0), dtype=np.float32), grounds=None)

    def answered(self, decision: Decision) -> AnnotatedBlock:
        """Give the same cells with answers of a second look, these ones kept as those to each cell alone."""
        return replace(
            self,
            answer_n=decision.answer_n,
            score_n=decision.score_n,
            doubted_n=decision.doubted_n,
            second_n=decision.second_n,
            second_probability_n=decision.second_probability_n,
            probabilities_nm=decision.probability_nm,
            margin_n=decision.margin_n,
            grounds=decision.grounds,
            weight_nc=decision.weight_nc,
            single_n=self.answer_n,
            single_score_n=self.score_n,
        )


@dataclass(frozen=True)
class FirstBlock:
    """Some consecutive cells as they are read: each named alone, and what it was named by."""

    alone: AnnotatedBlock
    counts_ng: sparse.csr_array
    """Counts of the bundle's genes, those of a cell in any order."""
    told_n: NDArray[np.float32]
    """Counts of each cell in these genes; 0 where there is no cell to name."""
    weight_nc: NDArray[np.float32] | None = None
    """Calibrated weight of each label; None where single nodes are calibrated."""
    familiarity_n: NDArray[np.float32] | None = None
    """How like the training cells each cell is; None where the bundle doesn't say."""
    kept: Kept | None = None
    """What a second look needs; None where there is none."""
    seen: Seen | None = None
    """What a result keeps of the counts, where these are somewhere else."""


EXAMPLES = 40
"""Cells that are kept with their counts, for pictures on the gene grid."""


@dataclass(frozen=True)
class Example:
    """The surest cell of one type, with its counts."""

    position: int
    """In the source."""
    name: str
    answer: int
    """Position in the bundle's nodes."""
    score: float
    counts_g: NDArray[np.float32]


@dataclass(frozen=True)
class Annotation:
    """The answers for a source of cells.

    Examples
    --------
    >>> import importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> result = spoticell.annotate(cells)
    >>> result.summary()["cells"].sum(), result.obs.shape
    (np.int64(700), (700, 16))
    """

    findings: Findings
    bundle: Bundle
    threshold: float
    answer_n: NDArray[np.intp]
    """Position in ``nodes``; -1 is unknown."""
    score_n: NDArray[np.float32]
    """Score: calibrated probability that the answer is right, in [0, 1]; 0 for unknown."""
    barred_n: NDArray[np.bool_]
    """Which cells are unknown because the types that an answer may be are too unlikely for them."""
    doubted_n: NDArray[np.bool_]
    """Which cells are unknown because their answer would have been too doubtful."""
    second_n: NDArray[np.intp]
    """Position in ``nodes`` of the type that each cell would be if it weren't its answer; -1 where there is none."""
    second_probability_n: NDArray[np.float32]
    """Probability of that type; 0 where there is none."""
    n_counts_n: NDArray[np.float32]
    n_genes_n: NDArray[np.int32]
    sample_s: NDArray[np.intp]
    """Positions of the cells whose fingerprints are held, rising: all cells, or `SAMPLE` of them evenly spread."""
    fingerprint_sd: NDArray[np.float32]
    examples: tuple[Example, ...]
    """The surest cell of each of the commonest types."""
    cell_names: pd.Index
    options: Options
    """What was asked for."""
    path: Place | None = None
    """The file that was annotated; None where it was an object."""
    adata: AnnData | None = None
    """The object that has the answers; None where a file was annotated."""
    position_s2: NDArray[np.float64] | None = None
    """Places of the sampled cells on a map, if one was made; NaN for cells without counts."""
    matches: Matches | None = None
    """What an index of reference cells says; None where none was given."""
    allowed: Allowed | None = None
    """The types that an answer may be; None where that is any of the bundle's."""
    single_n: NDArray[np.intp] | None = None
    """Position in ``nodes`` of the answer to each cell alone; None where the cells weren't read together."""
    single_score_n: NDArray[np.float32] | None = None
    """Score of that answer."""
    tissues: SampleTissues | None = None
    """The tissues that the cells show, whose types alone were possible; None where that was told."""
    samples: Samples | None = None
    """From which sample each cell is; None where no column was named that says it."""
    groups: Groups | None = None
    """The groups of cells with their names; None where none were asked for."""
    programs_np: NDArray[np.bool_] | None = None
    """Which cells show which of `programs.PROGRAMS` strongly; None where it wasn't looked at."""
    mixed: Marks | None = None
    """Which cells look like two of different types; None where each was named alone."""

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    @property
    def least_score(self) -> float:
        """Score that the answer of a cell with enough counts has at least."""
        trust = self.bundle.manifest.trust
        return self.threshold if trust is None else min(trust.doubt, self.threshold)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Ontology terms that ``answer_n`` points into."""
        return self.bundle.nodes

    @property
    def names(self) -> tuple[str, ...]:
        """Names of ``nodes``."""
        return self.bundle.node_names

    @property
    def short_names(self) -> tuple[str, ...]:
        """Short names of ``nodes``."""
        return tuple(map(short_name, self.nodes))

    @cached_property
    def cautions(self) -> tuple[Caution, ...]:
        """What to know before the answers are trusted; nothing for a plain sample."""
        return cautions(self)

    @cached_property
    def colors(self) -> TypeColors:
        """The colours of the types."""
        return choose_colors(self)

    @cached_property
    def terms_n(self) -> NDArray[np.object_]:
        """Ontology term of each cell's answer, or ``unknown``."""
        return self._spread(self.nodes)

    @cached_property
    def names_n(self) -> NDArray[np.object_]:
        """Name of each cell's answer, or ``unknown``."""
        return self._spread(self.names)

    @cached_property
    def short_n(self) -> NDArray[np.object_]:
        """Short name of each cell's answer, or ``unknown``."""
        return self._spread(self.short_names)

    @cached_property
    def second_terms_n(self) -> NDArray[np.object_]:
        """Ontology term of the type that each cell would be if it weren't its answer, or ``unknown``."""
        return self._spread(self.nodes, self.second_n)

    @cached_property
    def second_names_n(self) -> NDArray[np.object_]:
        """Name of the type that each cell would be if it weren't its answer, or ``unknown``."""
        return self._spread(self.names, self.second_n)

    @cached_property
    def single_terms_n(self) -> NDArray[np.object_]:
        """Ontology term of the answer to each cell alone, or ``unknown``."""
        return self._spread(self.nodes, self.single_n)

    @cached_property
    def single_names_n(self) -> NDArray[np.object_]:
        """Name of the answer to each cell alone, or ``unknown``."""
        return self._spread(self.names, self.single_n)

    @cached_property
    def reason_n(self) -> NDArray[np.int8]:
        """Why each cell's answer isn't sure: its place among `reasons.REASONS`, -1 where that isn't said."""
        matches = self.matches
        return reasons(
            answer_n=self.answer_n,
            score_n=self.score_n,
            second_n=self.second_n,
            n_counts_n=self.n_counts_n,
            barred_n=self.barred_n,
            doubted_n=self.doubted_n,
            n_measured=self.findings.match.n_found,
            novel_n=None if matches is None else matches.evidence.novel_n,
            mixed_n=None if self.mixed is None else self.mixed.pair_n >= 0,
        )

    @property
    def changed(self) -> int:
        """Cells that the second look named otherwise than the first."""
        return 0 if self.single_n is None else int((self.single_n != self.answer_n).sum())

    @cached_property
    def broad_n(self) -> NDArray[np.object_]:
        """Each cell's answer rolled up to a broad type, or ``unknown``; itself if it is broader than these."""
        ontology = load_ontology()
        broad = map(ontology.broad_level, self.nodes)
        return self._spread(tuple(ontology.name(term) if term in ontology else UNKNOWN for term in broad))

    @property
    def obs(self) -> pd.DataFrame:
        """The columns about cells, as they are written, under the names of the cells."""
        return obs_columns(self).set_axis(pd.Index(self.cell_names, dtype=object), axis="index")

    def write(self, path: Place | str, *, overwrite: bool = False) -> Place:
        """Write the answers to a file.

        Parameters
        ----------
        path
            Where to write: ``.csv`` (a row for each cell), or ``.h5ad`` if an AnnData object was annotated.
        overwrite
            Whether a file that is there may be replaced.

        Returns
        -------
        ``path``.

        Raises
        ------
        OutputError
            If the file can't be written, or is to hold what isn't in memory.
        """
        path = place(path)
        check_answers(path, path_in=self.path, overwrite=overwrite)
        if path.suffix == ".csv":
            write_csv(path, csv_rows(self), overwrite=overwrite)
        elif self.adata is None:
            raise OutputError(
                f"{path} can't be written: fingerprints and probabilities of a file aren't held in memory. "
                "Give output= to annotate, so that they are written as they are made; or write a .csv."
            )
        else:
            with atomic(path, overwrite=overwrite) as passing:
                self.adata.write_h5ad(passing)
        return path

    def summary(self) -> pd.DataFrame:
        """Give the composition: ``cell_type``, ``term``, ``cells``, ``share`` and ``median_score``, commonest first.

        ``unknown`` comes last; its score is 0.
        """
        table = pd.DataFrame({"cell_type": self.names_n, "term": self.terms_n, "score": self.score_n})
        rows = (
            table.groupby(["cell_type", "term"], sort=True)["score"]
            .agg(cells="size", median_score="median")
            .reset_index()
        )
        rows["share"] = rows["cells"] / max(len(table), 1)
        rows["last"] = rows["term"] == UNKNOWN
        rows = rows.sort_values(["last", "cells", "cell_type"], ascending=[True, False, True], ignore_index=True)
        return rows[["cell_type", "term", "cells", "share", "median_score"]]

    def composition(self) -> pd.DataFrame:
        """Give the cells of each type by sample, see `Composition.table`; all are one if ``by`` wasn't given."""
        return self.by_sample.table()

    @cached_property
    def by_sample(self) -> Composition:
        """The cells of each type in each sample."""
        samples = self.samples or one_sample(self.findings.source, len(self.answer_n))
        return count_types(samples, self.answer_n, nodes=self.nodes, names=self.names)

    @cached_property
    def differences(self) -> Differences | None:
        """How the types differ between two conditions; None where no column was named that says them."""
        asked = self.samples is not None and self.samples.condition is not None
        return differences(self.by_sample) if asked else None

    def why_unknown(self) -> dict[str, int]:
        """Count the cells without an answer by reason; only reasons that occur."""
        cells = np.bincount(self.reason_n[self.reason_n >= 0], minlength=len(OF_UNKNOWN)).tolist()
        return {reason: n for reason, n in zip(OF_UNKNOWN, cells, strict=False) if n}

    def _spread(self, of_node: tuple[str, ...], node_n: NDArray[np.intp] | None = None) -> NDArray[np.object_]:
        # unknown is last, where -1 points
        return np.array([*of_node, UNKNOWN], dtype=object)[self.answer_n if node_n is None else node_n]
