"""What the server asks of a worker, and what a worker does: look at an upload, or name its cells.

Nothing here knows the server; a task is given a folder, works in it, and gives back plain values.
What a visitor calls a file stands in for its name on disk in all that is said.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from spoticell.annotation.matches import Matcher
from spoticell.errors import FileFormatError
from spoticell.index import open_index
from spoticell.io import open_cells
from spoticell.io.findings import Findings, inspect
from spoticell.model.bundle import Bundle, load_bundle
from spoticell.progress import Progress
from spoticell.web.kept import recall, remember
from spoticell.web.settings import Limits
from spoticell.web.sink import Order, Tell, write_outcome
from spoticell.web.unpack import unpacked

INPUT, RESULTS, WORK, SCRATCH = "input", "results", "work", "scratch"
"""Folders of a job: the upload, what may be fetched, what is being made, what is passing."""

CHECK, RUN = "check", "run"


@dataclass(frozen=True)
class Task:
    """One piece of work."""

    kind: str
    """`CHECK` or `RUN`."""
    folder: Path
    """The job's own."""
    file: str
    """The upload's name on disk."""
    name: str
    """What the visitor calls it."""
    bundle: str
    """What `load_bundle` takes."""
    limits: Limits
    threshold: float | None = None
    tissue: str | None = None
    index: Path | None = None
    """Folder of an index to match the cells with, if it is of the same bundle."""
    threads: int = 1


@lru_cache(maxsize=4)
def loaded(name: str) -> Bundle:
    """Give a bundle, checked once in the life of a process."""
    return load_bundle(name)


def perform(task: Task, tell: Tell) -> dict[str, Any]:
    """Do a task.

    Parameters
    ----------
    task
        What to do.
    tell
        Hears how far the work is.

    Returns
    -------
    Of a check, ``findings`` and ``lines``; of a run, the same and the ``threshold`` that was used.

    Raises
    ------
    SpoticellError
        If the upload can't be used; the message speaks of it by the visitor's name.
    """
    scratch = task.folder / SCRATCH
    scratch.mkdir(mode=0o700, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
    return _check(task, tell) if task.kind == CHECK else _run(task, tell)


def _check(task: Task, tell: Tell) -> dict[str, Any]:
    tell("reading", 0)
    bundle = loaded(task.bundle)
    with open_cells(unpacked(task.folder / INPUT / task.file, task.limits)) as source:
        if source.n_cells > task.limits.cells:
            raise FileFormatError(
                f"{task.name} holds {source.n_cells:,} cells; {task.limits.cells:,} is the most that this page takes. "
                "Use the command line for larger files: it has no limit."
            )
        findings = inspect(source, bundle.vocabulary, on_progress=_stage(tell, "reading"))
    findings = called(findings, task)
    remember(findings, task.folder, bundle_sha256=bundle.sha256)
    return {"findings": findings.to_dict(), "lines": findings.describe()}


def _run(task: Task, tell: Tell) -> dict[str, Any]:
    tell("starting", 0)
    bundle = loaded(task.bundle)
    with open_cells(unpacked(task.folder / INPUT / task.file, task.limits)) as source:
        findings = recall(task.folder, bundle_sha256=bundle.sha256)
        if findings is None:
            found = inspect(source, bundle.vocabulary, on_progress=_stage(tell, "reading"))
            findings = called(found, task)
            remember(findings, task.folder, bundle_sha256=bundle.sha256)
        upload, work = task.folder / INPUT / task.file, task.folder / WORK
        order = Order(upload, work, task.name, task.threshold, task.tissue, task.threads, _matcher(task, bundle))
        annotation = write_outcome(source, findings, bundle, order, tell)
    known = {"findings": findings.to_dict(), "lines": findings.describe()}
    return known | {"threshold": annotation.threshold}


def _matcher(task: Task, bundle: Bundle) -> Matcher | None:
    if task.index is None:
        return None
    index = open_index(task.index, threads=task.threads)
    return Matcher(index, bundle) if index.bundle_sha256 == bundle.sha256 else None


def called(findings: Findings, task: Task) -> Findings:
    """Give findings that speak of the upload by the visitor's name."""
    warnings = tuple(in_visitors_words(warning, task) for warning in findings.warnings)
    tried = tuple((matrix, in_visitors_words(why, task)) for matrix, why in findings.tried)
    return replace(findings, source=task.name, warnings=warnings, tried=tried)


def in_visitors_words(sentence: str, task: Task) -> str:
    """Put the visitor's name of the upload in place of its name on disk, and leave out where it lies."""
    for path in (task.folder / INPUT, task.folder / SCRATCH, task.folder / WORK, task.folder):
        sentence = sentence.replace(f"{path}{os.sep}", "").replace(str(path), "the job's folder")
    if task.index is not None:
        sentence = sentence.replace(str(task.index), task.index.name)
    return sentence.replace(task.file, task.name)


def _stage(tell: Tell, stage: str) -> Progress:
    def report(done: int, total: int) -> None:
        tell(stage, done / max(total, 1))

    return report
