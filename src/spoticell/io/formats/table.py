"""Tables of counts as text: csv, tsv, semicolons or spaces, gzipped or not, cells or genes on the rows.

A first pass reads the names of the rows, and by the names of rows and columns tells which
are genes.  Then the numbers are read a batch of lines at a time, and a spool turns the
table round where genes lie on the rows.
Axes: ``n`` cells, ``v`` genes of the data set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import FileFormatError
from spoticell.io.formats.features import choose_features, some_genes
from spoticell.io.formats.orient import FEW, gene_share, genes_lie_first, is_gene
from spoticell.io.formats.summaries import without_summaries
from spoticell.io.formats.textlayout import DELIMITERS, FIRST_LINES, Layout, find_layout, split
from spoticell.io.formats.texttable import Table, cut_name
from spoticell.io.storage.lines import lines
from spoticell.io.storage.matrix import Entries, SpooledMatrix
from spoticell.io.storage.room import check_cells, holds
from spoticell.io.storage.stored import StoredSource
from spoticell.io.storage.tree import text

FEWEST_COUNTED = 3
"""Columns of numbers that a line for a gene of a cell has at most."""
_NOT_COUNTS = frozenset(
    [
        "chr",
        "chrom",
        "chromosome",
        "start",
        "end",
        "strand",
        "length",
        "gene_length",
        "width",
        "entrez",
        "entrezid",
        "entrez_id",
        "entrezgene",
        "entrezgene_id",
        "entrez_gene_id",
        "ncbi_id",
        "ncbi_gene_id",
        "biotype",
        "gene_biotype",
        "n_counts",
        "n_genes",
        "ncount_rna",
        "nfeature_rna",
        "total_counts",
        "n_genes_by_counts",
        "total_umis",
        "n_umi",
        "numi",
        "ngene",
        "percent.mt",
        "percent_mt",
        "percent.mito",
        "percent_mito",
        "pct_counts_mt",
        "cluster",
        "clusters",
        "leiden",
        "louvain",
        "seurat_clusters",
        "label",
        "labels",
        "umap_1",
        "umap_2",
        "tsne_1",
        "tsne_2",
        "doublet_score",
        "s_score",
        "g2m_score",
        "s.score",
        "g2m.score",
        "size_factor",
    ]
)
"""Columns of numbers, in lower case, that tools put beside counts."""


class TableMatrix(SpooledMatrix):
    """The numbers of a table, seen as cells x genes; parsed once, then kept on disk."""

    def __init__(self, table: Table, *, genes_on_rows: bool) -> None:
        rows, columns = len(table.row_names), len(table.counts)
        super().__init__((columns, rows) if genes_on_rows else (rows, columns), where=(table.path.name, "table"))
        self._table, self._genes_on_rows = table, genes_on_rows
        self.n_entries = rows * columns // 4

    def entries(self) -> Iterator[Entries]:
        """Cells, genes and values, some lines at a time."""
        top = 0
        for batch in self._table.batches():
            row_e, column_e = np.nonzero(batch)
            value_e, row_e = batch[row_e, column_e], row_e + top
            yield (column_e, row_e, value_e) if self._genes_on_rows else (row_e, column_e, value_e)
            top += len(batch)


def open_table(path: Path) -> StoredSource:
    """Cells of a table of text; which side holds the genes is told by the names.

    Raises
    ------
    FileFormatError
        If the file is no table, or neither or both of its sides name genes.
    """
    table = _scan(path)
    _refuse_long(table)
    rows, columns = table.row_names, table.column_names
    genes_on_rows = genes_lie_first(rows.tolist(), columns.tolist())
    if genes_on_rows is None:
        # numbers or loci may stand before the column that names the genes
        best = max((rows.tolist(), *(words.tolist() for words in table.words.values())), key=gene_share)
        genes_on_rows = genes_lie_first(best, columns.tolist())
    if genes_on_rows is None:
        raise FileFormatError(
            f"{path.name}: neither its rows ({_first(rows)}) nor its columns ({_first(columns)}) can be told to be "
            "genes. Name the genes on one side by symbol or Ensembl id."
        )
    notes = [f"{path.name}: genes lie on its rows, so the table was turned round."] if genes_on_rows else []
    if genes_on_rows and (numbers := _numbers_before_genes(table)):
        notes.append(
            f"{path.name}: numbers before the names of genes are no cell's and were left out ({_first(numbers)})."
        )
        table = replace(table, counts=table.counts[len(numbers) :])
        columns = table.column_names
    genes = {"index": rows, **table.words} if genes_on_rows else {"index": columns, **table.told}
    chosen = choose_features(genes, name=path.name)
    matrix = some_genes(TableMatrix(table, genes_on_rows=genes_on_rows), chosen.keep_v)
    cells, about = (columns, table.told) if genes_on_rows else (rows, table.words)
    matrix, keep_n, left_out = without_summaries(matrix, cells)
    return StoredSource(
        path.name,
        format="table",
        matrices={"table": matrix},
        cells=cells[keep_n],
        genes={name: values[chosen.keep_v] for name, values in genes.items()},
        obs={name: values[keep_n] for name, values in about.items()},
        warnings=(*notes, *chosen.warnings, *left_out),
    )


def _refuse_long(table: Table) -> None:
    """Refuse a table that has a line for each gene of each cell."""
    names = [table.row_names, *table.words.values()]
    repeat = sum(len(set(some.tolist())) < len(some) / 2 for some in names)
    if len(table.counts) > FEWEST_COUNTED or repeat < 2 or max(gene_share(_distinct(some)) for some in names) < FEW:
        return
    raise FileFormatError(
        f"{table.path.name} has a line for each gene of each cell (the first is of {names[0][0][:30]!r} and "
        f"{names[1][0][:30]!r}). A table with the genes on one side and the cells on the other is needed: in pandas, "
        "frame.pivot_table(index=CELL, columns=GENE, values=COUNT, fill_value=0)."
    )


def _distinct(names: NDArray[np.object_]) -> list[str]:
    return list(dict.fromkeys(names.tolist()))


def _scan(path: Path) -> Table:
    """Read the layout and all names; the numbers are left for later."""
    stream = lines(path)
    head = list(islice(stream, FIRST_LINES))
    room = holds([path])
    widest = max((line.count(mark) for line in head for mark in DELIMITERS), default=0)
    check_cells(path.name, widest, room, what="columns")
    layout = find_layout(head, name=path.name)
    names = list[str]()
    n_bytes = path.stat().st_size
    words: dict[int, list[str]] = {place: [] for place in layout.words}
    for line in islice(_all(head, stream), layout.first, None):
        if line.strip():
            names.append(cut_name(line, layout.delimiter)[0] if layout.names_first else str(len(names)))
            _collect(words, line, layout)
            if len(names) > n_bytes:
                check_cells(path.name, len(names), room, what="lines")
    kept = {layout.heading[place]: text(column) for place, column in words.items() if layout.heading[place]}
    counts = tuple(
        place
        for place, name in enumerate(layout.heading)
        if place not in words and (name.lower() not in _NOT_COUNTS or is_gene(name))
    )
    return Table(path, layout, text(names), counts, kept)


def _all(head: list[str], stream: Iterator[str]) -> Iterator[str]:
    yield from head
    yield from stream


def _collect(words: dict[int, list[str]], line: str, layout: Layout) -> None:
    if words:
        fields = split(line, layout.delimiter)
        for place, column in words.items():
            at = place + layout.names_first
            column.append(fields[at].strip() if at < len(fields) else "")


def _numbers_before_genes(table: Table) -> list[str]:
    """Name columns of numbers before the last column that names genes, unless most columns stand there."""
    heading = table.layout.heading
    named = [heading.index(column) for column, words in table.words.items() if gene_share(words.tolist()) >= FEW]
    before = [heading[place] for place in table.counts if place < max(named, default=0)]
    return before if 2 * len(before) < len(table.counts) else []


def _first(names: Sequence[str] | NDArray[np.object_]) -> str:
    return ", ".join(name[:30] for name in names[:3]) or "none"
