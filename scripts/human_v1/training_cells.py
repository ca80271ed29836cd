"""Makes the training cells of the bundle human-v1: real ones, drawn from profiles, and labelled by a teacher.

    python -m scripts.human_v1.training_cells --data ../shared/data --output runs/human-v1/cells

Writes one h5ad for each data set, with Ensembl ids and Cell Ontology terms, the panels for augmentation, and
``cells.json`` with their numbers.  Labels of leukocytes are refined to the teacher's subtype where it is sure; cells
drawn from a profile are kept where the teacher doesn't contradict the profile.  A type that would be lost so keeps all
its drawn cells: its profiles were read by hand (configs/human-v1-profiles.yaml).  Further teachers refine labels within
what they know (configs/human-v1-teachers.yaml).
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import yaml
from benchmarks.peers.panhuman import Panhuman, TooFewGenesError
from numpy.typing import NDArray
from scipy import sparse
from scripts.human_v1.subtypes import Question, ask, read_questions
from scripts.human_v1.teachers import read_teacher

from spoticell.biology.genes import Vocabulary, load_vocabulary
from spoticell.biology.ontology import load_ontology
from spoticell.corpus.profiles import Noise, Profiles, draw_cells, read_profiles
from spoticell.io import open_cells
from spoticell.io.aligned import read_counts
from spoticell.io.findings import inspect
from spoticell.keys import DONOR, LABEL, UNKNOWN

SURE_SUBTYPE = 0.8
"""Probability that the teacher's subtype of a leukocyte needs to replace the label."""
SURE_ALONE = 0.6
"""Probability that the teacher's answer needs where there is no label."""
AGREES = 0.15
"""Probability that the teacher gives to terms at, above or below a profile's label: less is a contradiction..."""
UNDECIDED = 0.2
"""...unless its best class has less than this."""
LOST = 12
"""Cells, over all sources, with fewer of which a type counts as lost."""
LEAST_DRAWN = 24
"""Cells that the profiles of one type give at least, in a source."""
READ_BY_HAND = Path(__file__).parents[2] / "configs" / "human-v1-profiles.yaml"
LEUKOCYTE = "CL:0000738"
TEACHER = "panhuman_distill_v1"

CELLS_A_PROFILE = {
    "scHCL_ref_expr": 12,
    "numbat_ref_hca": 150,
    "clustifyrdata_ref_hema_microarray": 40,
    "sunlab_MTG_pseudobulk": 60,
    "darmanis_brain_mean_per_type": 40,
    "clustifyrdata_pan_indrop_avg": 25,
    "cpl_adult_linear": 30,
    "cpl_adult_log": 20,
    "cpl_descartes_fetal": 20,
    "tabula_sapiens_v1_basis": 50,
    "cellmatchr_kidney_zhang2021": 50,
    "atlas_averages_smillie_colon": 25,
    "atlas_averages_enge_pancreas_rare": 50,
    "immucellai2_sorted_bulk": 30,
    "hpa_blood_sorted": 40,
    "immucellai_tsubsets_array": 20,
    "clustifyrdata_spleen_dc": 40,
    "habib2017_dronc_human_mean_umi": 40,
}
"""Sources with most genes and fewest profiles give most cells a profile.

Left out: sources of a study that is tested on (atlas_averages_aizarani_liver), those that add no type to others of the
same organ (aibs_ctd_mean) and those of signature genes alone (abis_s0_sorted_1296genes, adapts_mgsm27_bone_601genes).
"""
LOG_SOURCE = "cpl_adult_log"
"""Its profiles are means of 5 ln(1 + counts per 10,000)..."""
LOG_FACTORS = {"": 5.0, "Cortex": 5.0 / math.log(2)}
"""...but the cortex's of 5 log2(1 + counts per million)."""


@dataclass(frozen=True)
class Made:
    """A data set before it is written."""

    name: str
    counts_ng: sparse.csr_array
    measured_g: NDArray[np.bool_]
    label_n: NDArray[np.object_]
    donor_n: NDArray[np.object_]
    place_n: NDArray[np.object_]
    """Where each cell is from: the tissue of its profile, or the name of the data set."""
    profile_n: NDArray[np.object_] | None = None
    """Label of the profile that each cell was drawn from."""


