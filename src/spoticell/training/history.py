"""What a training leaves for people: tables, a summary and two pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from spoticell.io.write import atomic, write_csv

ACCENT, SECOND, GREY = "#2a6f97", "#e07a3f", "#8a8f98"
TOP = 25
"""Types in the picture of F1 by type."""


def write_epochs(folder: Path, epochs: Sequence[Mapping[str, float]]) -> None:
    """Write ``training_metrics.csv`` and ``training_history.png``."""
    table = pd.DataFrame(list(epochs))
    with atomic(folder / "training_metrics.csv") as path:
        table.to_csv(path, index=False, float_format="%.6g")
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, quality = figure.subplots(1, 2)
    loss.plot(table["epoch"], table["loss"], color=ACCENT, marker="o", markersize=3)
    loss.set(xlabel="epoch", ylabel="training loss", title="Loss")
    quality.plot(table["epoch"], table["validation_macro_f1"], color=ACCENT, marker="o", markersize=3, label="macro-F1")
    quality.plot(
        table["epoch"],
        table["validation_hierarchical_f1"],
        color=SECOND,
        marker="s",
        markersize=3,
        label="hierarchical F1",
    )
    quality.set(xlabel="epoch", ylim=(0, 1.02), title="Validation")
    quality.legend(frameon=False, loc="lower right")
    for axes in (loss, quality):
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.get_major_locator().set_params(integer=True)
    _save(figure, folder / "training_history.png")


def write_types(folder: Path, per_type: Mapping[str, Mapping[str, Any]]) -> None:
    """Write ``per_type_metrics.json`` and ``.csv``, and ``top_cell_types_f1.png``."""
    with atomic(folder / "per_type_metrics.json") as path:
        path.write_text(json.dumps(per_type, indent=1) + "\n", encoding="utf-8")
    table = pd.DataFrame(list(per_type.values()), index=list(per_type)).rename_axis("cell_type_ontology_term_id")
    write_csv(folder / "per_type_metrics.csv", [table.reset_index().round(4)])
    top = table.sort_values(["cells", "f1"], ascending=False).head(TOP).iloc[::-1]
    figure = Figure(figsize=(8, 1.2 + 0.26 * len(top)), layout="constrained")
    axes = figure.subplots()
    names = [f"{name} ({cells:,})" for name, cells in zip(top["name"], top["cells"], strict=True)]
    bars = axes.barh(names, top["f1"], color=ACCENT)
    axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=8, color=GREY)
    axes.set(
        xlim=(0, 1.08), xlabel="F1 on validation cells", title=f"The {len(top)} commonest types (validation cells)"
    )
    axes.tick_params(axis="y", labelsize=8, length=0)
    axes.spines[["top", "right"]].set_visible(False)
    _save(figure, folder / "top_cell_types_f1.png")


def write_summary(folder: Path, lines: Sequence[str]) -> None:
    """Write ``summary.txt``."""
    with atomic(folder / "summary.txt") as path:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _save(figure: Figure, path: Path) -> None:
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=130, metadata={"Software": None})
