"""The first layer of a network worked out on sparse counts, and the graph of what comes after it.

Of the 20,000 genes of a cell some 2,000 have counts, and the first layer is most of a small network's work.  So where a
graph begins as exported networks of the default kind do, ::

    v = weight * sqrt(measured * counts)
    a = A (L v / |v|) + b

this part is taken out of it and done here on the counts that are there, and ONNX Runtime gets the rest.  A network that
looks at the cell's picture too gets the pixels that have counts beside it, see ``windows``.  Whether both together say
what the whole graph says is not taken on trust: `Runtime` tries them out on the same cells.

Axes: ``n`` cells, ``g`` genes, ``k`` numbers that the first layer makes of a cell, ``p`` pixels, ``c`` labels, ``m``
nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.model.graph import INPUTS, TYPES, message_of, values_of
from spoticell.model.windows import Windows, windows_of

FLOAT = b"\x0a\x02\x08\x01"
"""The type of a tensor of single precision, of any shape, as ONNX writes it."""
SHORTEST = 1e-6
"""No cell's length is taken to be less, as in the network."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class FirstLayer:
    """The first layer of a network."""

    weight_g: Floats
    """How much each gene counts."""
    length: float
    """Length that every cell gets."""
    project_gk: Floats
    bias_k: Floats

    def __call__(self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_]) -> Floats:
        """Give what the layer makes of counts, ``(n, k)``, seen through the genes that are measured."""
        weighted_ng, scale_n = self._weighted(counts_ng, measured_g)
        made_nk: Floats = weighted_ng @ self.project_gk
        made_nk *= scale_n[:, None]
        made_nk += self.bias_k
        return made_nk

    def scaled(self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_]) -> sparse.csr_array:
        """Give counts as the layer scales them, ``(n, g)``."""
        scaled_ng, scale_n = self._weighted(counts_ng, measured_g)
        scaled_ng.data *= np.repeat(scale_n, np.diff(scaled_ng.indptr))
        return scaled_ng

    def _weighted(self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_]) -> tuple[sparse.csr_array, Floats]:
        """Give the roots of counts times the genes' weights, and what gives each cell the layer's length."""
        root_e = np.sqrt(counts_ng.data, dtype=np.float32)
        weight_g = np.where(measured_g, self.weight_g, np.float32(0))
        # unlike indexing, taking doesn't look at each place twice
        root_e *= weight_g.take(counts_ng.indices)
        full_n = np.diff(counts_ng.indptr) > 0
        length_n = np.zeros(counts_ng.shape[0], dtype=np.float32)
        if full_n.any():
            length_n[full_n] = np.sqrt(np.add.reduceat(np.square(root_e), counts_ng.indptr[:-1][full_n]))
        weighted_ng = sparse.csr_array((root_e, counts_ng.indices, counts_ng.indptr), shape=counts_ng.shape)
        return weighted_ng, np.asarray(self.length / np.maximum(length_n, SHORTEST), dtype=np.float32)


@dataclass(frozen=True)
class Parted:
    """A network in two parts."""

    first: FirstLayer
    rest: bytes
    """The graph of what comes after the first layer."""
    given: tuple[str, ...]
    """How the rest calls what the first layer gives; and, where there are windows, these and the genes measured."""
    windows: Windows | None
    """The windows of the cell's picture that the rest reads; None where it doesn't."""
    weights: str | None
    """How the rest calls the labels' weights, where it ends in them; None where it ends in the nodes' probabilities."""


def part_graph(
    contents: bytes, *, n_genes: int, outputs: Sequence[str], reach: tuple[int, int] | None
) -> Parted | None:
    """Part a graph behind its first layer; None where it begins otherwise.

    Parameters
    ----------
    contents
        Of ``model.onnx``.
    n_genes
        Genes of the network.
    outputs
        What the graph gives: fingerprints, probabilities, and more.
    reach
        Shape of the matrix that sums up the weights of labels; if it is given, the rest ends in these weights.
    """
    model = message_of("Model").FromString(contents)
    graph = _Graph(model.graph)
    found = graph.first_layer(n_genes)
    if found is None:
        return None
    first, *given = found
    # how many cells there are can be told from either end
    graph.count_by(given[0])
    cut = graph.windows(n_genes)
    if cut is not None:
        given += [cut[1], INPUTS[1]]
    weights = None if reach is None else graph.before_matrix(outputs[1], reach)
    wanted = [name if name != outputs[1] or weights is None else weights for name in outputs]
    kept = graph.needed(wanted, given=given)
    if kept is None:
        return None
    _rewrite(model.graph, kept, wanted=wanted, given=given)
    return Parted(first, model.SerializeToString(), tuple(given), None if cut is None else cut[0], weights)


