"""The weights of the labels of all cells, on disk, so that the answers can be given for another tissue.

They are kept as they were, not rounded: answers must be those of a run.
Axes: ``n`` cells, ``c`` labels.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from spoticell.annotation.decision import can_read_together
from spoticell.annotation.first_blocks import sample_tissues
from spoticell.annotation.options import Options
from spoticell.annotation.result import Annotation
from spoticell.annotation.sample_tissue import SampleTissues, of_tissues
from spoticell.biology.ontology import load_ontology
from spoticell.io.aligned import aligned_sample
from spoticell.model.bundle import Bundle

WEIGHTS, WEIGHTS_ALONE, TISSUES = "weights.bin", "weights_alone.bin", "tissues.json"
"""Files of the weights that were read together, of those of each cell alone, and of the tissues that the cells show."""


class WeightsWriter:
    """Takes weights block by block; a context manager.

    Parameters
    ----------
    folder
        Where to write.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with WeightsWriter(folder) as writer:
    ...     writer.append(WEIGHTS, np.float32([[0.25, 0.75]]))
    ...     writer.append(WEIGHTS, np.float32([[1, 0]]))
    >>> read_weights(folder / WEIGHTS, n_labels=2).tolist(), read_weights(folder / WEIGHTS_ALONE, n_labels=2)
    ([[0.25, 0.75], [1.0, 0.0]], None)
    """

    def __init__(self, folder: Path) -> None:
        self._files = ExitStack()
        names = (WEIGHTS, WEIGHTS_ALONE)
        self._open = {name: self._files.enter_context((folder / name).open("wb")) for name in names}

    def append(self, name: str, weight_nc: NDArray[np.float32] | None) -> None:
        """Write the weights of the next cells, where there are any."""
        if weight_nc is not None:
            self._open[name].write(np.ascontiguousarray(weight_nc, dtype="<f4").tobytes())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()


def read_weights(path: Path, *, n_labels: int) -> NDArray[np.float32] | None:
    """Give what a `WeightsWriter` wrote, read from disk as far as it is looked at; None where that is nothing."""
    if not path.exists() or not path.stat().st_size:
        return None
    return np.memmap(path, dtype="<f4", mode="r").reshape(-1, n_labels)


def keep_tissues(annotation: Annotation, folder: Path) -> None:
    """Write into the results which tissues the cells show, also where another one was told.

    Parameters
    ----------
    annotation
        The answers of the run.
    folder
        The results of the job.
    """
    found, bundle = annotation.tissues, annotation.bundle
    if found is None:
        if not tissue_can_be_told(annotation.options):
            return
        from spoticell.model.runtime import Runtime  # noqa: PLC0415 - slow to load, and most runs do without

        runtime = Runtime(bundle, threads=annotation.options.threads)
        found = sample_tissues(aligned_sample(annotation.findings), annotation.findings, runtime)
    words = {"shares": found.shares, "blood": found.blood, "chances": found.chances}
    (folder / TISSUES).write_text(json.dumps(words), encoding="utf-8")


def kept_tissues(folder: Path, bundle: Bundle) -> SampleTissues:
    """Give the tissues that the cells of a job show."""
    words = json.loads((folder / TISSUES).read_text(encoding="utf-8"))
    chances = words.get("chances")
    return of_tissues(words["shares"], bundle.nodes, load_ontology(), blood=words["blood"], chances=chances)


def tissue_can_be_told(options: Options) -> bool:
    """Whether the answers of a run for another tissue follow from its weights.

    They don't where types are allowed, as these are then kept apart by tissue before anything else.
    """
    return can_read_together(options.bundle) and not options.allow
