"""Cells that look like two cells of different types: doublets, and platelets on other cells.

Some cells of the sample are named before all are, doublets are made of pairs of them, and each cell is compared with
both: how many of its neighbours are made, whether two types explain its counts better than one, and how many counts and
genes it has beside cells of its type.  A rule of a few numbers says how likely it is to be mixed.
Axes: ``n`` cells, ``s`` cells of the sample, ``r`` those that neighbours are looked for among, made doublets last,
``g`` genes, ``d`` numbers that say where a cell is, ``k`` neighbours, ``m`` ontology nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.annotation.decision import answers_at
from spoticell.annotation.places import Scale
from spoticell.biology.doublets import Blends, MadeDoublets, make_doublets
from spoticell.biology.ontology import load_ontology
from spoticell.biology.platelets import with_platelets
from spoticell.biology.sample import counts_keys
from spoticell.keys import UNKNOWN

if TYPE_CHECKING:
    from spoticell.annotation.result import FirstBlock
    from spoticell.annotation.seen import Kept
    from spoticell.biology.sketch import Sketch
    from spoticell.model.runtime import Runtime

BOUND = 0.6
"""Probability from which a cell is called mixed."""
MADE, AMONG = 1024, 1024
"""Doublets that are made at most, and cells of the sample beside which neighbours are looked for."""
FEWEST_MADE, FEWEST_CELLS = 256, 6
"""Doublets that are made at least, and cells of the sample that a type has at least."""
SURE = 0.5
"""Score from which a cell's type is taken as known."""
READS = 50_000
"""Median counts of cells from which they are reads, not molecules: what is said here doesn't hold for these."""
NEIGHBOURS = 20
SUSPECT = 0.25
"""Share of made neighbours below which a cell isn't looked at further."""
SIGNS = ("made", "pair", "gain", "counts", "genes")
"""Share of made neighbours, and of those of one pair of types; how much better two types explain the counts; counts and
genes, as logarithms, beside those of cells of the type."""
WEIGHTS, OFFSET = (5.289, 1.697, 0.71, -1.051, 2.571), -5.915
"""The rule, found on data sets for training where one cell in twenty was made: `mixed_cells.md` of the benchmarks."""
MOST_GAIN, MOST_APART = 3.0, 2.0
"""Signs beyond these count as these."""
CLOSE = frozenset({"CL:0000113"})
"""Mononuclear phagocytes: a stimulated monocyte looks like one and a macrophage."""
PLATELET = " + platelet"
CARRIERS = frozenset({"CL:0000084", "CL:0000236", "CL:0000623", "CL:0000576", "CL:0000451", "CL:0000775"})
"""Broad types that platelets are looked for on; megakaryocytes and their precursors have these genes themselves."""


@dataclass(frozen=True)
class Marks:
    """Which of ``n`` cells are mixed."""

    score_n: NDArray[np.float32]
    """Probability that a cell is mixed, if one in twenty is; 0 where nothing speaks for it."""
    pair_n: NDArray[np.int16]
    """Place of its two types among the names; -1 where it isn't mixed."""
    names: tuple[str, ...]
    """Names of the pairs of types, such as ``T cell + monocyte``."""

    def words(self) -> pd.Categorical:
        """Name the two types of each cell; missing where it isn't mixed.

        Examples
        --------
        >>> Marks(np.float32([0.9, 0]), np.int16([0, -1]), ("T cell + monocyte",)).words().tolist()
        ['T cell + monocyte', nan]
        """
        used = sorted({self.names[pair] for pair in np.unique(self.pair_n).tolist() if pair >= 0})
        place = np.array([used.index(name) if name in used else -1 for name in self.names] + [-1], dtype=np.int64)
        return pd.Categorical.from_codes(place[self.pair_n], categories=pd.Index(used, dtype=object))

    def counted(self) -> dict[str, int]:
        """Count the cells of each pair, the commonest first.

        Examples
        --------
        >>> Marks(np.float32([0.9, 0]), np.int16([0, -1]), ("T cell + monocyte",)).counted()
        {'T cell + monocyte': 1}
        """
        cells = self.words().value_counts()
        order = sorted(cells.index, key=lambda name: (-cells[name], name))
        return {str(name): int(cells[name]) for name in order}


