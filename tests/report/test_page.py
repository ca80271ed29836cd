"""The page as a whole: what stands on it, that it is sound and harmless, and that strange cells don't break it."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from unicodedata import category

import numpy as np
import pytest
from anndata import concat
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from scipy import sparse

from spoticell.annotation.cautions import Caution
from spoticell.api import annotate
from spoticell.biology.ontology import load_ontology, reach_matrix
from spoticell.errors import OutputError
from spoticell.report.html import fill
from spoticell.report.page import render, write_report
from spoticell.report.sections.composition import Part, compose, type_table
from spoticell.report.sections.head import Head

VOID = {"meta", "wbr", "br"}


class Page(HTMLParser):
    """Reads a page strictly: elements must close in order, attributes must not repeat."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"style", "title"}:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))

    def attributes(self, name: str) -> list[str]:
        return [value for _, attributes in self.tags for key, value in attributes.items() if key == name and value]


@pytest.fixture
def annotation(tiny_h5ad, tiny_bundle, tmp_path):
    return annotate(tiny_h5ad, tmp_path / "out.csv", model=tiny_bundle)


def page_of(annotation, command="spoticell annotate cells.h5ad -o out.csv") -> Page:
    return Page(render(annotation, examples=annotation.examples, command=command))


def test_the_page_says_what_answers_were_kept_to(annotation, tiny_h5ad, tiny_bundle, tmp_path):
    kept = annotate(tiny_h5ad, tmp_path / "kept.csv", model=tiny_bundle, deny=["T cell"], tissue="blood")
    words = "Allowed types3 of the 6 types that the model knows: in blood; not T cell (CL:0000084)"
    assert words in page_of(kept).text
    assert "Allowed types" not in page_of(annotation).text


def test_the_page_says_what_the_cells_are_and_how_to_get_there_again(annotation):
    text = page_of(annotation).text
    assert "30 of 31 cells have a type (96.8%). 1 is unknown (3.2%)." in text
    for name in ("B cell", "natural killer cell", "CD14-positive monocyte", "fibroblast", "unknown"):
        assert name in text
    assert "Raw counts" in text
    assert "200 of the model’s 200 genes (100%)" in text
    assert "no counts in known genes" in text
    assert "unknown below 0.50" in text
    assert annotation.bundle.sha256 in text
    assert "spoticell annotate cells.h5ad -o out.csv" in text


def test_the_page_says_how_many_cells_their_neighbours_named_otherwise(annotation):
    single_n = annotation.answer_n.copy()
    single_n[:2] = -1
    words = "2 cells are named otherwise than alone, by their neighbours."
    assert words in page_of(replace(annotation, single_n=single_n)).text
    assert "otherwise than alone" not in page_of(replace(annotation, single_n=annotation.answer_n)).text


def test_types_are_called_as_in_papers_and_the_ontology_is_not_hidden(annotation):
    html = render(annotation, examples=(), command="spoticell")
    assert '>CD4 T <a title="CD4-positive, alpha-beta T cell"' in html
    assert "<small>CD4-positive, alpha-beta T cell</small>" in html
    assert '<span title="CD8-positive, alpha-beta T cell">CD8 T</span><span class="hidden">, CD8-positive,' in html
    assert "<small>B cell</small>" not in html


def test_the_page_shows_what_each_sample_holds_and_how_conditions_differ(tiny_cells, tiny_bundle, annotation):
    tiny_cells.obs["condition"] = ["x <b>"] * 15 + ["y"] * 16
    tiny_cells.obs["donor"] = [f"{condition}{row % 3}" for row, condition in enumerate(tiny_cells.obs["condition"])]
    page = page_of(annotate(tiny_cells, model=tiny_bundle, by="donor", condition="condition"))
    assert "The cells are from 6 samples by the column donor." in page.text
    bars = [words for words in page.attributes("aria-label") if words.startswith("x <b>0:")]
    assert bars == [
        "x <b>0: CD4-positive, alpha-beta T cell 40.0%, CD8-positive, alpha-beta T cell 20.0%, B cell 40.0%."
    ]
    assert "Below a share is its Wilson interval" in page.text
    assert "Welch’s t test" in page.text
    few = page_of(annotate(tiny_cells[::2].copy(), model=tiny_bundle, by="condition"))
    assert "Differences between conditions" not in few.text
    assert "Samples" not in page_of(annotation).text


def test_of_many_samples_the_first_are_shown(tiny_cells, tiny_bundle):
    tiny_cells = concat([tiny_cells] * 4, index_unique="-")
    tiny_cells.obs["donor"] = [f"d{row % 30}" for row in range(tiny_cells.n_obs)]
    page = page_of(annotate(tiny_cells, model=tiny_bundle, by="donor"))
    assert "The first 24 are shown; the csv file of the composition has all." in page.text
    assert "The first 8 samples are shown" in page.text


