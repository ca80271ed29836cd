"""Make the demo cells of the web page from the file that scanpy carries.

    demo_cells.py CELLS OUT

CELLS is ``10x_pbmc68k_reduced.h5ad`` of scanpy 1.11.5 (BSD-3).  Kept are the counts, which are had back from the
log-normalised values in ``raw``, gene symbols, and the labels that the cells came with.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from spoticell.biology.counts import CountsProbe, recover


def main() -> None:
    """Read, recover, write."""
    source, out = map(Path, sys.argv[1:])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cells = anndata.read_h5ad(source)
    values_nv = sparse.csr_array(cells.raw.X)
    probe = CountsProbe()
    probe.update(values_nv)
    verdict = probe.verdict()
    print(verdict.evidence)
    counts_nv = recover(values_nv, verdict)
    if verdict.recovers != "counts":
        sys.exit("whole counts can't be had from these values")
    obs = pd.DataFrame({"bulk_labels": cells.obs["bulk_labels"].astype(str)}, index=list(cells.obs_names))
    # dense small numbers pack better than positions and values
    counts_nv = counts_nv.toarray()
    small = anndata.AnnData(counts_nv.astype(np.min_scalar_type(int(counts_nv.max()))), obs=obs, var=cells.raw.var[[]])
    small.uns["source"] = "Zheng 2017, doi:10.1038/ncomms14049; scanpy 1.11.5, 10x_pbmc68k_reduced.h5ad, BSD-3-Clause"
    small.write_h5ad(out, compression="gzip", compression_opts=9)
    print(f"{out}: {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
