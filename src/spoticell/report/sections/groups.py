"""The groups of cells: their names, how sure these are, and what sets each group apart."""

from __future__ import annotations

from dataclasses import dataclass

from spoticell.annotation.groups import AUTO, Group
from spoticell.annotation.result import Annotation

SHOWN = 60
"""Groups in the table, the largest ones."""


@dataclass(frozen=True)
class GroupTable:
    """The table of groups."""

    column: str | None
    """Where they are from; None where they were found."""
    shown: tuple[tuple[Group, str], ...]
    """Groups in their order, each with the colour of its type."""
    n_more: int
    """Groups that aren't shown, since others are larger."""
    n_novel: int
    apart: int
    """Cells in no group."""
    marked: bool
    """Whether a table of known markers was given."""


def group_table(annotation: Annotation) -> GroupTable | None:
    """Settle what is in the table of groups; None where none were asked for."""
    found = annotation.groups
    if found is None:
        return None
    largest = sorted(found.groups, key=lambda group: -group.cells)[:SHOWN]
    shown = [group for group in found.groups if group in largest]
    column = found.grouping.column
    return GroupTable(
        column=None if column == AUTO else column,
        shown=tuple((group, annotation.colors.of(group.term)) for group in shown),
        n_more=len(found.groups) - len(shown),
        n_novel=sum(group.novel is True for group in found.groups),
        apart=int((found.grouping.code_n < 0).sum()),
        marked=annotation.options.markers is not None,
    )
