"""The tables of the two looks: who gains what from the sample, in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.accuracy.development_tests import FIRST, KEYS
from benchmarks.accuracy.gene_panels import OURS
from benchmarks.lib.incomplete import ALL

ALONE, TOGETHER, TISSUE, VOTE, REFINED = WAYS = (
    "each cell alone",
    "same neighbours",
    "same neighbours, shown tissues",
    "majority vote",
    "refined to the cells",
)
ITS_OWN = (ALONE, VOTE, REFINED)
"""What a peer does without Spoticell."""
OWN = {ALONE: ALONE, TISSUE: "**with the sample**", VOTE: "alone, then CellTypist's majority vote"}
"""What the ways are called for Spoticell, which leaves out types of other tissues in each."""
WORSE = 0.005
"""By how much a set may be worse with the sample."""

Sets = dict[str, dict[str, float]]
"""Figures of each set."""
Rows = dict[str, dict[str, dict[str, list[Sets]]]]
"""For each method, way and view the figures of each seed."""
READING = """\
Macro-F1 / hierarchical F1, medians over seeds of the means over sets; through random genes they are means over three
draws too.  Foreign is the share of answers that name a type of another organ, on whole cells, mean over the sets whose
organ is known.  Spoticell leaves out types of tissues that the sample doesn't show, alone as well.

