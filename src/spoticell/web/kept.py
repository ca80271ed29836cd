"""Findings on disk, so that a file that was looked at need not be looked at again when it is run.

Numbers and words go to JSON, the two arrays of the gene match and the sampled cells to files without pickle.
Axes: ``v`` genes of the data set, ``g`` the bundle's genes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter
from scipy import sparse

from spoticell.biology.counts import CountsVerdict
from spoticell.biology.genes import GeneMatch
from spoticell.io.findings import Findings

WORDS, TARGETS, MEASURED = "findings.json", "findings_target_v.npy", "findings_measured_g.npy"
SAMPLE, SAMPLE_AT = "findings_sample_nv.npz", "findings_sample_at_s.npy"
_ARRAYS = frozenset({"target_v", "measured_g"})
_SAMPLE = frozenset({"sample_nv", "sample_at_s"})
_VERDICT = TypeAdapter(CountsVerdict)


def remember(findings: Findings, folder: Path, *, bundle_sha256: str) -> None:
    """Write findings into a folder.

    Parameters
    ----------
    findings
        What to keep.
    folder
        Where to; what is there is replaced.
    bundle_sha256
        Of the bundle whose genes were looked for: they are worth nothing to another.
    """
    match = {item.name: getattr(findings.match, item.name) for item in fields(GeneMatch)}
    np.save(folder / TARGETS, match["target_v"], allow_pickle=False)
    np.save(folder / MEASURED, match["measured_g"], allow_pickle=False)
    sparse.save_npz(folder / SAMPLE, findings.sample_nv)
    np.save(folder / SAMPLE_AT, findings.sample_at_s, allow_pickle=False)
    plain = {item.name: getattr(findings, item.name) for item in fields(Findings) if item.name not in _SAMPLE}
    plain["verdict"] = asdict(findings.verdict)
    plain["match"] = {name: value for name, value in match.items() if name not in _ARRAYS}
    (folder / WORDS).write_text(json.dumps({"bundle": bundle_sha256, "findings": plain}), encoding="utf-8")


def recall(folder: Path, *, bundle_sha256: str) -> Findings | None:
    """Give the findings that a folder holds for a bundle, or None."""
    if not (folder / WORDS).is_file():
        return None
    kept = json.loads((folder / WORDS).read_text(encoding="utf-8"))
    if kept["bundle"] != bundle_sha256:
        return None
    plain = kept["findings"]
    arrays = {"target_v": np.load(folder / TARGETS), "measured_g": np.load(folder / MEASURED)}
    verdict = _VERDICT.validate_python(plain["verdict"])
    lists = {"warnings": tuple(plain["warnings"]), "tried": tuple((name, why) for name, why in plain["tried"])}
    names = {
        "odd_names": tuple(tuple(name) for name in plain["match"].get("odd_names", ())),
        "notes": tuple(plain["match"].get("notes", ())),
    }
    match = GeneMatch(**plain["match"] | names | arrays)
    sample = {
        "sample_nv": sparse.csr_array(sparse.load_npz(folder / SAMPLE)),
        "sample_at_s": np.load(folder / SAMPLE_AT),
    }
    return Findings(**plain | lists | sample | {"verdict": verdict, "match": match})
