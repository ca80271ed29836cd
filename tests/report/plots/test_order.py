"""The order of types."""

from __future__ import annotations

from spoticell.report.plots.order import by_lineage

T_CELL, CD4, CD8, B_CELL = "CL:0000084", "CL:0000624", "CL:0000625", "CL:0000236"
MONOCYTE, DC, HEPATOCYTE = "CL:0000576", "CL:0000451", "CL:0000182"


def test_lineages_stand_beside_their_kin_the_largest_first_and_unknown_last():
    cells_of = {CD4: 9, MONOCYTE: 12, CD8: 3, B_CELL: 5, DC: 1, HEPATOCYTE: 2, "unknown": 40}
    assert by_lineage(cells_of) == [CD4, CD8, B_CELL, MONOCYTE, DC, HEPATOCYTE, "unknown"]