Peers learned from the cells that the bundles learned from, with one seed.  Their settings and answer rules are those of
[the table of peers](peers.md), chosen when these cells were fewer.  With neighbours a peer's temperature is applied
first; the sharpening that Spoticell has learned for cells read together isn't.  The majority vote is CellTypist's own,
over its own over-clustering of the cells as they are seen, for all."""


def report(rows: Rows, sets: Mapping[str, Sequence[str]]) -> list[str]:
    """Lay out the means, what Spoticell gains, what is kept with fewer genes, and the sets one by one.

    Parameters
    ----------
    rows
        The figures.
    sets
        Names of the sets of each view.
    """
    complete, partly = {}, {}
    for method, ways in rows.items():
        for way, by_view in ways.items():
            whole = all(set(names) <= set(run) for view, names in sets.items() for run in by_view.get(view, [{}]))
            (complete if whole else partly)[method, way] = by_view
    lines = [READING, "", *means(complete, sets), "", *summary(rows, complete, sets), ""]
    lines += [
        "## What is left with fewer genes",
        "",
        "Of the mean figures of the same sets whole.",
        "",
        *left(complete, sets),
        "",
    ]
    for method in dict.fromkeys(method for method, _ in partly):
        lines += [f"## {method}", "", "It refuses sets that measure too few of its genes.  On those that it takes:", ""]
        some = {view: taken(rows[method][ALONE].get(view, [{}])[0], names) for view, names in sets.items()}
        some = {view: names for view, names in some.items() if names}
        ours = {key: by_view for key, by_view in complete.items() if key[0] == OURS}
        own = {key: by_view for key, by_view in partly.items() if key[0] == method}
        lines += [*means(ours | own, some), ""]
    lines += ["## Whole cells, set by set", ""]
    for way in WAYS:
        columns = {method: ways[way][ALL] for method, ways in rows.items() if way in ways}
        if columns:
            lines += [f"### {way[0].upper()}{way[1:]}", "", *by_set(columns, sets[ALL]), ""]
    return lines[:-1]


def taken(run: Sets, names: Sequence[str]) -> list[str]:
    """Give the sets that a run has."""
    return [name for name in names if name in run]


def named(method: str, way: str) -> str:
    """Give the name of a row."""
    return f"{method}, {OWN[way] if method == OURS else way}"


def parts(sets: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, list[str]]]:
    """Give the columns of means: the view and the sets of each."""
    columns = {}
    for view, names in sets.items():
        words = "whole" if view == ALL else f"{int(view):,} genes"
        first = [name for name in names if name.startswith(FIRST)]
        if first and first != list(names):
            some = "" if len(first) == len(FIRST) else f"{len(first)} of "
            columns[f"{words}, {some}the first seven"] = (view, first)
        columns[f"{words}, all {len(names)}"] = (view, list(names))
    return columns


def means(complete: Mapping[tuple[str, str], dict[str, list[Sets]]], sets: Mapping[str, Sequence[str]]) -> list[str]:
    """Lay out the means over the sets of each view, and the share of foreign answers."""
    columns = parts(sets)
    heads = ["", *columns, "foreign"]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for (method, way), by_view in complete.items():
        cells = [both(by_view[view], names) for view, names in columns.values()]
        known = [name for name in sets[ALL] if "foreign" in by_view[ALL][0][name]]
        cells.append(f"{middle(by_view[ALL], known, 'foreign'):.1%}" if known else "-")
        lines.append(f"| {named(method, way)} | {' | '.join(cells)} |")
    return lines


def both(runs: Sequence[Sets], names: Sequence[str]) -> str:
    """Give macro-F1 / hierarchical F1."""
    return " / ".join(f"{middle(runs, names, key):.3f}" for key in KEYS)


def middle(runs: Sequence[Sets], names: Sequence[str], key: str) -> float:
    """Give the median over seeds of the mean over sets."""
    return statistics.median(statistics.mean(run[name][key] for name in names) for run in runs)


def summary(
    rows: Rows, complete: Mapping[tuple[str, str], dict[str, list[Sets]]], sets: Mapping[str, Sequence[str]]
) -> list[str]:
    """Say what Spoticell gains, where it loses, and how far it is ahead of the best peers by macro-F1."""
    if OURS not in rows:
        return []
    alone, together, lines = rows[OURS][ALONE], rows[OURS][TISSUE], []
    for words, (view, names) in parts(sets).items():
        said = [f"with the sample against each cell alone {difference(together[view], alone[view], names)}"]
        for of, ways in (("on its own", ITS_OWN), ("with what Spoticell does", (TOGETHER, TISSUE))):
            peers = [key for key in complete if key[0] != OURS and key[1] in ways]
            if peers:
                best = max(peers, key=lambda key: middle(complete[key][view], names, KEYS[0]))
                ahead = difference(together[view], complete[best][view], names)
                said.append(f"against the best peer {of} ({named(*best)}) {ahead}")
        lines.append(f"* {words}: {'; '.join(said)}.")
    change = {
        f"{name} {' / '.join(f'{one:+.3f}' for one in moved)}"
        for name in sets[ALL]
        if min(moved := [middle(together[ALL], [name], key) - middle(alone[ALL], [name], key) for key in KEYS]) < -WORSE
    }
    lines.append(f"* Whole sets that lose more than {WORSE} of either with the sample: {listed(change)}.")
    return lines


def difference(runs: Sequence[Sets], others: Sequence[Sets], names: Sequence[str]) -> str:
    """Give by how much both figures of some runs are above those of others."""
    return " / ".join(f"{middle(runs, names, key) - middle(others, names, key):+.3f}" for key in KEYS)


def listed(some: set[str]) -> str:
    """Give a list in words."""
    return "; ".join(sorted(some)) or "none"


def left(complete: Mapping[tuple[str, str], dict[str, list[Sets]]], sets: Mapping[str, Sequence[str]]) -> list[str]:
    """Lay out the mean figures with fewer genes as shares of those of the same sets whole."""
    columns = {words: part for words, part in parts(sets).items() if part[0] != ALL}
    heads = ["", *columns]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for (method, way), by_view in complete.items():
        cells = []
        for view, names in columns.values():
            share = [middle(by_view[view], names, key) / max(middle(by_view[ALL], names, key), 1e-9) for key in KEYS]
            cells.append(" / ".join(f"{one:.1%}" for one in share))
        lines.append(f"| {named(method, way)} | {' | '.join(cells)} |")
    return lines


def by_set(columns: Mapping[str, list[Sets]], names: Sequence[str]) -> list[str]:
    """Lay out some methods set by set."""
    lines = [f"| | {' | '.join(columns)} |", "|" + "---|" * (1 + len(columns))]
    for name in names:
        cells = [both(runs, [name]) if name in runs[0] else "refuses" for runs in columns.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines
