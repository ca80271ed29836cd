"""Write small stand-ins of the seven data sets that Spoticell began with, to try the recipe ``spoticell68`` offline.

    python -m scripts.stand_ins.originals OUT --data "$SPOTICELL_DATA"
    spoticell prepare spoticell68 --from OUT -o corpora/spoticell68

The files are called and laid out as CELLxGENE's: counts in ``raw``, logarithms in ``X``, Ensembl ids, columns of its
schema.  Types that the recipe keeps and types that it doesn't, healthy tissue and disease, all occur.  Cells are real
or drawn; where no cell of a type is at hand, others are labelled so, hence nothing about cells follows.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from scipy import sparse
from scripts.stand_ins.cells import ASSAYS, DATASETS, DISEASES, Pool, pool_of

from spoticell.biology.genes import load_vocabulary
from spoticell.biology.ontology import load_ontology
from spoticell.corpus.original import OriginalDataset, original_datasets
from spoticell.keys import LABEL, UNKNOWN

NOT_KEPT = ("CL:0000169", "CL:0000127", UNKNOWN)
"""Types that the recipe keeps of none of the seven."""
DONORS = 8


def one_pool(data: Path | None) -> Pool:
    """Give the cells of all data sets of the stand-in Census together."""
    pools = [pool_of(dataset, data) for dataset in DATASETS if dataset.copy_of is None]
    counts_ng = sparse.csr_array(sparse.vstack([pool.counts_ng for pool in pools], format="csr"))
    return Pool(counts_ng, pd.concat([pool.obs for pool in pools], ignore_index=True))


def make(original: OriginalDataset, pool: Pool, cells: int, seed: int) -> anndata.AnnData:
    """Make one data set: every type in turn, every fourth cell diseased."""
    rng, ontology, vocabulary = np.random.default_rng(seed), load_ontology(), load_vocabulary()
    types = [*sorted(original.terms), *NOT_KEPT]
    term_k = [types[k % len(types)] for k in range(cells)]
    row_k = np.zeros(cells, dtype=np.int64)
    for term in types:
        alike = np.flatnonzero([label != UNKNOWN and term in ontology.ancestors(label) for label in pool.obs[LABEL]])
        chosen_k = np.array([label == term for label in term_k])
        row_k[chosen_k] = rng.choice(alike if len(alike) else len(pool.obs), chosen_k.sum())
    number_k = np.arange(cells) // len(types)
    disease_k = np.where(number_k % 4 == 3, "breast cancer", "normal")
    obs = pd.DataFrame(
        {
            "assay": "10x 3' v2",
            "assay_ontology_term_id": ASSAYS["10x 3' v2"],
            "cell_type": [UNKNOWN if term == UNKNOWN else ontology.name(term) for term in term_k],
            LABEL: term_k,
            "disease": disease_k,
            "disease_ontology_term_id": [DISEASES[disease] for disease in disease_k],
            "donor_id": [f"donor {number % DONORS + 1}" for number in number_k],
            "is_primary_data": True,
            "tissue": "blood",
            "tissue_type": "tissue",
        },
        index=[f"{original.name.split()[0]}-{k}" for k in range(cells)],
    )
    var = pd.DataFrame(
        {"feature_name": list(vocabulary.symbols), "feature_reference": "NCBITaxon:9606"}, index=list(vocabulary.ids)
    )
    counts = sparse.csr_matrix(pool.counts_ng[row_k])
    counted = anndata.AnnData(counts, obs=obs, var=var)
    scale_k = 1e4 / np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1)
    logs = sparse.csr_matrix(sparse.diags(scale_k) @ counts).log1p().astype(np.float32)
    adata = anndata.AnnData(logs, obs=obs, var=var)
    adata.raw = counted
    return adata


def main(arguments: Sequence[str] | None = None) -> None:
    """Write all seven."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder for the files")
    parser.add_argument("--data", type=Path, help="folder with real cells in train/, as SPOTICELL_DATA")
    parser.add_argument("--synthetic", action="store_true", help="draw cells by a seed; no data is needed")
    parser.add_argument("--cells", type=int, default=1000, help="cells of each data set")
    given = parser.parse_args(arguments)
    if given.synthetic == (given.data is not None):
        parser.error("give either --data or --synthetic")
    given.out.mkdir(parents=True, exist_ok=True)
    pool = one_pool(given.data)
    for seed, original in enumerate(original_datasets()):
        adata = make(original, pool, given.cells, seed)
        adata.write_h5ad(given.out / original.file_name)
        print(f"{given.out / original.file_name}: {original.name}, {adata.n_obs:,} cells")


if __name__ == "__main__":
    main()
