"""The same run as a command line and as Python, to copy."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path, PurePath

from spoticell.annotation.result import Annotation
from spoticell.model.bundle import DEFAULT, PACKAGED


def commands(name: str, annotation: Annotation) -> dict[str, str]:
    """Give what repeats a run on the visitor's own machine.

    Parameters
    ----------
    name
        What the visitor calls the file.
    annotation
        The outcome, which knows its settings.

    Returns
    -------
    ``shell`` and ``python``.
    """
    stem = PurePath(name).name.split(".")[0] or "cells"
    output, report = f"{stem}.spoticell.h5ad", f"{stem}.spoticell.html"
    options = [repr(name), repr(output), f"report={report!r}"]
    if annotation.bundle.name != DEFAULT:
        options.append(f"bundle={annotation.bundle.name!r}")
    if annotation.threshold != annotation.bundle.manifest.threshold:
        options.append(f"threshold={annotation.threshold}")
    if annotation.allowed is not None:
        options += annotation.allowed.arguments()
    if annotation.matches is not None:
        # where it lies on the server is nobody's business
        folder = Path(annotation.matches.name)
        annotation = replace(annotation, matches=replace(annotation.matches, folder=folder))
        options.append(f"index={folder.name!r}")
    return {
        "shell": command_line(Path(name), Path(output), annotation, Path(report)),
        "python": f"import spoticell\n\nspoticell.annotate_file({', '.join(options)})\n",
    }


def command_line(path: Path, output: Path, annotation: Annotation, report: Path) -> str:
    """Give the command that repeats an annotation."""
    words = ["spoticell", "annotate", str(path), "-o", str(output), "--report", str(report)]
    bundle = annotation.bundle
    if bundle.path.parent != PACKAGED:
        words += ["--bundle", str(bundle.path)]
    elif bundle.name != DEFAULT:
        words += ["--bundle", bundle.name]
    if annotation.threshold != bundle.manifest.threshold:
        words += ["--threshold", str(annotation.threshold)]
    if annotation.allowed is not None:
        words += annotation.allowed.options()
    if annotation.matches is not None:
        words += ["--index", str(annotation.matches.folder)]
    return shlex.join(words)
