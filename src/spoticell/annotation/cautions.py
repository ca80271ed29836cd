"""What a reader should know before trusting the answers for a sample, in sentences; none for a plain sample.

Axes: ``n`` cells, ``p`` programmes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell import keys
from spoticell.biology.programs import PROGRAMS
from spoticell.io.findings import SMALL_PANEL

if TYPE_CHECKING:
    from spoticell.annotation.groups import Group
    from spoticell.annotation.result import Annotation

PART, FEWEST = 0.2, 20
"""Share of a type's cells, and how many of them, from which a programme that they show is worth a word."""
STRANGE = 0.05
"""Share of all cells from which those that are unlike all known types are worth a word."""
FEW_MIXED = 0.001
"""Share of all cells from which mixed ones are worth a word."""
NAMED = 3
"""Types or groups that a sentence names."""
WHY = {
    "interferon": "Stimulated cells can be taken for another subtype: compare them with controls, and as families such "
    "as all monocytes and macrophages, before you trust fine types.",
    "heat shock": "Warm digestion or dying cells do that, and it can hide fine types: take these with care.",
}
"""What follows from a programme."""
COARSER = 0.7
"""Threshold at which of 435 stimulated monocytes of Kang 2018 392 are mononuclear phagocytes, none a CD16 monocyte."""


@dataclass(frozen=True)
class Caution:
    """Something to know before the answers are trusted."""

    kind: str
    """``program``, ``strange``, ``mixed`` or ``panel``."""
    text: str
    """One or two sentences."""


def cautions(annotation: Annotation) -> tuple[Caution, ...]:
    """Give what to know of a sample before its answers are trusted.

    Parameters
    ----------
    annotation
        The answers.

    Examples
    --------
    >>> import importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> [caution.kind for caution in cautions(spoticell.annotate(cells))]
    ['panel', 'mixed']
    """
    return (*_panel(annotation), *_programs(annotation), *_strange(annotation), *_mixed(annotation))


def _panel(annotation: Annotation) -> list[Caution]:
    found = annotation.findings.match.n_found
    if found >= SMALL_PANEL:
        return []
    text = f"Only {found:,} of the genes that the model knows were measured, too few to tell fine types apart surely."
    return [Caution("panel", text)]


def states(annotation: Annotation) -> pd.Categorical | None:
    """Give the state of each cell by the programmes that cautions name, missing where it shows none of them.

    Parameters
    ----------
    annotation
        The answers.

    Returns
    -------
    None where no caution names a programme.
    """
    told = [p for p, program in enumerate(PROGRAMS) if _types(annotation, p)]
    if not told or annotation.programs_np is None:
        return None
    told_nk = annotation.programs_np[:, told]
    # each set of programmes has a number, whose bits say which
    set_n = told_nk @ (1 << np.arange(len(told)))
    names = {
        one: " and ".join(PROGRAMS[p].state for k, p in enumerate(told) if one >> k & 1)
        for one in np.unique(set_n[set_n > 0]).tolist()
    }
    code_n = np.searchsorted(list(names), set_n)
    words = pd.Index(list(names.values()), dtype=object)
    return pd.Categorical.from_codes(np.where(set_n > 0, code_n, -1), categories=words)


def _programs(annotation: Annotation) -> list[Caution]:
    column, told = keys.STATE.format(key=annotation.options.key_added), []
    for p, program in enumerate(PROGRAMS):
        types = _types(annotation, p)
        if types and annotation.programs_np is not None:
            shown, named = int(annotation.programs_np[:, p].sum()), _listed([annotation.short_names[m] for m in types])
            text = (
                f"{shown:,} cells show the {program.name} programme strongly, mostly {named}: {program.state!r} in the "
                f"column {column}. {WHY[program.name]}"
            )
            if program.name == "interferon" and annotation.threshold < COARSER:
                text += f" A threshold of {COARSER} gives coarser answers, and more of them are right."
            told.append(Caution("program", text))
    return told


def _types(annotation: Annotation, p: int) -> list[int]:
    """Give the types of which enough cells show a programme, those with most of these first."""
    if annotation.programs_np is None:
        return []
    shown_n: NDArray[np.bool_] = annotation.programs_np[:, p]
    answer_n, nodes = annotation.answer_n, len(annotation.nodes)
    all_m = np.bincount(answer_n[answer_n >= 0], minlength=nodes)
    own_m = np.bincount(answer_n[shown_n & (answer_n >= 0)], minlength=nodes)
    enough_m = (own_m >= FEWEST) & (own_m >= PART * all_m)
    return [m for m in np.argsort(-own_m, kind="stable").tolist() if enough_m[m]]


def _strange(annotation: Annotation) -> list[Caution]:
    groups: tuple[Group, ...] = () if annotation.groups is None else annotation.groups.groups
    novel = [group for group in groups if group.novel]
    if novel:
        cells, named = sum(group.cells for group in novel), _listed([repr(group.name) for group in novel])
        are = "is" if len(novel) == 1 else "are"
        what = "group" if len(novel) == 1 else "groups"
        text = f"The {what} {named} ({cells:,} cells) {are} unlike all types that the model knows. No name was given."
        return [Caution("strange", text)]
    strange, cells = int(annotation.doubted_n.sum()), len(annotation.answer_n)
    if groups or strange < max(FEWEST, STRANGE * cells):
        return []
    text = (
        f"{strange:,} of {cells:,} cells are unlike all types that the model knows, and stayed unknown. Have groups "
        "named too, to see whether they belong together."
    )
    return [Caution("strange", text)]


def _mixed(annotation: Annotation) -> list[Caution]:
    pairs = {} if annotation.mixed is None else annotation.mixed.counted()
    cells = sum(pairs.values())
    if cells < max(1, FEW_MIXED * len(annotation.answer_n)):
        return []
    column = keys.MIXED.format(key=annotation.options.key_added)
    text = (
        f"{cells:,} of {len(annotation.answer_n):,} cells look like two cells of different types, mostly "
        f"{_listed(list(pairs))}: see the column {column}. Leave them out before you compare types."
    )
    return [Caution("mixed", text)]


def _listed(names: list[str]) -> str:
    """Name the first few of some things.

    Examples
    --------
    >>> _listed(["B", "NK", "pDC", "cDC2", "ILC"]), _listed(["B", "NK"])
    ('B, NK, pDC and 2 others', 'B and NK')
    """
    more = len(names) - NAMED
    if more > 0:
        return f"{', '.join(names[:NAMED])} and {more} other{'s' if more > 1 else ''}"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
