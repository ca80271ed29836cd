"""What plots read of cells that have answers: types, scores, labels, samples, counts, and the colours of types.

Cells are an AnnData object that ``annotate`` has been through, or the annotation that it gave.
Axes: ``n`` cells, ``g`` the model's genes, ``o`` some cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from spoticell import keys
from spoticell.annotation.composition import Composition, count_types
from spoticell.annotation.evaluation import read_obs
from spoticell.annotation.result import Annotation
from spoticell.annotation.samples import samples_of
from spoticell.biology.counts import CountsProbe, recover
from spoticell.biology.everyday import closest_names, meanings_of, read_name
from spoticell.biology.genes import align_counts, match_genes
from spoticell.biology.labels import Labelling, Labels, read_labels
from spoticell.biology.ontology import load_ontology
from spoticell.biology.palette import colors_of
from spoticell.errors import ConfigError, note
from spoticell.io.meanings import Meanings, read_meanings
from spoticell.model.bundle import Bundle, load_bundle

Annotated: TypeAlias = AnnData | Annotation
Terms: TypeAlias = NDArray[np.object_]
Level: TypeAlias = Literal["fine", "broad"]
Model: TypeAlias = Bundle | Path | str


def stored(adata: AnnData, where: str, template: str, key: str) -> Any:  # noqa: ANN401 - whatever AnnData holds
    """Give what ``annotate`` wrote under a key, or say that it has to be run."""
    name = template.format(key=key)
    try:
        return getattr(adata, where)[name]
    except KeyError:
        raise ConfigError(f"there is no {where}[{name!r}]; run spoticell.annotate on these cells first.") from None


def terms_of(cells: Annotated | Iterable[str], key: str, *, level: Level = "fine") -> Terms:
    """Give the term of each cell's answer, or ``unknown``; names and terms may be given in place of cells.

    Examples
    --------
    >>> terms_of(["naive B cell", "?"], "spoticell", level="broad").tolist()
    ['CL:0000236', 'unknown']
    """
    if isinstance(cells, Annotation):
        terms_n = cells.terms_n
    elif isinstance(cells, AnnData):
        terms_n = np.asarray(stored(cells, "obs", keys.TERM, key).astype(str), dtype=object)
    else:
        if isinstance(cells, str) or not isinstance(cells, Iterable):
            raise _no_cells(cells, "annotated cells, or a list of types")
        names = [str(name) for name in cells]
        found = {name: term_of(name) or keys.UNKNOWN for name in set(names)}
        terms_n = np.array([found[name] for name in names], dtype=object)
    return terms_n if level == "fine" else broad_terms(terms_n)


def broad_terms(terms_n: Terms) -> Terms:
    """Give the broad type of each term, or ``unknown``."""
    broad = {term: load_ontology().broad_level(term) for term in set(terms_n)}
    return np.array([broad[term] for term in terms_n], dtype=object)


def scores_of(cells: Annotated, key: str) -> NDArray[np.float32]:
    """Give the score of each cell."""
    if isinstance(cells, Annotation):
        return cells.score_n
    scores: NDArray[np.float32] = stored(cells, "obs", keys.SCORE, key).to_numpy()
    return scores


def object_of(cells: Annotated) -> AnnData:
    """Give the AnnData object that has the answers.

    Raises
    ------
    ConfigError
        If a file was annotated, which isn't in memory.
    """
    found = cells.adata if isinstance(cells, Annotation) else cells
    if found is None:
        raise ConfigError(
            "this plot needs an AnnData object, and a file was annotated; read what annotate wrote with "
            "anndata.read_h5ad, and give that."
        )
    if not isinstance(found, AnnData):
        raise _no_cells(found, "annotated cells: an AnnData object, or what annotate gave")
    return found


def _no_cells(given: object, wanted: str) -> ConfigError:
    return ConfigError(f"the first thing given is of the kind {type(given).__name__}; give {wanted}.")


def table_of(cells: Annotated) -> pd.DataFrame:
    """Give the table about the cells, with the columns that they came with."""
    if not isinstance(cells, Annotation):
        return pd.DataFrame(object_of(cells).obs)
    source = cells.path if cells.adata is None else cells.adata
    return cells.obs if source is None else read_obs(source)


def labels_of(cells: Annotated, label_column: str | None, meanings: Meanings | None) -> Labels:
    """Give the labels that the cells came with, as an evaluation understands them.

    Raises
    ------
    SpoticellError
        If there are none, or less than half of them is understood.
    """
    labels = read_labels(
        table_of(cells), name="the table about the cells", labelling=Labelling(label_column, read_meanings(meanings))
    )
    labels.check(name="too few labels are understood to compare answers with them")
    if not labels.n_understood:
        raise ConfigError(f"no cell has a label in {labels.column!r}; name another column of labels.")
    return labels


def tell_left_out(labels: Labels) -> None:
    """Note which labels a plot leaves out, since they aren't understood."""
    remark = labels.remark()
    if remark is not None:
        n = sum(labels.unresolved.values())
        note(f"{n:,} labelled {'cell is' if n == 1 else 'cells are'} not in the plot. {remark}")


