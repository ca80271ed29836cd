"""How fast, how exact and how large: an index beside exact search, HNSW, usearch, LSH and other ways to use FAISS.

All see the same vectors in the same run, each in a process of its own.  ``search_vectors.py`` makes the vectors.
Rates are given by the clock and, as the machine may be shared, by processor time as if two cores were idle.

    python -m benchmarks.speed.search_vectors /tmp/vectors --sizes 1000000 10000000
    python -m benchmarks.speed.search_speed /tmp/vectors --size 1000000 --save search_speed
    python -m benchmarks.speed.search_speed /tmp/vectors --size 10000000 --methods spoticell --save search_speed_10m
    python -m benchmarks.speed.search_speed /tmp/vectors --methods spoticell lance lance_pq lance_hnsw \
        --save search_lance
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import faiss
import numpy as np

from benchmarks.lib.saving import save_result
from benchmarks.speed import search_lance
from benchmarks.speed.search_vectors import K, reference_blocks
from spoticell.index import Index, create_index
from spoticell.index.coarse import lists_for, train_coarse
from spoticell.index.folder import reader
from spoticell.index.folder.spool import binary_code
from spoticell.model.bundle import load_bundle

THREADS = 2
TRUTH = 2000
"""Queries whose exact neighbours are known; rates are measured on all queries."""
REPEATS = 3
Search = Callable[[np.ndarray], np.ndarray]
"""From queries to the numbers of their nearest vectors."""


def build_spoticell(x_nd: np.ndarray, folder: Path) -> None:
    if not (folder / "spoticell" / "index.json").exists():
        create_index(folder / "spoticell", load_bundle(), reference_blocks(x_nd))


def open_spoticell(folder: Path, probes: int = reader.PROBES) -> Search:
    reader.PROBES = probes
    index = Index(folder / "spoticell", threads=THREADS)
    _ = index.groups
    return lambda q_nd: index.search(q_nd, k=K).row_nk


def spoticell_numbers(folder: Path, row_nk: np.ndarray) -> np.ndarray:
    """Turn positions in the index into numbers of vectors, by the names of the cells."""
    names = Index(folder / "spoticell").names_of(row_nk)
    return np.array([int(name[5:] or -1) for name in names.ravel()]).reshape(row_nk.shape)


def build_faiss(index: faiss.Index, x_nd: np.ndarray, path: Path) -> None:
    if not index.is_trained:
        index.train(np.ascontiguousarray(x_nd[:: max(1, len(x_nd) // 170_000)]))
    for start in range(0, len(x_nd), 1 << 18):
        index.add(np.ascontiguousarray(x_nd[start : start + (1 << 18)]))
    faiss.write_index(index, str(path))


def build_flat(x_nd: np.ndarray, folder: Path) -> None:
    build_faiss(faiss.IndexFlatIP(x_nd.shape[1]), x_nd, folder / "flat")


def open_flat(folder: Path) -> Search:
    index = faiss.read_index(str(folder / "flat"))
    return lambda q_nd: index.search(q_nd, K)[1]


def build_hnsw(x_nd: np.ndarray, folder: Path) -> None:
    build_faiss(faiss.IndexHNSWFlat(x_nd.shape[1], 16, faiss.METRIC_INNER_PRODUCT), x_nd, folder / "hnsw")


def open_hnsw(folder: Path) -> Search:
    index = faiss.read_index(str(folder / "hnsw"))
    index.hnsw.efSearch = 96
    return lambda q_nd: index.search(q_nd, K)[1]


def build_usearch(x_nd: np.ndarray, folder: Path) -> None:
    from usearch.index import Index as USearch  # noqa: PLC0415 - not in the environment of tests

    index = USearch(ndim=x_nd.shape[1], metric="ip", dtype="f16", connectivity=16)
    index.add(np.arange(len(x_nd)), x_nd, threads=THREADS)
    index.save(str(folder / "usearch"))


def open_usearch(folder: Path) -> Search:
    from usearch.index import Index as USearch  # noqa: PLC0415 - see above

    index = USearch.restore(str(folder / "usearch"), view=True)
    index.expansion_search = 96
    return lambda q_nd: np.atleast_2d(index.search(q_nd, K, threads=THREADS).keys).astype(np.int64)


def build_lsh(x_nd: np.ndarray, folder: Path) -> None:
    """PCA to 50 axes and four codes of 128 bits by random planes: Sato, Tsuyuzaki et al. 2019, CellFishing.jl."""
    sample_nd = x_nd[:: max(1, len(x_nd) // 50_000)]
    mean_d = sample_nd.mean(axis=0)
    _, _, axes_dd = np.linalg.svd(sample_nd - mean_d, full_matrices=False)
    planes = np.random.default_rng(0).normal(size=(4, 128, 50)).astype(np.float32) @ axes_dd[:50]
    np.savez(folder / "lsh.npz", mean_d=mean_d, planes=planes.astype(np.float32))
    for number in range(4):
        index = faiss.IndexBinaryFlat(128)
        index.add(binary_code(x_nd - mean_d, planes[number].astype(np.float32)))
        faiss.write_index_binary(index, str(folder / f"lsh{number}"))


def open_lsh(folder: Path) -> Search:
    known = np.load(folder / "lsh.npz")
    indexes = [faiss.read_index_binary(str(folder / f"lsh{number}")) for number in range(4)]
    codes = [faiss.vector_to_array(index.xb).reshape(-1, 16).view(np.uint64) for index in indexes]

    def search(q_nd: np.ndarray) -> np.ndarray:
        query = [binary_code(q_nd - known["mean_d"], planes) for planes in known["planes"]]
        found = [index.search(code, K)[1] for index, code in zip(indexes, query, strict=True)]
        return best_by_bits(np.concatenate(found, axis=1), query, codes)

    return search


def best_by_bits(row_nr: np.ndarray, query: list[np.ndarray], codes: list[np.ndarray]) -> np.ndarray:
    """Give the candidates whose codes differ in the fewest bits over all tables."""
    row_nr = np.sort(row_nr, axis=1)
    differ_nr = sum(
        np.bitwise_count(code[row_nr] ^ own.view(np.uint64)[:, None]).sum(axis=2)
        for own, code in zip(query, codes, strict=True)
    ).astype(np.int64)
    differ_nr[:, 1:][row_nr[:, 1:] == row_nr[:, :-1]] = 1 << 30  # the same candidate from another table
    return np.take_along_axis(row_nr, np.argsort(differ_nr, axis=1, kind="stable")[:, :K], axis=1)


def build_codes(x_nd: np.ndarray, folder: Path) -> None:
    """Put the binary code of the bundle into an inverted file, and keep half floats to rank again."""
    codes = binary_code(np.asarray(x_nd), load_bundle().planes_bd)
    lists = lists_for(len(x_nd))
    quantizer = faiss.IndexBinaryFlat(codes.shape[1] * 8)
    index = faiss.IndexBinaryIVF(quantizer, codes.shape[1] * 8, lists)
    index.train(codes[:: max(1, len(codes) // 170_000)])
    index.add(codes)
    faiss.write_index_binary(index, str(folder / "codes"))
    np.save(folder / "half.npy", np.asarray(x_nd, dtype=np.float16))


def open_codes(folder: Path) -> Search:
    index = faiss.read_index_binary(str(folder / "codes"))
    index.nprobe = 32
    half_nd, planes_bd = np.load(folder / "half.npy", mmap_mode="r"), load_bundle().planes_bd
    return lambda q_nd: ranked(q_nd, index.search(binary_code(q_nd, planes_bd), 200)[1], half_nd)


def ranked(q_nd: np.ndarray, row_nr: np.ndarray, half_nd: np.ndarray) -> np.ndarray:
    """Give the candidates with the largest dot product, a few hundred queries at a time."""
    best = []
    for start in range(0, len(q_nd), 256):
        rows = row_nr[start : start + 256]
        similarity = np.einsum("nrd,nd->nr", half_nd[rows].astype(np.float32), q_nd[start : start + 256])
        best.append(np.take_along_axis(rows, np.argsort(-similarity, axis=1)[:, :K], axis=1))
    return np.concatenate(best)


def build_pq(x_nd: np.ndarray, folder: Path) -> None:
    """Product quantisation of 128 bits in an inverted file, scanned in registers, and half floats to rank again."""
    d, lists = x_nd.shape[1], lists_for(len(x_nd))
    index = faiss.IndexIVFPQFastScan(faiss.IndexFlatIP(d), d, lists, 32, 4, faiss.METRIC_INNER_PRODUCT)
    index.by_residual = True
    build_faiss(index, x_nd, folder / "pq")
    np.save(folder / "half.npy", np.asarray(x_nd, dtype=np.float16))


def open_pq(folder: Path) -> Search:
    index = faiss.read_index(str(folder / "pq"))
    index.nprobe = 16
    half_nd = np.load(folder / "half.npy", mmap_mode="r")
    return lambda q_nd: ranked(q_nd, index.search(q_nd, 200)[1], half_nd)


def build_sq(x_nd: np.ndarray, folder: Path) -> None:
    """Bytes, as differences from the centroids, in an inverted file."""
    d, lists = x_nd.shape[1], lists_for(len(x_nd))
    coarse = train_coarse(np.ascontiguousarray(x_nd[:: max(1, len(x_nd) // (40 * lists))]), lists).graph
    kind = faiss.ScalarQuantizer.QT_8bit
    index = faiss.IndexIVFScalarQuantizer(coarse, d, lists, kind, faiss.METRIC_INNER_PRODUCT, True)  # noqa: FBT003
    build_faiss(index, x_nd, folder / "sq")


def open_sq(folder: Path) -> Search:
    index = faiss.read_index(str(folder / "sq"))
    index.nprobe = 20
    return lambda q_nd: index.search(q_nd, K)[1]


METHODS = {
    "spoticell": ("Spoticell: lists, half floats on a memory map", build_spoticell, open_spoticell, "spoticell"),
    **{
        f"spoticell-{probes}": (
            f"the same, {probes} lists looked into",
            build_spoticell,
            partial(open_spoticell, probes=probes),
            "spoticell",
        )
        for probes in (48, 64, 96)
    },
    "flat": ("FAISS flat, float32: exact", build_flat, open_flat, "flat"),
    "hnsw": ("FAISS HNSW, 16 links, ef 96", build_hnsw, open_hnsw, "hnsw"),
    "usearch": ("usearch HNSW, half floats, 16 links, ef 96", build_usearch, open_usearch, "usearch"),
    "lsh": ("PCA 50 + 4 x 128-bit LSH, all codes scanned", build_lsh, open_lsh, "lsh*"),
    "codes": ("binary codes of 128 bits in lists, 200 ranked again", build_codes, open_codes, "codes half.npy"),
    "pq": ("PQ of 128 bits in lists, 200 ranked again", build_pq, open_pq, "pq half.npy"),
    "sq": ("bytes in lists", build_sq, open_sq, "sq"),
    **search_lance.METHODS,
}
"""What a method is, how it is built and opened, and its files."""
SLOW = {"flat": 2000, "lsh": 500, "lance": 5000, "lance_pq": 2000, "lance_hnsw": 2000}
"""Queries that a slow method is measured on."""


def measure(method: str, x_path: Path, q_path: Path, folder: Path) -> dict[str, float]:
    """Open an index that was built and search it; in a process of its own."""
    faiss.omp_set_num_threads(THREADS)
    q_nd = np.load(q_path)[: SLOW.get(method)]
    before = memory()
    start = time.perf_counter()
    search = METHODS[method][2](folder)
    opened = time.perf_counter() - start
    first = search(q_nd[:1])
    assert first.shape == (1, K)
    rates, loads = [], []
    for _ in range(REPEATS):
        start, processor = time.perf_counter(), sum(os.times()[:2])
        found_nk = search(q_nd)
        rates.append(len(q_nd) / (time.perf_counter() - start))
        loads.append(THREADS * len(q_nd) / max(sum(os.times()[:2]) - processor, 1e-9))
    singles = []
    for row in range(min(300, len(q_nd))):
        start = time.perf_counter()
        search(q_nd[row : row + 1])
        singles.append(time.perf_counter() - start)
    after = memory()
    if method.startswith("spoticell"):
        found_nk = spoticell_numbers(folder, found_nk[:TRUTH])
    truth_nk = exact(x_path, q_path)[: len(found_nk)]
    recall = np.mean([len(np.intersect1d(*pair)) / K for pair in zip(found_nk, truth_nk, strict=False)])
    return {
        "recall": float(recall),
        "rate": max(rates),
        "rate_processor": max(loads),
        "p50_ms": 1e3 * float(np.median(singles)),
        "open_s": opened,
        "peak_mb": after["VmHWM"],
        "anonymous_mb": after["RssAnon"] - before["RssAnon"],
        "disk_mb": on_disk(folder, METHODS[method][3]) / 1e6,
    }


def on_disk(folder: Path, names: str) -> int:
    """Give the bytes of files and folders."""
    paths = [path for name in names.split() for path in folder.glob(name)]
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))]
    return sum(file.stat().st_size for file in files if file.is_file())


def memory() -> dict[str, float]:
    """Give the memory of this process in MB."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {words[0][:-1]: int(words[1]) / 1024 for words in lines if words[0] in {"VmHWM:", "RssAnon:", "RssFile:"}}


