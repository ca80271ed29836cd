"""How many mixed cells are found, and how many others are marked.

    python -m benchmarks.accuracy.mixed_cells --save mixed_cells

Into each set doublets are put, one cell in twenty: sums of two cells of different broad types, by the authors' labels,
of whose counts 50 to 100 % are kept.  Sets without labels take the model's sure answers for theirs.  The rule of
``annotation.mixed`` is fitted on the sets for training, each scored by a rule fitted on the others; the rule that is
shipped is scored on the development tests, which its numbers weren't fitted on.  With ``--peer`` Scrublet stands beside
it, as Scanpy has it, with as many cells marked.  Cells that were doublets before count as singlets, so precision is a
lower bound.
Axes: ``n`` cells, ``f`` signs.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from benchmarks.lib.answering import answer_together, open_runtime, relatives_in_sample, with_bundles
from benchmarks.lib.saving import save_result
from benchmarks.lib.studies import Cells, read_aligned
from spoticell.annotation.first_blocks import first_block
from spoticell.annotation.looks import kept_of
from spoticell.annotation.mixed import BOUND, OFFSET, READS, SIGNS, WEIGHTS, MixedFinder
from spoticell.annotation.options import Options
from spoticell.api import annotate
from spoticell.biology.ontology import load_ontology
from spoticell.biology.sample import cell_keys
from spoticell.biology.sketch import Sketch
from spoticell.io import open_cells
from spoticell.io.aligned import read_counts
from spoticell.io.findings import SAMPLE, inspect
from spoticell.keys import UNKNOWN
from spoticell.model.runtime import Runtime

SHARE, FEWEST, SURE = 0.05, 20, 0.8
"""Share of cells that are made, how many at least, and the score from which an answer stands for a label."""
TRAIN = (
    "train/pbmc3k_10x",
    "train/baron_human1",
    "train/wu2021_breast_cid4465",
    "train/zheng2017_sorted_scminer",
    "train/zheng2017_sorted_mudan",
    "more/train/delorey2021_lung_covid_scarches_gated",
    "more/train/he2020_liver_curatedatlas",
    "more/train/kanemaru2023_heart_san_transcriptformer",
    "more/train/ding2020_pbmc_scp424_mangiola",
    "more/train/ica2019_pbmc_scp345_mangiola",
    "more/train/ventotormo2018_decidua_947lr_scmatchmaker",
    "unlabelled/combat2022_blood_6donors_unlabelled_scdapp",
    "unlabelled/hao2021_pbmc_unlabelled_speck",
)
TEST = (
    "test/kang2018_ifnb_pbmc",
    "test/moncada2020_pdac_cardspa",
    "test/gierahn2017_seqwell_liger",
    "test/he2020_marrow_421genes_ref",
    "test/mimitou2019_eccite_pbmc_citefuse",
    "test/cosmx_nsclc_960_profast",
    "more/test/stewart2019_kidneyimmune_ktplotspy",
    "more/test/tenx_pbmc4k_soupx",
    "more/test/aizarani2019_liver_atlasaverages",
    "more/test/koenig2022_heart_1589lr_popcomm",
)
"""Sets of molecules with cells of several broad types."""
PURE = (
    ("train/zheng2017_sorted_scminer", "sorted one type at a time"),
    ("train/zheng2017_sorted_mudan", "sorted one type at a time"),
    ("train/darmanis2015_brain", "Fluidigm C1, reads"),
    ("more/train/enge2017_pancreas_atlasaverages", "Smart-seq2, reads"),
    ("more/train/xin2016_islet_pp_delta_busseq", "Fluidigm C1, reads"),
    ("more/train/zanini2018_blood_atlasaverages", "Smart-seq2, reads"),
    ("more/test/segerstolpe2016_pancreas_1064genes_galaxy", "Smart-seq2, reads"),
    ("more/test/villani2017_dc_859genes_sciber", "sorted dendritic cells, Smart-seq2"),
    ("more/test/tcells_1011genes_compocyte", "T cells"),
    ("test/tian2019_celllines_mixology", "cell lines, CEL-seq2 and Drop-seq"),
)
"""Sets with next to no doublets of two types, as they are."""


@dataclass(frozen=True)
class Judged:
    """The signs and marks of the cells of one set."""

    name: str
    is_made_n: NDArray[np.bool_]
    sign_nf: NDArray[np.float64]
    looked_n: NDArray[np.bool_]
    pair_n: NDArray[np.object_]
    """The likeliest pair of each cell, in words."""
    true_n: NDArray[np.object_]
    """Both types of each made cell, as terms of their names."""
    marked_n: NDArray[np.bool_]
    """What is shipped says, platelets among it."""
    peer_n: NDArray[np.bool_] | None = None

    def chance(self, weight_f: NDArray[np.floating], offset: float) -> NDArray[np.float64]:
        """Score the cells by a rule."""
        chance_n: NDArray[np.float64] = 1 / (1 + np.exp(-(self.sign_nf @ weight_f + offset)))
        return np.where(self.looked_n, chance_n, 0)

    def figures(self, marked_n: NDArray[np.bool_]) -> tuple[float, float, float]:
        """Give precision, were one in twenty made, recall, and how many others are marked."""
        recall, false = marked_n[self.is_made_n].mean(), marked_n[~self.is_made_n].mean()
        true = SHARE * recall
        return true / max(true + (1 - SHARE) * false, 1e-9), float(recall), float(false)


def broad_names(term_n: NDArray[np.object_]) -> NDArray[np.object_]:
    """Name the broad type of each term, or ``unknown``."""
    ontology = load_ontology()
    broad = [ontology.broad(term) for term in term_n]
    return np.array([ontology.name(term) if term in ontology else UNKNOWN for term in broad], dtype=object)


def with_doublets(cells: Cells, broad_n: NDArray[np.object_]) -> tuple[Cells, NDArray[np.object_]]:
    """Add doublets of two broad types; give the names of both types of each too, in alphabetical order."""
    rng, known = np.random.default_rng(0), np.flatnonzero(broad_n != UNKNOWN)
    wanted = max(round(len(cells) * SHARE), FEWEST)
    drawn = rng.choice(known, (40 * wanted, 2))
    drawn = drawn[broad_n[drawn[:, 0]] != broad_n[drawn[:, 1]]][:wanted]
    made_ng = sparse.csr_array(cells.counts_ng[drawn[:, 0]] + cells.counts_ng[drawn[:, 1]])
    caught = np.repeat(rng.uniform(0.5, 1, len(drawn)), np.diff(made_ng.indptr))
    made_ng.data = rng.binomial(np.rint(made_ng.data).astype(np.int64), caught).astype(np.float32)
    made_ng.eliminate_zeros()
    both_ng = sparse.csr_array(sparse.vstack([cells.counts_ng, made_ng], format="csr"))
    both_ng.sort_indices()
    names = np.array([" + ".join(sorted(broad_n[pair])) for pair in drawn], dtype=object)
    term_n = np.concatenate([cells.term_n, np.full(len(drawn), UNKNOWN, dtype=object)])
    return replace(cells, counts_ng=both_ng, term_n=term_n), names


def judge(cells: Cells, made: NDArray[np.object_], runtime: Runtime, *, peer: bool) -> Judged:
    """Look for mixed cells as ``annotate`` does."""
    prediction, options = runtime.predict(cells.counts_ng, cells.measured_g), Options(runtime.bundle)
    relatives = relatives_in_sample(prediction.probabilities_nm[cells.counts_n > 0], runtime.bundle)
    block = first_block(0, cells.counts_ng, prediction, options, relatives=relatives)
    some = np.argsort(cell_keys(cells.counts_ng), kind="stable")[:SAMPLE]
    few = cells.take(np.sort(some))
    said = runtime.predict(few.counts_ng, few.measured_g)
    sample = first_block(0, few.counts_ng, said, options, relatives=relatives)
    sketch = Sketch(few.counts_ng)
    finder = MixedFinder(sample, sketch, runtime, cells.measured_g)
    n = len(cells)
    is_made_n = np.arange(n) >= n - len(made)
    true_n = np.concatenate([np.full(n - len(made), "", dtype=object), made])
    nothing = np.zeros((n, len(SIGNS))), np.zeros(n, dtype=bool)
    if not finder.counts_molecules:
        return Judged(cells.name, is_made_n, *nothing, true_n, true_n, nothing[1])
    kept = kept_of(block, sketch)
    marked_n = finder(block, kept.sketch_nk, kept.key_n).pair_n >= 0
    if not finder.finds_pairs:
        return Judged(cells.name, is_made_n, *nothing, true_n, true_n, marked_n)
    sign_nf, pair_n, looked = finder.signs(block, kept.sketch_nk, kept.key_n)
    words = np.array([" + ".join(sorted(name.split(" + "))) for name in finder.names], dtype=object)
    looked_n = np.isin(np.arange(n), looked)
    peer_n = scrublet(cells, int(marked_n.sum())) if peer else None
    return Judged(cells.name, is_made_n, sign_nf, looked_n, words[pair_n], true_n, marked_n, peer_n)


def scrublet(cells: Cells, number: int) -> NDArray[np.bool_]:
    """Give as many cells, those that Scrublet scores highest."""
    import anndata  # noqa: PLC0415 - slow to load
    import scanpy as sc  # noqa: PLC0415 - slow to load

    adata = anndata.AnnData(cells.counts_ng[:, cells.measured_g])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sc.pp.filter_genes(adata, min_cells=3)
        sc.pp.scrublet(adata, random_state=0, threshold=1, verbose=False)
    best_n = np.argsort(-adata.obs["doublet_score"].to_numpy(), kind="stable")[:number]
    return np.isin(np.arange(len(cells)), best_n)


def fit(sets: Iterable[Judged]) -> tuple[NDArray[np.float64], float]:
    """Fit a rule, each set and in it the made and the others as heavy as if one in twenty were made."""
    sets = list(sets)
    sign_nf, made_n = (
        np.concatenate([getattr(one, name)[one.looked_n] for one in sets]) for name in ("sign_nf", "is_made_n")
    )
    weights = [
        np.where(one.is_made_n, SHARE / one.is_made_n.sum(), (1 - SHARE) / (~one.is_made_n).sum()) for one in sets
    ]
    weight_n = np.concatenate([weight[one.looked_n] for one, weight in zip(sets, weights, strict=True)])
    found = LogisticRegression(C=10, max_iter=2000).fit(sign_nf, made_n, sample_weight=weight_n / weight_n.mean())
    return found.coef_[0], float(found.intercept_[0])


def read(path: Path, runtime: Runtime) -> Cells:
    """Read a set; the model's sure answers stand for labels that it lacks."""
    try:
        return read_aligned(path, runtime.bundle.vocabulary)
    except KeyError:
        with open_cells(path) as source:
            found = inspect(source, runtime.bundle.vocabulary)
            counts_ng = read_counts(source, found)
        nothing = np.full(counts_ng.shape[0], UNKNOWN, dtype=object)
        cells = Cells(path.stem, counts_ng, found.match.measured_g, nothing)
        said = answer_together(cells, runtime)
        return replace(cells, term_n=np.where(said.score_n > SURE, said.term_n, UNKNOWN))


