"""The table of peers: figures of several seeds beside each other, in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks.peers.tuning import Choice

Runs = list[dict[str, dict[str, Any]]]
"""For each seed the figures of each set."""

TITLES = {
    "cells": "Peers trained on the cells that Spoticell was trained on",
    "train": "Peers trained on the labelled real cells alone",
}
KEYS = ("macro_f1", "hierarchical_f1")
READING = """\
Macro-F1 / hierarchical F1, then ECE and the share of cells answered as means over the sets that a method answers. All
are means over seeds, ± the standard deviation where there is more than one."""


def report(results: dict[str, Any], spoticell: dict[str, Runs], sets: Sequence[str]) -> list[str]:
    """Lay out a table for each corpus, with what was chosen for each peer below it.

    Parameters
    ----------
    results
        For each corpus its size and its peers.
    spoticell
        Spoticell's own rows.
    sets
        Names of the test sets.
    """
    lines = [READING]
    for corpus, title in TITLES.items():
        if found := results.get(corpus):
            rows = spoticell | {name: peer["runs"] for name, peer in found["peers"].items()}
            lines += ["", f"## {title}", "", f"{found['cells']:,} cells, {found['labels']} labels.", ""]
            lines += [*table(rows, sets), "", "Chosen on the held-out sets:", "", *choices(found["peers"])]
    return lines


def table(rows: dict[str, Runs], sets: Sequence[str]) -> list[str]:
    """Lay out the figures of some methods on some sets, and their means over sets."""
    shared = [name for name in sets if all(name in runs[0] for runs in rows.values())]
    heads = ["", *sets, "mean", "ECE", "answered"]
    if partly := 0 < len(shared) < len(sets):
        heads.insert(-2, f"mean of the {len(shared)} that all answer")
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, runs in rows.items():
        cells = [_both(runs, [test]) if test in runs[0] else "refuses" for test in sets]
        cells.append(f"**{_both(runs, sets)}**" if set(sets) <= set(runs[0]) else "-")
        if partly:
            cells.append(_both(runs, shared))
        cells += [_over_seeds(runs, list(runs[0]), key) for key in ("ece", "coverage")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def choices(peers: dict[str, dict[str, Any]]) -> list[str]:
    """Say what was chosen for each peer, and what its training took."""
    lines = ["| | settings | answers | temperature | held-out macro-F1 | seconds |", "|---" * 6 + "|"]
    for name, peer in peers.items():
        choice = Choice.from_json(peer["choice"])
        settings = ", ".join(f"{key} {value}" for key, value in choice.settings.items())
        tried = f"{settings} (best of {len(choice.tried)})" if settings else "as shipped"
        rule = "most probable label" if choice.rule.threshold is None else f"threshold {choice.rule.threshold:g}"
        best = max(row["macro_f1"] for row in choice.tried)
        lines.append(
            f"| {name} | {tried} | {rule} | {choice.rule.temperature:.2f} | {best:.3f} | {peer['seconds']:,.0f} |"
        )
    return lines


def _both(runs: Runs, sets: Sequence[str]) -> str:
    return " / ".join(_over_seeds(runs, sets, key) for key in KEYS)


def _over_seeds(runs: Runs, sets: Sequence[str], key: str) -> str:
    values = [statistics.mean(run[name].get(key, 0.0) for name in sets) for run in runs]
    mean = f"{statistics.mean(values):.3f}"
    return f"{mean} ± {statistics.stdev(values):.3f}" if len(values) > 1 else mean
