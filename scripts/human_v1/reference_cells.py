"""Makes the index of reference cells that travels with a shipped bundle: fingerprints of labelled cells, no counts.

    python -m scripts.human_v1.reference_cells --data ../shared/data --bundle human-v1 \
        --output src/spoticell/data/references/human-v1

Cells are called by data set and position, their types by the Cell Ontology.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import anndata
import yaml

from spoticell.index.build import add_to_index, build_index, merge_indexes
from spoticell.index.folder.writer import LOCK
from spoticell.keys import LABEL

ROOT = Path(__file__).parents[2]


def nameless(path: Path, folder: Path) -> Path:
    """Write a copy of a data set that says nothing of its cells but their counts and terms."""
    cells = anndata.read_h5ad(path)
    cells.obs = cells.obs[[LABEL]].set_axis([f"{path.stem}-{number}" for number in range(cells.n_obs)])
    copy = folder / path.name
    cells.write_h5ad(copy)
    return copy


def main() -> None:
    """Read the command line and make the index."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--bundle", default="human-v1")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    references = yaml.safe_load((ROOT / "configs" / "human-v1-references.yaml").read_text())
    with tempfile.TemporaryDirectory() as temporary:
        grown = Path(temporary) / "grown"
        for facts in references:
            name = facts.pop("name")
            paths = (args.data / folder / f"{name}.h5ad" for folder in ("train", "more/train"))
            copy = nameless(next(path for path in paths if path.exists()), Path(temporary))
            put = add_to_index if grown.exists() else build_index
            intake = put(*((grown, copy) if grown.exists() else (copy, grown)), model=args.bundle, facts=facts)
            print(f"{name}: {intake.cells:,} cells")
        shutil.rmtree(args.output, ignore_errors=True)
        args.output.parent.mkdir(parents=True, exist_ok=True)
        merge_indexes([grown], args.output)
        (args.output / LOCK).unlink()
    print(f"wrote {args.output}")


if __name__ == "__main__":
    main()
