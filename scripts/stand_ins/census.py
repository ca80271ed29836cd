"""Write a small stand-in of the CELLxGENE Census, with its layout and schema (2.4.0), to try recipes without network.

    python -m scripts.stand_ins.census OUT --data "$SPOTICELL_DATA" --cells 20000

writes ``OUT/census`` and ``OUT/earlier``, an earlier release that lacks some data sets and is small; each opens with
``cellxgene_census.open_soma(uri=...)``.  With ``--synthetic`` no data is needed.  What is made up about the cells is
said in ``cells.py``.  Needs the extra ``census``.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import tiledbsoma as soma
from scipy import sparse
from scripts.stand_ins.cells import ASSAYS, DATASETS, DISEASES, TISSUES, Dataset, blocks, pool_of, shares

from spoticell.biology.genes import load_vocabulary
from spoticell.biology.ontology import load_ontology
from spoticell.keys import DONOR, LABEL, UNKNOWN

RELEASE, EARLIER = "2025-11-08", "2023-12-15"
EARLIER_CELLS = 1000
UNCODED = {"MALAT1": "ENSG00000251562", "NEAT1": "ENSG00000245532", "XIST": "ENSG00000229807"}
"""Genes of the Census that the vocabulary lacks, without counts here."""
TEXT = [
    "dataset_id",
    "assay",
    "assay_ontology_term_id",
    "cell_type",
    "cell_type_ontology_term_id",
    "development_stage",
    "development_stage_ontology_term_id",
    "disease",
    "disease_ontology_term_id",
    "donor_id",
    "self_reported_ethnicity",
    "self_reported_ethnicity_ontology_term_id",
    "sex",
    "sex_ontology_term_id",
    "suspension_type",
    "tissue",
    "tissue_ontology_term_id",
    "tissue_type",
    "tissue_general",
    "tissue_general_ontology_term_id",
]
"""Columns about cells that hold one of a few words."""
COUNTED = {
    "cell_type": "cell_type_ontology_term_id",
    "assay": "assay_ontology_term_id",
    "tissue": "tissue_ontology_term_id",
    "tissue_general": "tissue_general_ontology_term_id",
    "disease": "disease_ontology_term_id",
    "self_reported_ethnicity": "self_reported_ethnicity_ontology_term_id",
    "sex": "sex_ontology_term_id",
    "suspension_type": None,
}
X_SETTINGS = {
    "tiledb": {
        "create": {
            "capacity": 2**16,
            "dims": {
                "soma_dim_0": {"tile": 2048, "filters": [{"_type": "ZstdFilter", "level": 3}]},
                "soma_dim_1": {"tile": 2048, "filters": ["ByteShuffleFilter", {"_type": "ZstdFilter", "level": 3}]},
            },
            "attrs": {"soma_data": {"filters": ["ByteShuffleFilter", {"_type": "ZstdFilter", "level": 3}]}},
            "cell_order": "row-major",
            "tile_order": "row-major",
            "allows_duplicates": True,
        }
    }
}


@dataclass
class Written:
    """What is known of the matrix so far."""

    n_genes: int
    tables: list[pd.DataFrame] = field(default_factory=list)
    seen_dg: list[np.ndarray] = field(default_factory=list)
    """Genes with a count in each data set."""
    nnz_g: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.nnz_g = np.zeros(self.n_genes, dtype=np.int64)

    @property
    def cells(self) -> int:
        """Cells so far."""
        return sum(map(len, self.tables))


def features() -> pd.DataFrame:
    """Genes of the stand-in, in an order that is nobody's; lengths are made up."""
    vocabulary = load_vocabulary()
    ids, names = [*vocabulary.ids, *UNCODED.values()], [*vocabulary.symbols, *UNCODED]
    order = np.random.default_rng(2).permutation(len(ids))
    kinds = np.array(["protein_coding"] * len(vocabulary) + ["lncRNA"] * len(UNCODED), dtype=object)
    return pd.DataFrame(
        {
            "soma_joinid": np.arange(len(ids)),
            "feature_id": np.array(ids, dtype=object)[order],
            "feature_name": np.array(names, dtype=object)[order],
            "feature_type": kinds[order],
            "feature_length": np.random.default_rng(3).integers(500, 5000, len(ids)),
        }
    )