class MixedTally:
    """Gathers the marks of ``n`` cells."""

    def __init__(self, n: int) -> None:
        self._score_n, self._pair_n = np.zeros(n, dtype=np.float32), np.full(n, -1, dtype=np.int16)
        self._names: tuple[str, ...] | None = None

    def see(self, block: FirstBlock) -> None:
        """Take in the next cells."""
        if block.kept is not None and block.kept.mixed is not None:
            rows, marks = slice(block.alone.start, block.alone.start + len(block.alone)), block.kept.mixed
            self._score_n[rows], self._pair_n[rows], self._names = marks.score_n, marks.pair_n, marks.names

    def finish(self) -> Marks | None:
        """Give the marks of all cells; None where none was looked at."""
        return None if self._names is None else Marks(self._score_n, self._pair_n, self._names)


@dataclass(frozen=True)
class _Usual:
    """Logarithms of counts and genes that cells of each type have, ``(m + 1, 2)``; the last is unknown."""

    usual_m2: NDArray[np.float64]

    @classmethod
    def of(cls, block: FirstBlock, family_n: NDArray[np.intp], n_families: int) -> _Usual:
        """Take the medians of some cells; those of all for a type of which there are too few."""
        depth_n2, told_n = _depth(block), block.told_n > 0
        usual_m2 = np.tile(np.median(depth_n2[told_n], axis=0), (n_families, 1))
        for family in np.unique(family_n[told_n]).tolist():
            if (family_n[told_n] == family).sum() >= FEWEST_CELLS:
                usual_m2[family] = np.median(depth_n2[told_n & (family_n == family)], axis=0)
        return cls(usual_m2)

    def beside(self, block: FirstBlock, family_n: NDArray[np.intp]) -> NDArray[np.float64]:
        """Give what cells have beside what is usual for their types, ``(n, 2)``."""
        return np.clip(_depth(block) - self.usual_m2[family_n], -MOST_APART, MOST_APART)


def _depth(block: FirstBlock) -> NDArray[np.float64]:
    alone = block.alone
    return np.log(np.maximum(np.stack([alone.n_counts_n, alone.n_genes_n], axis=1).astype(np.float64), 1))


