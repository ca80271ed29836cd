"""A bundle small enough to make by hand, and cells whose answers are known beforehand."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import anndata
import numpy as np
import onnx
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings
from onnx import TensorProto, helper, numpy_helper
from scipy import sparse
from tests.chromium import browser  # noqa: F401 - a fixture

from spoticell.biology.genes import Vocabulary, load_vocabulary
from spoticell.biology.ontology import load_ontology, reach_matrix
from spoticell.model.bundle import Bundle, load_bundle, write_genes, write_manifest

GRID = 155
FINGERPRINT = 8
N_GENES = 200

MARKERS = {
    "CL:0000236": ("MS4A1", "CD79A", "CD79B", "CD19"),  # B cell
    "CL:0000624": ("CD4", "IL7R", "CCR7", "LEF1"),  # CD4-positive, alpha-beta T cell
    "CL:0000625": ("CD8A", "CD8B", "GZMK", "CCL5"),  # CD8-positive, alpha-beta T cell
    "CL:0000623": ("GNLY", "NKG7", "KLRD1", "NCAM1"),  # natural killer cell
    "CL:0001054": ("CD14", "LYZ", "S100A8", "S100A9"),  # CD14-positive monocyte
    "CL:0000057": ("COL1A1", "COL1A2", "DCN", "LUM"),  # fibroblast
}
"""Labels of the tiny bundle, each with the genes that its network reads."""


# no test measures time: the machine may be busy with other things
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# a rule that holds with these libraries is only looked for in others: pytest --hypothesis-profile brief
settings.register_profile("brief", settings.get_profile("patient"), max_examples=15)
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("NO_COLOR", "1")
    os.environ["SPOTICELL_MODELS"] = os.devnull  # whoever runs the tests may have pulled models
    # what a shell starts in the background is deaf to what ends it, and so are its children; tests need them to hear
    for name, hears in (
        ("SIGINT", signal.default_int_handler),
        ("SIGQUIT", signal.SIG_DFL),
        ("SIGHUP", signal.SIG_DFL),
    ):
        number = getattr(signal, name, None)  # not every system has all of them
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, hears)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Put the rows of bad inputs that a test is about into its id; docs/inputs.md lists them."""
    for mark in metafunc.definition.iter_markers("rows"):
        metafunc.fixturenames.append("rows_of_the_list")
        metafunc.parametrize("rows_of_the_list", [mark.args], ids=["-".join(f"row-{row:02d}" for row in mark.args)])


