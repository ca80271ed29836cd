"""Makes training cells of types that are known by their markers only, and keeps those that the teacher agrees with.

    python -m scripts.human_v1.marker_cells --cells runs/human-v1/cells --markers configs/human-v1-markers.yaml

The base of each type is the mean of its label's cells in a data set of CELLS (see human_v1_cells.py); writes one
``markers_SOURCE.h5ad`` for each such data set, adds their numbers to ``cells.json`` beside CELLS, and writes
``markers.json`` there with what the teacher said.  The teacher never saw the lists of markers.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
from benchmarks.peers.panhuman import Panhuman
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.genes import Vocabulary, load_vocabulary
from spoticell.biology.ontology import Ontology, load_ontology
from spoticell.corpus.markers import MadeType, made_shares, mean_share, read_made_types, stand_in_share
from spoticell.corpus.profiles import Noise, Profiles, draw_cells
from spoticell.keys import DONOR, LABEL

DRAWN, KEPT = 150, 50
"""Cells drawn of a type, and most that are kept."""
AGREES = 0.3
"""Probability that the teacher gives to a type and its kin in a cell that is kept, unless its best term is of them."""
AGREED = 0.3
"""Share of a type's cells that must be kept; a type with less is left out."""
FEWEST = 8
"""Cells that a label needs to count for what types have in common."""
DONORS = 5
"""Parts that a type's cells are shared out to, as if they were donors."""


class Base:
    """The cells of a data set that made types start from."""

    def __init__(self, path: Path, vocabulary: Vocabulary) -> None:
        cells = anndata.read_h5ad(path)
        self.label_n = cells.obs[LABEL].astype(str).to_numpy()
        position_v = np.array([vocabulary.by_id[gene] for gene in cells.var_names])
        self.measured_g = np.zeros(len(vocabulary), dtype=np.bool_)
        self.measured_g[position_v] = True
        move_vg = sparse.csr_array(
            (np.ones(len(position_v)), (np.arange(len(position_v)), position_v)), (len(position_v), len(vocabulary))
        )
        self.counts_ng = sparse.csr_array(sparse.csr_array(cells.X) @ move_vg)

    def share(self, made: MadeType) -> NDArray[np.floating]:
        """Give the profile that a made type starts from."""
        if made.base not in self.label_n:
            raise SystemExit(f"There is no cell of {load_ontology().name(made.base)} to start from.")
        base_g = mean_share(self.counts_ng[np.flatnonzero(self.label_n == made.base)])
        return stand_in_share(base_g, self.common_g) if made.stand_in else base_g

    @cached_property
    def common_g(self) -> NDArray[np.floating]:
        """Median over labels of the share of each gene."""
        labels, counts = np.unique(self.label_n, return_counts=True)
        usual = labels[counts >= FEWEST]
        return np.median([mean_share(self.counts_ng[np.flatnonzero(self.label_n == label)]) for label in usual], axis=0)


def kin(term: str, terms: Sequence[str], ontology: Ontology) -> NDArray[np.bool_]:
    """Say which of the teacher's terms agree with a type.

    Those are the type and its subtypes, and terms above it: below its broad group where the teacher knows the type or
    a subtype, else up to the group.
    """
    below_t = np.array([term in ontology.ancestors(other) for other in terms])
    broad = ontology.broad(term)
    above = {other for other in ontology.ancestors(term) if broad in ontology.ancestors(other)}
    if below_t.any():
        above.discard(broad)
    return below_t | np.array([other in above for other in terms])


def drawn(made: MadeType, base: Base, vocabulary: Vocabulary, rng: np.random.Generator) -> sparse.csr_array:
    """Draw cells of a made type."""
    share_ng = made_shares(made, base.share(made), base.measured_g, DRAWN, vocabulary=vocabulary, rng=rng).astype(
        np.float32
    )
    names = tuple(str(n) for n in range(DRAWN))
    profiles = Profiles("made", names, share_ng, np.zeros_like(share_ng), base.measured_g)
    return draw_cells(profiles, np.arange(DRAWN), rng=rng, noise=Noise())


def write(path: Path, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_], label_n: Sequence[str]) -> None:
    """Write made cells with the genes of their base's data set."""
    donors = [f"{path.stem}-{n % DONORS}" for n in range(len(label_n))]
    obs = pd.DataFrame({LABEL: list(label_n), DONOR: donors}, index=[f"{path.stem}-{n}" for n in range(len(label_n))])
    var = pd.DataFrame(index=np.array(load_vocabulary().ids)[measured_g])
    counts = sparse.csr_matrix(counts_ng)[:, measured_g].astype(np.float32)
    anndata.AnnData(counts, obs=obs, var=var).write_h5ad(path, compression="gzip")


def agreement(
    made: MadeType, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_], teacher: Panhuman
) -> tuple[NDArray[np.bool_], NDArray[np.object_]]:
    """Say of which cells the teacher agrees with their type, and what it takes each for."""
    taught = teacher.teach(counts_ng, measured_g, load_vocabulary())
    kin_t = kin(made.type, taught.terms, load_ontology())
    best_n = taught.probabilities_nt.argmax(axis=1)
    agrees_n = kin_t[best_n] | (taught.probabilities_nt[:, kin_t].sum(axis=1) > AGREES)
    return agrees_n, np.array(taught.terms, dtype=object)[best_n]


def describe(made: MadeType, agrees_n: NDArray[np.bool_], best_n: NDArray[np.object_], kept: int) -> dict[str, Any]:
    """Give, and print, what the teacher said of a made type."""
    ontology = load_ontology()
    first = {ontology.name(term): count / len(best_n) for term, count in Counter(best_n).most_common(3)}
    said = {"agrees": float(agrees_n.mean()), "kept": kept, "takes it for": first}
    print(f"{ontology.name(made.type)}: {said}")
    return said


def make(cells: Path, source: str, types: Sequence[MadeType], teacher: Panhuman, seed: int) -> dict[str, Any]:
    """Make the types that start from one data set; give what the teacher said of each."""
    base = Base(cells / f"{source}.h5ad", load_vocabulary())
    kept, labels, said = [], [], {}
    for made in types:
        # a type's cells don't depend on the other types
        rng = np.random.default_rng([seed, int(made.type.removeprefix("CL:"))])
        counts_ng = drawn(made, base, load_vocabulary(), rng)
        agrees_n, best_n = agreement(made, counts_ng, base.measured_g, teacher)
        rows = np.flatnonzero(agrees_n)[:KEPT] if agrees_n.mean() >= AGREED else np.array([], dtype=np.intp)
        said[load_ontology().name(made.type)] = describe(made, agrees_n, best_n, len(rows))
        kept.append(counts_ng[rows])
        labels += [made.type] * len(rows)
    write(cells / f"markers_{source}.h5ad", sparse.vstack(kept, format="csr"), base.measured_g, labels)
    count(cells.parent / "cells.json", f"markers_{source}", len(labels))
    return said


def count(path: Path, name: str, n_cells: int) -> None:
    """Add a data set to the numbers of cells that human_v1_cells.py wrote."""
    sizes = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(sizes | {name: n_cells}, indent=1) + "\n")


def main() -> None:
    """Read the command line and make the cells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--markers", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    types, said = read_made_types(args.markers), {}
    teacher = Panhuman(better_terms=True)
    for source in sorted({made.source for made in types}):
        said |= make(args.cells, source, [made for made in types if made.source == source], teacher, args.seed)
    (args.cells.parent / "markers.json").write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main()