def cell_table(
    dataset: Dataset, obs: pd.DataFrame, counts_kv: sparse.csr_array, first: int, number: int
) -> pd.DataFrame:
    """Give all columns of the Census's schema about some cells, the ``number``-th of their data set and on."""
    ontology, source = load_ontology(), dataset.copy_of or dataset.name
    tissue_term, general, general_term = TISSUES[dataset.tissue]
    nnz_k, sum_k = np.diff(counts_kv.indptr), np.asarray(counts_kv.sum(axis=1), dtype=np.float64)
    square_k = np.asarray(counts_kv.power(2).sum(axis=1), dtype=np.float64)
    mean_k = sum_k / np.maximum(nnz_k, 1)
    marks = [hashlib.sha256(f"{source} {number + k}".encode()).hexdigest()[:10] for k in range(len(obs))]
    return pd.DataFrame(
        {
            "soma_joinid": np.arange(first, first + len(obs)),
            "dataset_id": dataset.id,
            "assay": dataset.assay,
            "assay_ontology_term_id": ASSAYS[dataset.assay],
            "cell_type": [UNKNOWN if term == UNKNOWN else ontology.name(term) for term in obs[LABEL]],
            "cell_type_ontology_term_id": obs[LABEL],
            "development_stage": "adult stage",
            "development_stage_ontology_term_id": "HsapDv:0000258",
            "disease": obs["disease"],
            "disease_ontology_term_id": obs["disease"].map(DISEASES),
            "donor_id": obs[DONOR],
            "is_primary_data": dataset.copy_of is None,
            "observation_joinid": marks,
            "self_reported_ethnicity": UNKNOWN,
            "self_reported_ethnicity_ontology_term_id": UNKNOWN,
            "sex": UNKNOWN,
            "sex_ontology_term_id": UNKNOWN,
            "suspension_type": "cell",
            "tissue": dataset.tissue,
            "tissue_ontology_term_id": tissue_term,
            "tissue_type": "tissue",
            "tissue_general": general,
            "tissue_general_ontology_term_id": general_term,
            "raw_sum": sum_k,
            "nnz": nnz_k.astype(np.int64),
            "raw_mean_nnz": mean_k,
            "raw_variance_nnz": np.maximum(square_k / np.maximum(nnz_k, 1) - mean_k**2, 0),
        }
    )


def write_matrix(
    layer: soma.SparseNDArray, var: pd.DataFrame, chosen: Sequence[Dataset], sizes: dict[str, int], data: Path | None
) -> Written:
    """Write the counts of all data sets, and give the tables about them."""
    written, by_id = Written(len(var)), load_vocabulary().by_id
    column_g = np.zeros(len(by_id), dtype=np.int64)
    for column, gene in enumerate(var["feature_id"]):
        if gene in by_id:
            column_g[by_id[gene]] = column
    for dataset in chosen:
        cells, seen_g, number = sizes[dataset.name], np.zeros(len(var), dtype=np.bool_), 0
        for counts_kg, obs in blocks(dataset, pool_of(dataset, data), cells):
            entries = counts_kg.tocoo()
            row, column = entries.row.astype(np.int64) + written.cells, column_g[entries.col]
            columns = {"soma_dim_0": row, "soma_dim_1": column, "soma_data": entries.data}
            layer.write(pa.table(columns))
            written.nnz_g += np.bincount(column, minlength=len(var))
            seen_g[column] = True
            written.tables.append(cell_table(dataset, obs, counts_kg, written.cells, number))
            number += len(obs)
        written.seen_dg.append(seen_g)
    return written


def frame(parent: soma.Collection, name: str, table: pd.DataFrame, words: Sequence[str] = ()) -> None:
    """Write a data frame; columns of words are enumerated, as in the Census."""
    table = table.astype(dict.fromkeys(words, "category"))
    fields = []
    for column, kind in table.dtypes.items():
        if column in words:
            arrow: pa.DataType = pa.dictionary(pa.int16(), pa.large_string())
        else:
            arrow = pa.large_string() if kind.kind == "O" else pa.from_numpy_dtype(kind)
        fields.append(pa.field(str(column), arrow))
    schema = pa.schema(fields)
    made = parent.add_new_dataframe(
        name, schema=schema, index_column_names=["soma_joinid"], domain=[(0, max(len(table) - 1, 0))]
    )
    made.close()
    with soma.DataFrame.open(made.uri, "w") as opened:  # what the parent opened has its time, too early for the words
        opened.write(pa.Table.from_pandas(table, schema=schema, preserve_index=False))


