"""Forms in which people write the names of genes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.genes import load_vocabulary, match_genes


@dataclass(frozen=True)
class Table:
    """Cells to be written: values, the names of cells and genes, and columns about genes.

    Axes: ``n`` cells, ``v`` genes.
    """

    values_nv: NDArray[np.float64]
    cells: list[str]
    genes: list[str]
    columns: dict[str, list[str]] = field(default_factory=dict)


Names = Callable[[Table], Table]


def ensembl(symbols: list[str]) -> list[str]:
    """Give the id of each gene; those that Spoticell doesn't know get ids that it doesn't know either."""
    vocabulary = load_vocabulary()
    target_v = match_genes({"index": symbols}, vocabulary).target_v
    return [vocabulary.ids[gene] if gene >= 0 else f"ENSG{9 * 10**10 + v}" for v, gene in enumerate(target_v)]


def previous(symbols: list[str]) -> list[str]:
    """Give every fifth gene a name that it had before, where one means this gene alone and no other bears it."""
    vocabulary, there = load_vocabulary(), set(symbols)
    old: dict[int, str] = {}
    for name, genes in vocabulary.aliases.items():
        known = len(genes) == 1 and genes[0] >= 0
        if known and name not in vocabulary.exact and name not in there and not name.startswith("ENSG"):
            old.setdefault(genes[0], name)
    return [
        old.get(vocabulary.by_symbol.get(symbol, -1), symbol) if v % 5 == 0 else symbol
        for v, symbol in enumerate(symbols)
    ]


def renamed(table: Table, genes: list[str]) -> Table:
    """Give the genes other names."""
    return replace(table, genes=genes)


def repeated(table: Table) -> Table:
    """Split the counts of every fiftieth gene over two columns, with names made unique as AnnData does."""
    chosen = np.arange(0, len(table.genes), 50)
    half_nv = table.values_nv[:, chosen] // 2
    rest_nv = table.values_nv.copy()
    rest_nv[:, chosen] -= half_nv
    genes = [*table.genes, *(f"{table.genes[v]}-1" for v in chosen)]
    return replace(table, values_nv=np.concatenate([rest_nv, half_nv], axis=1), genes=genes)


def in_a_column(table: Table) -> Table:
    """Give the genes numbers for names, and keep their ids in a column."""
    ids = ensembl(table.genes)
    return Table(table.values_nv, table.cells, [str(v) for v in range(len(ids))], {"gene_ids": ids})


NAMES: dict[str, Names] = {
    "symbols": lambda table: table,
    "Ensembl ids": lambda table: renamed(table, ensembl(table.genes)),
    "ids with versions": lambda table: renamed(table, [f"{gene}.{len(gene) % 3 + 7}" for gene in ensembl(table.genes)]),
    "prefix": lambda table: renamed(table, [f"GRCh38_{gene}" for gene in table.genes]),
    "suffix": lambda table: renamed(table, [f"{gene}_hg38" for gene in table.genes]),
    "SYMBOL|ENSG": lambda table: renamed(
        table, [f"{gene}|{name}" for gene, name in zip(table.genes, ensembl(table.genes), strict=True)]
    ),
    "lower case": lambda table: renamed(table, [gene.lower() for gene in table.genes]),
    "previous symbols": lambda table: renamed(table, previous(table.genes)),
    "made unique": repeated,
    "ids in a column": in_a_column,
}
"""Plain symbols first."""
