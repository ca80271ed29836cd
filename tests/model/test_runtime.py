import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from scipy import sparse

from spoticell.biology.ontology import load_ontology
from spoticell.errors import BundleError, ConfigError
from spoticell.io.in_order import available_cores
from spoticell.model.bundle import load_bundle
from spoticell.model.calibration import Trust
from spoticell.model.runtime import BATCH, Runtime


@pytest.fixture(scope="module")
def runtime(tiny_bundle):
    return Runtime(tiny_bundle, threads=1)


@pytest.fixture(scope="module")
def counts_ng():
    """More cells than fit one batch, the last without a count."""
    counts = np.random.default_rng(5).poisson(1.0, size=(BATCH + 40, 200)).astype(np.float32)
    counts[-1] = 0
    return sparse.csr_array(counts)


ALL = np.ones(200, dtype=bool)


def test_probabilities_of_a_parent_are_never_below_those_of_its_child(runtime, counts_ng):
    nodes, ontology = runtime.bundle.nodes, load_ontology()
    probabilities_nm = runtime.predict(counts_ng, ALL).probabilities_nm
    np.testing.assert_allclose(probabilities_nm[:, nodes.index("CL:0000000")], 1, atol=1e-5)
    for child, term in enumerate(nodes):
        for parent in ontology.parents(term):
            assert (probabilities_nm[:, nodes.index(parent)] >= probabilities_nm[:, child] - 1e-5).all()


def test_a_cell_alone_gets_what_it_gets_in_a_batch(runtime, counts_ng):
    together = runtime.predict(counts_ng, ALL)
    for row in (0, 1, BATCH - 1, BATCH, counts_ng.shape[0] - 1):
        alone = runtime.predict(counts_ng[[row]], ALL)
        np.testing.assert_allclose(alone.probabilities_nm[0], together.probabilities_nm[row], atol=1e-4)
        np.testing.assert_allclose(alone.fingerprint_nd[0], together.fingerprint_nd[row], atol=1e-4)


def test_the_same_cells_give_the_same_bits_twice(tiny_bundle, counts_ng):
    first, second = (Runtime(tiny_bundle, threads=2).predict(counts_ng, ALL) for _ in range(2))
    np.testing.assert_array_equal(first.probabilities_nm, second.probabilities_nm)
    np.testing.assert_array_equal(first.fingerprint_nd, second.fingerprint_nd)


def test_an_empty_cell_gives_finite_numbers_and_fingerprints_have_length_one(runtime, counts_ng):
    prediction = runtime.predict(counts_ng, ALL)
    assert np.isfinite(prediction.probabilities_nm).all()
    np.testing.assert_allclose(np.linalg.norm(prediction.fingerprint_nd[:-1], axis=1), 1, atol=1e-5)


def test_empty_cells_among_others_cost_one_run_and_change_nothing(runtime, counts_ng, monkeypatch):
    gaps = sparse.csr_array((1000, 200), dtype=np.float32)
    mixed_ng = sparse.vstack([gaps, counts_ng[:3], gaps, counts_ng[3:40], gaps], format="csr")
    runs = []
    run = runtime._run
    monkeypatch.setattr(runtime, "_run", lambda *given: runs.append(len(given[0])) or run(*given))
    prediction = runtime.predict(mixed_ng, ALL)
    assert runs == [41]
    alone = runtime.predict(counts_ng[:40], ALL)
    where = [*range(1000, 1003), *range(2003, 2040)]
    np.testing.assert_allclose(prediction.probabilities_nm[where], alone.probabilities_nm, atol=1e-6)
    np.testing.assert_allclose(prediction.fingerprint_nd[where], alone.fingerprint_nd, atol=1e-6)
    empty = runtime.predict(gaps[:1], ALL).probabilities_nm[0]
    np.testing.assert_allclose(np.delete(prediction.probabilities_nm, where, axis=0), [empty] * 3000, atol=1e-6)


def test_genes_that_were_not_measured_do_not_count(runtime, counts_ng):
    half = np.arange(200) % 2 == 0
    seen = sparse.csr_array(counts_ng.toarray() * half)
    np.testing.assert_array_equal(
        runtime.predict(counts_ng, half).probabilities_nm, runtime.predict(seen, half).probabilities_nm
    )


def test_no_cells_give_no_rows(runtime):
    prediction = runtime.predict(sparse.csr_array((0, 200), dtype=np.float32), ALL)
    assert prediction.fingerprint_nd.shape == (0, 8)


