"""Which subtypes teachers may give, and where: with a teacher that says what it is told to."""

from dataclasses import dataclass

import numpy as np
import pytest
from benchmarks.peers.panhuman import Teaching, TooFewGenesError
from scipy import sparse
from scripts.human_v1.subtypes import Question, ask, read_questions

from spoticell.biology.genes import load_vocabulary
from spoticell.biology.ontology import load_ontology

LYMPHOCYTE, T_CELL, CD4, NAIVE, HEPATOCYTE = (
    load_ontology().resolve_label(name)
    for name in (
        "lymphocyte",
        "T cell",
        "CD4-positive, alpha-beta T cell",
        "naive thymus-derived CD4-positive, alpha-beta T cell",
        "hepatocyte",
    )
)


@dataclass
class Says:
    """A teacher that gives all cells the same probabilities, a term each."""

    chances: dict[str, float]

    @property
    def terms(self):
        return tuple(self.chances)

    def teach(self, counts_ng, measured_g, vocabulary):
        if not measured_g.any():
            raise TooFewGenesError
        return Teaching(self.terms, np.tile(list(self.chances.values()), (counts_ng.shape[0], 1)))


def named(labels, *questions, places=None, measured=True):
    """What cells are called after the questions; from blood, if no places are given."""
    vocabulary = load_vocabulary()
    counts_ng = sparse.csr_array((len(labels), len(vocabulary)), dtype=np.float32)
    place_n = np.array(places or ["blood"] * len(labels), dtype=object)
    measured_g = np.full(len(vocabulary), measured)
    label_n = np.array(labels, dtype=object)
    return ask(questions, counts_ng, measured_g, vocabulary, place_n=place_n, label_n=label_n).tolist()


def about(chances, *, sure=0.5, words=("blood",), subtypes=(CD4,)):
    return Question(Says(chances), sure, words, subtypes)


def test_a_cell_gets_a_subtype_of_its_label_only():
    question = about({CD4: 0.9, HEPATOCYTE: 0.1})
    labels = [T_CELL, LYMPHOCYTE, CD4, NAIVE, HEPATOCYTE, "unknown"]
    assert named(labels, question) == [CD4, CD4, CD4, NAIVE, HEPATOCYTE, "unknown"]


def test_a_teacher_is_asked_only_where_it_is_at_home():
    question = about({CD4: 0.9}, words=("blood", "marrow"))
    assert named([T_CELL] * 3, question, places=["CordBlood1", "BoneMarrow2", "Liver"]) == [CD4, CD4, T_CELL]


def test_what_a_teacher_isnt_asked_about_it_doesnt_say():
    assert named([LYMPHOCYTE], about({T_CELL: 0.9, CD4: 0.05})) == [LYMPHOCYTE]


@pytest.mark.parametrize(
    ("chances", "answer"),
    [
        ({CD4: 0.4, HEPATOCYTE: 0.3}, T_CELL),  # not sure enough
        ({CD4: 0.3, NAIVE: 0.3, HEPATOCYTE: 0.4}, CD4),  # its kinds are added up
        ({CD4: 0.5, HEPATOCYTE: 0.5}, T_CELL),  # another type is as likely
    ],
)
def test_a_subtype_is_given_where_it_is_likely_and_likeliest(chances, answer):
    assert named([T_CELL], about(chances)) == [answer]


def test_of_several_teachers_each_can_only_make_the_name_finer():
    finer, coarser = about({NAIVE: 0.9}, subtypes=(NAIVE,)), about({CD4: 0.9})
    assert named([T_CELL], finer, coarser) == named([T_CELL], coarser, finer) == [NAIVE]


def test_a_teacher_that_can_read_too_few_genes_is_passed_over():
    assert named([T_CELL], about({CD4: 0.9}), measured=False) == [T_CELL]


def test_a_subtype_that_its_teacher_doesnt_know_is_an_error(tmp_path):
    chosen = tmp_path / "chosen.yaml"
    chosen.write_text("[{teacher: one, sure: 0.5, asked: [{where: [blood], subtypes: [hepatocyte]}]}]")
    with pytest.raises(ValueError, match="one knows no CL:0000182"):
        read_questions(lambda _: Says({CD4: 1.0}), chosen)


def test_what_is_asked_is_read_by_name(tmp_path):
    chosen = tmp_path / "chosen.yaml"
    chosen.write_text("[{teacher: one, sure: 0.5, asked: [{where: [blood], subtypes: [T cell]}]}]")
    [question] = read_questions(lambda _: Says({CD4: 1.0}), chosen)
    assert question.subtypes == (T_CELL,)
