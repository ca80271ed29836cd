"""What a network may be made of, looked at before ONNX Runtime gets it.

A bundle comes from anywhere, and a graph can loop without end or ask for all memory.  So it may hold only the
operators and types that ``training.export`` writes: none of them loops, and none calls other graphs or files.
The graph is read with Protocol Buffers, as ONNX Runtime reads it, and only the fields that matter are declared here.
Axes: ``c`` labels, ``m`` nodes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory
from numpy.typing import NDArray

from spoticell.biology.ontology import load_ontology, reach_matrix
from spoticell.errors import BundleError
from spoticell.model.manifest import MODEL, Manifest

OPERATORS = frozenset(
    [
        "Add", "BatchNormalization", "Cast", "CastLike", "Clip", "Concat", "Constant", "ConstantOfShape", "Conv", "Div",
        "Einsum", "Erf", "Exp", "Expand", "Gather", "Gelu", "Gemm", "Identity", "LayerNormalization", "Log",
        "MatMul", "Max", "Min", "Mul", "Neg", "Pad", "Pow", "Reciprocal", "ReduceL2", "ReduceLogSumExp", "ReduceMax",
        "ReduceMean", "ReduceSum", "Relu", "Reshape", "ScatterND", "Shape", "Slice", "Softmax",
        "Sqrt", "Squeeze", "Sub", "Transpose", "Unsqueeze", "Where",
    ]
)  # fmt: skip
"""What exported networks are made of, and what exporters of other releases write in its stead."""
INPUTS = ("counts_ng", "measured_g")
"""What a network is given."""
TYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    6: np.dtype("<i4"),
    7: np.dtype("<i8"),
    9: np.dtype("?"),
    10: np.dtype("<f2"),
}
"""ONNX's numbers for the types that weights and constants may have."""
MOST_NODES = 10_000
"""Nodes of a graph; the largest network has some 400."""
MOST_NUMBERS = 250_000_000
"""Numbers in one tensor of a graph, a gigabyte."""

_MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "Model": {"graph": (7, "Graph"), "functions": (25, "bytes*")},
    "Graph": {
        "node": (1, "Node*"),
        "initializer": (5, "Tensor*"),
        "input": (11, "Value*"),
        "output": (12, "Value*"),
        "sparse_initializer": (15, "bytes*"),
    },
    "Value": {"name": (1, "bytes"), "type": (2, "bytes")},
    "Node": {
        "input": (1, "bytes*"),
        "output": (2, "bytes*"),
        "op_type": (4, "bytes"),
        "attribute": (5, "Attribute*"),
        "domain": (7, "bytes"),
    },
    "Attribute": {
        "tensor": (5, "Tensor"),
        "graph": (6, "bytes*"),
        "tensors": (10, "Tensor*"),
        "graphs": (11, "bytes*"),
        "sparse_tensor": (22, "bytes*"),
        "sparse_tensors": (23, "bytes*"),
    },
    "Tensor": {
        "dims": (1, "int64*"),
        "data_type": (2, "int32"),
        "name": (8, "bytes"),
        "raw_data": (9, "bytes"),
        "external_data": (13, "bytes*"),
        "data_location": (14, "int32"),
    },
}
"""Fields of ONNX's messages by name: their number and what they hold, with a star where there may be several."""


def check_graph(contents: bytes, manifest: Manifest, *, where: str) -> None:
    """Refuse a network that holds more than exported ones do, or sums up other labels than its manifest says.

    Parameters
    ----------
    contents
        Of ``model.onnx``.
    manifest
        Of the bundle.
    where
        How messages call the bundle.

    Raises
    ------
    BundleError
        If it does.
    """
    try:
        graph = message_of("Model").FromString(contents)
        fault = _fault(graph)
    except (message.DecodeError, RecursionError) as error:
        fault = f"it is no ONNX graph ({error})"
    if fault is not None:
        raise BundleError(f"can't load {MODEL} of {where}: {fault}. Export the bundle again.")
    if manifest.ontology_version == load_ontology().version and not _sums_up(graph.graph, manifest):
        raise BundleError(
            f"the network of the bundle {where} has other labels, or in another order, than its manifest says; "
            "export the bundle again."
        )


