import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from tests.stopping import at_every_change

from spoticell.biology.genes import load_vocabulary
from spoticell.errors import SpoticellWarning
from spoticell.io.passing import PASSING
from spoticell.training import export
from spoticell.training import loop as run_module
from spoticell.training.data.draws import Draws
from spoticell.training.data.opening import open_supply
from spoticell.training.loop import Run
from spoticell.training.train import train


def new_run(folder, config, output) -> Run:
    output.mkdir(parents=True, exist_ok=True)
    supply = open_supply(folder, load_vocabulary(), config)
    return Run(supply, load_vocabulary(), config, output=output, random_state=0)


def tensors_of(output: Path) -> bytes:
    raw = sorted((output / "checkpoints").iterdir())[-1].read_bytes()
    return raw[8 + int.from_bytes(raw[:8], "little") :]  # behind the header, in which times stand


@pytest.fixture(scope="module")
def whole(labelled_store, small_config, tmp_path_factory):
    output = tmp_path_factory.mktemp("whole") / "run"
    train(labelled_store, output, small_config)
    return output


@pytest.mark.rows(54)
def test_a_training_stopped_at_a_step_ends_as_if_it_had_not_been(whole, labelled_store, small_config, monkeypatch):
    config = small_config.model_copy(update={"checkpoint_seconds": 0})
    output, advance = whole.with_name("stopped"), Run.advance

    def stopping(run, draws):
        if run.step == 10:  # within the second epoch
            raise KeyboardInterrupt
        return advance(run, draws)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "advance", stopping)
        with pytest.raises(KeyboardInterrupt):
            train(labelled_store, output, config)
    train(labelled_store, output, config, resume=True)
    assert tensors_of(output) == tensors_of(whole)
    for name in ("model.onnx", "weights.safetensors", "genes.tsv", "code.npy"):
        assert (output / "best_model_f1" / name).read_bytes() == (whole / "best_model_f1" / name).read_bytes()


class Kills:
    """Keeps what a kill would leave of a training's folder, once for each way in which its files ever were."""

    def __init__(self, output: Path, kept: Path) -> None:
        self.output, self.kept, self.last, self.states = output, kept, [], []

    def __call__(self) -> None:
        if not self.output.exists():
            return
        # files are replaced and never changed in place, so links of them stay as they are
        whole = [path for path in sorted(self.output.rglob("*")) if not path.name.startswith((PASSING, "events"))]
        now = [(path, path.stat().st_ino) for path in whole]
        if now != self.last:
            self.last = now
            self.states.append(self.kept / str(len(self.states)))
            shutil.copytree(self.output, self.states[-1], copy_function=os.link)


@pytest.mark.slow
def test_a_training_killed_at_any_moment_ends_as_if_it_had_not_been(
    labelled_store, small_config, tmp_path, monkeypatch
):
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **_: path.touch())
    monkeypatch.setattr(export, "write_graph", lambda path, *_, **__: path.touch())  # weights tell enough, and sooner
    config = small_config.model_copy(
        update={"epochs": 2, "cells_per_epoch": 32, "checkpoint_seconds": 0, "code_bits": 8}
    )
    supply = open_supply(labelled_store, load_vocabulary(), config)
    monkeypatch.setattr("spoticell.training.train.open_supply", lambda *_, **__: supply)
    output = tmp_path / "whole"
    kills = Kills(output, tmp_path / "killed")
    with at_every_change(kills):
        train(labelled_store, output, config)
    steps = {path.name for state in kills.states for path in state.glob("checkpoints/step-*")}
    assert len(steps) == 4
    for state in kills.states:
        train(labelled_store, state, config, resume=True)
        assert tensors_of(state) == tensors_of(output)
        for name in ("weights.safetensors", "code.npy", "examples.safetensors"):
            assert (state / "best_model_f1" / name).read_bytes() == (output / "best_model_f1" / name).read_bytes()
        assert not [path for path in state.rglob("*") if path.name.startswith(PASSING)]


def test_a_training_that_goes_on_with_other_threads_says_that_its_weights_will_differ(
    labelled_store, small_config, tmp_path, monkeypatch
):
    run = new_run(labelled_store, small_config, tmp_path / "run")
    run._keep()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 77)
    with pytest.warns(SpoticellWarning, match="goes on with 77: its weights will differ"):
        new_run(labelled_store, small_config, tmp_path / "run").restore()


