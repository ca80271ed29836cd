"""The JSON API about sets of cells: what a type is, what sets cells apart, genes by type, names that readers give."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from spoticell.biology.everyday import closest_names
from spoticell.biology.ontology import load_ontology
from spoticell.web.across import across
from spoticell.web.curated import Curated
from spoticell.web.expression import expression, spread
from spoticell.web.refusal import Refusal
from spoticell.web.responses import packed
from spoticell.web.results import Results
from spoticell.web.routing import AS_BYTES, Filter, Id, faults, kept_of, site_of
from spoticell.web.sample_schemas import (
    MOST_ASKED,
    About,
    Across,
    Apart,
    Chosen,
    Expression,
    Matched,
    NameOrder,
    Names,
    Spread,
    Suggestions,
)
from spoticell.web.schemas import DifferencesInfo, Term
from spoticell.web.selection import apart, drawn, kept_members, members, types_meant
from spoticell.web.summary import named_terms
from spoticell.web.type_card import about

MOST_MATCHED = 200
"""Cells of a set that are compared with reference cells."""
SUGGESTED = 8
"""Terms that are offered for a text."""
router = APIRouter(prefix="/api", tags=["results"])
Numbers = Annotated[list[Annotated[int, Query(ge=0, le=65535)]], Query(alias="type", min_length=1, max_length=2000)]
Genes = Annotated[list[Annotated[str, Query(max_length=100)]], Query(alias="gene", max_length=MOST_ASKED)]


@router.get("/jobs/{id}/about", responses=faults(404, 409, 422))
def about_types(request: Request, id: Id, types: Numbers, filter: Filter = "") -> About:
    """Describe a type, or several together: cells, names, path, what it is confused with, and its surest cells."""
    results = site_of(request).cells(id)
    return About(**about(results, types, id, kept_n=kept_of(results, filter)))


@router.post("/jobs/{id}/apart", responses=faults(403, 404, 409, 413, 422))
def genes_apart(request: Request, id: Id, chosen: Chosen, filter: Filter = "") -> Apart:
    """Give up to ten genes that set some cells apart from all others.

    Of more than 1,000 cells, and of more than 1,000 others, so many are drawn by chance, always the same.
    """
    results = site_of(request).cells(id)
    kept_n = kept_of(results, filter)
    member_n = kept_members(results, chosen, kept_n)
    return Apart(**apart(results, member_n, types_meant(results, chosen, member_n), kept_n=kept_n))


@router.post("/jobs/{id}/matches", responses=faults(403, 404, 409, 413, 422))
def matches(request: Request, id: Id, chosen: Chosen, filter: Filter = "") -> Matched:
    """Give what reference cells say of some cells, 200 of them at most, where the server has an index."""
    results = site_of(request).cells(id)
    if results.neighbours is None:
        raise Refusal(404, "This server has no reference cells for the model that named these cells.")
    cell_s = drawn(kept_members(results, chosen, kept_of(results, filter)).nonzero()[0], MOST_MATCHED)
    return Matched(**results.neighbours.of_some(*results.fingerprints(cell_s)))


@router.post("/differences", responses=faults(403, 413, 422))
def differences_across(order: Across) -> DifferencesInfo:
    """Compare the shares of types between the samples of two conditions, of several files together.

    The samples are told by the cells of each of their types, as the summaries of jobs have them. With three samples or
    more of each condition there is a test.
    """
    return DifferencesInfo(**across(order.condition, order.samples))


@router.get("/jobs/{id}/expression", responses=faults(404, 409, 422))
def genes_by_type(request: Request, id: Id, genes: Genes, filter: Filter = "") -> Expression:
    """Give for each gene and type the share of cells that have it, and the mean of its log-normalised counts."""
    results = site_of(request).cells(id)
    return Expression(**expression(results, genes, kept_n=kept_of(results, filter)))


@router.get("/jobs/{id}/genes/{symbol}/spread", responses=faults(404, 409, 422))
def gene_spread(request: Request, id: Id, symbol: Annotated[str, Path(max_length=100)], filter: Filter = "") -> Spread:
    """Give how the log-normalised counts of a gene are spread over the cells of each type that have it."""
    results = site_of(request).cells(id)
    g = results.gene(symbol)
    if g is None:
        raise Refusal(404, "No gene of that name was measured.")
    return Spread(**spread(results, g, kept_n=kept_of(results, filter)))


@router.get("/jobs/{id}/curated", responses=faults(404, 409, 422))
def given_names(request: Request, id: Id) -> Names:
    """Give the names that readers gave to cells of this result."""
    return Names(**_curated(site_of(request).cells(id)).told())


@router.get("/jobs/{id}/curated/cells", responses=faults(404, 409, 422) | {200: AS_BYTES}, response_class=Response)
def given_names_of_cells(request: Request, id: Id) -> Response:
    """Give for each cell the place of its given name, from 1, little-endian uint16; 0 where it has none."""
    return packed(request, _curated(site_of(request).cells(id)).shown().astype("<u2").tobytes())


@router.post("/jobs/{id}/curated", responses=faults(403, 404, 409, 413, 422, 429))
def give_name(request: Request, id: Id, order: NameOrder) -> Names:
    """Call some cells by a name. It replaces names that were given to them before."""
    results = site_of(request).cells(id)
    _curated(results).add(members(results, order), order.name)
    return Names(**_curated(results).told())


@router.post("/jobs/{id}/curated/undo", responses=faults(403, 404, 409, 422))
def undo_name(request: Request, id: Id) -> Names:
    """Take back the name that was given last."""
    results = site_of(request).cells(id)
    _curated(results).undo()
    return Names(**_curated(results).told())


@router.get("/terms", tags=["server"], responses=faults(422))
def terms(q: Annotated[str, Query(max_length=100)] = "") -> Suggestions:
    """Give up to 8 terms of the Cell Ontology that a text may mean or be a part of."""
    ontology, word = load_ontology(), q.strip().lower()
    if not word:
        return Suggestions(terms=[])
    holding = sorted((len(ontology.name(term)), term) for term in ontology if word in ontology.name(term).lower())
    meant = [ontology.resolve_label(name) for name in closest_names(q)]
    found = dict.fromkeys(term for term in [*meant, *(term for _, term in holding)] if term is not None)
    return Suggestions(terms=[Term(**term) for term in named_terms(list(found)[:SUGGESTED], ontology)])


def _curated(results: Results) -> Curated:
    return Curated(results.folder, results.n_cells)
