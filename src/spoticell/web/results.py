"""One cell, or one gene in all cells, of a job that is done.

Only files that Spoticell wrote itself are opened here: arrays without pickle, and JSON.
Axes: ``n`` cells, ``g`` the bundle's genes, ``m`` ontology nodes, ``o`` example cells.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spoticell.biology.answer_rule import rule_of
from spoticell.biology.markers import Markers
from spoticell.biology.ontology import BROAD, load_ontology
from spoticell.keys import UNKNOWN
from spoticell.model.bundle import Bundle
from spoticell.report.picture import level_colors, level_picture, most_its_own
from spoticell.web import sink
from spoticell.web.arrays import Counts, log_normalised
from spoticell.web.chances import probabilities
from spoticell.web.lookup import find_genes, find_types
from spoticell.web.neighbours import Neighbours
from spoticell.web.schemas import FoundType, GeneInfo
from spoticell.web.summary import UNKNOWN_TYPE, named_terms

NAMED = 8
"""Genes that are named of a cell."""
OFFERED = 20
"""Genes that a search gives at most."""
BELOW, OTHERS = 3, 4
"""Finer types, and types that exclude the answer, that are shown of a cell at most."""
WORTH_A_WORD = 0.005
"""Smallest probability that is shown."""
CLIPPED = 0.99
"""Share of the cells with a gene whose values are told apart."""


class Results:
    """What a job left behind, read as far as it is asked for.

    Parameters
    ----------
    folder
        The job's results.
    bundle
        The trained model that was used.
    neighbours
        What finds reference cells for its fingerprints; None where the server has no index of this bundle.
    markers
        Known markers of types; None where the server has no table of them.
    """

    def __init__(
        self, folder: Path, bundle: Bundle, neighbours: Neighbours | None = None, markers: Markers | None = None
    ) -> None:
        self.folder, self.bundle, self.neighbours, self.markers = folder, bundle, neighbours, markers
        self._types_n = self._array(sink.TYPES)

    @property
    def n_cells(self) -> int:
        """How many cells there are."""
        return len(self._types_n)

    @property
    def n_types(self) -> int:
        """How many types its cells have."""
        return len(self._array(sink.NODES))

    def types(self) -> NDArray[np.uint16]:
        """Give the number of each cell's type in the summary, `UNKNOWN_TYPE` for unknown, ``(n,)``."""
        return np.asarray(self._types_n)

    def array(self, name: str) -> NDArray[Any]:
        """Give an array that the run wrote, read from disk as far as it is looked at."""
        return self._array(name)

    def probabilities(self, cell_s: NDArray[np.integer]) -> NDArray[np.float16]:
        """Give the probability of each node for some cells, ``(s, m)``."""
        return probabilities(self.folder, cell_s, self.bundle)

    def fingerprints(self, cell_s: NDArray[np.intp]) -> tuple[NDArray[np.float32], list[str]]:
        """Give the fingerprints of some cells, ``(s, d)``, and the terms of their answers."""
        nodes = [self._node(n) for n in cell_s.tolist()]
        terms = [UNKNOWN if node is None else self.bundle.nodes[node] for node in nodes]
        return np.array(self._array(sink.FINGERPRINTS)[cell_s]), terms

    def find_genes(self, text: str) -> list[GeneInfo]:
        """Give the genes that a text may mean, with the number of cells that have a count; likeliest first."""
        counts, vocabulary = Counts(self.folder / sink.COUNTS), self.bundle.vocabulary
        measured_g = np.array(self._array(sink.MEASURED))
        found = find_genes(text, vocabulary, measured_g=measured_g, cells_with=counts.cells_with, most=OFFERED)
        return [GeneInfo(symbol=vocabulary.symbols[g], id=vocabulary.ids[g], cells=counts.cells_with(g)) for g in found]

    def find_types(self, text: str) -> list[FoundType]:
        """Give the types that an everyday name means, with the cells that are of them or of their subtypes."""
        nodes_t = self._array(sink.NODES)
        cells_t = np.bincount(self._types_n[self._types_n != UNKNOWN_TYPE], minlength=len(nodes_t))
        found = find_types(text, [self.bundle.nodes[m] for m in nodes_t])
        return [
            FoundType(**named_terms([term], load_ontology())[0], types=own, cells=int(cells_t[own].sum()))
            for term, own in found
        ]

    def gene(self, text: str) -> int | None:
        """Give the position of the gene that a text names exactly, None where none is measured."""
        g = self._exactly(text)
        return g if g is not None and self._array(sink.MEASURED)[g] else None

    def gene_levels(self, g: int) -> tuple[NDArray[np.uint8], float]:
        """Give a gene's level in all cells from 0 to 255, and the log-normalised value of level 255.

        That is the value that `CLIPPED` of the cells with a count don't exceed, so that single cells with very many
        counts don't leave all others pale.
        """
        value_n = log_normalised(Counts(self.folder / sink.COUNTS).gene(g), self._array(sink.N_COUNTS))
        some = value_n[value_n > 0]
        most = float(np.quantile(some, CLIPPED)) if len(some) else 0.0
        level_n = np.ceil(255 * np.minimum(value_n / max(most, 1e-30), 1))
        return level_n.astype(np.uint8), most

    def find_cell(self, text: str) -> int | None:
        """Give the position of the cell that a text means: a position, or else the name of a cell."""
        if text.isascii() and text.isdecimal() and int(text) < self.n_cells:
            return int(text)
        word, ends = text.encode("utf-8", "replace"), self._array(sink.NAME_ENDS)
        names = (self.folder / sink.NAMES).read_bytes()
        place = names.find(word) if word else -1
        while place >= 0:
            n = int(np.searchsorted(ends, place, side="right"))
            if place + len(word) == ends[n] and place == (ends[n - 1] if n else 0):
                return n
            place = names.find(word, place + 1)
        return None

    def cell(self, n: int) -> dict[str, Any]:
        """Give what is known of one cell."""
        counts_g = Counts(self.folder / sink.COUNTS).cell(n)
        node = self._node(n)
        score = float(self._array(sink.SCORES)[n])
        chance_m = self._chances(self.probabilities(np.array([n]))[0], node, score)
        term = UNKNOWN if node is None else self.bundle.nodes[node]
        return {
            "position": n,
            "name": self.name(n),
            "term": term,
            "type": term if node is None else self.bundle.node_names[node],
            "score": score,
            "alone": self.alone(n),
            "n_counts": float(self._array(sink.N_COUNTS)[n]),
            "n_genes": int(self._array(sink.N_GENES)[n]),
            "path": self._path(node, chance_m),
            "alternatives": self._alternatives(node, chance_m),
            "genes": self._own_genes(counts_g, node),
            "grid": self.bundle.manifest.grid,
            **self._neighbours(n, term),
        }

    def picture(self, n: int) -> bytes:
        """Draw a cell on the gene grid, as PNG with a palette, a pixel for each gene."""
        bundle = self.bundle
        levels_hw = level_picture(
            Counts(self.folder / sink.COUNTS).cell(n),
            bundle.pixel_g,
            measured_g=self._array(sink.MEASURED),
            grid=bundle.manifest.grid,
        )
        image = Image.fromarray(levels_hw, mode="P")
        image.putpalette(b"".join(bytes.fromhex(color[1:]) for color in level_colors()))
        file = io.BytesIO()
        image.save(file, "PNG", optimize=True)
        return file.getvalue()

    def alone(self, n: int) -> dict[str, Any] | None:
        """Say what a cell would be called alone, where that is something else."""
        if not (self.folder / sink.SINGLE).exists():
            return None
        node, single = self._node(n), int(self._array(sink.SINGLE)[n])
        if single == (-1 if node is None else node):
            return None
        term, name = (*self.bundle.nodes, UNKNOWN)[single], (*self.bundle.node_names, UNKNOWN)[single]
        return {"term": term, "type": name, "score": float(self._array(sink.SINGLE_SCORES)[n])}

    def _neighbours(self, n: int, term: str) -> dict[str, Any]:
        if self.neighbours is None:
            return {"neighbours": None, "match": None}
        return self.neighbours.of(np.array(self._array(sink.FINGERPRINTS)[n]), term)

    def _array(self, name: str) -> NDArray[Any]:
        return np.load(self.folder / name, mmap_mode="r")  # type: ignore[no-any-return]

    def _node(self, n: int) -> int | None:
        if self._types_n[n] == UNKNOWN_TYPE:
            return None
        return int(self._array(sink.NODES)[self._types_n[n]])

    def name(self, n: int) -> str:
        """Give the name of a cell."""
        ends = self._array(sink.NAME_ENDS)
        start = int(ends[n - 1]) if n else 0
        with (self.folder / sink.NAMES).open("rb") as file:
            file.seek(start)
            return file.read(int(ends[n]) - start).decode("utf-8", "replace")

    def _chances(self, probability_m: NDArray[np.float16], node: int | None, score: float) -> NDArray[np.float64]:
        """Give the probabilities as they stand beside a score: that of the answer is the score.

        The types above the answer are at least as likely, those below have their share of it, and those that exclude
        it have no more than what is left.
        """
        chance_m = probability_m.astype(np.float64)
        if node is None:
            return chance_m
        own, rule = max(chance_m[node], 1e-9), rule_of(self.bundle.nodes, load_ontology())
        above_m, below_m, apart_m = rule.relations(node)
        chance_m[above_m] = np.maximum(chance_m[above_m], score)
        chance_m[below_m] *= score / own
        chance_m[apart_m] *= min((1 - score) / max(1 - own, 1e-9), 1)
        chance_m[node] = score
        return chance_m

    def _path(self, node: int | None, chance_m: NDArray[np.float64]) -> list[dict[str, Any]]:
        """Give the way from the broad type to the answer and its likeliest finer types."""
        ontology, position = load_ontology(), {term: m for m, term in enumerate(self.bundle.nodes)}
        if node is None:
            broad = [position[term] for term in BROAD if term in position]
            likeliest = max(broad, key=lambda m: chance_m[m], default=None)
            return [] if likeliest is None else [self._entry(likeliest, chance_m, role="above")]
        path = [position[term] for term in ontology.path(self.bundle.nodes[node]) if term in position]
        rows = [self._entry(m, chance_m, role="answer" if m == node else "above") for m in path]
        below = [m for m, term in enumerate(self.bundle.nodes) if self.bundle.nodes[node] in ontology.parents(term)]
        below = sorted(below, key=lambda m: -chance_m[m])[:BELOW]
        likely = [m for m in below if chance_m[m] >= WORTH_A_WORD]
        return rows + [self._entry(m, chance_m, role="below") for m in likely]

    def _alternatives(self, node: int | None, chance_m: NDArray[np.float64]) -> list[dict[str, Any]]:
        """Give the answer and what the cell could be instead: types that exclude each other, and the rest; sum 1."""
        rule = rule_of(self.bundle.nodes, load_ontology())
        likely = [m for m in rule.alternatives(chance_m, node, most=OTHERS) if chance_m[m] >= WORTH_A_WORD]
        first = [] if node is None else [self._entry(node, chance_m, role="answer")]
        rows = first + [self._entry(m, chance_m, role="instead") for m in likely]
        if node is not None and len(rows) > 1:
            rows[1]["role"] = "second"
        rest = round(max(1 - sum(row["probability"] for row in rows), 0), 4)
        return [*rows, {"term": "", "name": "other types", "probability": rest, "role": "rest"}] if rest else rows

    def _entry(self, m: int, chance_m: NDArray[np.float64], **more: str) -> dict[str, Any]:
        words = {"term": self.bundle.nodes[m], "name": self.bundle.node_names[m]}
        return words | {"probability": round(float(chance_m[m]), 4)} | more

    def _own_genes(self, counts_g: NDArray[np.float32], node: int | None) -> list[dict[str, Any]]:
        """Give the genes that stand out in a cell from the surest cells of other types."""
        others_og = self._array(sink.EXAMPLES)[self._array(sink.EXAMPLE_TYPES) != (-1 if node is None else node)]
        vocabulary, grid = self.bundle.vocabulary, self.bundle.manifest.grid
        return [
            {
                "symbol": vocabulary.symbols[g],
                "id": vocabulary.ids[g],
                "pixel": list(divmod(int(self.bundle.pixel_g[g]), grid)),
                "counts": round(float(counts_g[g]), 3),
            }
            for g in most_its_own(counts_g, np.array(others_og), NAMED).tolist()
        ]

    def _exactly(self, text: str) -> int | None:
        vocabulary, word = self.bundle.vocabulary, text.strip().upper()
        g = vocabulary.exact.get(word, vocabulary.exact.get(text.strip()))
        if g is None:
            places = vocabulary.aliases.get(word, ())
            g = places[0] if len(places) == 1 and places[0] >= 0 else None
        return g