def judged(data: Path, names: Sequence[str], runtime: Runtime, *, peer: bool) -> Iterator[Judged]:
    """Judge the cells of sets into which doublets are put."""
    for name in names:
        cells = read(data / f"{name}.h5ad", runtime)
        yield judge(*with_doublets(cells, broad_names(cells.term_n)), runtime, peer=peer)
        print(name, file=sys.stderr, flush=True)


def untouched(data: Path, runtime: Runtime) -> Iterator[str]:
    """Give rows of a table: what is marked in sets that have next to no doublets."""
    for name, kind in PURE:
        cells = read(data / f"{name}.h5ad", runtime)
        found = judge(cells, np.array([], dtype=object), runtime, peer=False)
        yield f"| {cells.name} | {kind} | {len(cells):,} | {found.marked_n.mean():.1%} |"


def platelets(data: Path, runtime: Runtime) -> str:
    """Say how many cells of Kang 2018 that the authors call megakaryocytes have a platelet by our marks."""
    annotation = annotate(data / f"{TEST[0]}.h5ad", model=runtime.bundle, on_progress=False)
    with open_cells(data / f"{TEST[0]}.h5ad") as source:
        own_n = source.obs()["cell_type"].astype(str).to_numpy() == "Mk"
    stuck_n = annotation.mixed.words().astype(str) if annotation.mixed is not None else np.array([])
    stuck_n = np.array([word.endswith("platelet") for word in stuck_n])
    other_n = own_n & ~np.isin(annotation.names_n, ["platelet", "megakaryocyte"])
    return (
        f"Of Kang's {own_n.sum()} megakaryocytes {other_n.sum()} are named as another type, and "
        f"{(stuck_n & other_n).sum()} of these are marked as that with a platelet; of the {(~own_n).sum():,} "
        f"other cells {(stuck_n & ~own_n).sum()} are."
    )


