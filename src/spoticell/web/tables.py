"""Tables of samples, groups and conditions to keep, as ``spoticell annotate`` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spoticell.annotation.result import Annotation
from spoticell.io.write import write_csv

COMPOSITION, DIFFERENCES, GROUPS = "composition.csv", "differences.csv", "groups.csv"


def write_tables(annotation: Annotation, folder: Path) -> None:
    """Write those that a run was asked for."""
    if annotation.samples is not None:
        write_csv(folder / COMPOSITION, [annotation.by_sample.table()])
    if annotation.differences is not None:
        write_csv(folder / DIFFERENCES, [annotation.differences.table])
    if annotation.groups is not None:
        write_csv(folder / GROUPS, [annotation.groups.table])


def places_of(annotation: Annotation, stem: str) -> dict[str, str]:
    """Give the options of the command line that write these tables, and where beside the other files."""
    written = (
        ("composition", COMPOSITION, annotation.samples),
        ("differences", DIFFERENCES, annotation.differences),
        ("groups_output", GROUPS, annotation.groups),
    )
    return {option: f"{stem}.{name}" for option, name, asked in written if asked is not None}


def tables_of(settings: dict[str, Any]) -> list[str]:
    """Name the tables that a run with these settings writes.

    Examples
    --------
    >>> tables_of({"by": "donor", "condition": None, "groups": "auto"})
    ['composition.csv', 'groups.csv']
    """
    asked = {COMPOSITION: "by", DIFFERENCES: "condition", GROUPS: "groups"}
    return [name for name, option in asked.items() if settings.get(option)]
