"""Annotating an AnnData object, in the manner of scanpy's tools.

Files are annotated with ``spoticell.annotate_file``, which never holds a whole matrix.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData, ImplicitModificationWarning
from numpy.typing import NDArray
from scipy import sparse

from spoticell import keys
from spoticell.allowed import Allowed, allowed_types
from spoticell.annotation import Annotation, Collector
from spoticell.bundle import DEFAULT, Bundle, load_bundle
from spoticell.errors import ConfigError, CountsError
from spoticell.findings import inspect
from spoticell.io.annotated import storable
from spoticell.io.h5ad import order_matrices
from spoticell.io.matrix import canonical
from spoticell.io.source import BLOCK, CellBlock, CellSource
from spoticell.matching import Matcher
from spoticell.outputs import check_key, obs_columns, run_record, stale_columns, type_colors
from spoticell.runtime import Runtime
from spoticell.stream import annotate_blocks, check_threshold

if TYPE_CHECKING:
    from spoticell.index import OpenIndex


class AnnDataCells(CellSource):
    """The cells of an AnnData object, which is only read: in memory, backed by a file, or a view.

    Parameters
    ----------
    adata
        The object.
    layer
        The one matrix to use: a layer's name, ``"X"`` or ``"raw"``.  If not given, all are offered.

    Raises
    ------
    ConfigError
        If there is no such layer, or no matrix at all.
    """

    name = "AnnData"
    format = "in memory"

    def __init__(self, adata: AnnData, *, layer: str | None = None) -> None:
        self.adata = adata
        self.n_cells = adata.n_obs
        self.cell_names = pd.Index(adata.obs_names.astype(str), dtype=object)
        # anndata 0.13 lists X among the layers, under None
        present = [f"layers/{name}" for name in adata.layers if name is not None]
        present += ["X"] * (adata.X is not None) + ["raw/X"] * (adata.raw is not None)
        self.matrices = tuple(order_matrices(present) if layer is None else [_named(layer, present)])
        if not self.matrices:
            raise ConfigError("the AnnData object holds no matrix: X, layers and raw are empty.")

    def gene_columns(self, matrix: str) -> Mapping[str, NDArray[np.object_]]:
        """Give every column of var that could name the genes."""
        var = self.adata.raw.var if matrix == "raw/X" else self.adata.var
        names = {"index": np.asarray(var.index.astype(str), dtype=object)}
        return names | {str(name): np.asarray(var[name], dtype=object) for name in var if _is_text(var[name])}

    def blocks(self, matrix: str, *, size: int = BLOCK) -> Iterator[CellBlock]:
        """Stream a matrix from first cell to last."""
        values = self._values(matrix)
        for start in range(0, self.n_cells, size):
            yield CellBlock(start, _rows(values[start : start + size]))

    def obs(self) -> pd.DataFrame:
        """Give the table about cells."""
        return pd.DataFrame(self.adata.obs)

    def _values(self, matrix: str) -> Any:  # noqa: ANN401 - arrays of many libraries
        if matrix == "raw/X":
            return _by_cell(self.adata.raw.X)
        return _by_cell(self.adata.X if matrix == "X" else self.adata.layers[matrix.removeprefix("layers/")])


def annotate(
    adata: AnnData,
    *,
    bundle: Bundle | Path | str = DEFAULT,
    layer: str | None = None,
    key_added: str = keys.KEY_ADDED,
    threshold: float | None = None,
    allow: Sequence[str] = (),
    deny: Sequence[str] = (),
    tissue: str | None = None,
    index: OpenIndex | Path | str | None = None,
    copy: bool = False,
    threads: int | None = None,
) -> AnnData | None:
    """Name the cells of an AnnData object.

    Parameters
    ----------
    adata
        Human cells.  Counts are looked for in ``layers``, ``raw`` and ``X``; log-normalised values do.  Genes are
        Ensembl ids or symbols, in the index or a column of ``var``.
    bundle
        The name of a packaged bundle, a bundle's folder, or a loaded bundle.
    layer
        The one matrix to use: a layer's name, ``"X"`` or ``"raw"``.
    key_added
        What every key that is written starts with.
    threshold
        Smallest chance of an answer's term, in [0, 1]; the bundle's own if not given.
    allow, deny
        Types that an answer may and may not be, with their subtypes: Cell Ontology ids, names or exact synonyms.
    tissue
        Where the cells are from, such as ``"lung"`` or ``"PBMC"``: types of other tissues are then no answer.
    index
        An index of reference cells, or its folder or address: what their types say of each cell is written too.
    copy
        Whether to leave ``adata`` as it is and give an annotated copy.
    threads
        How many threads to use; all cores that the process may use if not given.

    Returns
    -------
    None, or the copy.  Written are, with the default ``key_added``: ``obs["spoticell_cell_type"]`` and more columns,
    ``obsm["X_spoticell"]`` (fingerprints), ``obsm["spoticell_probabilities"]`` (columns as in
    ``uns["spoticell"]["classes"]``), ``uns["spoticell"]`` and ``uns["spoticell_cell_type_colors"]``.

    Raises
    ------
    SpoticellError
        If counts of known genes can't be had; ``adata`` is then as it was.
    """
    check_key(key_added)
    loaded = bundle if isinstance(bundle, Bundle) else load_bundle(bundle)
    rules = check_threshold(threshold, loaded), allowed_types(loaded, allow=allow, deny=deny, tissue=tissue)
    matcher = None if index is None else Matcher(index, loaded)
    annotation = _answer(AnnDataCells(adata, layer=layer), Runtime(loaded, threads=threads), *rules, matcher)
    target = adata if not copy else adata.to_memory() if adata.isbacked else adata.copy()
    _write(target, annotation, key_added)
    return target if copy else None


def _answer(
    source: CellSource, runtime: Runtime, threshold: float, allowed: Allowed | None, matcher: Matcher | None
) -> Annotation:
    findings = inspect(source, runtime.bundle.vocabulary)
    collector = Collector(
        source,
        findings,
        runtime,
        threshold=threshold,
        allowed=allowed,
        sample=source.n_cells,
        keep_probabilities=True,
        matcher=matcher,
    )
    for block in annotate_blocks(source, findings, runtime, threshold=threshold, allowed=allowed):
        collector.add(block)
    return collector.finish()


def _write(adata: AnnData, annotation: Annotation, key: str) -> None:
    with warnings.catch_warnings():
        # writing into a view makes it an object of its own, which is what was asked for
        warnings.simplefilter("ignore", ImplicitModificationWarning)
        for name, values in obs_columns(annotation, key=key).items():
            adata.obs[name] = values.array
        for name in set(stale_columns(annotation, key=key)) & set(adata.obs):
            del adata.obs[name]
    adata.obsm[keys.FINGERPRINT.format(key=key)] = annotation.fingerprint_sd
    adata.obsm[keys.PROBABILITIES.format(key=key)] = annotation.probabilities_nm
    adata.uns[keys.RUN.format(key=key)] = storable(run_record(annotation))
    adata.uns[keys.COLORS.format(key=key)] = type_colors(annotation)


def _named(layer: str, present: list[str]) -> str:
    matrix = {"X": "X", "raw": "raw/X"}.get(layer, f"layers/{layer}")
    if matrix not in present:
        raise ConfigError(f"the AnnData object has no layer {layer!r}; it has {', '.join(present) or 'no matrix'}.")
    return matrix


def _is_text(column: pd.Series[Any]) -> bool:
    values = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else column
    return bool(pd.api.types.is_string_dtype(values.dtype))


def _by_cell(values: Any) -> Any:  # noqa: ANN401
    """Turn a matrix stored by gene once, not for every block."""
    stored_sparse: bool = sparse.issparse(values)
    return sparse.csr_array(values) if stored_sparse else values


def _rows(values: Any) -> sparse.csr_array:  # noqa: ANN401
    if hasattr(values, "compute"):
        values = values.compute()
    if not sparse.issparse(values):
        values = np.asarray(values)
    if values.dtype.kind not in "biuf":
        raise CountsError(f"the matrix holds {values.dtype} values; numbers are needed.")
    return canonical(sparse.csr_array(values, copy=True))