class Maker:
    """Makes data sets and writes them into a folder.

    Parameters
    ----------
    data
        Folder with ``train``, ``more/train``, ``unlabelled``, ``profiles``, ``teachers``.
    output
        Gets the h5ad files.
    teacher
        None to do without, and without the further ones.
    without
        Terms whose cells, and those of their subtypes, are left out.
    """

    def __init__(self, data: Path, output: Path, teacher: Panhuman | None, without: frozenset[str]) -> None:
        self.data, self.output, self.teacher, self.without = data, output, teacher, without
        self.vocabulary: Vocabulary = load_vocabulary()
        self.ontology = load_ontology()
        self.made: list[Made] = []
        self.questions: list[Question] = []
        if teacher is not None:
            known = {TEACHER: teacher}
            self.questions = read_questions(lambda name: known.get(name) or read_teacher(data / "teachers", name))

    def real(self, path: Path, *, labelled: bool) -> None:
        """Make a data set of real cells."""
        with open_cells(path) as source:
            found = inspect(source, self.vocabulary)
            counts_ng = read_counts(source, found)
            obs = source.obs()
        measured_g = found.match.measured_g
        donor_n = obs[DONOR].astype(str).to_numpy() if DONOR in obs else np.full(len(obs), path.stem)
        if labelled:
            label_n = obs[LABEL].astype(str).to_numpy(object)
            label_n = self.refine(counts_ng, measured_g, label_n)
        else:
            label_n = self.answer(counts_ng, measured_g)
        place_n = np.full(len(obs), path.stem, dtype=object)
        self.made.append(Made(path.stem, counts_ng, measured_g, label_n, donor_n, place_n))

    def drawn(self, path: Path, labels: pd.DataFrame, *, seed: int) -> None:
        """Make cells drawn from the labelled profiles of one source."""
        rows = labels[labels["source"] == path.name.split(".")[0]].fillna("").set_index("column")
        tissues = rows["tissue"].to_dict()
        factors = {column: LOG_FACTORS.get(tissue, LOG_FACTORS[""]) for column, tissue in tissues.items()}
        logs = factors if path.name.startswith(LOG_SOURCE) else None
        profiles = read_profiles(path, tissues, self.vocabulary, log_factors=logs)
        term_r = np.array([rows[LABEL].get(name, "") for name in profiles.names], dtype=object)
        row_n = draws(term_r, CELLS_A_PROFILE[profiles.source])
        counts_ng = draw_cells(profiles, row_n, rng=np.random.default_rng(seed), noise=Noise())
        label_n = self.uncontradicted(counts_ng, profiles, term_r[row_n])
        name_n = np.array([profiles.names[row] for row in row_n], dtype=object)
        place_n = np.array([tissues.get(name, "") for name in name_n], dtype=object)
        self.made.append(Made(profiles.source, counts_ng, profiles.measured_g, label_n, name_n, place_n, term_r[row_n]))

    def refine(
        self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_], label_n: NDArray[np.object_]
    ) -> NDArray[np.object_]:
        """Replace labels of leukocytes by the teacher's subtype where it is sure of one."""
        if self.teacher is None:
            return label_n
        try:
            taught = self.teacher.teach(counts_ng, measured_g, self.vocabulary)
        except TooFewGenesError:
            return label_n
        refined_n = label_n.copy()
        for label in sorted(set(label_n) - {UNKNOWN, ""}):
            if LEUKOCYTE not in self.ontology.ancestors(label):
                continue
            below_t = np.array([label in self.ontology.ancestors(term) for term in taught.terms])
            rows = np.flatnonzero(label_n == label)
            probability_nt = taught.probabilities_nt[rows] * below_t
            sure = probability_nt.max(axis=1) > SURE_SUBTYPE
            refined_n[rows[sure]] = np.array(taught.terms, dtype=object)[probability_nt.argmax(axis=1)[sure]]
        return refined_n

    def answer(self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_]) -> NDArray[np.object_]:
        """Give the teacher's answers for cells without labels, ``unknown`` where it isn't sure."""
        if self.teacher is None:
            return np.full(counts_ng.shape[0], UNKNOWN, dtype=object)
        taught = self.teacher.teach(counts_ng, measured_g, self.vocabulary)
        best_n = np.array(taught.terms, dtype=object)[taught.probabilities_nt.argmax(axis=1)]
        return np.where(taught.probabilities_nt.max(axis=1) > SURE_ALONE, best_n, UNKNOWN)

    def uncontradicted(
        self, counts_ng: sparse.csr_array, profiles: Profiles, label_n: NDArray[np.object_]
    ) -> NDArray[np.object_]:
        """Give the labels, refined, and ``unknown`` where the teacher is sure of something else."""
        if self.teacher is None:
            return label_n
        taught = self.teacher.teach(counts_ng, profiles.measured_g, self.vocabulary)
        class_nk = self.teacher.class_probabilities(counts_ng, profiles.measured_g, self.vocabulary)
        refined_n = self.refine(counts_ng, profiles.measured_g, label_n)
        lineage = [self.ontology.ancestors(term) for term in taught.terms]
        for label in sorted(set(label_n)):
            kin_t = np.array(
                [
                    label in above or term in self.ontology.ancestors(label)
                    for term, above in zip(taught.terms, lineage, strict=True)
                ]
            )
            if not kin_t.any():
                continue
            rows = np.flatnonzero(label_n == label)
            contradicted = (taught.probabilities_nt[rows][:, kin_t].sum(axis=1) <= AGREES) & (
                class_nk[rows].max(axis=1) >= UNDECIDED
            )
            refined_n[rows[contradicted]] = UNKNOWN
        return refined_n

    def is_left_out(self, label: str) -> bool:
        """Say whether a label is one of the types to do without, or a subtype."""
        return bool(self.ontology.ancestors(label) & self.without)

    def lost(self) -> set[str]:
        """Give the labels of profiles that too few cells kept."""
        kept = Counter(label for made in self.made for label in made.label_n)
        drawn = {label for made in self.made if made.profile_n is not None for label in made.profile_n}
        return {label for label in drawn if kept[label] < LOST}

    def write(self) -> None:
        """Give lost labels their drawn cells back, ask the further teachers, write all data sets and their numbers."""
        lost, sizes = sorted(self.lost()), {}
        print("kept against the teacher:", ", ".join(self.ontology.name(label) for label in lost))
        for made in self.made:
            label_n = made.label_n
            if made.profile_n is not None:
                back_n = (label_n == UNKNOWN) & np.isin(made.profile_n.astype(str), lost)
                label_n = np.where(back_n, made.profile_n, label_n)
            label_n = ask(
                self.questions, made.counts_ng, made.measured_g, self.vocabulary, place_n=made.place_n, label_n=label_n
            )
            sizes[made.name] = self.write_one(made, label_n)
        (self.output.parent / "cells.json").write_text(json.dumps(sizes, indent=1) + "\n")

    def write_one(self, made: Made, label_n: NDArray[np.object_]) -> int:
        """Write the labelled cells with the genes that were measured; give how many."""
        keep = np.array([label not in {"", UNKNOWN} and not self.is_left_out(label) for label in label_n])
        obs = pd.DataFrame({LABEL: label_n[keep].astype(str), DONOR: made.donor_n[keep].astype(str)})
        obs.index = [f"{made.name}-{position}" for position in np.flatnonzero(keep)]
        var = pd.DataFrame(index=np.array(self.vocabulary.ids)[made.measured_g])
        counts = sparse.csr_matrix(made.counts_ng)[keep][:, made.measured_g].astype(np.float32)
        anndata.AnnData(counts, obs=obs, var=var).write_h5ad(self.output / f"{made.name}.h5ad", compression="gzip")
        print(f"{made.name}: {keep.sum():,} cells, {obs[LABEL].nunique()} labels, {made.measured_g.sum():,} genes")
        return int(keep.sum())


