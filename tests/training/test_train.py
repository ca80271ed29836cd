import json

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from scipy import sparse

from spoticell.biology.genes import load_vocabulary
from spoticell.errors import SpoticellWarning, TrainingError
from spoticell.io import open_cells
from spoticell.model.bundle import load_bundle
from spoticell.model.runtime import Runtime
from spoticell.training import export
from spoticell.training.checkpoint import load_checkpoint, save_checkpoint
from spoticell.training.data.batches import Batches
from spoticell.training.data.labelled import read_labelled
from spoticell.training.data.supply import FolderSupply, Pool
from spoticell.training.export import About, Exported, export_bundle, halve
from spoticell.training.loop import Run
from spoticell.training.schedule import make_optimizer
from spoticell.training.train import own_folder, train


@pytest.fixture(scope="module")
def cells(labelled_folder):
    return read_labelled(labelled_folder, load_vocabulary())


@pytest.fixture(scope="module")
def trained(labelled_folder, small_config, tmp_path_factory):
    output = tmp_path_factory.mktemp("run") / "out"
    bundle = train(
        labelled_folder, output, small_config.model_copy(update={"epochs": 12, "patience": 12, "cells_per_epoch": 480})
    )
    return output, bundle


def new_run(cells, config, output, *, seed=0) -> Run:
    output.mkdir(parents=True, exist_ok=True)
    supply = FolderSupply(cells, config, rng=np.random.default_rng(seed))
    return Run(supply, load_vocabulary(), config, output=output, random_state=seed)


def advance(run, steps=1):
    for _ in range(steps):
        run.advance([run.draws.draw(run.step, stream) for stream in range(run.streams)])


@pytest.mark.rows(56)
def test_cells_without_a_label_are_left_out_and_each_data_set_keeps_its_genes(cells):
    assert cells.datasets == ("first", "second")
    assert np.bincount(cells.dataset_n).tolist() == [60, 58]
    assert cells.measured_sg.sum(axis=1).tolist() == [400, 350]
    assert set(cells.label_n) == {"CL:0000084", "CL:0000236", "CL:0000576"}


def test_a_folder_without_cells_is_refused(tmp_path):
    with pytest.raises(TrainingError, match=r"holds no \.h5ad file"):
        read_labelled(tmp_path, load_vocabulary())


def test_training_leaves_everything_that_it_promises(trained):
    output, bundle = trained
    made = {path.name for path in output.iterdir()}
    assert made >= {
        "logs",
        "checkpoints",
        "best_model_f1",
        "training_metrics.csv",
        "params.json",
        "summary.txt",
        "per_type_metrics.json",
        "per_type_metrics.csv",
        "training_history.png",
        "top_cell_types_f1.png",
    }
    assert bundle == output / "best_model_f1"
    assert len(pd.read_csv(output / "training_metrics.csv")) == 12
    assert json.loads((output / "params.json").read_text())["parameters"] > 0


def test_three_plain_types_are_learned(trained):
    output, _ = trained
    assert pd.read_csv(output / "training_metrics.csv")["validation_macro_f1"].max() > 0.9


def test_the_bundle_names_the_cells_it_was_made_from(trained, labelled_folder):
    _, folder = trained
    bundle = load_bundle(folder)
    cells = read_labelled(labelled_folder, bundle.vocabulary)
    prediction = Runtime(bundle, threads=1).predict(cells.counts_ng[:60], cells.measured_sg[0])
    answers = [
        max(bundle.manifest.labels, key=dict(zip(bundle.nodes, row, strict=True)).get)
        for row in prediction.probabilities_nm
    ]
    assert np.mean(np.array(answers) == cells.label_n[:60]) > 0.9