def composition_of(cells: Annotated, by: str | None, condition: str | None, key: str, level: Level) -> Composition:
    """Count the cells of each type in each sample.

    Raises
    ------
    ConfigError
        If it isn't told from which sample each cell is, or a column can't be of samples or conditions.
    """
    if isinstance(cells, Annotation) and cells.samples is not None and by is None:
        samples = cells.samples
    else:
        told = stored(cells, "uns", keys.RUN, key).get("samples") if isinstance(cells, AnnData) else None
        if by is None and told:
            by, condition = told.get("by"), condition or told.get("condition")
        if by is None:
            raise ConfigError("it isn't told from which sample each cell is; name the column that says it: by=.")
        samples = samples_of(table_of(cells), by=by, condition=condition, name="the table about the cells")
    terms_n = terms_of(cells, key, level=level)
    nodes = tuple(most_first(terms_n[terms_n != keys.UNKNOWN]))
    place = {term: at for at, term in enumerate(nodes)}
    answer_n = np.array([place.get(term, -1) for term in terms_n], dtype=np.intp)
    return count_types(samples, answer_n, nodes=nodes, names=[load_ontology().name(node) for node in nodes])


def find_type(cell_type: str, present: Iterable[str] = ()) -> str:
    """Give the term that a name, short name or term means.

    Parameters
    ----------
    cell_type
        The name.
    present
        Terms of the cells; where a name may mean several, the one of which there are cells is meant.

    Raises
    ------
    ConfigError
        If it means none, or may mean several.

    Examples
    --------
    >>> find_type("NK cells")
    'CL:0000623'
    >>> find_type("PC", present=["CL:0000786"])  # plasma cell, pericyte, ...
    'CL:0000786'
    """
    if not isinstance(cell_type, str):
        raise ConfigError(f"a type is given as text, and {cell_type!r} is none.")
    term = term_of(cell_type)
    if term is None:
        held = np.array(list(dict.fromkeys(present)), dtype=object)
        there = [meant for meant in meanings_of(cell_type) if is_of(held, meant).any()]
        term = there[0] if len(there) == 1 else None
    if term is None:
        near = ", ".join(map(repr, closest_names(cell_type[:100])))
        raise ConfigError(f"{cell_type!r} names no type of cell, or several; near it are {near or 'none'}.")
    return term


def kin_of(term: str, present: Iterable[str]) -> list[str]:
    """Give the types among these that are most like a type, three at most.

    Examples
    --------
    >>> kin_of("CL:0000556", ["CL:0000236", "CL:0000233", "unknown"])[0]  # of a megakaryocyte: the platelet
    'CL:0000233'
    """
    ontology = load_ontology()
    own = ontology.ancestors(term)
    there = [one for one in dict.fromkeys(present) if one in ontology]
    return sorted(there, key=lambda one: -len(own & ontology.ancestors(one)) / len(own | ontology.ancestors(one)))[:3]