def test_counts_of_another_width_are_a_mistake_of_the_caller(runtime):
    with pytest.raises(ValueError, match="counts have 3 genes"):
        runtime.predict(sparse.csr_array((1, 3), dtype=np.float32), np.ones(3, dtype=bool))


def test_threads_default_to_the_cores_of_the_process(tiny_bundle):
    assert Runtime(tiny_bundle).threads == available_cores() >= 1
    with pytest.raises(ConfigError, match="threads is 0"):
        Runtime(tiny_bundle, threads=0)


def with_model(folder, target, model):
    """Copy a bundle with another network in it, manifest and all."""
    copy = Path(shutil.copytree(folder, target))
    contents = model if isinstance(model, bytes) else model.SerializeToString()
    (copy / "model.onnx").write_bytes(contents)
    fields = json.loads((copy / "bundle.json").read_text())
    fields["files"]["model.onnx"] = {"sha256": hashlib.sha256(contents).hexdigest(), "bytes": len(contents)}
    (copy / "bundle.json").write_text(json.dumps(fields))
    return load_bundle(copy)


def test_a_network_that_is_none_is_refused(tiny_bundle_folder, tmp_path):
    bundle = with_model(tiny_bundle_folder, tmp_path / "b", b"not a network")
    with pytest.raises(BundleError, match=r"can't load model.onnx"):
        Runtime(bundle)


@pytest.mark.rows(49)
def test_a_network_of_another_shape_is_refused(tiny_bundle_folder, tmp_path):
    model = onnx.load(tiny_bundle_folder / "model.onnx")
    for initializer in model.graph.initializer:
        if initializer.name == "reach":
            narrow = numpy_helper.from_array(numpy_helper.to_array(initializer)[:, :-1].copy(), "reach")
            initializer.CopyFrom(narrow)
    model.graph.output[1].type.tensor_type.shape.dim[1].dim_value -= 1
    with pytest.raises(BundleError, match=r"probabilities_nm should be 33 wide and is \['n', 32\]"):
        Runtime(with_model(tiny_bundle_folder, tmp_path / "b", model))


def test_a_network_for_a_fixed_number_of_cells_is_refused(tiny_bundle_folder, tmp_path):
    model = onnx.load(tiny_bundle_folder / "model.onnx")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    with pytest.raises(BundleError, match="takes 2 cells at a time"):
        Runtime(with_model(tiny_bundle_folder, tmp_path / "b", model))


@pytest.mark.rows(49)
def test_a_network_with_weights_that_are_not_numbers_is_refused_when_it_runs(tiny_bundle_folder, tmp_path):
    model = onnx.load(tiny_bundle_folder / "model.onnx")
    for initializer in model.graph.initializer:
        if initializer.name == "weight":
            initializer.CopyFrom(numpy_helper.from_array(np.full((200, 6), np.nan, dtype=np.float32), "weight"))
    runtime = Runtime(with_model(tiny_bundle_folder, tmp_path / "b", model), threads=1)
    with pytest.raises(BundleError, match="aren't finite"):
        runtime.predict(sparse.csr_array(np.ones((1, 200), dtype=np.float32)), ALL)


def test_a_network_that_says_nothing_of_familiarity_runs_where_nothing_is_made_of_it(runtime, counts_ng):
    assert runtime.predict(counts_ng, ALL).familiarity_n is None


def test_a_bundle_that_weighs_familiarity_needs_a_network_that_says_it(tiny_bundle):
    trust = Trust(chance=0.1, depth=0.4, familiarity=1.0, intercept=-9.0)
    bundle = replace(tiny_bundle, manifest=tiny_bundle.manifest.model_copy(update={"trust": trust}))
    with pytest.raises(BundleError, match="weighs how familiar a cell looks, which its network doesn't say"):
        Runtime(bundle)


def test_a_network_that_gives_a_cell_several_familiarities_is_refused(tiny_bundle_folder, tmp_path):
    model = onnx.load(tiny_bundle_folder / "model.onnx")
    model.graph.node.append(helper.make_node("Identity", ["logits"], ["familiarity_n"]))
    model.graph.output.append(helper.make_tensor_value_info("familiarity_n", TensorProto.FLOAT, ["n", 6]))
    with pytest.raises(BundleError, match=r"one familiarity_n a cell and gives \['n', 6\]"):
        Runtime(with_model(tiny_bundle_folder, tmp_path / "b", model))


