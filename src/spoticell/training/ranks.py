"""Several processes that train one network together, started by ``torchrun``; or one process, alone.

Gradients are added up over all processes after each step, so all of them hold the same network.  Nothing but
tensors goes between them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Ranks:
    """The place of a process among those that train together."""

    rank: int = 0
    world: int = 1
    """Number of processes."""
    device: torch.device = CPU

    @property
    def is_first(self) -> bool:
        """Whether this process writes and speaks for all."""
        return self.rank == 0

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors of one kind by their sums over all processes, in place."""
        if self.world == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        for tensor, summed in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(summed.view_as(tensor))

    def tell(self, values: Sequence[float]) -> list[float]:
        """Give what the first process says, to all; the others' values are passed over."""
        if self.world == 1:
            return list(values)
        told = torch.tensor(list(values), dtype=torch.float64, device=self.device)
        distributed.broadcast(told, 0)
        return [float(value) for value in told.tolist()]

    def wait(self) -> None:
        """Wait until all processes have come this far."""
        if self.world > 1:
            distributed.barrier()


def join_ranks() -> Ranks:
    """Join the processes that ``torchrun`` started, with a GPU each if there are some; else be alone.

    Examples
    --------
    >>> join_ranks().world
    1
    """
    local = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local) if torch.cuda.is_available() else CPU
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Ranks(device=device)
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Ranks(distributed.get_rank(), distributed.get_world_size(), device)


def leave_ranks(ranks: Ranks) -> None:
    """Part from the other processes."""
    if ranks.world > 1:
        distributed.destroy_process_group()
