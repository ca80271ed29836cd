"""From the CELLxGENE Census to a trained model to named cells, all on one machine.

    python examples/census.py OUT  # a stand-in made of chance counts: needs nothing else
    python examples/census.py OUT --data "$SPOTICELL_DATA" --cells 20000  # a stand-in made of real cells
    python examples/census.py OUT --census 2025-11-08  # pancreas of the Census itself: needs the network

Needs ``pip install '.[train,census]'`` in a clone.  One data set is left out of the training; its cells are named at
last and compared with their labels.  Every command is printed before it runs.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import cellxgene_census

ROOT = Path(__file__).parents[1]
RECIPE = """\
name: census-example
sources:
  - census: "{release}"
    value_filter: >-
      {where} and dataset_id != "{held_out}"
keep: {{cells_per_type: 50, donors_per_type: 3}}
splits:
  - {{name: donors, by: donor, shares: {{train: 0.8, validation: 0.2}}}}
"""
FEWEST = 200
"""Cells of the data set that is left out."""
CONFIG = "epochs: {epochs}\ncells_per_epoch: {cells}\n"


def run(*command: str | Path, cwd: Path | None = None, times: int = 1) -> None:
    """Print a command and run it, up to so many times while a signal ends it."""
    print("$", shlex.join(map(str, command)), file=sys.stderr, flush=True)
    done = subprocess.run([str(word) for word in command], check=False, cwd=cwd)
    if done.returncode < 0 and times > 1:
        print(f"a signal ({-done.returncode}) ended it; once more", file=sys.stderr, flush=True)
        run(*command, cwd=cwd, times=times - 1)
    else:
        done.check_returncode()


def held_out(release: str, copy: Path | None, where: str, query: Path) -> str:
    """Write the cells of the smallest data set that has some hundred of them, and give its id."""
    options = {"census_version": release} if copy is None else {"uri": str(copy)}
    with cellxgene_census.open_soma(**options) as census:
        obs = cellxgene_census.get_obs(census, "homo_sapiens", value_filter=where, column_names=["dataset_id"])
        cells = obs["dataset_id"].astype(str).value_counts()
        chosen = str(cells[cells >= FEWEST].index[-1])
        only = f'{where} and dataset_id == "{chosen}"'
        adata = cellxgene_census.get_anndata(census, "homo_sapiens", obs_value_filter=only)
    adata.obs.index, adata.var.index = adata.obs.index.astype(str), adata.var.index.astype(str)
    adata.write_h5ad(query)
    return chosen


def main() -> None:
    """Read the command line and go through all steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--census", help="a release of the Census; a stand-in is made if none is given")
    parser.add_argument("--where", help="which cells, in the words of SOMA; of the Census the pancreas's if not given")
    parser.add_argument("--data", type=Path, help="real cells to make the stand-in of")
    parser.add_argument("--cells", type=int, default=3000, help="cells of the stand-in")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--cells-per-epoch", type=int, default=8192)
    args = parser.parse_args()
    out, spoticell = args.output, Path(sys.executable).with_name("spoticell")
    out.mkdir(parents=True, exist_ok=True)
    stand_in: list[str | Path] = []
    if args.census is None:
        source = ["--data", args.data.resolve()] if args.data else ["--synthetic"]
        make = [sys.executable, "-m", "scripts.stand_ins.census", (out / "stand-in").resolve()]
        run(*make, *source, "--cells", str(args.cells), cwd=ROOT)
        stand_in = ["--from", out / "stand-in"]
    copy = out / "stand-in" / "census" if args.census is None else None
    release = args.census or "2025-11-08"
    asked = args.where or ("tissue_general == 'pancreas'" if args.census else "assay != 'Smart-seq2'")
    where = f"is_primary_data == True and {asked}"
    chosen = held_out(release, copy, where, out / "query.h5ad")
    (out / "recipe.yaml").write_text(RECIPE.format(release=release, where=where, held_out=chosen))
    (out / "config.yaml").write_text(CONFIG.format(epochs=args.epochs, cells=args.cells_per_epoch))
    # tiledbsoma has crashed now and then; the same command goes on where it was
    run(spoticell, "prepare", out / "recipe.yaml", "-o", out / "store", *stand_in, times=3)
    run(spoticell, "train", "--data-dir", out / "store", "--output-dir", out / "model", "--config", out / "config.yaml")
    bundle = out / "model" / "best_model_f1"
    run(spoticell, "annotate", out / "query.h5ad", "-o", out / "named.h5ad", "--bundle", bundle, "--overwrite")
    run(spoticell, "evaluate", out / "named.h5ad", "--label-column", "cell_type_ontology_term_id")


if __name__ == "__main__":
    main()
