"""Pretrained classifiers of others, kept as plain arrays: what they say of cells, as terms of the Cell Ontology.

A teacher is a file of arrays, ``NAME.npz`` (never a pickle), beside ``NAME.json``, which says what its classes mean.
Two kinds are read: votes between pairs of classes (perigee), and small networks in two stages, the group first and
then the type within it (actinn-jax).
Axes: ``n`` cells, ``g`` genes of the vocabulary, ``v`` genes of the teacher, ``k`` its classes, ``j`` their groups,
``p`` pairs of classes, ``t`` terms.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.peers.panhuman import Teaching, TooFewGenesError
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import softmax

from spoticell.biology.genes import Vocabulary, match_genes
from spoticell.biology.ontology import load_ontology

FEWEST = 0.25
"""Share of its genes that a teacher needs measured."""

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Teacher:
    """A pretrained classifier.

    Attributes
    ----------
    genes
        Names of its genes.
    terms
        Terms of its classes.
    move_kt
        Which class is which term; a class may be none.
    decide
        Gives the probability of each class, ``(n, k)``, for counts of its genes, ``(n, v)``.
    """

    genes: tuple[str, ...]
    terms: tuple[str, ...]
    move_kt: NDArray[np.float32]
    decide: Callable[[NDArray[np.float32]], NDArray[np.float32]]

    def teach(self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_], vocabulary: Vocabulary) -> Teaching:
        """Give the probability of each term for cells aligned to a vocabulary.

        Raises
        ------
        TooFewGenesError
            If less than `FEWEST` of the teacher's genes are measured.
        """
        target_v = match_genes({"gene": self.genes}, vocabulary, min_genes=1).target_v
        known_v = (target_v >= 0) & measured_g[target_v]
        if known_v.mean() < FEWEST:
            raise TooFewGenesError(f"{known_v.mean():.0%} of the teacher's genes are measured.")
        counts_nv = np.zeros((counts_ng.shape[0], len(self.genes)), dtype=np.float32)
        counts_nv[:, known_v] = counts_ng[:, target_v[known_v]].toarray()
        return Teaching(self.terms, self.decide(counts_nv) @ self.move_kt)


def read_teacher(folder: Path, name: str) -> Teacher:
    """Read a teacher by its name."""
    about = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
        arrays = dict(file)
    decide, genes = (votes, "genes") if "pairs" in arrays else (two_stages, "genes_ensembl")
    ontology = load_ontology()
    term_k = [ontology.resolve_label(about["class_to_cl"].get(name, "")) for name in arrays["classes"].tolist()]
    terms = tuple(sorted({term for term in term_k if term}))
    return Teacher(
        tuple(arrays[genes].tolist()),
        terms,
        np.array([[term == own for own in terms] for term in term_k], dtype=np.float32),
        lambda counts_nv: decide(arrays, counts_nv, tau=about["tau"]),
    )


def votes(arrays: Arrays, counts_nv: NDArray[np.float32], *, tau: float) -> NDArray[np.float32]:
    """Tell each pair of classes apart by the cosine with a direction of its own, and count the pairs that a class wins.

    Genes that aren't measured have no part in the cosine, as those that aren't seen.
    """
    pairs = arrays["pairs"]
    place = (arrays["gene_index"], arrays["pair_index"])
    weight_vp = sparse.csr_array((arrays["weight"], place), (counts_nv.shape[1], len(pairs)))
    log_nv = np.log1p(counts_nv)
    length_np = np.sqrt(log_nv**2 @ (weight_vp != 0).astype(np.float32))
    cosine_np = (log_nv @ weight_vp) / np.maximum(length_np, 1e-12)
    won_nk = np.zeros((len(log_nv), len(arrays["classes"])), dtype=np.float32)
    for p, (first, second) in enumerate(pairs):
        won_nk[:, first] += cosine_np[:, p] > arrays["threshold_high"][p]
        won_nk[:, second] += cosine_np[:, p] < arrays["threshold_low"][p]
    return softmax(won_nk / tau, axis=1)


def two_stages(arrays: Arrays, counts_nv: NDArray[np.float32], *, tau: float) -> NDArray[np.float32]:
    """Choose the group by one network, and the class within it by the group's own."""
    log_nv = np.log2(1 + 1e4 * counts_nv / np.maximum(counts_nv.sum(axis=1, keepdims=True), 1))
    group_nj = softmax(_network(arrays, log_nv, "coarse") / tau, axis=1)
    column = {name: k for k, name in enumerate(arrays["classes"].tolist())}
    chance_nk = np.zeros((len(log_nv), len(column)), dtype=np.float32)
    for j, group in enumerate(arrays["groups"].tolist()):
        if (key := f"fine_{group}_classes") in arrays:
            columns = [column[name] for name in arrays[key].tolist()]
            # a class that is alone in its group has no network
            share = softmax(_network(arrays, log_nv, f"fine_{group}") / tau, axis=1) if len(columns) > 1 else 1
            chance_nk[:, columns] += group_nj[:, [j]] * share
    return chance_nk


def _network(arrays: Arrays, log_nv: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """Give the logits of one of the small networks, whose first layer is kept as whole numbers of a step."""
    hidden = log_nv[:, arrays[f"{name}_select_idx"]]
    last = sum(key.startswith(f"{name}_b") for key in arrays)
    for layer in range(1, last + 1):
        key = f"{name}_W{layer}"
        weight = arrays[key] if key in arrays else arrays[f"{key}_q"] * arrays[f"{key}_step"]
        hidden = hidden @ weight.astype(np.float32) + arrays[f"{name}_b{layer}"].astype(np.float32)
        if layer < last:
            hidden = np.maximum(hidden, 0)
    return hidden