@pytest.mark.parametrize("members", [1, 2])
def test_the_exported_graph_gives_what_torch_gives(cells, small_config, tmp_path, members):
    network = small_config.network.model_copy(update={"members": members})
    run = new_run(cells, small_config.model_copy(update={"network": network}), tmp_path)
    advance(run, 5)
    run.best.load_state_dict(run.network.state_dict())
    bundle = load_bundle(export_bundle(run.trained(), tmp_path / "made", About()))
    prediction = Runtime(bundle, threads=1).predict(cells.counts_ng[:20], cells.measured_sg[1])
    counts = torch.from_numpy(cells.counts_ng[:20].toarray())
    measured = torch.from_numpy(cells.measured_sg[1].astype(np.float32))
    with torch.no_grad():
        direction_cd = run.trained().examples.directions(len(run.labels))
        graph = Exported(halve(run.best), run.reach_cm, direction_cd, temperature=1.0).eval()
        fingerprint_nd, probabilities_nm, familiarity_n = graph(counts, measured)
        _, logits_nc = halve(run.best)(counts, measured[None])
    assert prediction.fingerprint_nd.shape == (20, run.config.network.fingerprint)
    np.testing.assert_allclose(prediction.fingerprint_nd, fingerprint_nd.numpy(), atol=1e-4)
    np.testing.assert_allclose(prediction.probabilities_nm, probabilities_nm.numpy(), atol=1e-4)
    np.testing.assert_allclose(prediction.familiarity_n, familiarity_n.numpy(), atol=1e-4)
    np.testing.assert_allclose(familiarity_n.numpy(), np.log(np.exp(logits_nc.numpy()).sum(axis=1)), rtol=1e-4)


def test_the_graph_tells_nothing_of_the_machine_it_was_made_on(trained):
    _, folder = trained
    graph = onnx.load(folder / "model.onnx")
    assert not graph.metadata_props
    assert b"site-packages" not in (folder / "model.onnx").read_bytes()
    assert not any(node.doc_string or node.metadata_props for node in graph.graph.node)


def weights_after_three_steps(cells, config, output, *, seed) -> dict[str, torch.Tensor]:
    run = new_run(cells, config, output, seed=seed)
    advance(run, 3)
    return run.network.state_dict()


def test_each_member_learns_from_batches_of_its_own(cells, small_config, tmp_path):
    network = small_config.network.model_copy(update={"members": 2})
    run = new_run(cells, small_config.model_copy(update={"network": network}), tmp_path)
    taught, lesson = [], run.lesson

    def teach(network, batch, *, member):
        taught.append(member)
        return lesson(network, batch, member=member)

    run.lesson = teach
    advance(run)
    assert taught == [0, 1]
    run.network.zero_grad()
    lesson(run.network, run.draws.draw(1, 0)[0], member=1).backward()
    for layer in (run.network.summary.project, run.network.fusion.body[1], run.network.fusion.body[5]):
        of_one, of_other = layer.weight.grad.chunk(2)
        assert not of_one.any()
        assert of_other.any()


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(cells, small_config, tmp_path):
    first, second, other = (weights_after_three_steps(cells, small_config, tmp_path, seed=seed) for seed in (0, 0, 1))
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert not torch.equal(first["labels.weight"], other["labels.weight"])


def test_a_reopened_training_reads_the_layout_that_it_began_with(cells, small_config, tmp_path):
    begun = new_run(cells, small_config, tmp_path)
    kept = begun.pixel_g[::-1].copy()
    np.save(tmp_path / "layout.npy", kept)  # as another number of threads might have learned it
    reopened = new_run(cells, small_config, tmp_path)
    np.testing.assert_array_equal(reopened.pixel_g, kept)
    np.testing.assert_array_equal(reopened.network.pixel_g, kept)


def test_the_bundle_carries_the_planes_of_the_code_as_unit_normals(trained, small_config):
    planes_bd = np.load(trained[1] / "code.npy", allow_pickle=False)
    assert planes_bd.shape == (small_config.code_bits, small_config.network.fingerprint)
    np.testing.assert_allclose(np.linalg.norm(planes_bd.astype(np.float32), axis=1), 1, atol=2e-3)
    assert "code.npy" in load_bundle(trained[1]).manifest.files


def test_an_output_folder_with_a_training_in_it_is_not_overwritten(labelled_folder, small_config, trained):
    with pytest.raises(TrainingError, match=r"give --resume \(resume=True\) or another folder"):
        train(labelled_folder, trained[0], small_config)


