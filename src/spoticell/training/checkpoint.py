"""Resumable training states in safetensors: tensors as tensors, the rest as JSON beside them in the same file.

No pickle is written or read, so a checkpoint from a colleague is as safe to open as a picture.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from spoticell.errors import TrainingError, note
from spoticell.io.write import atomic

KEEP = 2
"""Checkpoints that are kept: the last one, and the one before should the last be damaged."""


def save_checkpoint(
    folder: Path, *, step: int, networks: dict[str, nn.Module], optimizer: torch.optim.Optimizer, state: dict[str, Any]
) -> Path:
    """Write a checkpoint and remove those that are no longer needed.

    Parameters
    ----------
    folder
        Where checkpoints of this run lie.
    step
        Optimiser steps done; part of the file's name.
    networks
        Modules whose parameters and buffers are saved.
    optimizer
        Its moments are saved.
    state
        Anything JSON can hold: history, sums of the epoch so far.
    """
    tensors = {
        f"{name}/{key}": value for name, network in networks.items() for key, value in network.state_dict().items()
    }
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{index}/{key}": value for key, value in moments.items()}
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{step:09d}.safetensors"
    with atomic(path) as temporary:
        save_file(tensors, temporary, metadata={"state": json.dumps(state | {"step": step})})
    for old in sorted(folder.glob("step-*.safetensors"))[:-KEEP]:
        old.unlink(missing_ok=True)
    return path


def load_checkpoint(
    folder: Path, *, networks: dict[str, nn.Module], optimizer: torch.optim.Optimizer
) -> dict[str, Any] | None:
    """Put the last sound checkpoint of a folder into the modules and the optimiser.

    Returns
    -------
    The state that was saved, with ``step``; None where there is no checkpoint.

    Raises
    ------
    TrainingError
        If every checkpoint is damaged, or belongs to another network.
    """
    paths = sorted(folder.glob("step-*.safetensors"), reverse=True)
    for path in paths:
        try:
            tensors, state = _read(path)
        except (SafetensorError, OSError, ValueError) as error:
            note(f"the checkpoint {path.name} is damaged ({error}); the one before is used.")
            continue
        _restore(tensors, networks, optimizer, path)
        return state
    if paths:
        raise TrainingError(f"None of the checkpoints in {folder} can be read; remove the folder to start anew.")
    return None


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    with safe_open(path, framework="pt") as file:
        state = json.loads((file.metadata() or {})["state"])
        return {name: file.get_tensor(name) for name in file.keys()}, state  # noqa: SIM118 - not a dict


def _restore(
    tensors: dict[str, Tensor], networks: dict[str, nn.Module], optimizer: torch.optim.Optimizer, path: Path
) -> None:
    try:
        for name, network in networks.items():
            network.load_state_dict(_under(tensors, name))
    except RuntimeError as error:
        raise TrainingError(
            f"The checkpoint {path} is of another network or other labels; resume with the config and the data that it "
            "was made with, or choose another output folder."
        ) from error
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in _under(tensors, "optimizer").items():
        index, key = name.split("/")
        moments.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})


def _under(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}/"): value for key, value in tensors.items() if key.startswith(f"{name}/")}
