"""The answers of a run that is done, shown at another threshold without a new run.

What the page asks for cell by cell is written anew: types, scores, map, summary.  The files to keep stay as they are.
Axes: ``n`` cells, ``k`` groups, ``m`` ontology nodes.
"""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.annotation.decision import Answers, answers_at, together_of
from spoticell.annotation.group_references import agreeing
from spoticell.annotation.groups import Grouping, Groups, GroupTally
from spoticell.annotation.options import Options
from spoticell.annotation.result import Annotation
from spoticell.io.findings import Findings
from spoticell.io.passing import passing_place
from spoticell.web import grounds, sink
from spoticell.web.columns import score_files
from spoticell.web.kept import recall
from spoticell.web.refusal import Refusal
from spoticell.web.skies import MEANS
from spoticell.web.summary import common_types, summarise, without_type
from spoticell.web.task import RESULTS

OLDER = "These results don’t hold what it takes to show them at another threshold. Run the job again."


def show_at(threshold: float, folder: Path, options: Options, *, told: dict[str, Any] | None = None) -> dict[str, Any]:
    """Write the answers at a threshold into the results of a job, and give their summary.

    Parameters
    ----------
    threshold
        Lowest probability at which a type is named.
    folder
        The job's.
    options
        Of its run.
    told
        What the summary says otherwise than before that is no matter of the threshold.

    Raises
    ------
    Refusal
        If the results are of a release that didn't keep what this takes.
    """
    results = folder / RESULTS
    findings = recall(folder, bundle_sha256=options.bundle.sha256)
    annotation = None if findings is None else _answered(results, findings, options, threshold)
    if annotation is None:
        raise Refusal(409, OLDER)
    before = json.loads((results / sink.SUMMARY).read_text(encoding="utf-8"))
    same = ("allowed", "tissues", "saved_threshold", "tissue", "renamed")
    summary = summarise(annotation) | {name: before.get(name) for name in same} | (told or {})
    kept = grounds.kept_matches(results)
    theirs_n = None if kept is None else kept[0]
    summary["no_common_type"] = None if theirs_n is None else without_type(theirs_n)
    for group, agree in zip(summary["groups"] or [], _agree(annotation, theirs_n), strict=True):
        group["agree"] = agree
    for group, old in zip(summary["groups"] or [], before["groups"] or [], strict=True):
        group |= {name: old.get(name, []) for name in ("studies", "tissues")}
        group["genes"] = _marked(old["genes"], group["term"], options)
    _write(annotation, results, summary)
    return summary


def _marked(genes: list[dict[str, Any]], term: str, options: Options) -> list[dict[str, Any]]:
    """Give the genes of a group with the markers of its type told, which may be another than before."""
    if options.known_markers is None:
        return genes
    places = [options.bundle.vocabulary.by_symbol[gene["symbol"]] for gene in genes]
    marks = options.known_markers.known(term, places)
    return [gene | {"known": known} for gene, known in zip(genes, marks, strict=True)]


def _answered(results: Path, findings: Findings, options: Options, threshold: float) -> Annotation | None:
    """Give the answers at a threshold with what the summary says of them; None where their grounds weren't kept."""
    bundle, n_measured = options.bundle, findings.match.n_found
    alone, together = (grounds.read_grounds(results / name) for name in (grounds.GROUNDS_ALONE, grounds.GROUNDS))
    if alone is None:
        return None
    single = answers_at(alone, threshold, trust=bundle.manifest.trust, n_measured=n_measured)
    found = single
    if together is not None and len(together.counts_n):
        found = answers_at(together, threshold, trust=together_of(bundle).trust, n_measured=n_measured)
    n_counts_n = np.load(results / sink.N_COUNTS)
    none_n = np.zeros(len(n_counts_n), dtype=np.float32)
    return Annotation(
        findings=findings,
        bundle=bundle,
        threshold=threshold,
        answer_n=found.answer_n,
        score_n=found.score_n,
        barred_n=np.load(results / grounds.BARRED),
        doubted_n=found.doubted_n,
        second_n=np.full(len(none_n), -1, dtype=np.intp),
        second_probability_n=none_n,
        n_counts_n=n_counts_n,
        n_genes_n=np.load(results / sink.N_GENES),
        sample_s=np.empty(0, dtype=np.intp),
        fingerprint_sd=np.empty((0, bundle.manifest.fingerprint_size), dtype=np.float32),
        examples=(),
        cell_names=pd.RangeIndex(len(none_n)),
        options=options,
        single_n=None if found is single else single.answer_n,
        single_score_n=None if found is single else single.score_n,
        samples=grounds.kept_samples(results),
        groups=_groups(results, findings, options, found, n_counts_n),
        mixed=grounds.kept_mixed(results),
        programs_np=np.load(results / grounds.PROGRAMS) if (results / grounds.PROGRAMS).exists() else None,
    )