def test_the_record_of_a_training_says_which_cells_it_saw(whole):
    record = json.loads((whole / "params.json").read_text())
    assert record["store"] == "labelled"
    assert record["split"] == "donors"
    assert len(record["split_sha256"]) == 64
    assert record["training_cells"] + record["validation_cells"] == 118


@pytest.mark.rows(58)
def test_batches_made_ahead_are_those_that_are_asked_for(labelled_store, small_config):
    supply = open_supply(labelled_store, load_vocabulary(), small_config)
    draws = Draws(supply, supply.labels, small_config, panels=[], seed=3, streams=2)
    ahead = draws.from_step(5, [1, 0])
    for step, stream in ((5, 1), (5, 0), (6, 1), (6, 0)):
        batch, seed = next(ahead)
        again, seed_again = Draws(supply, supply.labels, small_config, panels=[], seed=3, streams=2).draw(step, stream)
        assert seed == seed_again
        assert torch.equal(batch.counts_ng.to_dense(), again.counts_ng.to_dense())
    ahead.close()


def test_what_goes_wrong_while_drawing_ahead_is_raised(labelled_store, small_config):
    supply = open_supply(labelled_store, load_vocabulary(), small_config)
    draws = Draws(supply, [], small_config, panels=[], seed=3, streams=1)  # no label is a node
    with pytest.raises(KeyError):
        next(draws.from_step(0, [0]))


def test_several_batches_a_step_take_their_mean_gradient(labelled_store, small_config, tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "CLIP", 1e9)
    one = new_run(labelled_store, small_config, tmp_path / "one")
    two = new_run(labelled_store, small_config.model_copy(update={"accumulate": 2}), tmp_path / "two")
    assert two.steps == one.steps // 2
    draws = [two.draws.draw(0, stream) for stream in (0, 1)]
    two.optimizer.step = lambda: None
    two.advance(draws)
    gradients, statistics = [], []
    for draw in draws:
        fresh = new_run(labelled_store, small_config, tmp_path / "one")
        fresh.optimizer.step = lambda: None
        fresh.advance([draw])
        gradients.append([parameter.grad for parameter in fresh.network.parameters()])
        statistics.append(fresh._statistics())
    for parameter, first, second in zip(two.network.parameters(), *gradients, strict=True):
        torch.testing.assert_close(parameter.grad, (first + second) / 2, atol=1e-6, rtol=1e-4)
    for found, first, second in zip(two._statistics(), *statistics, strict=True):
        torch.testing.assert_close(found, (first + second) / 2)


TOGETHER = """
import json, sys
from pathlib import Path
import torch
from spoticell.biology.genes import load_vocabulary
from spoticell.training.config import TrainConfig
from spoticell.training.data.opening import open_supply
from spoticell.training.ranks import join_ranks, leave_ranks
from spoticell.training.loop import Run
torch.set_num_threads(1)
store, output, config = Path(sys.argv[1]), Path(sys.argv[2]), TrainConfig.model_validate_json(sys.argv[3])
ranks = join_ranks()
supply = open_supply(store, load_vocabulary(), config)
run = Run(supply, load_vocabulary(), config, output=output, random_state=0, ranks=ranks)
advance, losses = run.advance, []
run.advance = lambda draws: losses.append(advance(draws)) or losses[-1]
run.fit()
if ranks.is_first:
    validated = [row["validation_macro_f1"] for row in run.epochs]
    (output / "losses.json").write_text(json.dumps([losses, validated]))
leave_ranks(ranks)
"""


@pytest.mark.slow
def test_two_processes_follow_the_loss_curve_of_one_with_the_same_cells_in_a_step(
    labelled_store, small_config, tmp_path
):
    curves = {}
    for processes in (1, 2):
        output = tmp_path / str(processes)
        output.mkdir()
        (tmp_path / "together.py").write_text(TOGETHER)
        config = small_config.model_copy(update={"accumulate": 2 // processes, "epochs": 2, "cells_per_epoch": 320})
        command = [sys.executable, str(tmp_path / "together.py")]
        if processes > 1:
            launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
            command = [sys.executable, *launch, *command[1:]]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
        done = subprocess.run(
            [*command, str(labelled_store), str(output), config.model_dump_json()],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        curves[processes] = json.loads((output / "losses.json").read_text())
    assert len(curves[1][0]) == 20
    np.testing.assert_allclose(curves[1][0], curves[2][0], atol=1e-5)
    np.testing.assert_allclose(curves[1][1], curves[2][1], atol=1e-5)
