"""Markers of types that any textbook names, so that dots of genes begin with what readers look for.

Written by hand for plots, from what is common knowledge; nothing is decided by it.  Which of them are shown is up
to the cells.
"""

from __future__ import annotations

from spoticell.biology.ontology import load_ontology

MARKERS = {
    "CL:0000084": "CD3D CD3E TRAC CD2 IL7R",  # T cell
    "CL:0000624": "IL7R CD4 CCR7 LTB MAL",  # CD4 T cell
    "CL:0000625": "CD8A CD8B GZMK CCL5",  # CD8 T cell
    "CL:0000895": "CCR7 SELL TCF7 LEF1",  # naive CD4 T cell
    "CL:0000900": "CD8B CCR7 LEF1",  # naive CD8 T cell
    "CL:0000815": "FOXP3 IL2RA CTLA4",  # regulatory T cell
    "CL:0000798": "TRDC TRGC1 TRDV2",  # gamma-delta T cell
    "CL:0000940": "SLC4A10 KLRB1 TRAV1-2",  # MAIT cell
    "CL:0000623": "GNLY NKG7 KLRD1 NCAM1 KLRF1",  # NK cell
    "CL:0001065": "IL7R KIT RORC",  # innate lymphoid cell
    "CL:0000236": "MS4A1 CD79A CD19 CD79B",  # B cell
    "CL:0000786": "MZB1 JCHAIN XBP1 SDC1",  # plasma cell
    "CL:0000576": "LYZ CD14 S100A8 FCN1 S100A9 VCAN",  # monocyte
    "CL:0001054": "CD14 LYZ S100A8 S100A9 VCAN",  # CD14 monocyte
    "CL:0002397": "FCGR3A MS4A7 CDKN1C LST1",  # CD14 CD16 monocyte
    "CL:0000860": "CD14 LYZ S100A8 S100A9 VCAN",  # classical monocyte
    "CL:0000875": "FCGR3A MS4A7 CDKN1C LST1",  # non-classical monocyte
    "CL:0000235": "CD68 C1QA C1QB MRC1 CD163 MARCO APOE",  # macrophage
    "CL:0000129": "P2RY12 CX3CR1 TMEM119 C1QA",  # microglia
    "CL:0000451": "FCER1A CD1C CLEC10A CLEC9A CST3",  # dendritic cell
    "CL:0000784": "LILRA4 CLEC4C IL3RA GZMB",  # plasmacytoid dendritic cell
    "CL:0000775": "CSF3R FCGR3B S100A8 CXCR2",  # neutrophil
    "CL:0000094": "CSF3R CLC",  # granulocyte
    "CL:0000097": "TPSAB1 CPA3 KIT MS4A2",  # mast cell
    "CL:0000556": "PPBP PF4 ITGA2B",  # megakaryocyte
    "CL:0000233": "PPBP PF4 NRGN GP9",  # platelet
    "CL:0000764": "HBB HBA1 HBA2 ALAS2 GYPA",  # erythroid
    "CL:0008001": "CD34 KIT SPINK2",  # precursor of blood
    "CL:0000115": "PECAM1 VWF CDH5 CLDN5",  # endothelial cell
    "CL:0000192": "ACTA2 MYH11 TAGLN CNN1",  # smooth muscle cell
    "CL:0000669": "RGS5 PDGFRB CSPG4",  # pericyte
    "CL:0000746": "TNNT2 MYH7 RYR2 ACTN2",  # cardiac muscle cell
    "CL:0000057": "DCN COL1A1 LUM PDGFRA",  # fibroblast
    "CL:0000188": "MYH2 TTN ACTA1 CKM",  # cell of skeletal muscle
    "CL:0000136": "ADIPOQ PLIN1 LPL",  # adipocyte
    "CL:0000182": "ALB APOA1 TTR",  # hepatocyte
    "CL:0000148": "PMEL MLANA DCT",  # melanocyte
    "CL:0000351": "KRT7 GATA3 CGA",  # trophoblast
    "CL:0000127": "GFAP AQP4 SLC1A3",  # astrocyte
    "CL:0000128": "MBP PLP1 MOBP",  # oligodendrocyte
    "CL:0002453": "PDGFRA VCAN CSPG4",  # oligodendrocyte precursor
    "CL:0002573": "MPZ SOX10 S100B",  # Schwann cell
    "CL:0000163": "CHGA INS GCG SST",  # endocrine cell
    "CL:0000540": "RBFOX3 SNAP25 SYT1",  # neuron
    "CL:0000066": "EPCAM KRT8 KRT18 CDH1",  # epithelial cell
}
"""Symbols, the best known first."""


def known_markers(term: str) -> list[str]:
    """Give the known markers of a type, or those of the nearest type above it that has some.

    Examples
    --------
    >>> known_markers("CL:0000895")[0], known_markers("CL:0000788")[0], known_markers("unknown")
    ('CCR7', 'MS4A1', [])
    """
    ontology = load_ontology()
    above = [one for one in MARKERS if term in ontology and one in ontology.ancestors(term)]
    return MARKERS[max(above, key=ontology.depth)].split() if above else []