def term_of(name: str) -> str | None:
    """Give the term that a text means, None where it means none or several.

    Examples
    --------
    >>> load_ontology().name(term_of("CD16+ monocyte"))
    'CD14-low, CD16-positive monocyte'
    """
    # the ontology has loose synonyms; what people mean goes before them
    return read_name(name) or load_ontology().resolve_label(name)


def is_of(terms_n: Terms, term: str) -> NDArray[np.bool_]:
    """Say which answers are a type or one of its subtypes."""
    ontology = load_ontology()
    below = {one: one in ontology and term in ontology.ancestors(one) for one in set(terms_n)}
    return np.array([below[one] for one in terms_n], dtype=np.bool_)


def most_first(terms_n: Terms) -> list[str]:
    """Give the terms that occur, commonest first, ``unknown`` last."""
    counted = sorted(Counter(terms_n.tolist()).items(), key=lambda item: (-item[1], item[0]))
    return sorted((str(term) for term, _ in counted), key=lambda term: term == keys.UNKNOWN)


def colors(cells: object, terms: Iterable[str], key: str) -> dict[str, str]:
    """Give the colour of each term: annotated cells have theirs, which scanpy's plots show too."""
    terms = list(terms)
    held: dict[str, str] = {}
    if isinstance(cells, Annotation):
        held = {term: cells.colors.of(term) for term in terms}
    elif isinstance(cells, AnnData):
        for column in (template.format(key=key) for template in (keys.BROAD, keys.CELL_TYPE)):
            held |= {term_of(name) or keys.UNKNOWN: color for name, color in held_colors(cells, column).items()}
    return colors_of(terms, held=held)


def held_colors(adata: AnnData, column: str) -> dict[str, str]:
    """Give the colours of a column's values, where scanpy keeps them; none if there are none that fit."""
    if column not in adata.obs:
        return {}
    names = adata.obs[column].astype("category").cat.categories
    found = adata.uns.get(keys.COLORS.format(column=column), ())
    return dict(zip(map(str, names), map(str, found), strict=True)) if len(found) == len(names) else {}


def annotated_with(adata: AnnData, model: Model, key: str) -> Bundle:
    """Give the model with which cells were annotated.

    Raises
    ------
    ConfigError
        If they weren't, or with another one.
    """
    loaded = model if isinstance(model, Bundle) else load_bundle(model)
    record = stored(adata, "uns", keys.RUN, key)
    if record["bundle_sha256"] != loaded.sha256:
        raise ConfigError(
            f"the cells were annotated with another model ({record['bundle']}) than {loaded.name}; give it as model=."
        )
    return loaded


def counts_of(
    adata: AnnData, rows_o: NDArray[np.intp], bundle: Bundle, key: str
) -> tuple[sparse.csr_array, NDArray[np.bool_]]:
    """Give counts of some cells in the model's genes, from the matrix that was annotated, and which were measured."""
    found = stored(adata, "uns", keys.RUN, key)["input"]
    matrix, column = found["matrix"], found["gene_match"]["column"]
    if matrix == "raw/X":
        values, var = adata.raw.X, adata.raw.var
    else:
        values, var = (adata.X if matrix == "X" else adata.layers[matrix.removeprefix("layers/")]), adata.var
    names = (var.index if column == "index" else var[column]).astype(str).tolist()
    match = match_genes({column: names}, bundle.vocabulary, min_genes=1)
    values_ov = sparse.csr_array(values[rows_o]).astype(np.float32)
    probe = CountsProbe()
    probe.update(values_ov)
    return align_counts(recover(values_ov, probe.verdict()), match), match.measured_g