def test_the_figures_in_the_table_add_up(annotation):
    page = page_of(annotation)
    rows = re.findall(r'<tr class="broad">.*?</tr>', render(annotation, examples=(), command=""), flags=re.DOTALL)
    cells = [int(re.findall(r"<td>([\d,]+)</td>", row)[0]) for row in rows]
    assert sum(cells) == 31
    assert "T cell" in page.text


def test_five_cells_of_different_lineages_are_shown_with_their_genes(annotation):
    page = page_of(annotation)
    pictures = [words for words in page.attributes("aria-label") if "on the gene grid. Marked genes: " in words]
    assert len(pictures) == 5
    markers = {"B cell": "MS4A1", "natural killer cell": "GNLY", "fibroblast": "COL1A1"}
    assert all(gene in words for words in pictures for name, gene in markers.items() if words.startswith(f"{name} "))
    assert sum(source.startswith("data:image/png;base64,") for source in page.attributes("href")) == 5


def test_the_page_loads_nothing_and_runs_nothing(annotation):
    page = page_of(annotation)
    assert {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "embed", "img", "form"} == set()
    assert page.attributes("src") == []
    links = [link for tag, found in page.tags if tag != "a" for key, link in found.items() if key == "href"]
    assert all(link.startswith("data:") for link in links)
    assert [name for name in {key for _, found in page.tags for key in found} if name.startswith("on")] == []
    assert "url(" not in render(annotation, examples=annotation.examples, command="")


def test_the_page_is_small_enough_to_mail(annotation):
    assert len(render(annotation, examples=annotation.examples, command="").encode()) < 1_000_000


def test_the_same_cells_give_the_same_bytes(tiny_h5ad, tiny_bundle, tmp_path):
    pages = []
    for run in ("first.csv", "second.csv"):
        annotation = annotate(tiny_h5ad, tmp_path / run, model=tiny_bundle)
        pages.append(write_report(annotation, tmp_path / "page.html", examples=annotation.examples, command="x"))
        pages[-1] = pages[-1].read_bytes()
    assert pages[0] == pages[1]


NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE cells; --",
    "&amp;amp;",
    "a\x00b\x1b[31m",
    "\u202egnp.exe",
    "\ud800 lone",
    "x" * 10_000,
    "🧫 клетка خلية",
    "</style></title><b>",
    "",
]


def with_name(annotation, name: str):
    """Put a text wherever one can come from a file."""
    examples = tuple(replace(example, name=name) for example in annotation.examples)
    found = replace(annotation.findings, source=name, format=name, matrix=name, warnings=(name,), tried=((name, name),))
    return replace(annotation, findings=found, examples=examples)


@pytest.mark.parametrize("name", NASTY, ids=range(len(NASTY)))
@pytest.mark.rows(42, 47)
def test_names_from_the_data_are_shown_and_never_become_html(annotation, name, tmp_path):
    calm = page_of(with_name(annotation, "calm"), command="calm")
    nasty = with_name(annotation, name)
    path = write_report(nasty, tmp_path / "page.html", examples=nasty.examples, command=name)
    page = Page(path.read_text(encoding="utf-8"))
    assert [tag for tag, _ in page.tags if tag != "wbr"] == [tag for tag, _ in calm.tags if tag != "wbr"]
    if name.isprintable() and len(name) < 100:
        assert name in page.text


def test_cells_that_are_all_unknown_make_a_page(vague_cells, tiny_bundle, tmp_path):
    vague_cells.X = sparse.diags_array([1.0] + [0.0] * 30) @ vague_cells.X
    vague_cells.write_h5ad(tmp_path / "empty.h5ad")
    annotation = annotate(tmp_path / "empty.h5ad", tmp_path / "out.csv", model=tiny_bundle, threshold=1.0)
    page = page_of(annotation)
    assert "0 of 31 cells have a type (0%). 31 are unknown (100%)." in page.text
    assert "nan" not in page.text.lower()


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_extreme_thresholds_make_a_page(tiny_h5ad, tiny_bundle, tmp_path, threshold):
    annotation = annotate(tiny_h5ad, tmp_path / "out.csv", model=tiny_bundle, threshold=threshold)
    assert ("unknown below 1.00" in page_of(annotation).text) is (threshold == 1)
    assert ("unknown below" in page_of(annotation).text) is (threshold > 0)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (1, "1 of 1 cell has a type"),
        (2, "2 of 2 cells have a type"),
        (6, "6 of 6 cells, laid out by PCA"),
        (11, "11 of 11 cells, laid out by t-SNE"),
    ],
)
def test_a_handful_of_cells_make_a_page(tiny_cells, tiny_bundle, tmp_path, cells, words):
    tiny_cells[:cells].copy().write_h5ad(tmp_path / "few.h5ad")
    annotation = annotate(tmp_path / "few.h5ad", tmp_path / "out.csv", model=tiny_bundle)
    text = page_of(annotation).text
    assert words in text
    assert re.findall(r"\b1 (?:cell|gene|type|count|name)s\b", text) == []


