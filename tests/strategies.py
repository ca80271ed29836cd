"""Hypothesis strategies for what data sets hold: gene names, good and bad, and counts."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scipy import sparse

from spoticell.biology.genes import load_vocabulary


def gene_ids() -> st.SearchStrategy[str]:
    """An Ensembl id of the packaged vocabulary."""
    return st.sampled_from(load_vocabulary().ids)


def gene_symbols() -> st.SearchStrategy[str]:
    """A symbol of the packaged vocabulary."""
    return st.sampled_from(load_vocabulary().symbols)


def odd_names() -> st.SearchStrategy[object]:
    """Anything that has been found where a gene name should be."""
    awkward = st.sampled_from(
        [
            "",
            " ",
            "\0",
            "nan",
            "-1",
            ".1",
            "-",
            "ENSG",
            "ENSG00000000000",
            "ENSG_",
            "GRCh38_",
            "X",
            "1-",
            "🧬",
            "é\u202e",
            "=1+1",
        ]
    )
    return st.one_of(st.none(), st.floats(), st.integers(), st.binary(max_size=20), st.text(max_size=40), awkward)


def gene_lists(*, max_size: int = 120) -> st.SearchStrategy[list[object]]:
    """Names of a data set: known ones, odd ones, repeats."""
    return st.lists(st.one_of(gene_ids(), gene_symbols(), odd_names()), min_size=1, max_size=max_size)


@st.composite
def counts(draw: st.DrawFn, *, max_cells: int = 12, max_genes: int = 40) -> sparse.csr_array:
    """Counts with empty cells, empty genes and a heavy tail, float32, canonical."""
    n, v = draw(st.integers(0, max_cells)), draw(st.integers(1, max_genes))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return cells_like_real_ones(rng, n=n, v=v, depth=draw(st.sampled_from((3, 30, 300))))


def cells_like_real_ones(rng: np.random.Generator, *, n: int, v: int, depth: float) -> sparse.csr_array:
    """Counts of ``n`` cells over ``v`` genes: depths and genes vary as they do in real cells, many values are zero."""
    gene_v = rng.gamma(0.15, size=v) + 1e-6
    depth_n = depth * rng.lognormal(sigma=0.4, size=n)
    counts_nv = rng.poisson(depth_n[:, None] * (gene_v / gene_v.sum()) * rng.gamma(2, 0.5, size=(n, v)))
    return sparse.csr_array(counts_nv.astype(np.float32))