def test_familiarity_is_a_number_for_each_cell_whatever_batch_it_is_in():
    runtime = Runtime(load_bundle("human-v1"), threads=1)
    n_genes = runtime.bundle.manifest.n_genes
    counts = np.random.default_rng(0).poisson(0.1, size=(BATCH + 2, n_genes))
    counts_ng = sparse.csr_array(counts.astype(np.float32))
    together = runtime.predict(counts_ng, np.ones(n_genes, dtype=bool)).familiarity_n
    alone = runtime.predict(counts_ng[[BATCH + 1]], np.ones(n_genes, dtype=bool)).familiarity_n
    assert together.shape == (BATCH + 2,)
    np.testing.assert_allclose(alone[0], together[-1], atol=1e-3)


@pytest.mark.parametrize("place", ["weights.bin", "b/weights.bin", "../weights.bin", "{here}/weights.bin"])
def test_a_network_can_not_draw_in_other_files(tiny_bundle_folder, tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    model = onnx.load(tiny_bundle_folder / "model.onnx")
    for initializer in model.graph.initializer:
        if initializer.name == "weight":
            initializer.ClearField("raw_data")
            initializer.data_location = TensorProto.EXTERNAL
            initializer.external_data.append(
                onnx.StringStringEntryProto(key="location", value=place.format(here=tmp_path))
            )
    bundle = with_model(tiny_bundle_folder, tmp_path / "b", model)
    for folder in (tmp_path, bundle.path, tmp_path.parent):
        (folder / "weights.bin").write_bytes(bytes(200 * 6 * 4))
    with pytest.raises(BundleError, match=r"can't load model.onnx"):
        Runtime(bundle)


def hostile(model, *nodes, **constants):
    """Add what some nodes compute, `extra`, to the probabilities of a network."""
    for node in model.graph.node:
        if "probabilities_nm" in node.output:
            node.output[0] = "before"
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())
    model.graph.node.extend([*nodes, helper.make_node("Add", ["before", "extra"], ["probabilities_nm"])])
    return model


def test_a_network_that_asks_for_all_memory_is_refused_without_a_line_of_the_library(
    tiny_bundle_folder, tmp_path, capfd
):
    large = [
        helper.make_node("ConstantOfShape", ["sides"], ["large"]),
        helper.make_node("ReduceMax", ["large"], ["extra"], keepdims=0),
    ]
    model = hostile(onnx.load(tiny_bundle_folder / "model.onnx"), *large, sides=np.array([400_000, 100_000]))
    with pytest.raises(BundleError, match="it needs more than 1,024 MiB of memory"):
        Runtime(with_model(tiny_bundle_folder, tmp_path / "b", model))
    assert capfd.readouterr().err == ""


def test_a_network_that_multiplies_the_cells_by_themselves_without_bound_is_refused(tiny_bundle_folder, tmp_path):
    large = [
        helper.make_node("Expand", ["root", "sides"], ["large"]),
        helper.make_node("ReduceMax", ["large"], ["extra"], keepdims=0),
    ]
    model = hostile(onnx.load(tiny_bundle_folder / "model.onnx"), *large, sides=np.array([1_000_000, 1, 1]))
    with pytest.raises(BundleError, match="needs more than 1,024 MiB of memory"):
        Runtime(with_model(tiny_bundle_folder, tmp_path / "b", model))


def test_a_network_without_end_is_given_up(tiny_bundle_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("spoticell.model.runtime.check_graph", lambda *_, **__: None)
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Sqrt", ["x"], ["y"])],
        "body",
        [
            value("i", TensorProto.INT64, []),
            value("go", TensorProto.BOOL, []),
            value("x", TensorProto.FLOAT, []),
        ],
        [value("on", TensorProto.BOOL, []), value("y", TensorProto.FLOAT, [])],
    )
    loop = helper.make_node("Loop", ["rounds", "first", "start"], ["extra"], body=body)
    constants = {"rounds": np.array(10**12), "first": np.array(True), "start": np.float32(0).reshape(())}
    model = hostile(onnx.load(tiny_bundle_folder / "model.onnx"), loop, **constants)
    bundle = with_model(tiny_bundle_folder, tmp_path / "b", model)
    monkeypatch.setattr("spoticell.model.runtime.LONGEST", 0.5)
    with pytest.raises(BundleError, match="has no end in"):
        Runtime(bundle, threads=1)
