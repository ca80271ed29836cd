"""How many cells a second a training step learns from, of the fast network and of the plain one.

    python -m benchmarks.speed.training_step --save training_step

Made cells of realistic size (20,532 genes, 2,000 non-zeros a cell) in batches of 256, two threads.  The network is that
of the config default or, with both paths, through convolutions and transformer, that of the config dual-path.
All that is measured takes turns; medians are printed, also of processor time, which
says what idle cores would give.  A step is forward, loss, backward, clipping, AdamW and the running average.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from scipy import sparse
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.lib.saving import save_result
from spoticell.biology.genes import load_vocabulary
from spoticell.io.heap import kept_memory
from spoticell.model.bundle import load_bundle
from spoticell.training import loop
from spoticell.training.config import NetworkConfig, TrainConfig
from spoticell.training.data.labelled import LabelledCells
from spoticell.training.data.supply import FolderSupply
from spoticell.training.fast import FastFingerprintNetwork
from spoticell.training.loop import Run
from spoticell.training.network import FingerprintNetwork

CELLS, NON_ZEROS, DATA_SETS = 4000, 2000, 6
CORPUS = 2_460_000
"""Cells of the original's corpus."""
NAMES = {
    "whole": "the draw of a batch and a step",
    "dual": "the draw of a batch and a step with both paths",
    "step": "a step with both paths",
    "half": "a step with both paths in bfloat16",
    "plain": "a step of the plain network with both paths",
    "draw": "the draw of a batch",
}


def made_cells(seed: int = 0) -> LabelledCells:
    """Cells of the shipped model's labels, with chance counts."""
    rng, n_genes = np.random.default_rng(seed), len(load_vocabulary())
    labels = np.array(load_bundle().manifest.labels, dtype=object)
    gene_v = np.concatenate([np.sort(rng.choice(n_genes, NON_ZEROS, replace=False)) for _ in range(CELLS)])
    count_v = rng.geometric(0.5, len(gene_v)).astype(np.float32)
    return LabelledCells(
        sparse.csr_array((count_v, gene_v, np.arange(CELLS + 1) * NON_ZEROS), shape=(CELLS, n_genes)),
        labels[np.arange(CELLS) % len(labels)],
        rng.integers(DATA_SETS, size=CELLS),
        np.full(CELLS, "", dtype=object),
        tuple(f"set{number}" for number in range(DATA_SETS)),
        rng.random((DATA_SETS, n_genes)) < 0.9,
    )


def actions(folder: Path, names: Collection[str]) -> dict[str, Callable[[], object]]:
    """Give what is measured, by name."""
    cells, found = made_cells(), {}
    for name in names:
        (folder / name).mkdir()
        precision, dual = "bfloat16" if name == "half" else "single", name not in ("whole", "draw")
        network = NetworkConfig(layout="random", cnn=dual, transformer=dual)
        config = TrainConfig(network=network, precision=precision)
        supply = FolderSupply(cells, config, rng=np.random.default_rng(0))
        kind = FingerprintNetwork if name == "plain" else FastFingerprintNetwork
        with patch.object(loop, "FastFingerprintNetwork", kind):
            run = Run(supply, load_vocabulary(), config, output=folder / name, random_state=0)
        found[name] = _action(name, run)
    return found


def _action(name: str, run: Run) -> Callable[[], object]:
    if name == "draw":
        return lambda: run.draws.draw(run.step, 0)
    if name in ("whole", "dual"):
        return lambda: run.advance([run.draws.draw(run.step, 0)])
    batch, seed = run.draws.draw(0, 0)
    if name == "plain":  # it takes dense counts
        batch = replace(batch, counts_ng=batch.counts_ng.to_dense())
    return partial(run.advance, [(batch, seed)])


def measure(action: Callable[[], object]) -> tuple[float, float]:
    """Give wall and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - processor


def flops(action: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        action()
    return counter.get_total_flops()


def fastest_product(size: int = 2048) -> float:
    """Give the GFLOP/s of a large product of matrices."""
    square = torch.randn(size, size)
    return 2 * size**3 / min(measure(lambda: square @ square)[0] for _ in range(9)) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    parser.add_argument("--peak", choices=NAMES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as folder, kept_memory():
        found = actions(Path(folder), [args.peak] if args.peak else NAMES)
        if args.peak:
            for _ in range(5):
                found[args.peak]()
            # that of getrusage would be the parent's, if larger
            lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
            print(next(int(words[1]) / 1024 for words in lines if words[0] == "VmHWM:"))
            return
        lines = table(found, args)
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "A training step", lines)


def table(found: dict[str, Callable[[], object]], args: argparse.Namespace) -> list[str]:
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in found}
    for _ in range(args.repeats + 2):
        for name, action in found.items():
            taken[name].append(measure(action))
    size = TrainConfig().batch_size
    wall, processor = (
        {name: statistics.median(pair[which] for pair in pairs[2:]) for name, pairs in taken.items()}
        for which in (0, 1)
    )
    lines = [
        f"Torch {torch.__version__}, {args.threads} threads, batches of {size}, medians of {args.repeats} turns; "
        f"OMP_WAIT_POLICY is {os.environ.get('OMP_WAIT_POLICY', 'not set')}.",
        "",
        "| what | wall, ms | cells/s | processor, ms | cells/s of idle cores | GFLOP | peak memory, MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, action in found.items():
        work = "" if name == "draw" else f"{flops(action) / 1e9:.1f}"
        cores = 1 if name == "draw" else args.threads
        lines.append(
            f"| {NAMES[name]} | {1e3 * wall[name]:.0f} | {size / wall[name]:,.0f} | {1e3 * processor[name]:.0f} | "
            f"{cores * size / processor[name]:,.0f} | {work} | {peak(name, args.threads):,.0f} |"
        )
    ratios = [plain[0] / fast[0] for plain, fast in zip(taken["plain"][2:], taken["step"][2:], strict=True)]
    minutes = {name: CORPUS / size * processor[name] / args.threads / 60 for name in ("whole", "dual", "half", "plain")}
    return [
        *lines,
        "",
        f"A step with both paths is {statistics.median(ratios):.1f} times as fast as that of the plain network, median "
        "of turns. By processor time an epoch of the original's "
        f"{CORPUS / 1e6:.2f} million cells takes {minutes['whole']:.0f} minutes with this many idle cores, "
        f"{minutes['dual']:.0f} with both paths, the draw of batches among them; the steps with both paths alone take "
        f"{minutes['half']:.0f} in bfloat16, {minutes['plain']:.0f} with the plain network.",
        f"A large product of matrices runs at {fastest_product():.0f} GFLOP/s here, which is the limit of all steps.",
    ]


def peak(name: str, threads: int) -> float:
    """Give the peak memory of a process that does one thing only, in MB."""
    command = [sys.executable, "-m", "benchmarks.speed.training_step", "--threads", str(threads), "--peak", name]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    main()
