"""What the answers of a run follow from, on disk, so that they can be given at another threshold.

Of each cell a handful of nodes with their probabilities as they were, not rounded: answers must be those of a run.
Axes: ``n`` cells, ``e`` nodes that can become answers, ``k`` groups, ``m`` ontology nodes.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spoticell.annotation.decision import Grounds
from spoticell.annotation.mixed import Marks
from spoticell.annotation.result import Annotation
from spoticell.annotation.samples import Samples
from spoticell.biology.answer_rule import Standing

GROUNDS, GROUNDS_ALONE = "grounds", "grounds_alone"
"""Folders of the grounds of the answers that were read together, and of those to each cell alone."""
BARRED, DOUBTED, GROUP_SUMS, PROGRAMS = "barred.npy", "doubted.npy", "group_sums.npy", "programs.npy"
MATCHED, MIXED = "matched.npz", "mixed.npz"
SAMPLE_OF, SAMPLE_WORDS = "sample_of.npy", "samples.json"

_PARTS: dict[str, type[np.generic]] = {
    "nodes": np.int16,
    "chances": np.float32,
    "numbers": np.uint8,
    "counts": np.float32,
    "familiarity": np.float32,
}


class GroundsWriter:
    """Takes grounds block by block; a context manager.

    Parameters
    ----------
    folder
        Where to write; made if it isn't there.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> standing = Standing(np.array([7, 3]), np.float32([0.4, 0.9]), np.array([2, 0]))
    >>> with GroundsWriter(folder) as writer:
    ...     writer.append(Grounds(standing, np.float32([1000, 0]), None))
    >>> read_grounds(folder).standing.answers(0.5)[0].tolist()
    [3, -1]
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._files = ExitStack()
        self._open = {name: self._files.enter_context((folder / f"{name}.bin").open("wb")) for name in _PARTS}

    def append(self, grounds: Grounds) -> None:
        """Write the next cells."""
        standing = grounds.standing
        parts: dict[str, NDArray[Any]] = {
            "nodes": standing.node_e,
            "chances": standing.chance_e,
            "numbers": standing.count_n,
            "counts": grounds.counts_n,
        }
        if grounds.familiarity_n is not None:
            parts["familiarity"] = grounds.familiarity_n
        for name, values in parts.items():
            self._open[name].write(values.astype(_PARTS[name]).tobytes())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()


def read_grounds(folder: Path) -> Grounds | None:
    """Give the grounds that a `GroundsWriter` wrote into a folder; None where there are none.

    Where no cell has a familiarity, the model didn't say it.
    """
    if not folder.is_dir():
        return None
    part = {name: np.fromfile(folder / f"{name}.bin", dtype=dtype) for name, dtype in _PARTS.items()}
    standing = Standing(part["nodes"].astype(np.intp), part["chances"], part["numbers"].astype(np.intp))
    known_n = part["familiarity"] if len(part["familiarity"]) or not len(part["counts"]) else None
    return Grounds(standing, part["counts"], known_n)


def read_counts(folder: Path) -> NDArray[np.float32]:
    """Give the counts of each cell that a `GroundsWriter` wrote into a folder, read where they are looked at."""
    return np.memmap(folder / "counts.bin", dtype=_PARTS["counts"], mode="r")


def keep(annotation: Annotation, folder: Path) -> None:
    """Write what the summary at another threshold takes, besides the grounds of the answers.

    Parameters
    ----------
    annotation
        The answers of the run.
    folder
        The results of the job.
    """
    np.save(folder / BARRED, annotation.barred_n, allow_pickle=False)
    if annotation.programs_np is not None:
        np.save(folder / PROGRAMS, annotation.programs_np, allow_pickle=False)
    if annotation.mixed is not None:
        marks = annotation.mixed
        np.savez(folder / MIXED, score=marks.score_n, pair=marks.pair_n, names=np.array(marks.names, dtype=str))
    np.save(folder / DOUBTED, annotation.doubted_n, allow_pickle=False)
    if annotation.matches is not None:
        terms, code_n = np.unique(annotation.matches.terms_n.astype(str), return_inverse=True)
        novel_n = annotation.matches.evidence.novel_n
        np.savez(folder / MATCHED, terms=terms, code=code_n.astype(np.uint16), novel=novel_n)
    if annotation.samples is not None:
        samples = annotation.samples
        told = {"by": samples.by, "condition": samples.condition}
        words = told | {"names": samples.names, "conditions": samples.conditions}
        (folder / SAMPLE_WORDS).write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
        np.save(folder / SAMPLE_OF, samples.sample_n, allow_pickle=False)
    if annotation.groups is not None and annotation.groups.probability_km is not None:
        np.save(folder / GROUP_SUMS, annotation.groups.probability_km, allow_pickle=False)


def kept_samples(results: Path) -> Samples | None:
    """Give from which sample each cell is, as a run was told it; None where it wasn't."""
    if not (results / SAMPLE_OF).exists():
        return None
    words = json.loads((results / SAMPLE_WORDS).read_text(encoding="utf-8"))
    sample_n = np.load(results / SAMPLE_OF)
    # runs of older releases knew no conditions
    condition = words.get("condition")
    return Samples(words["by"], condition, tuple(words["names"]), sample_n, tuple(words["conditions"]))


def kept_mixed(results: Path) -> Marks | None:
    """Give which cells are mixed; None where nobody looked."""
    if not (results / MIXED).exists():
        return None
    with np.load(results / MIXED) as kept:
        return Marks(kept["score"], kept["pair"], tuple(kept["names"].tolist()))


def kept_matches(results: Path) -> tuple[NDArray[np.object_], NDArray[np.bool_]] | None:
    """Give the term that each cell's matches say, and whether the cell is novel; None where no index was asked."""
    if not (results / MATCHED).exists():
        return None
    with np.load(results / MATCHED) as kept:
        return kept["terms"].astype(object)[kept["code"]], kept["novel"]