def _fault(model: Any) -> str | None:  # noqa: ANN401 - made from `_MESSAGES`
    graph = model.graph
    if not graph.node:
        return "it is no ONNX graph"
    if model.functions or graph.sparse_initializer or len(graph.node) > MOST_NODES:
        return f"it has functions, sparse weights or more than {MOST_NODES:,} operators, unlike exported networks"
    for node in graph.node:
        kind = node.op_type.decode("utf-8", "replace")
        if kind not in OPERATORS or node.domain not in {b"", b"ai.onnx"}:
            return f"it has the operator {kind[:40]!r}, unlike exported networks"
        if any(part.graph or part.graphs or part.sparse_tensor or part.sparse_tensors for part in node.attribute):
            return f"its operator {kind!r} holds a graph or sparse weights, unlike exported networks"
    return next((fault for tensor in _tensors(graph) if (fault := _tensor_fault(tensor)) is not None), None)


def _tensor_fault(tensor: Any) -> str | None:  # noqa: ANN401
    if tensor.external_data or tensor.data_location:
        return "its weights lie in another file"
    if tensor.data_type not in TYPES:
        return f"it has weights of ONNX's type {tensor.data_type}, unlike exported networks"
    n_numbers = 1
    for side in tensor.dims:
        if side < 0 or (n_numbers := n_numbers * side) > MOST_NUMBERS:
            return f"it has weights of {' x '.join(map(str, tensor.dims[:6]))} numbers, which can't be"
    return None


def _tensors(graph: Any) -> Iterator[Any]:  # noqa: ANN401
    yield from graph.initializer
    for node in graph.node:
        for part in node.attribute:
            yield from part.tensors
            if part.HasField("tensor"):
                yield part.tensor


def _sums_up(graph: Any, manifest: Manifest) -> bool:  # noqa: ANN401
    """Whether the matrix that sums labels up the ontology is that of the labels; true where none is found."""
    shape = [len(manifest.labels), len(manifest.nodes)]
    found = [tensor for tensor in graph.initializer if list(tensor.dims) == shape and tensor.raw_data]
    matrices_cm = [values_of(tensor, shape) for tensor in found]
    told_cm = [matrix_cm for matrix_cm in matrices_cm if matrix_cm is not None and np.isin(matrix_cm, (0, 1)).all()]
    if not told_cm:
        return True
    nodes, reach_cm = reach_matrix(manifest.labels, load_ontology())
    order_m = [nodes.index(node) for node in manifest.nodes]
    return any(np.array_equal(matrix_cm, reach_cm[:, order_m]) for matrix_cm in told_cm)


def values_of(tensor: Any, shape: list[int]) -> NDArray[Any] | None:  # noqa: ANN401
    """Give the numbers of a tensor; None where they aren't stored as those of exported networks are."""
    kind = TYPES[tensor.data_type]
    if len(tensor.raw_data) != math.prod(shape) * kind.itemsize:
        return None
    return np.frombuffer(tensor.raw_data, dtype=kind).reshape(shape)


@cache
def message_of(name: str) -> Any:  # noqa: ANN401
    """Give the class that reads one of `_MESSAGES`."""
    file = descriptor_pb2.FileDescriptorProto(name="spoticell_onnx.proto", package="spoticell_onnx")
    kinds = descriptor_pb2.FieldDescriptorProto
    plain = {"bytes": kinds.TYPE_BYTES, "int64": kinds.TYPE_INT64, "int32": kinds.TYPE_INT32}
    for message_name, fields in _MESSAGES.items():
        described = file.message_type.add(name=message_name)
        for field_name, (number, what) in fields.items():
            label = kinds.LABEL_REPEATED if what.endswith("*") else kinds.LABEL_OPTIONAL
            field = described.field.add(name=field_name, number=number, label=label)
            bare = what.removesuffix("*")
            field.type = plain.get(bare, kinds.TYPE_MESSAGE)
            if bare not in plain:
                field.type_name = f".spoticell_onnx.{bare}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"spoticell_onnx.{name}"))
