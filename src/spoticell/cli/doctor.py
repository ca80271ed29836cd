"""The command for reports of faults: ``spoticell doctor``.

It looks at everything in turn; what is broken is a line of its own and doesn't keep it from looking at the rest.
"""

from __future__ import annotations

import os
import platform
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from textwrap import wrap
from typing import Any

import typer

from spoticell.cli import machine
from spoticell.cli.arguments import AsJson
from spoticell.cli.console import guarded, listen, say, show_json
from spoticell.cli.tables import columns
from spoticell.cli.words import one_line
from spoticell.version import __version__

KNOWN = {
    "CL:0000945": ("B cells", ("CD19+ B",)),
    "CL:0000084": ("T cells", ("CD4+/CD25 T Reg", "CD4+/CD45RO+ Memory", "CD8+/CD45RA+ Naive Cytotoxic")),
    "CL:0000623": ("natural killer cells", ("CD56+ NK",)),
    "CL:0000576": ("monocytes", ("CD14+ Monocyte",)),
}
"""Lineages of the packaged cells: what they are called here, and the labels of the cells that belong to them."""
ENOUGH = 0.8
"""Share of a lineage's cells that must be named so; the rest are cells on which people disagree too."""


WIDTH = 100
"""Characters of a line of versions."""


@guarded
def doctor(*, as_json: AsJson = False) -> None:
    """Look over this install: versions, machine, models, and a test on packaged cells. For reports of faults.

    Example: spoticell doctor
    """
    listen(quiet=True)
    found = examine()
    if as_json:
        show_json(found.to_dict())
    else:
        typer.echo("\n".join(found.describe()))
    if found.problems:
        say("\n".join(f"spoticell: not well: {problem}" for problem in found.problems))
        raise typer.Exit(1)


@dataclass
class Findings:
    """What was found, and what of it isn't well."""

    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def look(self, name: str, at: Callable[[], Any]) -> None:
        """Note a fact, or that it can't be had."""
        try:
            self.facts[name] = at()
        except Exception as error:  # noqa: BLE001 - whatever is broken is what this command is for
            self.facts[name] = None
            self.problems.append(f"{name.replace('_', ' ')}: {type(error).__name__}: {_plain(error)}")

    def to_dict(self) -> dict[str, Any]:
        """Give all as plain values, for JSON."""
        return self.facts | {"problems": self.problems}

    def describe(self) -> list[str]:
        """Give all in lines, for people."""
        facts = self.facts
        rows = [(name, str(facts[name])) for name in ("spoticell", "python", "platform")]
        listed = wrap(_listed(facts["libraries"]), WIDTH)
        rows += [("libraries" if line == listed[0] else "", line) for line in listed]
        rows += [(f"extra {name}", _listed(numbers)) for name, numbers in (facts["extras"] or {}).items()]
        rows += [("processor", facts["processor"] or "-"), ("cores", _pairs(facts["cores"]))]
        rows += [("memory", _pairs({name: _gigabytes(n) for name, n in (facts["memory"] or {}).items()}))]
        rows += [(f"model {model['name']}", _model(model)) for model in facts["models"] or ()]
        rows += [(f"{name} folder", _folder(place)) for name, place in (facts["folders"] or {}).items()]
        tests = facts["self_test"] or {}
        rows += [("self-test", f"{t['named']} of {t['cells']} {name} named so") for name, t in tests.items()]
        rows.append(("result", f"{len(self.problems)} not well" if self.problems else "all is well"))
        return columns(rows)


def examine() -> Findings:
    """Look at all that a fault may depend on."""
    found = Findings({"spoticell": __version__, "python": _python(), "platform": platform.platform()})
    found.look("libraries", lambda: machine.versions(machine.LIBRARIES))
    found.look("extras", lambda: {name: machine.versions(parts) for name, parts in machine.EXTRAS.items()})
    found.look("processor", machine.processor)
    found.look("cores", _cores)
    found.look("memory", machine.memory)
    found.look("models", _models)
    found.look("folders", _folders)
    found.look("self_test", name_known_cells)
    missing = [name for name, number in (found.facts["libraries"] or {}).items() if number is None]
    found.problems += [f"the library {name} is not installed" for name in missing]
    found.problems += [model["fault"] for model in found.facts["models"] or () if model["fault"]]
    places = found.facts["folders"] or {}
    found.problems += [f"{place['path']} can't be written to" for place in places.values() if not place["writable"]]
    tests = found.facts["self_test"] or {}
    found.problems += [f"too few {name} are named so" for name, t in tests.items() if t["named"] < ENOUGH * t["cells"]]
    return found


def name_known_cells() -> dict[str, dict[str, int]]:
    """Name the packaged cells; give for each lineage how many there are, and how many are named as such."""
    from spoticell import api
    from spoticell.biology.ontology import load_ontology
    from spoticell.io import open_cells

    path = Path(str(files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        terms_n = api.annotate(path, on_progress=False).terms_n
    with open_cells(path) as source:
        label_n = source.obs()["bulk_labels"].astype(str).tolist()
    ontology, outcome = load_ontology(), {}
    for lineage, (name, labels) in KNOWN.items():
        answers = [term for term, label in zip(terms_n, label_n, strict=True) if label in labels]
        named = [term for term in answers if term in ontology and lineage in ontology.ancestors(term)]
        outcome[name] = {"cells": len(answers), "named": len(named)}
    return outcome


def _plain(error: Exception) -> str:
    """Give what an error says on one line, without the name of the user's home."""
    return one_line(str(error).replace(str(Path.home()), "~"))


def _python() -> str:
    return f"{platform.python_version()} ({platform.python_implementation()}, {platform.machine()})"


def _cores() -> dict[str, int]:
    from spoticell.io.in_order import available_cores

    return {"total": os.cpu_count() or 1, "usable": available_cores()}


def _models() -> list[dict[str, str]]:
    from spoticell.errors import SpoticellError
    from spoticell.model.bundle import load_bundle, packaged_bundles
    from spoticell.model.pulled import pulled_models

    found = []
    for name in [*packaged_bundles(), *(f"{one.offer.name}@{one.offer.revision}" for one in pulled_models())]:
        try:
            bundle = load_bundle(name)
            found.append({"name": name, "date": bundle.manifest.date, "sha256": bundle.sha256, "fault": ""})
        except SpoticellError as error:
            found.append({"name": name, "date": "", "sha256": "", "fault": _plain(error)})
    if not found:
        raise FileNotFoundError("no model is installed")
    return found


def _folders() -> dict[str, dict[str, str | int | bool]]:
    places = {"temporary": Path(tempfile.gettempdir())}
    if machine.versions(("platformdirs",))["platformdirs"]:
        from spoticell.web.settings import default_data_dir

        places["page's"] = default_data_dir()
    return {name: machine.folder(path) for name, path in places.items()}


def _listed(numbers: Mapping[str, str | None] | None) -> str:
    """Give names and versions on one line; an extra of which nothing is there is short."""
    if not numbers or not any(numbers.values()):
        return "not installed"
    return ", ".join(f"{name} {number or 'missing'}" for name, number in numbers.items())


def _pairs(values: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{value} {name}" for name, value in (values or {}).items()) or "-"


def _model(model: Mapping[str, str]) -> str:
    return model["fault"] or f"{model['date']}, sha256 {model['sha256'][:16]}, every file as its manifest states"


def _folder(place: Mapping[str, Any]) -> str:
    state = "writable" if place["writable"] else "NOT WRITABLE"
    return f"{place['path']}: {state}, {_gigabytes(place['free'])} free"


def _gigabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB"
