"""Gene column: which column of a table names its genes.

Most hits alone don't tell: a sorted or shifted column of symbols names as many genes as the right one does, and a
peak's nearest gene is a gene.  So columns are compared row by row, and where they differ the index goes before others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from spoticell.biology.spelling import NameColumn
from spoticell.errors import GeneMatchError

INDEX = "index"
OWN = re.compile(
    r"_?index|ids?|names?|symbols?|(gene|feature|ensembl|hgnc|external|var)s?[ _.-]?(gene|short|approved)?[ _.-]?"
    r"(ids?|names?|symbols?)?",
    re.IGNORECASE,
)
"""Columns that name the genes themselves."""
OTHER = re.compile(
    r"near|clos|target|neighbo|link|peak|promoter|partner|ligand|receptor|ortho|homolog|regulat", re.IGNORECASE
)
"""Columns that name other genes: the nearest to a peak, the target of a guide, the orthologue in another species."""

LOCUS = re.compile(
    r"(?:peak|region|interval|tile|bin)s?[._-]?\d+|(?:chr)?(?:\d{1,2}|X|Y|MT?|(?:GL|KI)\d+\.\d|Un_\w+|\w+_random)[:_-]+\d+[:_-]+\d+",
    re.IGNORECASE,
)

_SAMPLE = 500
_DIFFER = 0.05
"""Largest share of rows in which two columns may name different genes: symbols that another gene took over."""
_FEW = 0.2
"""Of the hits of the best column: with a smaller share, an index hits by chance."""
_REPEATED = 0.02
"""Largest share of genes that a table of genes names again; peaks share their nearest genes."""


def choose_column(tried: Sequence[NameColumn], *, min_genes: int) -> tuple[NameColumn, tuple[str, ...]]:
    """Choose the column that names the genes.

    Parameters
    ----------
    tried
        The columns, the index first if there is one.
    min_genes
        Smallest number of genes that an index must name to be one.

    Returns
    -------
    The column, and notes about columns that differ from it.

    Raises
    ------
    GeneMatchError
        If the rows are peaks.

    Examples
    --------
    >>> from spoticell.biology.vocabulary import load_vocabulary
    >>> columns = {"index": ["CD3E", "CD8A", "new"], "symbol": ["CD8A", "MS4A1", "CD3E"]}
    >>> tried = [NameColumn(column, names, load_vocabulary()) for column, names in columns.items()]
    >>> choose_column(tried, min_genes=1)[0].column
    'index'
    """
    own = [column for column in tried if not OTHER.search(column.column)]
    best = max(own or tried, key=_n_found)
    if best.n_found < min_genes:
        best = max(tried, key=_n_found)
    _refuse_peaks(tried[0], best)
    rivals = [column for column in tried if column.n_found >= max(min_genes, _FEW * best.n_found)] or [best]
    surest = min(rivals, key=_order)
    chosen = max((column for column in (best, *rivals) if not _differ(surest, column)), key=_n_found)
    return chosen, tuple(_note(chosen, column) for column in rivals if _differ(chosen, column))


def _n_found(column: NameColumn) -> int:
    return column.n_found


def _order(column: NameColumn) -> tuple[int, int]:
    """Rank columns: the index, those that say they name the genes, others, those that name other genes."""
    ranks = [column.column == INDEX, OWN.fullmatch(column.column), not OTHER.search(column.column)]
    return next((rank for rank, holds in enumerate(ranks) if holds), len(ranks)), -column.n_found


def _rows(one: NameColumn, other: NameColumn) -> tuple[int, int]:
    """Give in how many rows both columns name a gene, and in how many of these different ones."""
    both_v = (one.target_v >= 0) & (other.target_v >= 0)
    return int(both_v.sum()), int((one.target_v[both_v] != other.target_v[both_v]).sum())


def _differ(one: NameColumn, other: NameColumn) -> bool:
    both, different = _rows(one, other)
    return different > _DIFFER * both


def _note(chosen: NameColumn, other: NameColumn) -> str:
    both, different = _rows(chosen, other)
    return (
        f"the columns {chosen.column!r} and {other.column!r} name different genes in {different:,} of the {both:,} "
        f"rows where both name one; {chosen.column!r} is used."
    )


def _refuse_peaks(index: NameColumn, best: NameColumn) -> None:
    """Refuse rows that are stretches of a genome, unless a column names each one's own gene."""
    if index.column != INDEX or not is_loci(index.distinct):
        return
    n_named = int((best.target_v >= 0).sum())
    if n_named - best.n_found > _REPEATED * n_named or OTHER.search(best.column) or not best.n_found:
        raise GeneMatchError(
            f"The rows are peaks or other stretches of a genome (the first is {index.distinct[0][:40]!r}), not genes; "
            "Spoticell needs counts of RNA. Give the gene expression of the same cells."
        )


def is_loci(names: Sequence[str]) -> bool:
    """Whether most names hold a stretch of a genome.

    Examples
    --------
    >>> is_loci(["chr1:100-200", "chr2-5-90", "1_100_200"]), is_loci(["CD3E", "HLA-A"])
    (True, False)
    """
    some = names[:: 1 + len(names) // _SAMPLE]
    return sum(LOCUS.search(name) is not None for name in some) > len(some) / 2


_NO_GENES = {
    r"\d+(\.0)?": "numbers. If they are NCBI (Entrez) ids, map them to Ensembl ids or symbols first",
    r"ENS[A-Z]*T\d{11}(\.\d+)?|[NX][MR]_\d+(\.\d+)?": "transcripts. Add up the counts of each gene's transcripts first",
    r"HGNC:\d+": "HGNC ids. Map them to Ensembl ids or symbols first",
    r"ENS[A-Z]*P\d{11}(\.\d+)?|[OPQ]\d[A-Z\d]{3}\d(-\d+)?": "proteins. Map them to the ids of their genes first",
    r"(ILMN|A_\d+_P|AFFX|TC\d+)[_-]?\w+|\d+_([asx]_)*at": "probes of an array. Spoticell needs counts of single cells",
    r"(?i:adt|ab|prot|protein|hto|cite)[_:. -].*|.*[_:. -](?i:adt|protein|hto|totalseq\w*)": (
        "antibodies. Spoticell needs counts of RNA"
    ),
    r"([A-Za-z0-9]+[_:#-])*[ACGTN]{10,}([_:.-][A-Za-z0-9]+)*": (
        "barcodes of cells. Genes and cells may have changed places"
    ),
}
_NO_GENE = {re.compile(pattern): words for pattern, words in _NO_GENES.items()}


def what_they_are(names: Sequence[str]) -> str:
    """Say what names are that are no genes, and what to do; '' where that isn't known.

    Examples
    --------
    >>> what_they_are(["ENST00000361381.2", "ENST00000361453.3"])
    "They look like transcripts. Add up the counts of each gene's transcripts first."
    """
    some = names[:: 1 + len(names) // _SAMPLE]
    for pattern, words in _NO_GENE.items():
        if sum(pattern.fullmatch(name) is not None for name in some) > len(some) / 2:
            return f"They look like {words}."
    return ""
