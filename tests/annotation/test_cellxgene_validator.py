"""CELLxGENE's own validator takes what ``annotate --cellxgene`` writes.

It has libraries of its own, so it lies in an environment of its own, which ``scripts/check_cellxgene.sh`` makes.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import spoticell
from spoticell import keys
from spoticell.biology.genes import load_vocabulary

ROOT = Path(__file__).parents[2]
VALIDATOR = Path(os.environ.get("SPOTICELL_CELLXGENE", ROOT / ".venv-cellxgene")) / "bin" / "cellxgene-schema"
DEMO = ROOT / "src" / "spoticell" / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not VALIDATOR.is_file(), reason="scripts/check_cellxgene.sh fetches CELLxGENE's validator"),
]


def validated(path: Path, *words: str) -> tuple[bool, list[str]]:
    """Whether the validator takes a file, and what it calls errors."""
    command = [str(VALIDATOR), "validate", str(path), *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    said = (ended.stdout + ended.stderr).splitlines()
    return ended.returncode == 0, [line for line in said if line.startswith("ERROR")]


def submission() -> anndata.AnnData:
    """Real blood cells as the schema wants them, but for their types."""
    demo, vocabulary = anndata.read_h5ad(DEMO), load_vocabulary()
    known = [name in vocabulary.by_symbol for name in demo.var_names]
    counts_nv = sparse.csr_matrix(demo.X[:, known].astype(np.float32))
    genes = [vocabulary.ids[vocabulary.by_symbol[name]] for name in demo.var_names[known]]
    obs = pd.DataFrame(index=demo.obs_names)
    for column, value in {
        "assay_ontology_term_id": "EFO:0009899",
        "development_stage_ontology_term_id": "unknown",
        "disease_ontology_term_id": "PATO:0000461",
        "donor_id": "donor A",
        "self_reported_ethnicity_ontology_term_id": "unknown",
        "sex_ontology_term_id": "PATO:0000384",
        "suspension_type": "cell",
        "tissue_ontology_term_id": "UBERON:0000178",
        "tissue_type": "tissue",
    }.items():
        obs[column] = pd.Categorical([value] * len(obs))
    obs["is_primary_data"] = False
    cells = anndata.AnnData(counts_nv, obs=obs, var=pd.DataFrame({"feature_is_filtered": False}, index=genes))
    cells.uns |= {"title": "Blood cells", "organism_ontology_term_id": "NCBITaxon:9606"}
    cells.obsm["X_pca"] = np.random.default_rng(0).normal(size=(len(obs), 2)).astype(np.float32)
    return cells


def test_the_validator_takes_what_was_written_and_names_the_types_alike(tmp_path):
    submission().write_h5ad(tmp_path / "cells.h5ad")
    named, labelled = tmp_path / "named.h5ad", tmp_path / "labelled.h5ad"
    spoticell.annotate(
        tmp_path / "cells.h5ad", named, cellxgene=True, groups="auto", index="human-v1", on_progress=False
    )
    assert validated(named, "--add-labels", str(labelled)) == (True, [])
    obs = anndata.read_h5ad(labelled).obs
    assert obs["cell_type"].nunique() > 5
    assert obs["cell_type"].astype(str).tolist() == obs["spoticell_cell_type"].astype(str).tolist()


def test_the_validator_looks_at_the_column(tmp_path):
    cells = submission()
    cells.obs[keys.LABEL] = pd.Categorical(["CL:0000255"] * cells.n_obs)
    cells.write_h5ad(tmp_path / "cells.h5ad")
    taken, errors = validated(tmp_path / "cells.h5ad")
    assert not taken
    assert len(errors) == 1
    assert "CL:0000255" in errors[0]
