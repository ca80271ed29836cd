"""What became of the cells of a recipe, source by source, told from the finished store."""

from __future__ import annotations

from typing import Any

from spoticell.corpus.mapping import UNRESOLVED, write_unresolved
from spoticell.corpus.store.store import Store
from spoticell.io.write import write_json
from spoticell.keys import DONOR, LABEL, UNKNOWN

SUMMARY = "summary.json"
NO_COUNTS = "no counts in known genes"

FILL_IN = "say what they mean with --meanings TABLE, in Python meanings=, or in the recipe's labels_file."

ROWS, WANTED, LEFT_OUT, LOST = "rows", "wanted", "left_out", "unresolved"
"""Facts that a store keeps of each source: its rows, those chosen by the table about them, the others by reason, and
labels that aren't understood."""


def write_summary(store: Store) -> dict[str, Any]:
    """Write into a store what is left out of it and why, and which labels could not be resolved.

    Returns
    -------
    What ``summary.json`` says.
    """
    sources = store.manifest["sources"]
    summary = {
        "recipe": store.name,
        "cells": len(store),
        "types": store.manifest["counted"][LABEL],
        "datasets": len(store.datasets),
        "donors": len(store.manifest["counted"][DONOR].keys() - {UNKNOWN}),
        "bytes": sum(shard.bytes for shard in store.records),
        "ontology_version": store.manifest["ontology_version"],
        "gene_sha256": store.manifest["gene_sha256"],
        "sources": [_of_source(source) for source in sources],
    }
    lost = [(one["name"], label, cells) for one in sources for label, cells in one[LOST].items()]
    write_unresolved(store.folder / UNRESOLVED, lost)
    write_json(store.folder / SUMMARY, summary)
    return summary


def remarks(summary: dict[str, Any]) -> list[str]:
    """Give what should be known of a store besides its figures: labels that aren't understood, notes on the sources."""
    lost = sum(one["unresolved_labels"] for one in summary["sources"])
    labels = [f"labels that are not understood: {lost:,}, listed in {UNRESOLVED}; {FILL_IN}"] if lost else []
    return [*labels, *(f"{one['name']}: {note}" for one in summary["sources"] for note in one.get("notes", ()))]


def _of_source(source: dict[str, Any]) -> dict[str, Any]:
    cells = sum(shard["cells"] for shard in source["shards"])
    left_out = dict(source[LEFT_OUT])
    if empty := source[WANTED] - cells:
        left_out[NO_COUNTS] = empty
    facts = {key: value for key, value in source.items() if key not in {"shards", WANTED, LEFT_OUT, LOST}}
    return facts | {"cells": cells, LEFT_OUT: left_out, "unresolved_labels": len(source[LOST])}
