"""Where the time of naming cells goes, as a flame graph: the wider a function, the more of the time it takes.

    python -m benchmarks.speed.throughput --sizes 50000 --runs 1 --folder FILES
    python -m benchmarks.speed.flame FILES/50000.h5ad --py-spy PY_SPY --save flame

py-spy (``pip install py-spy``) looks at all threads a hundred times a second and notes which functions are at work.
Only our functions are drawn, and above each the library that it calls.  Loading modules is drawn as one.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.patches import Patch

from benchmarks.lib.saving import save_picture

COLORS = {
    "cli": "#b3b3b3",
    "api": "#b3b3b3",
    "annotation": "#e78a4e",
    "model": "#4c8dae",
    "io": "#6aaa64",
    "biology": "#c9a227",
    "loading modules": "#d8d8d8",
    "library": "#efe3d3",
}
"""Of a frame's room."""
LEAST = 0.004
"""Share of the time that a frame needs to be drawn."""
LETTERS = 175
"""Letters that fit into the whole width."""

Stack = tuple[tuple[str, str], ...]
"""Names and rooms of functions, the outermost first."""


def record(cells: Path, py_spy: str) -> Counter[Stack]:
    """Name the cells of a file, and count how often each stack of functions was seen at work."""
    with tempfile.TemporaryDirectory() as folder:
        raw, out = Path(folder) / "raw.txt", Path(folder) / "out.csv"
        command = [sys.executable, "-m", "spoticell", "annotate", str(cells), "-o", str(out)]
        subprocess.run([py_spy, "record", "-f", "raw", "--function", "-o", str(raw), "--", *command], check=True)
        seen: Counter[Stack] = Counter()
        for line in raw.read_text().splitlines():
            frames, times = line.rsplit(" ", 1)
            if stack := told(frames.split(";")):
                seen[stack] += int(times)
    return seen


def told(frames: Iterable[str]) -> Stack:
    """Give what is drawn of a stack.

    Examples
    --------
    >>> told(["run (spoticell/api.py)", "read (spoticell/io/open.py)", "get (h5py/_hl/files.py)"])
    (('run', 'api'), ('read', 'io'), ('h5py', 'library'))
    """
    stack, library = [], ""
    for frame in frames:
        found = re.fullmatch(r"(.*?) \((.*?)(?::\d+)?\)", frame)
        if found is None:  # it was lost while the process went on
            continue
        name, path = found.groups()
        if "importlib" in path:
            return (*stack, ("loading modules", "loading modules"))
        parts = Path(path).parts or ("",)
        if "spoticell" in parts:
            room = parts[parts.index("spoticell") + 1].removesuffix(".py")
            if name != "<module>" and "<locals>.run" not in name and room != "__main__":
                stack.append((name, room))
            library = ""
        elif "python3" not in parts[0] and not path.startswith("<"):
            library = library or parts[0].removesuffix(".py")
    return (*stack, *([(library, "library")] if library and stack else []))


def placed(seen: Counter[Stack], start: float = 0.0, depth: int = 0) -> Iterator[tuple[float, float, int, str, str]]:
    """Give left edge, width, depth, name and room of all frames, widths as counts."""
    by_frame: dict[tuple[str, str], Counter[Stack]] = {}
    for stack, times in seen.items():
        if stack:
            by_frame.setdefault(stack[0], Counter())[stack[1:]] += times
    for (name, room), rest in sorted(by_frame.items(), key=lambda item: -item[1].total()):
        yield start, rest.total(), depth, name, room
        yield from placed(rest, start, depth + 1)
        start += rest.total()


def draw(seen: Counter[Stack]) -> plt.Figure:
    """Draw the graph, the outermost functions at the bottom."""
    total = seen.total()
    frames = [frame for frame in placed(seen) if frame[1] >= LEAST * total]
    rows = 1 + max(depth for _, _, depth, _, _ in frames)
    figure, axes = plt.subplots(figsize=(13, 0.26 * rows + 0.8), layout="constrained")
    for start, width, depth, name, room in frames:
        color = COLORS.get(room, "#cccccc")
        axes.barh(depth, width / total, left=start / total, height=1, color=color, edgecolor="white", linewidth=0.8)
        fits = int(width / total * LETTERS)
        if fits >= 4:
            text = name if len(name) <= fits else f"{name[: fits - 1]}…"
            axes.text(start / total + 0.002, depth, text, va="center", fontsize=7, clip_on=True)
    axes.set(xlim=(0, 1), ylim=(-0.5, rows - 0.5), yticks=[], xlabel="share of the time that threads were at work")
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.spines[["left", "right", "top"]].set_visible(False)
    rooms = [room for room in COLORS if room != "api" and any(frame[4] == room for frame in frames)]
    handles = [Patch(color=COLORS[room], label="cli, api" if room == "cli" else room) for room in rooms]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(rooms), frameon=False, fontsize=8)
    return figure


def main() -> None:
    """Read the command line, look, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cells", type=Path)
    parser.add_argument("--py-spy", default="py-spy")
    parser.add_argument("--save", default="flame", help="name of the picture")
    args = parser.parse_args()
    save_picture(args.save, draw(record(args.cells, args.py_spy)))


if __name__ == "__main__":
    main()
