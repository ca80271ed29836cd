"""Plots with matplotlib, for notebooks, papers and slides.

Each function takes an AnnData object that ``spoticell.annotate`` has been through, draws into the ``ax`` that it is
given or into a new one, and returns it.  The report is made elsewhere, in ``report.page``.
"""

from spoticell.report.plots.canvas import style
from spoticell.report.plots.compositions import composition, sample_composition, type_share
from spoticell.report.plots.confusion import confusion
from spoticell.report.plots.curves import panel_curve
from spoticell.report.plots.dots import marker_dots
from spoticell.report.plots.flows import sankey
from spoticell.report.plots.layout import layout_map
from spoticell.report.plots.maps import fingerprint_map, umap
from spoticell.report.plots.overview import overview
from spoticell.report.plots.pictures import cell_picture, type_picture, type_pictures
from spoticell.report.plots.scores import reliability, score_histogram
from spoticell.report.plots.tree import type_tree
from spoticell.report.reasons import reasons

__all__ = [
    "cell_picture",
    "composition",
    "confusion",
    "fingerprint_map",
    "layout_map",
    "marker_dots",
    "overview",
    "panel_curve",
    "reasons",
    "reliability",
    "sample_composition",
    "sankey",
    "score_histogram",
    "style",
    "type_picture",
    "type_pictures",
    "type_share",
    "type_tree",
    "umap",
]
