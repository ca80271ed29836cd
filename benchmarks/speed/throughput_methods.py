"""What throughput compares: each method's command for a file of cells and where its names go.

The others' scripts do what their users would, with a model of as many labels as ours: how it was trained costs no time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

LINEAR = """
import sys, anndata, numpy as np, pandas as pd
from scipy import sparse
cells = anndata.read_h5ad(sys.argv[1])
counts = sparse.csr_matrix(cells.X)
counts.data = np.log1p(counts.data * np.repeat(1e4 / counts.sum(axis=1).A1, np.diff(counts.indptr))).astype(np.float32)
weights = np.random.default_rng(0).normal(size=(counts.shape[1], 371)).astype(np.float32)
label = np.concatenate([(counts[s : s + 4096] @ weights).argmax(axis=1) for s in range(0, counts.shape[0], 4096)])
pd.Series(label, index=cells.obs_names).to_csv(sys.argv[2])
"""
"""A linear model of as many labels, its weights at random: how it was trained costs no time."""

NEIGHBOURS = """
import sys, anndata, numpy as np, pandas as pd
from scipy import sparse
from sklearn.neighbors import KNeighborsClassifier
cells = anndata.read_h5ad(sys.argv[1])
counts = sparse.csr_matrix(cells.X)
counts.data = np.log1p(counts.data * np.repeat(1e4 / counts.sum(axis=1).A1, np.diff(counts.indptr))).astype(np.float32)
rng = np.random.default_rng(0)
components = (rng.normal(size=(counts.shape[1], 50)) / 100).astype(np.float32)
place = np.concatenate([counts[s : s + 4096] @ components for s in range(0, counts.shape[0], 4096)])
reference = rng.normal(0, place.std(), size=(29_000, 50)).astype(np.float32)
voters = KNeighborsClassifier(15).fit(reference, rng.integers(0, 371, 29_000))
pd.Series(voters.predict(place), index=cells.obs_names).to_csv(sys.argv[2])
"""
"""Principal components and the votes of as many reference cells as the packaged index has."""

CELLTYPIST = """
import sys, warnings
warnings.simplefilter("ignore")
import anndata, celltypist, numpy as np, scanpy
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
cells = anndata.read_h5ad(sys.argv[1])
scanpy.pp.normalize_total(cells, target_sum=1e4)
scanpy.pp.log1p(cells)
rng, genes, labels = np.random.default_rng(0), cells.var_names.to_numpy()[:20_000], 371
model = LogisticRegression()
model.classes_ = np.array([f"type {number}" for number in range(labels)])
model.coef_, model.intercept_ = rng.normal(0, 0.01, (labels, len(genes))), np.zeros(labels)
model.features, model.n_features_in_ = genes, len(genes)
scaler = StandardScaler()
scaler.mean_, scaler.var_, scaler.scale_ = np.zeros(len(genes)), np.ones(len(genes)), np.ones(len(genes))
scaler.n_features_in_ = len(genes)
model = celltypist.models.Model(model, scaler, {"date": "", "details": "", "number_celltypes": labels})
celltypist.annotate(cells, model=model).predicted_labels.to_csv(sys.argv[2])
"""
"""CellTypist's own way from counts to names, each cell by itself, with a model of as many labels and 20,000 genes."""

ACTINN = """
import sys, anndata, actinn_jax
cells = anndata.read_h5ad(sys.argv[1])
model = actinn_jax.bundled_reference("panhuman_distill_v1", quiet=True)
model.predict_frame(cells)[0].to_csv(sys.argv[2])
"""
"""The model that actinn-jax ships with."""

Command = Callable[[Path, Path], list[str]]


def methods(peers: str | None) -> dict[str, Command]:
    """Give each method's command for a file and where its names go."""

    def spoticell(*options: str, ending: str = "csv") -> Command:
        start = [sys.executable, "-m", "spoticell", "annotate"]
        return lambda cells, out: [*start, str(cells), "-o", f"{out}.{ending}", "--overwrite", *options]

    index = [sys.executable, "-m", "spoticell", "index", "build"]

    def script(python: str, text: str) -> Command:
        return lambda cells, out: [python, "-c", text, str(cells), f"{out}.csv"]

    found = {
        "Spoticell": spoticell(),
        "Spoticell, each cell alone": spoticell("--each-cell-alone"),
        "Spoticell, human-v1-dual": spoticell("--model", "human-v1-dual"),
        "Spoticell, human-v1-dual, each cell alone": spoticell("--model", "human-v1-dual", "--each-cell-alone"),
        "Spoticell, to h5ad": spoticell(ending="h5ad"),
        "Spoticell, an index of them": lambda cells, out: [*index, str(cells), "-o", str(out)],
        "sparse linear model": script(sys.executable, LINEAR),
        "components and neighbours": script(sys.executable, NEIGHBOURS),
    }
    if peers is not None:
        found |= {"CellTypist": script(peers, CELLTYPIST), "actinn-jax": script(peers, ACTINN)}
    return found