def exact(x_path: Path, q_path: Path) -> np.ndarray:
    """Give the exact neighbours of the first queries, found once and kept."""
    path = x_path.with_name(f"exact-{x_path.stem}.npy")
    if not path.exists():
        x_nd, q_nd = np.load(x_path, mmap_mode="r"), np.load(q_path)[:TRUTH]
        best = np.full((len(q_nd), 0), 0.0, np.float32), np.full((len(q_nd), 0), 0)
        for start in range(0, len(x_nd), 1 << 19):
            found = faiss.knn(
                q_nd, np.ascontiguousarray(x_nd[start : start + (1 << 19)]), K, metric=faiss.METRIC_INNER_PRODUCT
            )
            both = [np.concatenate(pair, axis=1) for pair in zip(best, (found[0], found[1] + start), strict=True)]
            order = np.argsort(-both[0], axis=1, kind="stable")[:, :K]
            best = tuple(np.take_along_axis(part, order, axis=1) for part in both)
        np.save(path, best[1])
    return np.load(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what search_vectors.py made")
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--save")
    parser.add_argument("--measure", metavar="METHOD", help=argparse.SUPPRESS)
    parser.add_argument("--build", metavar="METHOD", help=argparse.SUPPRESS)
    args = parser.parse_args()
    x_path, q_path, work = (
        args.folder / f"{args.size}.npy",
        args.folder / "queries.npy",
        args.folder / f"built-{args.size}",
    )
    work.mkdir(exist_ok=True)
    if args.build:
        faiss.omp_set_num_threads(THREADS)
        start, processor = time.perf_counter(), sum(os.times()[:2])
        METHODS[args.build][1](np.load(x_path, mmap_mode="r"), work)
        print(
            json.dumps(
                {
                    "build_s": time.perf_counter() - start,
                    "build_processor_s": sum(os.times()[:2]) - processor,
                    "build_peak_mb": memory()["VmHWM"],
                }
            )
        )
        return
    if args.measure:
        print(json.dumps(measure(args.measure, x_path, q_path, work)))
        return
    exact(x_path, q_path)
    rows = {}
    for method in args.methods:
        rows[method] = {"recall": 0.0}
        for step in ("--build", "--measure"):
            command = [
                sys.executable,
                "-m",
                "benchmarks.speed.search_speed",
                str(args.folder),
                "--size",
                str(args.size),
                step,
                method,
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows[method] |= json.loads(done.stdout.splitlines()[-1])
        print(method, json.dumps({key: round(value, 3) for key, value in rows[method].items()}), flush=True)
    lines = table(rows)
    print("\n".join(lines))
    if args.save:
        queries = len(np.load(q_path, mmap_mode="r"))
        save_result(args.save, f"Search among {args.size:,} fingerprints", [INTRO.format(queries=queries), "", *lines])


INTRO = (
    "{queries:,} queries in one batch, k = 10, two threads, best of three; recall@10 against exact search on the float "
    "vectors, of 2,000 queries. Rates by processor time say what two idle cores would give; the machine was shared. "
    "Peak is the whole process with Python and all libraries, pages of mapped files among it; `own` is what the index "
    "takes of memory that the system can't take back."
)


def table(rows: dict[str, dict[str, float]]) -> list[str]:
    lines = [
        "| method | recall@10 | queries/s | by processor time | single p50, ms | open, s | peak, MB | own, MB | "
        "disk, MB | build, s (processor) |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for method, row in rows.items():
        lines.append(
            f"| {METHODS[method][0]} | {row['recall']:.3f} | {row['rate']:,.0f} | {row['rate_processor']:,.0f} | "
            f"{row['p50_ms']:.2f} | {row['open_s']:.2f} | {row['peak_mb']:,.0f} | {row['anonymous_mb']:,.0f} | "
            f"{row['disk_mb']:,.0f} | "
            f"{row['build_s']:,.0f} ({row['build_processor_s']:,.0f}) |"
        )
    return lines


if __name__ == "__main__":
    main()