@pytest.mark.rows(55)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(cells, small_config, tmp_path):
    run = new_run(cells, small_config, tmp_path)
    networks = {"network": run.network}
    save_checkpoint(tmp_path / "c", step=1, networks=networks, optimizer=run.optimizer, state={})
    last = save_checkpoint(tmp_path / "c", step=2, networks=networks, optimizer=run.optimizer, state={})
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.warns(SpoticellWarning, match="the one before is used"):
        state = load_checkpoint(tmp_path / "c", networks=networks, optimizer=run.optimizer)
    assert state["step"] == 1


def test_a_checkpoint_of_another_network_is_refused(cells, small_config, tmp_path):
    run = new_run(cells, small_config, tmp_path)
    save_checkpoint(tmp_path / "c", step=1, networks={"network": run.network}, optimizer=run.optimizer, state={})
    other = torch.nn.Linear(2, 2)
    with pytest.raises(TrainingError, match="of another network"):
        load_checkpoint(
            tmp_path / "c", networks={"network": other}, optimizer=make_optimizer(other, config=small_config)
        )


@pytest.mark.rows(56)
def test_a_loss_that_is_no_number_stops_the_training(cells, small_config, tmp_path):
    run = new_run(cells, small_config, tmp_path)
    with torch.no_grad():
        run.network.labels.weight.fill_(torch.nan)
    with pytest.raises(TrainingError, match="no longer a number at step 0"):
        advance(run)


def pool_of(cells):
    return Pool(cells, np.full(len(cells), 1 / len(cells)))


def test_a_batch_has_no_counts_in_genes_that_it_hides(cells, small_config):
    batches = Batches(pool_of(cells), np.zeros(len(cells), dtype=np.intp), config=small_config, panels=[])
    batch = batches.draw(np.random.default_rng(0))
    counts_ng = batch.counts_ng.to_dense()
    assert (counts_ng[~batch.measured_ng] == 0).all()
    assert (counts_ng.sum(1) > 0).all()


@pytest.mark.rows(58)
def test_reading_for_training_leaves_the_file_as_it_was(labelled_folder):
    before = (labelled_folder / "first.h5ad").read_bytes()
    with open_cells(labelled_folder / "first.h5ad") as source:
        assert isinstance(next(iter(source.blocks("X"))).values_nv, sparse.csr_array)
    assert (labelled_folder / "first.h5ad").read_bytes() == before


def test_half_precision_learns_in_the_products_and_leaves_weights_and_fingerprints_as_they_are(
    cells, small_config, tmp_path
):
    config = small_config.model_copy(update={"precision": "bfloat16"})
    first, second = (weights_after_three_steps(cells, config, tmp_path, seed=0) for _ in range(2))
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert {value.dtype for value in first.values()} == {torch.float32, torch.int64}
    single = weights_after_three_steps(cells, small_config, tmp_path, seed=0)
    apart = [(first[name] - value).norm() for name, value in single.items() if value.is_floating_point()]
    assert max(apart) > 0
    run = new_run(cells, config, tmp_path)
    batch, _ = run.draws.draw(0, 0)
    with torch.autocast("cpu", torch.bfloat16):
        fingerprint_nd, _ = run.network(batch.counts_ng, batch.measured_ng)
    torch.testing.assert_close(fingerprint_nd.norm(dim=1), torch.ones(len(fingerprint_nd)))


def test_a_folder_is_trained_into_by_one_process_at_a_time(tmp_path):
    with own_folder(tmp_path), pytest.raises(TrainingError, match="another training writes into"), own_folder(tmp_path):
        raise AssertionError("never reached")
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_is_replaced_in_one_step_or_stays(tmp_path):
    made, folder = tmp_path / "made", tmp_path / "best_model_f1"
    for path, text in ((made, "new"), (folder, "old")):
        path.mkdir()
        (path / "bundle.json").write_text(text)
    export.put_in_place(made, folder)
    assert (folder / "bundle.json").read_text() == "new"
    with pytest.raises(FileNotFoundError):
        export.put_in_place(tmp_path / "nothing", folder)
    assert (folder / "bundle.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["best_model_f1"]
