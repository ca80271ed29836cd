"""The second look: each cell read together with its neighbours in the sample.

A first look names each cell alone, and keeps of it what this one needs: some hundred bytes, not its counts.  Then the
sample's own structure is found, by fingerprints and by a sketch of its own expression, and the weights of each cell's
labels are read together with those of its neighbours.
Axes: ``n`` cells, ``g`` the model's genes, ``c`` labels, ``d`` numbers that say where a cell is, ``k`` neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.annotation.auto_groups import auto_groups
from spoticell.annotation.decision import Said, decide_together
from spoticell.annotation.groups import Grouping
from spoticell.annotation.options import Options
from spoticell.annotation.places import Places
from spoticell.annotation.result import AnnotatedBlock, FirstBlock
from spoticell.annotation.seen import Kept
from spoticell.biology.neighbours import Neighbours, find_neighbours
from spoticell.biology.relatives import Relatives
from spoticell.biology.sample import counts_keys
from spoticell.biology.sketch import Sketch
from spoticell.biology.together import likeliest, read_together
from spoticell.io.findings import Findings
from spoticell.io.in_order import in_order
from spoticell.progress import Progress, part, stretch

MOST = 1_000_000
"""Cells that are read together; a longer source is taken in parts of like size, one after another."""
FIRST = 85
"""Percent of the time after which all cells are named alone."""


class Watcher(Protocol):
    """Who sees the cells as they are read."""

    def see(self, block: FirstBlock) -> None:
        """Take in the next cells."""


def each_alone(
    looked: Iterable[FirstBlock], watchers: Sequence[Watcher], n_cells: int, on_progress: Progress | None
) -> Iterator[AnnotatedBlock]:
    """Answer the cells as they were named, each alone; ``watchers`` see them too."""
    for block in looked:
        for watcher in watchers:
            watcher.see(block)
        yield block.alone
        if on_progress is not None:
            on_progress(block.alone.start + len(block.alone), n_cells)


class Parts:
    """The parts in which the cells of a source are read together.

    Parameters
    ----------
    sketch
        Of the cells' own expression.
    findings
        Of their source.
    options
        What is asked for.
    relatives
        What gives the weight of types that the sample can't hold to others.
    sample_n
        From which sample each cell is, where that is told: cells of different ones aren't read together.
    threads
        How many blocks of cells are answered at once.
    """

    def __init__(
        self,
        sketch: Sketch,
        findings: Findings,
        options: Options,
        relatives: Relatives | None,
        sample_n: NDArray[np.integer] | None = None,
        *,
        threads: int = 1,
    ) -> None:
        self._threads = threads
        self._sketch, self._options, self._relatives, self._sample_n = sketch, options, relatives, sample_n
        self._n_cells, self._n_measured = findings.n_cells, findings.match.n_found

    @property
    def sketch(self) -> Sketch:
        """Of the cells' own expression."""
        return self._sketch

    def kept(self, block: FirstBlock) -> Kept:
        """Give what is needed of a block in the second look."""
        return kept_of(block, self._sketch)

    def answered(
        self,
        looked: Iterable[FirstBlock],
        watchers: Sequence[Watcher],
        on_progress: Progress | None,
        on_groups: Callable[[Grouping], None] | None = None,
    ) -> Iterator[AnnotatedBlock]:
        """Answer the cells.

        Parameters
        ----------
        looked
            The cells as they are read, named alone.
        watchers
            Who sees them too.
        on_progress
            Called with the steps done and the steps there are.
        on_groups
            Called with the groups that the cells form, before these are answered; none are looked for if not given.
        """
        n_parts = max(1, -(-self._n_cells // MOST))
        ends = [self._n_cells * (number + 1) // n_parts for number in range(n_parts)]
        first, number = self._begun(), 0
        for block in looked:
            for watcher in watchers:
                watcher.see(block)
            first.add(block if block.kept is not None else replace(block, kept=self.kept(block)))
            seen = block.alone.start + len(block.alone)
            of_part = part(on_progress, number, n_parts)
            stretch(of_part, start=0, stop=FIRST)(len(first), max(ends[number] - block.alone.start + len(first), 1))
            if seen >= ends[number]:
                step = stretch(of_part, start=FIRST, stop=100)
                sample_n = None if self._sample_n is None else self._sample_n[seen - len(first) : seen]
                neighbours = first.neighbours(sample_n, threads=self._threads)
                if on_groups is not None:
                    on_groups(first.groups(neighbours))
                how = self._options, self._relatives
                yield from first.answered(neighbours, *how, on_progress=step, threads=self._threads)
                first, number = self._begun(), min(number + 1, n_parts - 1)

    def _begun(self) -> FirstLook:
        return FirstLook(self._n_measured)


def kept_of(block: FirstBlock, sketch: Sketch) -> Kept:
    """Give what is needed of a block in the second look, with a sketch of the cells' own expression."""
    if block.weight_nc is None:
        raise ValueError("these cells can't be read together: their labels have no weights")
    counts_ng = block.counts_ng
    voices = likeliest(np.where(block.told_n[:, None] > 0, block.weight_nc, 0))
    return Kept(voices, sketch(counts_ng), counts_keys(counts_ng))


class FirstLook:
    """What is kept of some cells between the looks.

    Parameters
    ----------
    n_measured
        Known genes that are measured.
    """

    def __init__(self, n_measured: int) -> None:
        self.n_measured = n_measured
        self._blocks: list[AnnotatedBlock] = []
        self._told: list[NDArray[np.float32]] = []
        self._voices: list[sparse.csr_array] = []
        self._sketches: list[NDArray[np.float32]] = []
        self._keys: list[NDArray[np.uint64]] = []
        self._familiarities: list[NDArray[np.float32]] = []
        self._n_cells = 0

    def __len__(self) -> int:
        return self._n_cells

    def add(self, block: FirstBlock) -> None:
        """Take in the next cells."""
        if block.kept is None:
            raise ValueError("these cells can't be read together: nothing of them was kept")
        # what the second look says anew isn't kept: probabilities take a hundred times the rest
        self._blocks.append(block.alone.without_probabilities())
        self._told.append(block.told_n)
        self._n_cells += len(block.alone)
        self._voices.append(block.kept.voices)
        self._sketches.append(block.kept.sketch_nk)
        self._keys.append(block.kept.key_n)
        if block.familiarity_n is not None:
            self._familiarities.append(block.familiarity_n)

    def neighbours(self, sample_n: NDArray[np.integer] | None = None, *, threads: int = 1) -> Neighbours:
        """Find the neighbours of each cell that has counts; among those of its own sample, where these are told."""
        places, key_n = self._places(), np.concatenate(self._keys)
        # empty droplets are many, and would be the only landmarks
        named_n = np.concatenate(self._told) > 0
        samples = [named_n] if sample_n is None else [named_n & (sample_n == one) for one in np.unique(sample_n)]
        parts = [cells for sample in samples if len(cells := np.flatnonzero(sample))]
        through = partial(in_order, threads=threads)
        found = [find_neighbours(places.of(cells), key_n[cells], through=through) for cells in parts]
        return Neighbours.join(len(key_n), [*zip(parts, found, strict=True)])

    def groups(self, neighbours: Neighbours) -> Grouping:
        """Find groups of cells that are close to each other."""
        return auto_groups(neighbours, np.concatenate(self._keys))

    def _places(self) -> Places:
        # blocks hold parts of what all are put into, one after another: of a million cells a copy takes 256 MB
        fingerprint_nd = np.empty((len(self), self._blocks[0].fingerprint_nd.shape[1]), dtype=np.float32)
        start = 0
        for place, block in enumerate(self._blocks):
            own_nd = fingerprint_nd[start : start + len(block)]
            own_nd[:] = block.fingerprint_nd
            self._blocks[place] = replace(block, fingerprint_nd=own_nd)
            start += len(block)
        sketch_nk = np.concatenate(self._sketches)
        self._sketches.clear()
        return Places(fingerprint_nd, sketch_nk)

    def answered(
        self,
        neighbours: Neighbours,
        options: Options,
        relatives: Relatives | None,
        *,
        on_progress: Progress,
        threads: int = 1,
    ) -> Iterator[AnnotatedBlock]:
        """Answer the cells, read together with their neighbours.

        Parameters
        ----------
        neighbours
            From `neighbours`.
        options
            What is asked for.
        relatives
            What gives the weight of types that the sample can't hold to others.
        on_progress
            Called with the cells answered and all cells.
        threads
            How many blocks are answered at once.
        """
        start_b = np.cumsum([0, *map(len, self._blocks)])

        def answer(place: int) -> AnnotatedBlock:
            alone, told_b = self._blocks[place], self._told[place]
            said = self.said(neighbours, start_b[place] + np.arange(len(alone)))
            return alone.answered(
                decide_together(said, told_b, options.bundle, threshold=options.lowest, relatives=relatives)
            )

        # made once, before several threads ask for them
        _ = self._voice_nc, self._spoken_c, self._familiarity_n
        for place, block in enumerate(in_order(answer, range(len(self._blocks)), threads=threads)):
            yield block
            on_progress(int(start_b[place + 1]), len(self))

    def said(self, neighbours: Neighbours, cells_b: NDArray[np.intp]) -> Said:
        """Read some cells together with their neighbours."""
        index_bk, closeness_bk = neighbours.of(cells_b)
        weight_bc, voice_bk = read_together(self._voice_nc, self._spoken_c, cells_b, index_bk, closeness_bk)
        loud_b, known_n = voice_bk.sum(axis=1), self._familiarity_n
        known_b = None
        if known_n is not None:
            known_b = (known_n[cells_b] + (voice_bk * known_n[index_bk]).sum(axis=1)) / (1 + loud_b)
        return Said(weight_bc, loud_b / (1 + loud_b), known_b, self.n_measured)

    @cached_property
    def _voice_nc(self) -> sparse.csr_array:
        voice_nc = sparse.csr_array(sparse.vstack(self._voices, format="csr"))
        self._voices.clear()
        return voice_nc

    @cached_property
    def _spoken_c(self) -> NDArray[np.bool_]:
        """Which labels some cell has a weight for: no denied one."""
        return np.bincount(self._voice_nc.indices, minlength=self._voice_nc.shape[1]) > 0

    @cached_property
    def _familiarity_n(self) -> NDArray[np.float32] | None:
        return np.concatenate(self._familiarities) if self._familiarities else None