def write_census(
    folder: Path, chosen: Sequence[Dataset], sizes: dict[str, int], release: str, data: Path | None
) -> int:
    """Write one release, and give its number of cells."""
    var, total = features(), sum(sizes[dataset.name] for dataset in chosen)
    with soma.Collection.create(str(folder)) as census:
        info = census.add_new_collection("census_info")
        human = census.add_new_collection("census_data").add_new_collection("homo_sapiens", soma.Experiment)
        rna = human.add_new_collection("ms").add_new_collection("RNA", soma.Measurement)
        layers = rna.add_new_collection("X")
        shape = (total, len(var))
        raw = layers.add_new_sparse_ndarray("raw", type=pa.float32(), shape=shape, platform_config=X_SETTINGS)
        written = write_matrix(raw, var, chosen, sizes, data)
        obs = pd.concat(written.tables, ignore_index=True)
        measured = dict(
            zip((dataset.id for dataset in chosen), (int(seen.sum()) for seen in written.seen_dg), strict=True)
        )
        obs["n_measured_vars"] = obs["dataset_id"].map(measured).astype(np.int64)
        frame(human, "obs", obs, TEXT)
        cells_d = np.array([sizes[dataset.name] for dataset in chosen])
        seen_dv = np.stack(written.seen_dg)
        frame(rna, "var", var.assign(nnz=written.nnz_g, n_measured_obs=cells_d @ seen_dv))
        presence = rna.add_new_sparse_ndarray(
            "feature_dataset_presence_matrix", type=pa.bool_(), shape=(len(chosen), len(var))
        )
        rows, columns = np.nonzero(seen_dv)
        presence.write(
            pa.table({"soma_dim_0": rows, "soma_dim_1": columns, "soma_data": np.ones(len(rows), dtype=bool)})
        )
        frame(info, "summary", summary(obs, release))
        frame(info, "datasets", dataset_table(chosen, sizes))
        frame(info, "summary_cell_counts", cell_counts(obs), ("organism", "category"))
        frame(info, "organisms", organisms())
    return total


def numbered(table: pd.DataFrame) -> pd.DataFrame:
    """Put the join id first."""
    table.insert(0, "soma_joinid", np.arange(len(table)))
    return table


def summary(obs: pd.DataFrame, release: str) -> pd.DataFrame:
    """Say what the release is."""
    known = obs[~obs["donor_id"].isin([UNKNOWN, "pooled"])]
    said = {
        "census_schema_version": "2.4.0",
        "census_build_date": release,
        "dataset_schema_version": "7.0.0",
        "total_cell_count": str(len(obs)),
        "unique_cell_count": str(int(obs["is_primary_data"].sum())),
        "number_donors_homo_sapiens": str(len(known[["dataset_id", "donor_id"]].drop_duplicates())),
    }
    return numbered(pd.DataFrame({"label": list(said), "value": list(said.values())}, dtype=object))


def dataset_table(chosen: Sequence[Dataset], sizes: dict[str, int]) -> pd.DataFrame:
    """Say which data sets there are."""
    rows = [
        {
            "citation": "a stand-in, nothing to cite",
            "collection_id": dataset.collection_id,
            "collection_name": dataset.collection,
            "collection_doi": "",
            "collection_doi_label": "",
            "dataset_id": dataset.id,
            "dataset_version_id": dataset.id,
            "dataset_title": dataset.name,
            "dataset_h5ad_path": f"{dataset.id}.h5ad",
            "dataset_total_cell_count": sizes[dataset.name],
        }
        for dataset in chosen
    ]
    return numbered(pd.DataFrame(rows))


def cell_counts(obs: pd.DataFrame) -> pd.DataFrame:
    """Count cells by the columns that the Census counts by."""
    parts = [pd.DataFrame({"category": ["all"], "label": "na", "ontology_term_id": "na", "all": [len(obs)]})]
    parts[0]["primary"] = obs["is_primary_data"].sum()
    for category, term in COUNTED.items():
        keys = obs[category].to_frame("label").assign(ontology_term_id="na" if term is None else obs[term])
        grouped = obs["is_primary_data"].groupby([keys["label"], keys["ontology_term_id"]]).agg(["size", "sum"])
        parts.append(grouped.set_axis(["all", "primary"], axis=1).reset_index().assign(category=category))
    table = pd.concat(parts, ignore_index=True).rename(
        columns={"all": "total_cell_count", "primary": "unique_cell_count"}
    )
    table.insert(0, "organism", "Homo sapiens")
    return numbered(table.astype({"total_cell_count": np.int64, "unique_cell_count": np.int64}))


def organisms() -> pd.DataFrame:
    """Say of which organisms there are cells."""
    return numbered(
        pd.DataFrame(
            {
                "organism_ontology_term_id": ["NCBITaxon:9606"],
                "organism_label": ["Homo sapiens"],
                "organism": ["homo_sapiens"],
            }
        )
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Write both releases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder that gets 'census' and 'earlier'; they must not be there")
    parser.add_argument("--data", type=Path, help="folder with real cells in train/, as SPOTICELL_DATA")
    parser.add_argument("--synthetic", action="store_true", help="draw cells by a seed; no data is needed")
    parser.add_argument("--cells", type=int, default=20_000, help="cells of the later release, about")
    given = parser.parse_args(arguments)
    if given.synthetic == (given.data is not None):
        parser.error("give either --data or --synthetic")
    given.out.mkdir(parents=True, exist_ok=True)
    before = [dataset for dataset in DATASETS if not dataset.later]
    few = min(given.cells, EARLIER_CELLS)
    for name, chosen, release, size in (("census", DATASETS, RELEASE, given.cells), ("earlier", before, EARLIER, few)):
        cells = write_census(given.out / name, chosen, shares(size), release, given.data)
        print(f"{given.out / name}: release {release}, {cells:,} cells of {len(chosen)} data sets")


if __name__ == "__main__":
    main()