def draws(term_r: NDArray[np.object_], cells: int) -> NDArray[np.intp]:
    """Give the profile of each cell to draw: so many a labelled profile, and more where a type has few profiles."""
    usable = np.flatnonzero(term_r != "")
    profiles_of = Counter(term_r[usable])
    more = [max(0, -(-LEAST_DRAWN // profiles_of[term]) - cells) for term in term_r[usable]]
    return np.concatenate([np.repeat(usable, cells), np.repeat(usable, more)])


def read_labels(path: Path) -> pd.DataFrame:
    """Read the terms of the profiles, mended by what reading them by hand gave."""
    labels = pd.read_csv(path, sep="\t", dtype=str).set_index(["source", "column"])
    by_hand = yaml.safe_load(READ_BY_HAND.read_text(encoding="utf-8"))
    for source, reasons in by_hand["left_out"].items():
        labels.loc[[(source, column) for column in reasons], LABEL] = ""
    for source, terms in by_hand["terms"].items():
        for column, name in terms.items():
            labels.loc[[(source, column)], LABEL] = load_ontology().resolve_label(name)
    return labels.reset_index()


def main() -> None:
    """Read the command line and make the cells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without-teacher", action="store_true")
    parser.add_argument("--without", nargs="*", default=[], metavar="TERM", help="leave these types out, and subtypes")
    args = parser.parse_args()
    panels = args.output.parent / "panels"
    args.output.mkdir(parents=True, exist_ok=True)
    panels.mkdir(parents=True, exist_ok=True)
    for path in sorted((args.data / "refs" / "panels").glob("*.txt")):
        shutil.copyfile(path, panels / path.name)
    teacher = None if args.without_teacher else Panhuman(better_terms=True)
    maker = Maker(args.data, args.output, teacher, frozenset(args.without))
    for folder in (args.data / "train", args.data / "more" / "train"):
        for path in sorted(folder.glob("*.h5ad")):
            maker.real(path, labelled=True)
    if maker.teacher is not None:
        for path in sorted((args.data / "unlabelled").glob("*.h5ad")):
            maker.real(path, labelled=False)
    labels = read_labels(args.data / "profiles" / "labels.tsv")
    for path in sorted((args.data / "profiles").glob("*.csv.gz")):
        if path.name.split(".")[0] in CELLS_A_PROFILE:
            maker.drawn(path, labels, seed=args.seed)
    maker.write()


if __name__ == "__main__":
    main()
