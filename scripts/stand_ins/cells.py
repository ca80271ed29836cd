"""Cells for a stand-in of the Census: real ones of small published data sets, or ones drawn by a seed.

What is made up: donors where a data set names none, the disease of some donors, and, past the cells that there are,
further cells thinned from them.  A stand-in is for trying out filters, splits and speed; nothing about cells follows.
Axes: ``k`` cells of a block, ``g`` genes of the vocabulary.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from spoticell.biology.genes import load_vocabulary
from spoticell.io import open_cells
from spoticell.io.aligned import read_counts
from spoticell.io.findings import inspect
from spoticell.keys import DONOR, LABEL, UNKNOWN

BLOCK = 4096
ASSAYS = {
    "10x 3' v1": "EFO:0009901",
    "10x 3' v2": "EFO:0009899",
    "10x 3' v3": "EFO:0009922",
    "10x 5' v2": "EFO:0009900",
    "inDrop": "EFO:0008780",
    "Smart-seq2": "EFO:0008931",
}
TISSUES = {
    "blood": ("UBERON:0000178", "blood", "UBERON:0000178"),
    "breast": ("UBERON:0000310", "breast", "UBERON:0000310"),
    "cerebral cortex": ("UBERON:0000956", "brain", "UBERON:0000955"),
    "islet of Langerhans": ("UBERON:0000006", "pancreas", "UBERON:0001264"),
    "lymph node": ("UBERON:0000029", "lymph node", "UBERON:0000029"),
}
DISEASES = {
    "normal": "PATO:0000461",
    "breast cancer": "MONDO:0007254",
    "epilepsy": "MONDO:0005027",
    "lymphoma": "MONDO:0005062",
    "type 2 diabetes mellitus": "MONDO:0005148",
}
DRAWN_TYPES = (
    "CL:0000624",
    "CL:0000625",
    "CL:0000236",
    "CL:0000623",
    "CL:0001054",
    "CL:0000057",
    "CL:0000115",
    UNKNOWN,
)
"""Types of drawn cells; the last is for cells without a label."""


@dataclass(frozen=True)
class Dataset:
    """A data set of the stand-in."""

    name: str
    collection: str
    """Donors of one name are one person within it."""
    assay: str
    tissue: str
    disease: str = "normal"
    """Of every second donor; the others are healthy."""
    donors: int = 6
    """Fewest donors to make up."""
    later: bool = False
    """Whether only the later release has it."""
    copy_of: str | None = None
    """Data set whose first cells it shows again, not as primary data."""

    @property
    def id(self) -> str:
        """Its id, in the form of CELLxGENE's."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.name))

    @property
    def collection_id(self) -> str:
        """Id of its collection."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"collection {self.collection}"))


DATASETS = (
    Dataset("pbmc3k_10x", "blood by 10x", "10x 3' v1", "blood"),
    Dataset("zheng2017_sorted_scminer", "sorted blood", "10x 3' v1", "blood"),
    Dataset("zheng2017_sorted_mudan", "sorted blood", "10x 3' v1", "blood"),
    Dataset("baron_human1", "islets", "inDrop", "islet of Langerhans", "type 2 diabetes mellitus"),
    Dataset("darmanis2015_brain", "brain", "Smart-seq2", "cerebral cortex", "epilepsy"),
    Dataset("malt_tumour_citeseq_streak", "tumours", "10x 3' v3", "lymph node", "lymphoma"),
    Dataset("wu2021_breast_cid4465", "tumours of the breast", "10x 3' v2", "breast", "breast cancer", later=True),
    Dataset("pbmc10k_protein_v3_scvitest", "blood and its proteins", "10x 3' v3", "blood"),
    Dataset("tcell_citeseq_trex", "blood and its proteins", "10x 5' v2", "blood", later=True),
    Dataset("atlas_of_blood", "blood by 10x", "10x 3' v1", "blood", copy_of="pbmc3k_10x"),
)
"""Data sets of one collection share donors, some over two assays."""


@dataclass(frozen=True)
class Pool:
    """Cells to draw from."""

    counts_ng: sparse.csr_array
    obs: pd.DataFrame
    """Their label, and their donor, '' where nobody is named."""


@cache
def real_pool(dataset: Dataset, data: Path) -> Pool:
    """Read the cells of a data set."""
    with open_cells(data / "train" / f"{dataset.name}.h5ad") as source:
        counts_ng = read_counts(source, inspect(source, load_vocabulary()))
        obs = source.obs()
    named = DONOR in obs and obs[DONOR].nunique() > 1
    donor = obs[DONOR].astype(str) if named else pd.Series("", index=obs.index)
    return Pool(counts_ng, pd.DataFrame({LABEL: obs[LABEL].astype(str), DONOR: donor}).reset_index(drop=True))


def drawn_pool(dataset: Dataset, cells: int = 500) -> Pool:
    """Draw cells of a few types: counts of 600 genes of the vocabulary, of which each data set measures most."""
    genes = np.random.default_rng(0).choice(len(load_vocabulary()), 600, replace=False)
    weight_tv = np.random.default_rng(1).gamma(0.3, 1, size=(len(DRAWN_TYPES), len(genes)))
    rng = np.random.default_rng(uuid.UUID(dataset.id).int % 2**32)
    measured_v = rng.random(len(genes)) < 0.9
    type_n = rng.choice(len(DRAWN_TYPES), cells, p=(0.3, 0.2, 0.15, 0.12, 0.1, 0.06, 0.05, 0.02))
    counts_nv = sparse.csr_array(rng.poisson(weight_tv[type_n] * measured_v).astype(np.float32))
    place_vg = sparse.csr_array(
        (np.ones(len(genes)), (np.arange(len(genes)), genes)), (len(genes), len(load_vocabulary()))
    )
    obs = pd.DataFrame({LABEL: np.array(DRAWN_TYPES, dtype=object)[type_n], DONOR: ""})
    return Pool(sparse.csr_array((counts_nv @ place_vg).astype(np.float32)), obs)


def source_of(dataset: Dataset) -> Dataset:
    """Give the data set whose cells a copy shows again, or else the data set itself."""
    return next(other for other in DATASETS if other.name == (dataset.copy_of or dataset.name))


def pool_of(dataset: Dataset, data: Path | None) -> Pool:
    """Give the cells that a data set is made from: real ones of a folder, or drawn ones."""
    source = source_of(dataset)
    return drawn_pool(source) if data is None else real_pool(source, data)


def blocks(dataset: Dataset, pool: Pool, cells: int) -> Iterator[tuple[sparse.csr_array, pd.DataFrame]]:
    """Give counts and table of a data set's cells, some thousand at once.

    The first are those of the pool; when they are used up, they come again with part of their counts.
    """
    seed = uuid.UUID(source_of(dataset).id).int % 2**32
    donors = max(dataset.donors, cells // 250)
    for start in range(0, cells, BLOCK):
        rng = np.random.default_rng([seed, start])  # so that a copy thins as its source does
        number_k = np.arange(start, min(start + BLOCK, cells))
        row_k, again_k = number_k % len(pool.obs), number_k // len(pool.obs)
        counts_kg = sparse.csr_array(pool.counts_ng[row_k])
        share_k = np.where(again_k == 0, 1.0, rng.uniform(0.5, 1, BLOCK)[: len(row_k)])
        counts_kg.data = rng.binomial(counts_kg.data.astype(np.int64), np.repeat(share_k, np.diff(counts_kg.indptr)))
        counts_kg.eliminate_zeros()
        obs = pool.obs.iloc[row_k].reset_index(drop=True)
        made_up = [f"donor {number % donors + 1}" for number in number_k]
        obs[DONOR] = np.where(obs[DONOR] == "", made_up, obs[DONOR])
        sick_k = np.array([sum(donor.encode()) % 2 == 1 for donor in obs[DONOR]])
        obs["disease"] = np.where(sick_k, dataset.disease, "normal")
        obs.loc[number_k % 40 == 39, DONOR] = UNKNOWN
        yield counts_kg.astype(np.float32), obs


def shares(cells: int) -> dict[str, int]:
    """Say how many cells each data set gets: the first ones more."""
    weight = {dataset.name: 1 / (place + 2) for place, dataset in enumerate(DATASETS)}
    return {name: max(1, int(cells * part / sum(weight.values()))) for name, part in weight.items()}
