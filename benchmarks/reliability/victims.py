"""The commands that are killed: what they work on, and what their outputs must be at any moment."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import anndata
from safetensors import safe_open

from benchmarks.reliability.killing import THREADS, Victim
from spoticell.index import open_index
from spoticell.model.bundle import load_bundle

RUN = [sys.executable, "-m", "spoticell"]
SMALL = """
network: {layout: random, stem_channels: 4, cell_token: 8, width: 32, channels: [8, 8, 16, 16], fusion: [32, 32]}
batch_size: 64
cells_per_epoch: 1024
epochs: 3
checkpoint_seconds: 0.5
"""


def annotating(cells: Path, folder: Path) -> Victim:
    """Name cells that are stored by gene, into an h5ad file and a page that are there already."""
    place, earlier, later = folder / "place", folder / "earlier", folder / "later"
    adata = anndata.read_h5ad(cells)
    adata.X = adata.X.tocsc()
    adata.write_h5ad(folder / "cells.h5ad")
    command = [*RUN, "annotate", str(folder / "cells.h5ad"), "--overwrite", "-q"]
    for into, more in ((earlier, ["-t", "0.9"]), (later, [])):
        into.mkdir()
        run([*command, *more, "-o", into / "out.h5ad", "--report", into / "out.html"])
    known = {"out.h5ad": {digest(into / "out.h5ad") for into in (earlier, later)}}

    def begin() -> None:
        renew(place)
        shutil.copy(earlier / "out.h5ad", place)
        shutil.copy(earlier / "out.html", place)

    def broken() -> str:
        page = (place / "out.html").read_text(encoding="utf-8")
        if not page.rstrip().endswith("</html>"):
            return "out.html is cut"
        return "" if digest(place / "out.h5ad") in known["out.h5ad"] else "out.h5ad is neither the old nor the new one"

    return Victim(
        "annotate",
        [*command, "-o", str(place / "out.h5ad"), "--report", str(place / "out.html")],
        folder,
        begin=begin,
        done=lambda: digest(place / "out.h5ad") == digest(later / "out.h5ad"),
        broken=broken,
        differs=lambda: unlike(later, place, ["out.h5ad"]),
        needs=(later / "out.h5ad").stat().st_size,
    )


def indexing(cells: Path, folder: Path) -> Victim:
    """Add cells to an index."""
    place, earlier = folder / "place" / "index", folder / "earlier"
    adata = anndata.read_h5ad(cells)
    half = adata.n_obs // 2
    for name, part in (("one", adata[:half]), ("other", adata[half:])):
        part.copy().write_h5ad(folder / f"{name}.h5ad")
    add = ["-q", "--study", "one"]
    run([*RUN, "index", "build", folder / "one.h5ad", "-o", earlier, *add])
    grown = shutil.copytree(earlier, folder / "later")
    run([*RUN, "index", "add", grown, folder / "other.h5ad", *add])
    sizes = {path: open_index(path).n_cells for path in (earlier, grown)}

    def broken() -> str:
        index = open_index(place)
        index.check()
        return "" if index.n_cells in sizes.values() else f"the index holds {index.n_cells} cells"

    def begin() -> None:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(earlier, place)

    def differs() -> str:
        there, wanted = (sorted(str(p.relative_to(root)) for p in root.rglob("*")) for root in (place, grown))
        return "" if there == wanted else f"files {set(there) ^ set(wanted)}"

    return Victim(
        "index add",
        [*RUN, "index", "add", str(place), str(folder / "other.h5ad"), *add],
        folder,
        begin=begin,
        done=lambda: open_index(place).n_cells == sizes[grown],
        broken=told(broken),
        differs=differs,
        needs=max(path.stat().st_size for path in (grown / "segments").rglob("*")),
    )


def preparing(cells: Path, folder: Path) -> Victim:
    """Make a store of two files of cells; what is done of it stays."""
    place, whole = folder / "place" / "store", folder / "whole"
    recipe = recipe_of(cells, folder)
    run([*RUN, "prepare", recipe, "-q", "-o", whole])

    def broken() -> str:
        names = [str(path.relative_to(place)) for path in place.rglob("*.safetensors") if path.name[0] != "."]
        return unlike(whole, place, names)

    def differs() -> str:
        return unlike(whole, place, [str(path.relative_to(whole)) for path in files(whole)])

    return Victim(
        "prepare",
        [*RUN, "prepare", str(recipe), "-q", "-o", str(place)],
        folder,
        begin=lambda: shutil.rmtree(place, ignore_errors=True),
        done=(place / "summary.json").exists,
        broken=broken,
        differs=differs,
        needs=max(path.stat().st_size for path in files(whole)),
    )


def training(cells: Path, folder: Path) -> Victim:
    """Train a small network; each run goes on where the one before was killed."""
    place, whole, store = folder / "place" / "training", folder / "whole", folder / "store"
    run([*RUN, "prepare", recipe_of(cells, folder), "-q", "-o", store])
    (folder / "small.yaml").write_text(SMALL, encoding="utf-8")
    command = [*RUN, "train", "--data-dir", str(store), "--config", str(folder / "small.yaml"), "-q", "--resume"]
    run([*command, "--output-dir", whole])

    def broken() -> str:
        for path in place.glob("checkpoints/step-*.safetensors"):
            with safe_open(path, framework="np") as state:
                state.metadata()
        if (place / "best_model_f1").exists():
            load_bundle(place / "best_model_f1")
        return ""

    def differs() -> str:
        bundle = ("best_model_f1/weights.safetensors", "best_model_f1/model.onnx", "best_model_f1/code.npy")
        there, wanted = ({str(p.relative_to(root)) for p in files(root)} for root in (place, whole))
        # states are kept by time, and each run has a log of its own
        odd = {name for name in there ^ wanted if not name.startswith(("checkpoints", "logs"))}
        return unlike(whole, place, bundle) or (f"files {odd}" if odd else "")

    return Victim(
        "train",
        [*command, "--output-dir", str(place)],
        folder,
        begin=lambda: shutil.rmtree(place, ignore_errors=True),
        done=(place / "best_model_f1" / "bundle.json").exists,
        broken=told(broken),
        differs=differs,
        needs=max(path.stat().st_size for path in files(whole)),
    )


def run(command: Sequence[str | Path]) -> None:
    """Let a command run to its end, as no kill disturbs it."""
    subprocess.run(command, check=True, env=os.environ | THREADS)


def recipe_of(cells: Path, folder: Path) -> Path:
    """Write a recipe of one file twice, with two donors, so that there are two sources."""
    adata = anndata.read_h5ad(cells)
    for name in ("one", "other"):
        adata.obs["donor_id"] = [f"{name} {row % 5}" for row in range(adata.n_obs)]
        adata.write_h5ad(folder / f"{name}.h5ad")
    recipe = folder / "recipe.yaml"
    recipe.write_text(f"name: killed\nsources:\n- file: {folder}/o*.h5ad\n", encoding="utf-8")
    return recipe


def told(look: Callable[[], str]) -> Callable[[], str]:
    """Turn an error that a look at the outputs raises into what is broken."""

    def looked() -> str:
        try:
            return look()
        except Exception as error:  # noqa: BLE001 - whatever it is, the output can't be used
            return f"{type(error).__name__}: {error}"

    return looked


def renew(folder: Path) -> None:
    """Empty a folder of results but not of what was left."""
    for path in folder.iterdir():
        if path.name[0] != ".":
            path.unlink()


def files(folder: Path) -> list[Path]:
    """List the files below a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def unlike(one: Path, other: Path, names: list[str] | tuple[str, ...]) -> str:
    """Name the files that are not the same in two folders."""
    odd = [n for n in names if not (other / n).is_file() or digest(one / n) != digest(other / n)]
    return ", ".join(odd)


def digest(path: Path) -> str:
    """Give the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