@pytest.fixture(autouse=True)
def unheard() -> Iterator[None]:
    """Leave the library's logger as it was: commands settle how much of it is heard."""
    logger = logging.getLogger("spoticell")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of real cells; tests that need it are skipped where it isn't."""
    folder = Path(os.environ.get("SPOTICELL_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (folder / "test").is_dir():
        pytest.skip(f"no real cells in {folder}; set SPOTICELL_DATA")
    return folder


def tiny_vocabulary() -> Vocabulary:
    """All marker genes and others from all over the genome, in genomic order."""
    full = load_vocabulary()
    markers = [full.by_symbol[gene] for genes in MARKERS.values() for gene in genes]
    others = np.setdiff1d(np.arange(len(full)), markers)
    others = np.random.default_rng(1).choice(others, N_GENES - len(markers), replace=False)
    chosen = sorted([*markers, *others.tolist()])
    return Vocabulary(*(tuple(column[i] for i in chosen) for column in (full.ids, full.symbols, full.chromosomes)))


def tiny_graph(vocabulary: Vocabulary, reach_cm: np.ndarray) -> onnx.ModelProto:
    """Square roots of unit length, one weight a marker, softmax over labels, summed up the ontology."""
    weight_gc = np.zeros((len(vocabulary), len(MARKERS)), dtype=np.float32)
    for c, genes in enumerate(MARKERS.values()):
        weight_gc[[vocabulary.by_symbol[gene] for gene in genes], c] = 12
    mix_gd = np.random.default_rng(7).normal(size=(len(vocabulary), FINGERPRINT)).astype(np.float32)
    constants = {"weight": weight_gc, "mix": mix_gd, "reach": reach_cm.astype(np.float32), "tiny": np.float32([1e-6])}
    steps = [
        ("Mul", ["counts_ng", "measured_g"], "known"),
        ("Sqrt", ["known"], "root"),
        ("ReduceL2", ["root"], "length"),
        ("Max", ["length", "tiny"], "safe"),
        ("Div", ["root", "safe"], "unit"),
        ("MatMul", ["unit", "weight"], "logits"),
        ("Softmax", ["logits"], "label_probabilities"),
        ("MatMul", ["label_probabilities", "reach"], "probabilities_nm"),
        ("MatMul", ["unit", "mix"], "mixed"),
        ("ReduceL2", ["mixed"], "mixed_length"),
        ("Max", ["mixed_length", "tiny"], "mixed_safe"),
        ("Div", ["mixed", "mixed_safe"], "fingerprint_nd"),
    ]
    options = {"ReduceL2": {"axes": [1], "keepdims": 1}, "Softmax": {"axis": 1}}
    nodes = [helper.make_node(kind, inputs, [output], **options.get(kind, {})) for kind, inputs, output in steps]
    g, m = len(vocabulary), reach_cm.shape[1]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "tiny",
        [value("counts_ng", TensorProto.FLOAT, ["n", g]), value("measured_g", TensorProto.FLOAT, [g])],
        [
            value("fingerprint_nd", TensorProto.FLOAT, ["n", FINGERPRINT]),
            value("probabilities_nm", TensorProto.FLOAT, ["n", m]),
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def write_tiny_bundle(folder: Path) -> Path:
    """Make the tiny bundle in a new folder."""
    folder.mkdir(parents=True)
    vocabulary, ontology = tiny_vocabulary(), load_ontology()
    nodes, reach_cm = reach_matrix(list(MARKERS), ontology)
    onnx.save(tiny_graph(vocabulary, reach_cm), folder / "model.onnx")
    write_genes(folder, vocabulary, pixel_g=np.random.default_rng(3).permutation(GRID**2)[: len(vocabulary)])
    write_manifest(
        folder,
        name="tiny",
        date="2026-01-01",
        licence="MIT",
        description="Made by hand for tests: one weight a marker gene.",
        grid=GRID,
        fingerprint_size=FINGERPRINT,
        labels=list(MARKERS),
        nodes=nodes,
        ontology_version=ontology.version,
        temperature=1.0,
        threshold=0.5,
        sources=[{"name": "nothing", "licence": "none", "cells": 0}],
        figures={"tiny": {"macro_f1": 1.0}},
    )
    return folder


@pytest.fixture(scope="session")
def tiny_bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the tiny bundle; tests that change files must copy it first."""
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="session")
def tiny_bundle(tiny_bundle_folder: Path) -> Bundle:
    """The tiny bundle: 200 genes, six labels, a network whose answers follow from `MARKERS`."""
    return load_bundle(tiny_bundle_folder)


def tiny_adata(*, per_type: int = 5, seed: int = 0) -> anndata.AnnData:
    """Cells of each of the tiny bundle's types and, last, one cell without any count."""
    rng = np.random.default_rng(seed)
    vocabulary = tiny_vocabulary()
    terms = [term for term in MARKERS for _ in range(per_type)]
    counts_nv = rng.poisson(0.3, size=(len(terms) + 1, len(vocabulary))).astype(np.float32)
    for row, term in enumerate(terms):
        counts_nv[row, [vocabulary.by_symbol[gene] for gene in MARKERS[term]]] += rng.poisson(
            60, size=len(MARKERS[term])
        )
    counts_nv[-1] = 0
    obs = pd.DataFrame(
        {
            "cell_type_ontology_term_id": pd.Categorical([*terms, "unknown"]),
            "batch": ["a", "b"] * (len(terms) // 2) + ["a"],
        },
        index=[f"cell-{row}" for row in range(len(terms) + 1)],
    )
    var = pd.DataFrame({"gene_id": list(vocabulary.ids)}, index=list(vocabulary.symbols))
    return anndata.AnnData(sparse.csr_matrix(counts_nv), obs=obs, var=var)


@pytest.fixture(scope="session")
def make_tiny_cells() -> Callable[..., anndata.AnnData]:
    """`tiny_adata`, for tests that need cells of several studies."""
    return tiny_adata


@pytest.fixture(scope="session")
def tiny_markers() -> frozenset[str]:
    """Genes that the tiny bundle's network reads."""
    return frozenset(gene for genes in MARKERS.values() for gene in genes)


@pytest.fixture
def tiny_cells() -> anndata.AnnData:
    """Thirty cells of six types and an empty one, 200 genes, counts in X."""
    return tiny_adata()


@pytest.fixture
def vague_cells(tiny_cells: anndata.AnnData) -> anndata.AnnData:
    """`tiny_cells`, each of which has about as much of every gene, and so of every type."""
    mean_v = np.where(np.arange(tiny_cells.n_vars) % 2, 9, 3)
    counts_nv = np.random.default_rng(0).poisson(mean_v, size=tiny_cells.shape).astype(np.float32)
    tiny_cells.X = sparse.csr_matrix(counts_nv)
    return tiny_cells


@pytest.fixture(scope="session")
def tiny_answers() -> list[str]:
    """Terms that the tiny bundle answers for `tiny_cells`."""
    return [term for term in MARKERS for _ in range(5)] + ["unknown"]


@pytest.fixture
def tiny_h5ad(tmp_path: Path, tiny_cells: anndata.AnnData) -> Path:
    """`tiny_cells` in a file."""
    path = tmp_path / "cells.h5ad"
    tiny_cells.write_h5ad(path)
    return path
