"""Kinds of features: which columns of words tell genes from antibodies, guides, hashtags and peaks.

People call the kinds by many names.  A column that is about something else, such as the biotype of a gene, must not be
taken for one of kinds: then genes would be lost.  Axis: ``v`` features.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

GENE = "Gene Expression"
CONTROL = "Control"
TOTALS = "Total"
"""Sums and means, and what a program that counts reads could give to no gene."""

_WORDS = {
    GENE: "gene genes geneexpression geneexpr gex rna mrna scrna scrnaseq rnaseq cdna transcript transcripts "
    "transcriptome transcriptomics wta wholetranscriptome expression endogenous",
    "Antibody Capture": "antibodycapture antibody antibodies antibodyderivedtag antibodyderivedtags ab abs adt adts "
    "abseq totalseq citeseq cite protein proteins prot proteincapture proteinexpression surface surfaceprotein "
    "surfaceproteins cellsurface cellsurfaceprotein epitope epitopes featurebarcode",
    "Antigen Capture": "antigencapture antigen antigens beam",
    "CRISPR Guide Capture": "crisprguidecapture crisprguide crisprcapture crispr guidecapture guide guides guiderna "
    "guidernas grna grnas sgrna sgrnas",
    "Multiplexing Capture": "multiplexingcapture multiplexing multiplex hto htos hashtag hashtags hashtagoligo "
    "hashtagoligos hashtagantibody hashing cellhashing cmo cmos cellplex lmo multiseq sampletag sampletags",
    "Peaks": "peaks peak atac atacpeak atacpeaks atacseq scatac scatacseq chromatinaccessibility accessibility "
    "openchromatin",
    "Custom": "custom customfeature",
    CONTROL: "negativecontrolprobe negativecontrolcodeword unassignedcodeword blankcodeword deprecatedcodeword "
    "genomiccontrol negativecontrol",
}
"""Words for each kind, without capitals, spaces and signs between."""

_KIND = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_CERTAIN = {
    "geneexpression", "antibodycapture", "antigencapture", "crisprguidecapture", "multiplexingcapture",
    "chromatinaccessibility", "negativecontrolprobe", "negativecontrolcodeword",
}  # fmt: skip
"""Words that are about kinds of features in whatever column they stand."""

_NAMES = ("featuretype", "featurekind", "featureclass", "featuremodality", "modalit", "codeclass")
"""How names of columns about kinds of features begin."""

_BIOTYPES = {
    "proteincoding", "lncrna", "lincrna", "ncrna", "mirna", "miscrna", "rrna", "mtrrna", "mttrna", "trna",
    "snrna", "snorna", "scarna", "pseudogene", "processedpseudogene", "unprocessedpseudogene",
    "processedtranscript", "antisense", "tec", "synthetic", "spikein",
}  # fmt: skip
"""Words for what a gene makes; who writes them means genes, whatever the column is called."""

_SIGN = r"[ _.:|-]"
_ANTIBODY = r"(?:adt|prot|protein|abseq|antibody|totalseq)"
_GUIDE = r"(?:sgrna|grna|guide)"
_MARKS = {
    "Multiplexing Capture": (rf"(?:hto|cmo|sample ?tag){_SIGN}?\d|hto{_SIGN}", rf"{_SIGN}(?:hto|stabo)|hashtag.*"),
    "CRISPR Guide Capture": (rf"{_GUIDE}{_SIGN}", rf"{_SIGN}{_GUIDE}(?:{_SIGN}?\d+)?"),
    "Antibody Capture": (
        rf"(?:{_ANTIBODY}|cite){_SIGN}|ab[_:|]|anti{_SIGN}",
        rf"{_SIGN}(?:{_ANTIBODY}|antibody{_SIGN}?capture|pabo|total(?:seq)?{_SIGN}?[abcd](?:{_SIGN}?\d+)?)|_ab",
    ),
}
"""What names that are no gene's begin with, and end in."""
_MARKED = {
    kind: re.compile(rf"(?:{start})|.*(?:{end})$", re.IGNORECASE | re.DOTALL) for kind, (start, end) in _MARKS.items()
}

_ANY_MARKED = re.compile("|".join(f"(?:{marked.pattern})" for marked in _MARKED.values()), re.IGNORECASE | re.DOTALL)
"""One pattern for all kinds: of most names nothing more is asked."""