class _Graph:
    """A graph whose operators are found by what they make."""

    def __init__(self, graph: Any) -> None:  # noqa: ANN401 - made by `message_of`
        self._graph = graph
        self._inputs = {_text(value.name) for value in graph.input}
        self._maker = {_text(name): node for node in graph.node for name in node.output}
        self._stored = {_text(tensor.name): tensor for tensor in graph.initializer}

    def first_layer(self, n_genes: int) -> tuple[FirstLayer, str] | None:
        """Give the first layer and what it makes is called; None where the graph begins otherwise."""
        for node in self._graph.node:
            if _kind(node) != "Gemm" or len(node.input) != 3:
                continue
            scaled, project, bias = map(_text, node.input)
            project_kg, bias_k = self._matrix(project, n_genes), self._values(bias)
            length, weight_g = self._length(scaled), self._gene_weights(scaled, n_genes)
            if project_kg is None or bias_k is None or length is None or weight_g is None:
                continue
            project_gk = np.ascontiguousarray(project_kg.T)
            return FirstLayer(weight_g, length, project_gk, bias_k), _text(node.output[0])
        return None

    def count_by(self, name: str) -> None:
        """Have the number of cells told from something else than the counts."""
        for node in self._graph.node:
            if _kind(node) == "Shape" and _text(node.input[0]) == INPUTS[0]:
                node.input[0] = name.encode()

    def windows(self, n_genes: int) -> tuple[Windows, str] | None:
        """Give the windows of the picture and what they are called; None where the graph has none."""
        for node in self._graph.node:
            if _kind(node) != "MatMul":
                continue
            read, weights = map(_text, node.input)
            shape = next((dims for name in self._before(weights) if len(dims := self._shape(name) or ()) == 3), None)
            if shape is None:
                continue
            n_pixels = shape[0] * shape[1]
            for name in self._before(read):
                if self._shape(name) == (n_pixels,) and (gene_p := self._numbers(name)) is not None:
                    found = windows_of(gene_p, (shape[0], shape[1]), n_genes=n_genes)
                    return None if found is None else (found, read)
        return None

    def before_matrix(self, name: str, shape: tuple[int, int]) -> str | None:
        """Give what is multiplied with a matrix of that shape to make something."""
        node = self._maker.get(name)
        if node is None or _kind(node) != "MatMul" or self._shape(_text(node.input[1])) != shape:
            return None
        return _text(node.input[0])

    def needed(self, wanted: Sequence[str], *, given: Sequence[str]) -> list[int] | None:
        """Give the places of the operators between; None where anything else that is given is needed too."""
        open_names, seen = list(wanted), set(given)
        made = set[str]()
        while open_names:
            name = open_names.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in self._inputs:
                return None
            if name in self._maker:
                made.add(name)
                open_names += [_text(source) for source in self._maker[name].input if source]
        return [at for at, node in enumerate(self._graph.node) if any(_text(name) in made for name in node.output)]

    def _matrix(self, name: str, width: int) -> Floats | None:
        shape = self._shape(name)
        return self._values(name) if shape is not None and len(shape) == 2 and shape[1] == width else None

    def _length(self, scaled: str) -> float | None:
        """Give the number that cells of length one are multiplied with."""
        node = self._maker.get(scaled)
        if node is None or _kind(node) != "Mul":
            return None
        numbers = [value for name in node.input if (value := self._values(_text(name))) is not None and value.size == 1]
        return float(numbers[0].ravel()[0]) if len(numbers) == 1 else None

    def _gene_weights(self, scaled: str, n_genes: int) -> Floats | None:
        """Give the only weights of genes that what leads to scaled cells holds."""
        found = [
            values
            for name in self._before(scaled)
            if self._shape(name) == (n_genes,) and (values := self._values(name)) is not None
        ]
        return found[0] if len(found) == 1 else None

    def _before(self, name: str) -> Iterator[str]:
        """Name all that leads to something, itself first; what is stored once, and not as what it is cast from."""
        open_names, seen = [name], set[str]()
        while open_names:
            name = open_names.pop()
            if name in seen:
                continue
            seen.add(name)
            yield name
            if self._tensor(name) is None and name in self._maker:
                open_names += [_text(source) for source in self._maker[name].input if source]

    def _shape(self, name: str) -> tuple[int, ...] | None:
        tensor = self._tensor(name)
        return None if tensor is None else tuple(tensor.dims)

    def _values(self, name: str) -> Floats | None:
        values = self._numbers(name)
        return None if values is None else values.astype(np.float32)

    def _numbers(self, name: str) -> NDArray[Any] | None:
        tensor = self._tensor(name)
        return None if tensor is None or tensor.data_type not in TYPES else values_of(tensor, list(tensor.dims))

    def _tensor(self, name: str) -> Any | None:  # noqa: ANN401
        """Give what is stored under a name, or in another precision, or as a constant."""
        if name in self._stored:
            return self._stored[name]
        node = self._maker.get(name)
        if node is None:
            return None
        if _kind(node) == "Cast":
            return self._stored.get(_text(node.input[0]))
        held = [part.tensor for part in node.attribute if part.HasField("tensor")]
        return held[0] if _kind(node) == "Constant" and len(held) == 1 else None


def _rewrite(graph: Any, kept: Sequence[int], *, wanted: Sequence[str], given: Sequence[str]) -> None:  # noqa: ANN401
    nodes = [graph.node[at] for at in kept]
    used = {_text(name) for node in nodes for name in node.input}
    tensors = [tensor for tensor in graph.initializer if _text(tensor.name) in used]
    for field, values in (("node", nodes), ("initializer", tensors)):
        copies = [type(value).FromString(value.SerializeToString()) for value in values]
        graph.ClearField(field)
        getattr(graph, field).extend(copies)
    for field, names in (("input", given), ("output", wanted)):
        graph.ClearField(field)
        for name in names:
            getattr(graph, field).add(name=name.encode(), type=FLOAT)


def _kind(node: Any) -> str:  # noqa: ANN401
    return _text(node.op_type)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