@pytest.mark.rows(29)
def test_cells_that_are_all_alike_make_a_page(tiny_cells, tiny_bundle, tmp_path):
    tiny_cells.X = sparse.csr_matrix(np.tile(tiny_cells.X[[0]].toarray(), (31, 1)))
    tiny_cells.write_h5ad(tmp_path / "alike.h5ad")
    annotation = annotate(tmp_path / "alike.h5ad", tmp_path / "out.csv", model=tiny_bundle)
    assert "31 of 31 cells have a type (100%)." in page_of(annotation).text


def test_genes_that_were_not_measured_are_counted(tiny_cells, tiny_bundle, tmp_path):
    tiny_cells[:, :120].copy().write_h5ad(tmp_path / "panel.h5ad")
    annotation = annotate(tmp_path / "panel.h5ad", tmp_path / "out.csv", model=tiny_bundle)
    text = page_of(annotation).text
    assert "120 of the model’s 200 genes (60.0%)" in text
    assert "not in this file (80 genes)" in text


def test_the_command_line_writes_the_page_beside_the_answers(tiny_h5ad, tiny_bundle, tmp_path):
    annotate(tiny_h5ad, tmp_path / "out.h5ad", model=tiny_bundle, report=tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert f"--model {tiny_bundle.path}" in page.text


def test_a_folder_that_is_not_there_is_an_error_with_a_sentence(annotation):
    with pytest.raises(OutputError, match="folder does not exist"):
        write_report(annotation, Path("/nowhere/page.html"), examples=annotation.examples, command="x")


@pytest.mark.slow
@pytest.mark.real
def test_real_cells_make_a_page_that_is_small_enough_to_mail(data_folder, tiny_bundle, tmp_path):
    path = data_folder / "test" / "kang2018_ifnb_pbmc.h5ad"
    annotation = annotate(path, tmp_path / "out.csv", model=tiny_bundle, report=tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 1_000_000
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert "2,000 of 2,800 cells" in page.text or f"{len(annotation.answer_n):,}" in page.text


@given(st.text(max_size=120))
def test_any_text_stays_a_text_within_elements_and_attributes(text):
    head = Head(total=1, named=1, types=1, median=None, genes_found=1, genes_known=1, parts=(Part(text, 1, "#000000"),))
    page = Page(fill("sections/head.html", source=text, head=head, sections=()))
    assert [found["title"] for tag, found in page.tags if "title" in found] == [f"{shown(text)}: 1 cell"]
    assert f"{shown(text)} 100%" in "".join(page.words)
    assert shown(text) in "".join(page.words).removeprefix("Spoticell report")


def shown(text: str) -> str:
    """Give a text as a page has it: without signs that can't be shown or that turn the text around them."""
    return "".join("\ufffd" if hidden(letter) else letter for letter in text)


def hidden(letter: str) -> bool:
    turns = letter in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return turns or letter in "\ufffe\uffff" or (category(letter) in {"Cc", "Cs"} and letter not in "\t\n")


def test_a_value_that_a_template_misses_is_an_error_and_no_gap():
    with pytest.raises(UndefinedError, match="'source' is undefined"):
        fill("report.html", title="", sections=())


def test_a_check_does_not_load_what_only_a_page_needs(tiny_h5ad, tiny_bundle_folder):
    program = (
        "import sys\n"
        "from spoticell.cli.app import app\n"
        f"app(['check', {str(tiny_h5ad)!r}, '--model', {str(tiny_bundle_folder)!r}], standalone_mode=False)\n"
        "sys.exit('loaded' if {'jinja2', 'spoticell.report.page'} & set(sys.modules) else 0)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(render.__code__.co_filename).parents[2])


def test_rare_types_are_summed_and_listed_apart(annotation):
    ontology = load_ontology()
    t_cells = [term for term in ontology.terms if "CL:0000084" in ontology.ancestors(term)][:60]
    nodes, _ = reach_matrix(t_cells, ontology)
    manifest = annotation.bundle.manifest.model_copy(update={"labels": tuple(t_cells), "nodes": nodes})
    answer_n = np.repeat([nodes.index(term) for term in t_cells], np.arange(60, 0, -1))
    many = replace(
        annotation,
        bundle=replace(annotation.bundle, manifest=manifest),
        answer_n=answer_n,
        score_n=np.full(len(answer_n), 0.75, dtype=np.float32),
    )
    [lineage] = compose(many)
    assert [row.number for row in lineage.rows] == list(range(1, 61))
    assert (lineage.cells, lineage.median_score) == (len(answer_n), 0.75)
    table, rarer = fill("sections/types.html", types=type_table([lineage], many)).split("<details>")
    assert f"30 rarer types{sum(range(1, 31))}" in Page(table).text
    assert [table.count('<th scope="row">'), rarer.count('<th scope="row">')] == [1 + 30 + 1, 30]


def test_what_to_know_before_is_there_to_its_last_word(annotation, monkeypatch):
    sentences = " ".join(f"Sentence {number} of something to know." for number in range(20))
    monkeypatch.setattr(type(annotation), "cautions", (Caution("program", sentences),))
    assert sentences in page_of(annotation).text