def _agree(annotation: Annotation, theirs_n: NDArray[np.object_] | None) -> list[float | None]:
    """Give the share of each group's cells whose references say its type."""
    if annotation.groups is None:
        return []
    full_n = annotation.n_counts_n > annotation.findings.verdict.empty_up_to
    code_n = np.where(full_n, annotation.groups.grouping.code_n, -1)
    return agreeing([group.term for group in annotation.groups.groups], code_n, theirs_n)


def grouping_of(results: Path, options: Options) -> Grouping | None:
    """Give the group of each cell of a job; None where it was asked for none."""
    if not (results / grounds.GROUP_SUMS).exists():
        return None
    before = json.loads((results / sink.SUMMARY).read_text(encoding="utf-8"))
    code_n = np.frombuffer(gzip.decompress((results / sink.GROUPS).read_bytes()), dtype="<u2")
    code_n = np.where(code_n == np.uint16(65535), -1, code_n.astype(np.intp))
    return Grouping(str(options.groups), code_n, tuple(group["name"] for group in before["groups"]))


def _groups(
    results: Path, findings: Findings, options: Options, found: Answers, n_counts_n: NDArray[np.float32]
) -> Groups | None:
    grouping = grouping_of(results, options)
    if grouping is None:
        return None
    empty_up_to = findings.verdict.empty_up_to
    tally = GroupTally(
        grouping, options.bundle, empty_up_to=empty_up_to, probability_km=np.load(results / grounds.GROUP_SUMS)
    )
    tally.count(0, found.answer_n, n_counts_n, found.margin_n)
    return tally.finish()


def _write(annotation: Annotation, results: Path, summary: dict[str, Any]) -> None:
    """Put the answers in place of those that were shown before, each file as a whole."""
    n, types_n = len(annotation.answer_n), sink.type_numbers(annotation)
    packed = gzip.decompress((results / sink.MAP).read_bytes())
    places = packed[: 4 + 8 * n]  # the number of cells, x and y: no matter of the threshold
    shown = places + annotation.score_n.astype("<f4").tobytes() + types_n.astype("<u2").tobytes()
    nodes = np.array(common_types(annotation), dtype=np.int64)
    arrays: dict[str, NDArray[Any]] = {sink.TYPES: types_n, sink.NODES: nodes, sink.SCORES: annotation.score_n}
    arrays |= {grounds.DOUBTED: annotation.doubted_n}
    if annotation.single_n is not None and annotation.single_score_n is not None:
        arrays |= {sink.SINGLE: annotation.single_n, sink.SINGLE_SCORES: annotation.single_score_n}
    contents = {name: _npy(array) for name, array in arrays.items()}
    contents[sink.MAP] = gzip.compress(shown, compresslevel=1, mtime=0)
    contents[sink.SUMMARY] = json.dumps(summary, ensure_ascii=False).encode()
    for name, new in (contents | score_files(results, annotation.score_n)).items():
        _replace(results / name, new)
    # the mean pictures are of the types that were shown before
    (results / MEANS).unlink(missing_ok=True)


def _npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _replace(path: Path, contents: bytes) -> None:
    with passing_place(path) as made:
        made.write_bytes(contents)
        made.replace(path)
