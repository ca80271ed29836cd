"""Training cells without some types and some data sets, for the benchmarks of what a model doesn't know.

    python -m benchmarks.lib.fewer_cells CELLS FEWER --types CL:0000625 CL:0000236 --sets pbmc3k_10x

Copies a folder of labelled cells; cells of the types and of their subtypes are left out, and whole data sets.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path

import anndata

from spoticell.biology.ontology import load_ontology
from spoticell.keys import LABEL


def is_below(term: str, types: Collection[str]) -> bool:
    """Say whether a term is one of the types or below one."""
    ontology = load_ontology()
    return term in ontology and not ontology.ancestors(term).isdisjoint(types)


def copy_without(cells: Path, fewer: Path, *, types: Collection[str], sets: Collection[str]) -> None:
    """Copy the data sets of a folder, without some of them and without cells of some types and their subtypes."""
    fewer.mkdir(parents=True)
    for path in sorted(cells.glob("*.h5ad")):
        if path.stem in sets:
            continue
        whole = anndata.read_h5ad(path)
        kept = whole[[not is_below(term, types) for term in whole.obs[LABEL].astype(str)]]
        if kept.n_obs:
            kept.write_h5ad(fewer / path.name, compression="gzip")
        print(f"{path.stem}: {kept.n_obs:,} of {whole.n_obs:,} cells")


def main() -> None:
    """Read the command line and copy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cells", type=Path)
    parser.add_argument("fewer", type=Path)
    parser.add_argument("--types", nargs="*", default=[], metavar="TERM", help="leave these out, and subtypes")
    parser.add_argument("--sets", nargs="*", default=[], metavar="NAME", help="leave these data sets out")
    args = parser.parse_args()
    copy_without(args.cells, args.fewer, types=args.types, sets=args.sets)


if __name__ == "__main__":
    main()
