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
from spoticell.biology.ontology import BROAD, DOINGS, TOO_GENERAL, load_ontology
from spoticell.keys import UNKNOWN
from spoticell.model.bundle import Bundle
from spoticell.report.picture import level_colors, level_picture, most_its_own
from spoticell.web import sink
from spoticell.web.arrays import Counts
from spoticell.web.neighbours import Neighbours
from spoticell.web.schemas import GeneInfo
from spoticell.web.summary import UNKNOWN_TYPE

NAMED = 8
"""Genes that are named of a cell."""
OFFERED = 20
"""Genes that a search gives at most."""
BELOW, OTHERS = 3, 5
"""Finer types, and other types, that are shown of a cell at most."""
WORTH_A_WORD = 0.005
"""Smallest probability that is shown."""


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
    """

    def __init__(self, folder: Path, bundle: Bundle, neighbours: Neighbours | None = None) -> None:
        self.folder, self.bundle, self.neighbours = folder, bundle, neighbours
        self._types_n = self._array(sink.TYPES)

    @property
    def n_cells(self) -> int:
        """How many cells there are."""
        return len(self._types_n)

    def find_genes(self, text: str) -> list[GeneInfo]:
        """Give the genes that a text may mean, with the number of cells that have a count; exact matches first."""
        counts = Counts(self.folder / sink.COUNTS)
        vocabulary = self.bundle.vocabulary
        return [
            GeneInfo(symbol=vocabulary.symbols[g], id=vocabulary.ids[g], cells=counts.cells_with(g))
            for g in self._matching(text)
        ]

    def gene(self, text: str) -> int | None:
        """Give the position of the gene that a text names exactly, None where none is measured."""
        g = self._exactly(text)
        return g if g is not None and self._array(sink.MEASURED)[g] else None

    def gene_levels(self, g: int) -> tuple[NDArray[np.uint8], float]:
        """Give a gene's level in all cells, the root of its counts from 0 to 255, and the counts of level 255."""
        counts_n = Counts(self.folder / sink.COUNTS).gene(g)
        most = float(counts_n.max(initial=0))
        level_n = np.ceil(255 * np.sqrt(counts_n / max(most, 1e-30)))
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
        probability_m = np.load(self.folder / sink.PROBABILITIES, mmap_mode="r")[n].astype(np.float64)
        term = UNKNOWN if node is None else self.bundle.nodes[node]
        return {
            "position": n,
            "name": self._name(n),
            "term": term,
            "type": term if node is None else self.bundle.node_names[node],
            "score": float(self._array(sink.SCORES)[n]),
            "alone": self._alone(n, node),
            "n_counts": float(self._array(sink.N_COUNTS)[n]),
            "n_genes": int(self._array(sink.N_GENES)[n]),
            "path": self._path(node, probability_m),
            "others": self._others(node, probability_m),
            "genes": self._own_genes(counts_g, node),
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

    def _alone(self, n: int, node: int | None) -> dict[str, Any] | None:
        """Say what a cell would be called alone, where that is something else."""
        if not (self.folder / sink.SINGLE).exists():
            return None
        single = int(self._array(sink.SINGLE)[n])
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

    def _name(self, n: int) -> str:
        ends = self._array(sink.NAME_ENDS)
        start = int(ends[n - 1]) if n else 0
        with (self.folder / sink.NAMES).open("rb") as file:
            file.seek(start)
            return file.read(int(ends[n]) - start).decode("utf-8", "replace")

    def _path(self, node: int | None, probability_m: NDArray[np.float64]) -> list[dict[str, Any]]:
        """Give the way from the broad type to the answer and its likeliest finer types."""
        ontology, position = load_ontology(), {term: m for m, term in enumerate(self.bundle.nodes)}
        if node is None:
            broad = [position[term] for term in BROAD if term in position]
            likeliest = max(broad, key=lambda m: probability_m[m], default=None)
            return [] if likeliest is None else [self._entry(likeliest, probability_m, role="above")]
        path = [position[term] for term in ontology.path(self.bundle.nodes[node]) if term in position]
        rows = [self._entry(m, probability_m, role="answer" if m == node else "above") for m in path]
        below = [m for m, term in enumerate(self.bundle.nodes) if self.bundle.nodes[node] in ontology.parents(term)]
        below = sorted(below, key=lambda m: -probability_m[m])[:BELOW]
        likely = [m for m in below if probability_m[m] >= WORTH_A_WORD]
        return rows + [self._entry(m, probability_m, role="below") for m in likely]

    def _others(self, node: int | None, probability_m: NDArray[np.float64]) -> list[dict[str, Any]]:
        """Give the second best, then the likeliest labels that are neither above or below it nor the answer."""
        ontology, nodes = load_ontology(), self.bundle.nodes
        term = None if node is None else nodes[node]
        labels = set(self.bundle.manifest.labels) - TOO_GENERAL - DOINGS
        apart = [
            m
            for m, label in enumerate(nodes)
            if label in labels
            and (term is None or not (term in ontology.ancestors(label) or label in ontology.ancestors(term)))
        ]
        likely = sorted((m for m in apart if probability_m[m] >= WORTH_A_WORD), key=lambda m: -probability_m[m])
        answer_1 = np.array([-1 if node is None else node])
        second = int(rule_of(nodes, ontology).second_best(probability_m[None], answer_1)[0][0])
        if second < 0:
            return [self._entry(m, probability_m) for m in likely[:OTHERS]]
        kin = ontology.ancestors(nodes[second])
        rest = [m for m in likely if nodes[m] not in kin and nodes[second] not in ontology.ancestors(nodes[m])]
        first = self._entry(second, probability_m, role="second")
        return [first, *(self._entry(m, probability_m) for m in rest[: OTHERS - 1])]

    def _entry(self, m: int, probability_m: NDArray[np.float64], **more: str) -> dict[str, Any]:
        words = {"term": self.bundle.nodes[m], "name": self.bundle.node_names[m]}
        return words | {"probability": round(float(probability_m[m]), 4)} | more

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

    def _matching(self, text: str) -> list[int]:
        word = text.strip().upper()
        if not word:
            return []
        vocabulary, measured_g = self.bundle.vocabulary, self._array(sink.MEASURED)
        exact = self._exactly(text)
        starting = sorted(
            (len(symbol), symbol, g) for g, symbol in enumerate(vocabulary.symbols) if symbol.upper().startswith(word)
        )
        found = [g for g in [exact] if g is not None] + [g for _, _, g in starting]
        found += [g for g, gene_id in enumerate(vocabulary.ids) if gene_id.startswith(word)] if len(word) > 4 else []
        return [g for g in dict.fromkeys(found) if measured_g[g]][:OFFERED]
