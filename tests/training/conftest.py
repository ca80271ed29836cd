"""A few labelled cells of made-up types that a network can learn in seconds."""

from collections.abc import Callable, Sequence
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

pytest.importorskip("torch", reason="training needs torch: pip install '.[train]'")

from spoticell.biology.genes import load_vocabulary
from spoticell.corpus.block import ASSAY, DATASET, DISEASE, TISSUE, LabelledBlock
from spoticell.corpus.store.writer import StoreWriter
from spoticell.keys import DONOR, LABEL
from spoticell.training.config import AugmentConfig, NetworkConfig, TrainConfig
from spoticell.training.data.labelled import read_labelled

TYPES = ("CL:0000084", "CL:0000236", "CL:0000576")


def labelled_adata(
    *, seed: int, n_cells: int = 60, n_genes: int = 400, types: Sequence[str] = TYPES
) -> anndata.AnnData:
    """Cells of some types, each with genes of its own that are ten times as strong."""
    rng = np.random.default_rng(seed)
    genes = np.random.default_rng(9).choice(len(load_vocabulary()), n_genes, replace=False)
    kind_n = np.arange(n_cells) % len(types)
    rate_ng = np.full((n_cells, n_genes), 0.3)
    for kind in range(len(types)):
        rate_ng[np.ix_(kind_n == kind, range(kind * 40, kind * 40 + 40))] = 5
    obs = pd.DataFrame(
        {
            "cell_type_ontology_term_id": [types[kind] for kind in kind_n],
            "donor_id": [f"d{n % 3}" for n in range(n_cells)],
        },
        index=[f"c{n}" for n in range(n_cells)],
    )
    var = pd.DataFrame(index=np.array(load_vocabulary().ids)[genes])
    return anndata.AnnData(sparse.csr_matrix(rng.poisson(rate_ng).astype(np.float32)), obs=obs, var=var)


@pytest.fixture(scope="session")
def make_labelled() -> Callable[..., anndata.AnnData]:
    """`labelled_adata`, for tests that need other types."""
    return labelled_adata


@pytest.fixture(scope="session")
def labelled_folder(tmp_path_factory) -> Path:
    """Two data sets of 60 cells; the second has other genes and two cells without a label."""
    folder = tmp_path_factory.mktemp("labelled")
    labelled_adata(seed=0).write_h5ad(folder / "first.h5ad")
    second = labelled_adata(seed=1)[:, 50:].copy()
    terms = second.obs["cell_type_ontology_term_id"].astype(str).to_numpy()
    terms[:2] = ["unknown", ""]
    second.obs["cell_type_ontology_term_id"] = terms
    second.write_h5ad(folder / "second.h5ad")
    return folder


@pytest.fixture(scope="session")
def small_config() -> TrainConfig:
    """A training of seconds."""
    return TrainConfig(
        network=NetworkConfig(
            layout="random", stem_channels=2, cell_token=8, width=16, heads=2, fusion=(16, 16), fingerprint=8
        ),
        augment=AugmentConfig(smallest_panel=0.3),
        batch_size=16,
        cells_per_epoch=112,
        epochs=3,
        learning_rate=0.01,
        threshold=0.3,
    )


@pytest.fixture(scope="session")
def labelled_store(tmp_path_factory, labelled_folder) -> Path:
    """The cells of `labelled_folder` in a store of small shards, donors called by their data set."""
    folder = tmp_path_factory.mktemp("stores") / "labelled"
    cells = read_labelled(labelled_folder, load_vocabulary())
    with StoreWriter(folder, load_vocabulary(), recipe={"name": "labelled"}, shard_cells=25) as writer:
        for position, name in enumerate(cells.datasets):
            own = cells.take(cells.dataset_n == position)
            table = pd.DataFrame(
                {
                    LABEL: own.label_n,
                    DATASET: name,
                    DONOR: [f"{name}/{donor}" for donor in own.donor_n],
                    ASSAY: "10x 3' v3",
                    TISSUE: "blood",
                    DISEASE: "normal",
                },
                index=[f"{name}-{n}" for n in range(len(own))],
            )
            rows = np.arange(len(own))
            writer.add(name, LabelledBlock(own.counts_ng, table, rows, len(own), {name: cells.measured_sg[position]}))
            writer.close_source(name, {})
        return writer.finish({})