def table(sets: Sequence[tuple[Judged, NDArray[np.bool_]]], *, peer: bool) -> Iterator[str]:
    """Give the rows of a table, and their mean."""
    yield "| | made | precision | recall | others marked | both types named |" + (
        " Scrublet, as many: precision | recall | others |" if peer else ""
    )
    yield "|---|---|---|---|---|---|" + ("---|---|---|" if peer else "")
    rows = []
    for one, marked_n in sets:
        hit_n = marked_n & one.is_made_n
        pair = float((one.pair_n[hit_n] == one.true_n[hit_n]).mean()) if hit_n.any() else float("nan")
        row = [*one.figures(marked_n), pair]
        if peer:
            row += [float("nan")] * 3 if one.peer_n is None else one.figures(one.peer_n)
        rows.append(row)
        yield f"| {one.name} | {one.is_made_n.sum()} | " + _cells(row)
    yield f"| mean | {sum(one.is_made_n.sum() for one, _ in sets)} | " + _cells(np.nanmean(rows, axis=0))


def _cells(row: Iterable[float]) -> str:
    percent = (2, 6)
    return (
        " | ".join(
            "–" if np.isnan(x) else f"{x:.1%}" if place in percent else f"{x:.2f}" for place, x in enumerate(row)
        )
        + " |"
    )


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    with_bundles(parser)
    parser.add_argument("--peer", action="store_true", help="ask Scrublet too")
    args = parser.parse_args()
    runtime = open_runtime(args.bundles[0], args.threads)
    test = list(judged(args.data, TEST, runtime, peer=args.peer))
    train = list(judged(args.data, TRAIN, runtime, peer=False))
    weight_f, offset = fit(train)
    told = ", ".join(f"{name} {weight:.3f}" for name, weight in zip(SIGNS, weight_f, strict=True))
    shipped = ", ".join(f"{name} {weight:.3f}" for name, weight in zip(SIGNS, WEIGHTS, strict=True))
    held = [(one, one.chance(*fit(other for other in train if other is not one)) >= BOUND) for one in train]
    own = [(one, one.chance(np.array(WEIGHTS), OFFSET) >= BOUND) for one in test]
    lines = [
        f"Precision is that of a sample in which {SHARE:.0%} are made; bound {BOUND}.",
        "",
        f"Fitted: {told}, offset {offset:.3f}. Shipped: {shipped}, offset {OFFSET:.3f}.",
        "",
        "## Sets for training, each by a rule fitted on the others",
        "",
        *table(held, peer=False),
        "",
        "## Development tests, by what is shipped",
        "",
        *table(own, peer=args.peer),
        "",
        "## Sets as they are, which have next to no doublets of two types",
        "",
        f"Where cells have more than {READS:,} counts in the median nothing is marked.",
        "",
        "| | | cells | marked |",
        "|---|---|---|---|",
        *untouched(args.data, runtime),
        "",
        "## Platelets",
        "",
        platelets(args.data, runtime),
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Mixed cells", lines)


if __name__ == "__main__":
    main()
