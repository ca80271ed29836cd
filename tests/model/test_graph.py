"""What a network may be made of, tried with networks that hold something else."""

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from spoticell.errors import BundleError
from spoticell.model.bundle import load_bundle, packaged_bundles
from spoticell.model.graph import check_graph


@pytest.fixture
def model(tiny_bundle_folder):
    return onnx.load(tiny_bundle_folder / "model.onnx")


@pytest.fixture
def refused(tiny_bundle):
    def refuse(contents, message, **changes):
        manifest = tiny_bundle.manifest.model_copy(update=changes)
        contents = contents if isinstance(contents, bytes) else contents.SerializeToString()
        with pytest.raises(BundleError, match=message) as caught:
            check_graph(contents, manifest, where="tiny")
        assert "\n" not in str(caught.value)

    return refuse


@pytest.mark.parametrize("name", packaged_bundles())
def test_networks_that_travel_with_the_package_pass(name):
    bundle = load_bundle(name)
    check_graph(bundle.read("model.onnx"), bundle.manifest, where=name)


@pytest.mark.parametrize("contents", [b"", b"not a network", b"\x80" * 99, b"\x3a\x00"])
def test_what_is_no_network_is_refused(refused, contents):
    refused(contents, "can't load model.onnx of tiny: it is no ONNX graph")


@pytest.mark.parametrize("operator", ["Loop", "If", "Scan", "NonZero", "RandomUniform"])
def test_operators_that_exported_networks_lack_are_refused(refused, model, operator):
    model.graph.node.append(helper.make_node(operator, ["counts_ng"], ["more"]))
    refused(model, f"has the operator '{operator}', unlike exported networks")


def test_operators_of_other_makers_are_refused(refused, model):
    model.graph.node.append(helper.make_node("MatMul", ["unit", "mix"], ["more"], domain="com.microsoft"))
    refused(model, "has the operator 'MatMul'")


def test_graphs_within_operators_are_refused(refused, model):
    model.graph.node[0].attribute.append(AttributeProto(name="body", g=model.graph, type=AttributeProto.GRAPH))
    refused(model, "operator 'Mul' holds a graph")


def test_functions_and_sparse_weights_are_refused(refused, model):
    model.functions.append(helper.make_function("own", "Twice", ["x"], ["y"], [], [helper.make_opsetid("", 17)]))
    refused(model, "has functions, sparse weights")
    del model.functions[:]
    model.graph.sparse_initializer.add()
    refused(model, "has functions, sparse weights")


def test_more_operators_than_any_network_has_are_refused(refused, model):
    model.graph.node.extend(helper.make_node("Identity", ["root"], [f"root{n}"]) for n in range(10_001))
    refused(model, "more than 10,000 operators")


def test_weights_in_other_files_of_other_types_or_of_absurd_shapes_are_refused(refused, model):
    weight = model.graph.initializer[0]
    weight.data_location = TensorProto.EXTERNAL
    refused(model, "its weights lie in another file")
    weight.data_location = TensorProto.DEFAULT
    weight.dims[:] = [10**9, 10**9]
    refused(model, "weights of 1000000000 x 1000000000 numbers")
    weight.CopyFrom(numpy_helper.from_array(np.array(["a"]), "weight"))
    refused(model, "weights of ONNX's type 8")


def test_constants_are_looked_at_like_weights(refused, model):
    words = numpy_helper.from_array(np.array(["a"]), "words")
    model.graph.node.append(helper.make_node("Constant", [], ["words"], value=words))
    refused(model, "weights of ONNX's type 8")


def test_labels_in_another_order_are_refused(refused, model, tiny_bundle):
    refused(model, "has other labels, or in another order", labels=tiny_bundle.manifest.labels[::-1])


def test_nodes_may_stand_in_any_order_that_the_network_has_too(model, tiny_bundle):
    nodes = tiny_bundle.manifest.nodes[::-1]
    for weight in model.graph.initializer:
        if weight.name == "reach":
            weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight)[:, ::-1].copy(), "reach"))
    check_graph(model.SerializeToString(), tiny_bundle.manifest.model_copy(update={"nodes": nodes}), where="tiny")