@dataclass(frozen=True)
class _Company:
    """Cells of the sample and made doublets, among which neighbours are looked for."""

    place_rd: NDArray[np.float32]
    key_r: NDArray[np.uint64]
    """Keys of the cells, which come first: none is its own neighbour."""
    pair_r: NDArray[np.intp]
    """Place of the pair of each made doublet; the number of pairs where it is a cell."""
    n_pairs: int

    def __call__(
        self, place_nd: NDArray[np.float32], key_n: NDArray[np.uint64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
        """Give the shares of made neighbours, and of those of the commonest pair, and that pair."""
        far_nr = (self.place_rd**2).sum(axis=1) - 2 * place_nd @ self.place_rd.T
        n_cells, some = len(self.key_r), min(NEIGHBOURS, len(self.place_rd) - 1)
        far_nr[:, :n_cells][key_n[:, None] == self.key_r] = np.inf
        pair_nk = self.pair_r[np.argpartition(far_nr, some - 1, axis=1)[:, :some]]
        width = self.n_pairs + 1
        at = np.arange(len(place_nd))[:, None] * width + pair_nk
        cells_np = np.bincount(at.ravel(), minlength=len(place_nd) * width).reshape(-1, width)[:, :-1]
        pair_n = cells_np.argmax(axis=1)
        return cells_np.sum(axis=1) / some, cells_np.max(axis=1) / some, pair_n


def apart(terms: Sequence[str]) -> NDArray[np.bool_]:
    """Say which broad types exclude each other: not one and a narrower one, nor two kinds of phagocytes.

    Examples
    --------
    >>> monocyte, macrophage, b_cell = "CL:0000576", "CL:0000235", "CL:0000236"
    >>> apart([monocyte, macrophage, b_cell]).tolist()
    [[False, False, True], [False, False, True], [True, True, False]]
    """
    above = [load_ontology().ancestors(term) for term in terms]
    return np.array(
        [
            [
                one not in others and other not in own and not CLOSE & own & others
                for other, others in zip(terms, above, strict=True)
            ]
            for one, own in zip(terms, above, strict=True)
        ],
        dtype=np.bool_,
    ).reshape(len(terms), len(terms))


class MixedFinder:
    """Says which cells are mixed, block by block.

    Parameters
    ----------
    sample
        Some cells of the sample, named alone.
    sketch
        Of the sample's expression.
    runtime
        Of the model.
    measured_g
        Which of its genes were measured.
    """

    def __init__(
        self,
        sample: FirstBlock,
        sketch: Sketch,
        runtime: Runtime,
        measured_g: NDArray[np.bool_],
    ) -> None:
        # not the network itself: who reads cells elsewhere is sent this
        self._vocabulary, self._manifest = runtime.bundle.vocabulary, runtime.bundle.manifest
        self._measured_g = measured_g
        sample = self._own(sample)
        ontology = load_ontology()
        broad_m = [*map(ontology.broad, runtime.bundle.nodes), UNKNOWN]
        self._families = sorted(set(broad_m))
        # unknown is last, where -1 points
        self._family_m = np.array([self._families.index(one) for one in broad_m], dtype=np.intp)
        names = [ontology.name(one) if one in ontology else UNKNOWN for one in self._families]
        told = np.flatnonzero(sample.told_n > 0)
        self.counts_molecules = len(told) > 0 and bool(np.median(sample.told_n[told]) <= READS)
        """Whether cells can be marked at all."""
        made = None
        if self.counts_molecules:
            # the order of the cells changes nothing
            told = told[np.argsort(counts_keys(sample.counts_ng[told]), kind="stable")]
            self._usual = _Usual.of(sample, self._family_m[sample.alone.answer_n], len(names))
            made = self._make(sample, told, sketch, runtime)
        pairs = () if made is None else made.pairs
        self.finds_pairs = bool(pairs)
        """Whether the sample has two types of which doublets could be made."""
        self.names = tuple(" + ".join(names[one] for one in pair) for pair in pairs)
        """Names of the pairs of types."""
        self._stuck_f = np.full(len(names), -1)
        for family, term in enumerate(self._families):
            if term in CARRIERS:
                self._stuck_f[family] = len(self.names)
                self.names += (names[family] + PLATELET,)

    def _make(
        self, sample: FirstBlock, cells_s: NDArray[np.intp], sketch: Sketch, runtime: Runtime
    ) -> MadeDoublets | None:
        """Make doublets of the sample's cells, and learn what its types are like; None where it has one type only."""
        alone, counts_sg = sample.alone, sample.counts_ng[cells_s]
        answer_s, family_s = alone.answer_n[cells_s], self._family_m[alone.answer_n[cells_s]]
        sure_s = (family_s != self._family_m[-1]) & (alone.score_n[cells_s] > SURE)
        families, cells = np.unique(family_s[sure_s], return_counts=True)
        families = families[cells >= FEWEST_CELLS]
        sure_s &= np.isin(family_s, families)
        apart_ff = apart(self._terms(families))
        if not apart_ff.any():
            return None
        number = int(np.clip(len(cells_s), FEWEST_MADE, MADE))
        type_s = np.where(sure_s, np.searchsorted(families, family_s), -1)
        made = make_doublets(counts_sg, type_s, apart_ff, number, np.random.default_rng(0))
        self._places = Scale.of(alone.fingerprint_nd[cells_s])
        near_sg, among = counts_sg[:AMONG], cells_s[:AMONG]
        places = (
            self._places(alone.fingerprint_nd[among], sketch(near_sg)),
            self._places(runtime.predict(made.counts_pg, self._measured_g).fingerprint_nd, sketch(made.counts_pg)),
        )
        pair_r = np.concatenate([np.full(len(among), len(made.pairs)), made.pair_p])
        self._company = _Company(np.concatenate(places), counts_keys(near_sg), pair_r, len(made.pairs))
        answers, cells = np.unique(answer_s[sure_s], return_counts=True)
        fine = answers[cells >= FEWEST_CELLS]
        of_fine_s = sure_s & np.isin(answer_s, fine)
        place_s = np.searchsorted(fine, answer_s[of_fine_s])
        self._blends = Blends(counts_sg[of_fine_s], place_s, apart(self._terms(self._family_m[fine])))
        return replace(made, pairs=tuple((int(families[one]), int(families[other])) for one, other in made.pairs))

    def _terms(self, families: NDArray[np.intp]) -> list[str]:
        return [self._families[family] for family in families.tolist()]

    def keeping(self, keep: Callable[[FirstBlock], Kept]) -> Callable[[FirstBlock], Kept]:
        """Give what keeps the marks of a block beside what ``keep`` does; reads have none."""

        def kept(block: FirstBlock) -> Kept:
            found = keep(block)
            return replace(found, mixed=self(block, found.sketch_nk, found.key_n)) if self.counts_molecules else found

        return kept

    def _own(self, block: FirstBlock) -> FirstBlock:
        """Give the cells with answers at the model's own threshold: a user's makes no cell mixed."""
        manifest, alone = self._manifest, block.alone
        if alone.grounds is None:
            return block
        n_measured = int(self._measured_g.sum())
        own = answers_at(alone.grounds, manifest.threshold, trust=manifest.trust, n_measured=n_measured)
        return replace(block, alone=replace(alone, answer_n=own.answer_n, score_n=own.score_n))

    def __call__(self, block: FirstBlock, sketch_nk: NDArray[np.float32], key_n: NDArray[np.uint64]) -> Marks:
        """Mark the mixed ones among some cells.

        Parameters
        ----------
        block
            The cells, named alone.
        sketch_nk, key_n
            Their sketch, and keys of their counts.
        """
        block = self._own(block)
        score_n, pair_n = np.zeros(len(key_n), dtype=np.float32), np.full(len(key_n), -1, dtype=np.int16)
        if self.finds_pairs:
            sign_nf, likely_n, looked = self.signs(block, sketch_nk, key_n)
            score_n[looked] = 1 / (1 + np.exp(-(sign_nf[looked] @ np.array(WEIGHTS) + OFFSET)))
            pair_n = np.where(score_n >= BOUND, likely_n, -1).astype(np.int16)
        stuck_n = self._stuck_f[self._family_m[block.alone.answer_n]]
        total_n = block.alone.n_counts_n
        with_n = with_platelets(block.counts_ng, self._vocabulary, self._measured_g, total_n)
        pair_n = np.where((pair_n < 0) & with_n & (stuck_n >= 0), stuck_n, pair_n).astype(np.int16)
        return Marks(score_n, pair_n, self.names)

    def signs(
        self, block: FirstBlock, sketch_nk: NDArray[np.float32], key_n: NDArray[np.uint64]
    ) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
        """Give the `SIGNS` of each cell, the likeliest pair of each, and which cells these hold for: few of all."""
        place_nd = self._places(block.alone.fingerprint_nd, sketch_nk)
        made_n, share_n, pair_n = self._company(place_nd, key_n)
        looked = np.flatnonzero((made_n >= SUSPECT) & (block.told_n > 0))  # the others can't pass the bound
        gain_n = np.zeros(len(key_n))
        if len(looked):
            gain_n[looked] = np.clip(self._blends(block.counts_ng[looked]), -MOST_GAIN, MOST_GAIN)
        apart_n2 = self._usual.beside(block, self._family_m[block.alone.answer_n])
        return np.column_stack([made_n, share_n, gain_n, apart_n2]), pair_n, looked
