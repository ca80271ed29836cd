"""Networks that never saw some data sets, to choose by; calibrated as the packaged model is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from spoticell.model.bundle import load_bundle
from spoticell.model.runtime import Runtime


def held_out(run: Path, threads: int) -> tuple[Runtime, list[str]]:
    """Give the network of a run with what calibrates the packaged model, and the data sets that it never saw."""
    bundle, shipped = load_bundle(run / "best_model_f1"), load_bundle("human-v1").manifest
    settings = {"calibration": None, "threshold": shipped.threshold}
    settings |= {name: getattr(shipped, name) for name in ("softening", "trust", "together")}
    names = json.loads((run / "params.json").read_text())["config"]["validation"]
    return Runtime(replace(bundle, manifest=bundle.manifest.model_copy(update=settings)), threads=threads), names