_TOTALS = {
    "total", "totals", "sum", "sums", "mean", "means", "average", "averages", "avg", "__no_feature", "__ambiguous",
    "__too_low_aqual", "__not_aligned", "__alignment_not_unique", "n_unmapped", "n_multimapping", "n_nofeature",
    "n_ambiguous",
}  # fmt: skip

_SILENT = frozenset({"", "nan", "na", "none", "null"})
_MOST_WORDS = 100
_SIGNS = re.compile(r"[\W_]+")


def feature_kinds(columns: Mapping[str, NDArray[np.object_]]) -> NDArray[np.object_] | None:
    """Find the kind of each feature in what is written about features.

    A column counts if its name is one for kinds (``feature_types``, ``modality``), if it holds words that only kinds
    have (``Antibody Capture``), or if every word in it is one for a kind.  Features about which it says nothing are
    genes.  A column of biotypes (``protein_coding``) is none of kinds.  Where no column tells, names may that are
    marked: ``adt_CD4``, ``CD4_TotalSeqB``.

    Parameters
    ----------
    columns
        Columns of words about the features, all of length ``v``; the names of the features as ``index``.

    Returns
    -------
    The kind of each feature, in 10x's words where it has some, ``(v,)``; ``None`` where all are genes as far as is
    known.

    Examples
    --------
    >>> feature_kinds({"modality": np.array(["rna", "ADT"], dtype=object)}).tolist()
    ['Gene Expression', 'Antibody Capture']
    >>> feature_kinds({"feature_type": np.array(["protein_coding", "lncRNA"], dtype=object)}) is None
    True
    """
    named = {column: _bare(column).startswith(_NAMES) for column in columns}
    for column in sorted(columns, key=lambda column: not named[column]):
        kinds = _read(columns[column], named=named[column])
        if kinds is not None:
            return kinds
    return _marked(columns["index"]) if "index" in columns else None


def _marked(names: NDArray[np.object_]) -> NDArray[np.object_] | None:
    """Give the kinds that names tell by themselves (``adt_CD4``, ``CD4_TotalSeqB``, ``HTO-1``); most must be genes."""
    kinds = np.full(len(names), GENE, dtype=object)
    for place, name in enumerate(map(str, names)):
        if name.lower() in _TOTALS:
            kinds[place] = TOTALS
        elif _ANY_MARKED.match(name):
            kinds[place] = next(kind for kind, marked in _MARKED.items() if marked.match(name))
    n_others = int((kinds != GENE).sum())
    return kinds if 0 < n_others < len(kinds) / 2 else None


def kind_of(word: str) -> str | None:
    """Kind of feature that a word stands for, ``None`` if it is about something else.

    Examples
    --------
    >>> kind_of("ADT_"), kind_of("gex"), kind_of("GRCh38_")
    ('Antibody Capture', 'Gene Expression', None)
    """
    return _KIND.get(_bare(word))


def _read(values: NDArray[np.object_], *, named: bool) -> NDArray[np.object_] | None:
    """Give the kinds that a column tells, ``None`` if it is about something else or names genes only."""
    texts = [str(value).strip() for value in values.tolist()]
    distinct = set(texts)
    if len(distinct) > _MOST_WORDS:
        return None
    words = {text: _bare(text) for text in distinct}
    told = set(words.values()) - _SILENT
    if named or told & _CERTAIN:
        rest_are_genes = not any(_KIND.get(word) == GENE for word in told) or bool(told & _BIOTYPES)
        others = set() if rest_are_genes else told
    elif told <= _KIND.keys() and any(_KIND[word] == GENE for word in told):
        others = set()
    else:
        return None
    kind_of = {text: _KIND.get(word, text if word in others else GENE) for text, word in words.items()}
    kinds = np.array([kind_of[text] for text in texts], dtype=object)
    n_genes = int((kinds == GENE).sum())
    # a column of a few words that anybody may use, such as RNA and protein, can be about what genes make
    doubtful = not named and not told & _CERTAIN and any("protein" in word for word in told)
    if n_genes == len(kinds) or (doubtful and n_genes <= len(kinds) / 2):
        return None
    return kinds


def _bare(word: str) -> str:
    return _SIGNS.sub("", word).lower()
