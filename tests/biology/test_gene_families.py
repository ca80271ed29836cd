"""Families of genes."""

from __future__ import annotations

import pytest

from spoticell.biology.gene_families import FAMILIES, family_of
from spoticell.biology.vocabulary import load_vocabulary


@pytest.mark.parametrize(
    ("family", "genes"),
    [
        ("ribosomal", "RPL22 RPS27A RPLP1 RPSA"),
        ("mitochondrial", "MT-CO1 MT-ND4L"),
        ("HLA", "HLA-A HLA-DRB1"),
        ("immunoglobulin", "IGHM IGHA1 IGHD IGKC IGLC2 IGLL5 IGKV3-20 IGHD5-5"),
        ("T-cell receptor", "TRAC TRBC2 TRAV1-2 TRGJP1 TRDC TRAV29DV5"),
        ("chemokine", "CCL5 CXCL8 CX3CL1"),
        ("haemoglobin", "HBA1 HBB HBG2 HBQ1"),
        ("histone", "H1-4 H2AC6 H2AZ1 H3-3B H4C3"),
        ("metallothionein", "MT1X MT2A MT3"),
        ("keratin", "KRT18 KRT6B"),
        ("keratin-associated", "KRTAP5-1"),
        ("collagen", "COL1A1 COL18A1"),
        ("olfactory receptor", "OR4F5 OR1A2"),
        ("zinc finger", "ZNF268"),
        ("", "RPS6KA1 MTOR IGHMBP2 IGF1 TRAF2 TRAT1 CCR7 HBEGF HBP1 COLEC11 KRTCAP2 ORAI1 ORC1 TRDN HES1"),
    ],
)
def test_genes_are_in_their_family(family, genes):
    assert {gene: family_of(gene) for gene in genes.split()} == dict.fromkeys(genes.split(), family)


def test_each_family_has_genes_that_the_package_knows():
    assert set(map(family_of, load_vocabulary().symbols)) == {"", *FAMILIES}
