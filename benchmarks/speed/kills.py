"""Whether anything is lost or doubled when `spoticell prepare` and `spoticell train` are killed at random moments.

    python -m benchmarks.speed.kills CELLS --save kills

CELLS is a folder of h5ad files that benchmarks/corpus_cells.py made.  Both commands run once to their end, and once
more with twenty SIGKILLs on the way, each after a random part of the time that the whole takes; a run that ends before
its kill is begun anew.  What is left is compared byte for byte.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.lib.saving import save_result
from spoticell.corpus.store.store import Store

KILLS = 20
SMALL = """
network: {layout: random, stem_channels: 4, cell_token: 8, width: 32, channels: [8, 8, 16, 16], fusion: [32, 32]}
batch_size: 64
cells_per_epoch: 2048
epochs: 4
checkpoint_seconds: 0.5
"""


def killed(command: list[str], whole: float, output: Path, done: Callable[[], bool]) -> tuple[int, int, int]:
    """Kill a command at random moments; give kills, starts from the beginning, and kills that left something."""
    kills = begun = left = 0
    while kills < KILLS:
        if done():
            shutil.rmtree(output)
            begun += 1
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=random.uniform(0, whole))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
            left += output.exists()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return kills, begun, left


def timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def contents(folder: Path, pattern: str) -> dict[str, bytes]:
    paths = [path for path in sorted(folder.glob(pattern)) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def prepare(cells: Path, folder: Path) -> list[str]:
    recipe = folder / "recipe.yaml"
    recipe.write_text(f"name: killed\nsources:\n- file: {cells.resolve()}/*.h5ad\n")
    command = [sys.executable, "-m", "spoticell", "prepare", str(recipe), "--quiet", "-o"]
    whole, output = folder / "whole", folder / "killed"
    seconds = timed([*command, str(whole)])
    kills, begun, left = killed([*command, str(output)], seconds, output, (output / "summary.json").exists)
    store = Store(output)
    names = Counter(f"{record}/{name}" for record, name in cell_names(store))
    same = contents(whole, "**/*.safetensors") == contents(output, "**/*.safetensors")
    return [
        "prepare",
        f"{seconds:.0f}",
        str(kills),
        str(left),
        str(begun + 1),
        f"{len(names):,} of {len(store):,} cells once, {sum(count > 1 for count in names.values())} twice",
        "yes" if same and (whole / "store.json").read_bytes() == (output / "store.json").read_bytes() else "NO",
    ]


def cell_names(store: Store) -> list[tuple[int, str]]:
    return [(int(shard.path.name[:5]), name) for _, shard in store.shards() for name in shard.names()]


def train(folder: Path) -> list[str]:
    config = folder / "small.yaml"
    config.write_text(SMALL)
    command = [sys.executable, "-m", "spoticell", "train", "--data-dir", str(folder / "whole"), "--quiet", "--resume"]
    command += ["--config", str(config), "--output-dir"]
    whole, output = folder / "trained", folder / "killed-training"
    seconds = timed([*command, str(whole)])
    done = (output / "best_model_f1" / "bundle.json").exists
    kills, begun, left = killed([*command, str(output)], seconds, output, done)
    bundle = ("best_model_f1/*.safetensors", "best_model_f1/model.onnx", "best_model_f1/code.npy")
    same = all(contents(whole, name) == contents(output, name) for name in bundle)
    weights = [tensors(sorted((one / "checkpoints").iterdir())[-1]) for one in (whole, output)]
    steps = {name.name for one in (whole, output) for name in sorted((one / "checkpoints").iterdir())[-1:]}
    return [
        "train",
        f"{seconds:.0f}",
        str(kills),
        str(left),
        str(begun + 1),
        f"last state {', '.join(sorted(steps))}",
        "yes" if same and weights[0] == weights[1] else "NO",
    ]


def tensors(path: Path) -> bytes:
    raw = path.read_bytes()
    return raw[8 + int.from_bytes(raw[:8], "little") :]  # behind the header, in which times stand


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cells", type=Path)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    random.seed(0)
    lines = [
        "| command | whole run (s) | kills | kills that left something to go on with | runs | in the end | "
        "byte for byte as if never killed |",
        "|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory(dir=args.cells.parent) as name:
        folder = Path(name)
        for row in (prepare(args.cells, folder), train(folder)):
            lines.append(f"| {' | '.join(row)} |")
            print(lines[-1], file=sys.stderr, flush=True)
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Killed twenty times", lines)


if __name__ == "__main__":
    main()
