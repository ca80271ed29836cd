"""Training cells without some types and some data sets, for the benchmarks of what a model doesn't know.

    python benchmarks/fewer_cells.py CELLS FEWER --types CL:0000625 CL:0000236 --sets pbmc3k_10x

Copies a folder of labelled cells; cells of the types and of their subtypes are left out, and whole data sets.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path

import anndata

from spoticell.keys import LABEL
from spoticell.ontology import load_ontology


def is_below(term: str, types: Collection[str]) -> bool:
    """Say whether a term is one of the types or below one."""
    ontology = load_ontology()
    return term in ontology and not ontology.ancestors(term).isdisjoint(types)


def main() -> None:
    """Read the command line and copy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cells", type=Path)
    parser.add_argument("fewer", type=Path)
    parser.add_argument("--types", nargs="*", default=[], metavar="TERM", help="leave these out, and subtypes")
    parser.add_argument("--sets", nargs="*", default=[], metavar="NAME", help="leave these data sets out")
    args = parser.parse_args()
    args.fewer.mkdir(parents=True)
    for path in sorted(args.cells.glob("*.h5ad")):
        if path.stem in args.sets:
            continue
        cells = anndata.read_h5ad(path)
        kept = cells[[not is_below(term, args.types) for term in cells.obs[LABEL].astype(str)]]
        if kept.n_obs:
            kept.write_h5ad(args.fewer / path.name, compression="gzip")
        print(f"{path.stem}: {kept.n_obs:,} of {cells.n_obs:,} cells")


if __name__ == "__main__":
    main()
