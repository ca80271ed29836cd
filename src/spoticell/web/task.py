"""What the server asks of a worker, and what a worker does: look at an upload, or name its cells.

Nothing here knows the server; a task is given a folder, works in it, and gives back plain values.
What a visitor calls a file stands in for its name on disk in all that is said.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from spoticell.annotation.options import Model, Options
from spoticell.api import annotate_source, look_at
from spoticell.errors import FileFormatError, SpoticellError
from spoticell.io import open_cells
from spoticell.io.annotated import can_be_copied
from spoticell.io.findings import Findings
from spoticell.io.source import CellSource
from spoticell.io.storage.links import leading_out, left_out
from spoticell.model.bundle import Bundle
from spoticell.progress import Progress
from spoticell.web.choices import choices
from spoticell.web.disk import bytes_of
from spoticell.web.guess import guess, keep_looks, kept_looks
from spoticell.web.kept import recall, remember
from spoticell.web.renamed import tell_renamed
from spoticell.web.settings import Limits
from spoticell.web.sink import ANSWERED, PageSink, Tell
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
    options: Options
    """What is asked for; model and index by their names or folders."""
    limits: Limits


@lru_cache(maxsize=4)
def loaded(model: Model) -> Bundle:
    """Give a model's bundle, checked once in the life of a process."""
    return Options(model).bundle


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
    with _opened(task) as source:
        if source.n_cells > task.limits.cells:
            raise FileFormatError(
                f"{task.name} holds {source.n_cells:,} cells; this server takes up to {task.limits.cells:,}. "
                "Use the command line for larger files: it has no limit."
            )
        options = _ready(task.options)
        findings = _look(source, task, options, tell)
        tell("looking at some cells", 1)
        keep_looks(guess(findings, source, options), task.folder)
        return _with_looks(_told(findings, source), task)


def _run(task: Task, tell: Tell) -> dict[str, Any]:
    tell("starting", 0)
    options = _ready(task.options)
    with _opened(task) as source:
        findings = recall(task.folder, bundle_sha256=options.bundle.sha256) or _look(source, task, options, tell)
        page = PageSink(task.folder / WORK, upload=task.folder / INPUT / task.file, name=task.name, tell=tell)
        steps = _stage(tell, "naming cells", share=ANSWERED)
        annotation = annotate_source(source, options, [page], findings=findings, on_progress=steps)
        tell_renamed(task.folder / RESULTS, task.folder / WORK)
        return _with_looks(_told(annotation.findings, source), task) | {"threshold": annotation.threshold}


def _ready(options: Options) -> Options:
    """Give the same with the model loaded."""
    return replace(options, model=loaded(options.model))


def _opened(task: Task) -> CellSource:
    return open_cells(unpacked(task.folder / INPUT / task.file, task.limits))


def _look(source: CellSource, task: Task, options: Options, tell: Tell) -> Findings:
    """Look at the upload, and keep what was found for its run."""
    findings = _noted(called(look_at(source, options, on_progress=_stage(tell, "reading")), task), task)
    remember(findings, task.folder, bundle_sha256=options.bundle.sha256)
    return findings


def _noted(findings: Findings, task: Task) -> Findings:
    """Give findings that say what of the upload won't be in the annotated file."""
    upload = task.folder / INPUT / task.file
    places = leading_out(upload) if can_be_copied(upload) else []
    return replace(findings, warnings=(*findings.warnings, left_out(places))) if places else findings


def _told(findings: Findings, source: CellSource) -> dict[str, Any]:
    offered: list[dict[str, Any]] = []
    with suppress(SpoticellError):  # cells can be named without the table about them
        offered = choices(source.obs())
    columns = {"columns": [column["name"] for column in offered], "choices": offered}
    # a matrix that was turned round lies there until the source is closed
    size = {"values": findings.verdict.n_values, "scratch": bytes_of(Path(tempfile.gettempdir()))}
    return {"findings": findings.to_dict() | columns | size, "lines": findings.describe()}


def _with_looks(told: dict[str, Any], task: Task) -> dict[str, Any]:
    """Add what the cells looked like before they were named."""
    return told | {"findings": told["findings"] | kept_looks(task.folder)}


def called(findings: Findings, task: Task) -> Findings:
    """Give findings that speak of the upload by the visitor's name."""
    warnings = tuple(in_visitors_words(warning, task) for warning in findings.warnings)
    tried = tuple((matrix, in_visitors_words(why, task)) for matrix, why in findings.tried)
    return replace(findings, source=task.name, warnings=warnings, tried=tried)


def in_visitors_words(sentence: str, task: Task) -> str:
    """Put the visitor's name of the upload in place of its name on disk, and leave out where things lie."""
    for path in (task.folder / INPUT, task.folder / SCRATCH, task.folder / WORK, task.folder):
        sentence = sentence.replace(f"{path}{os.sep}", "").replace(str(path), "the job's folder")
    for place in (task.options.model, task.options.index):
        if isinstance(place, str | Path) and os.sep in str(place):
            sentence = sentence.replace(str(place), Path(place).name)
    return sentence.replace(task.file, task.name)


def _stage(tell: Tell, stage: str, *, share: float = 1) -> Progress:
    """Tell of a stage that ends after a share of the work."""

    def report(done: int, total: int) -> None:
        tell(stage, share * done / max(total, 1))

    return report
