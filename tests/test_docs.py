"""What the docs promise: pages that can be found, links that hold, commands and calls that the program takes."""

import ast
import inspect
import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml
from scripts.site import loads, loads_of_style

import spoticell
from spoticell.cli.app import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CARD = ROOT / "src" / "spoticell" / "data" / "human-v1" / "MODEL_CARD.md"
PAGES = sorted({*ROOT.glob("*.md"), *DOCS.rglob("*.md"), CARD} - {*DOCS.glob("_build/**/*.md")})
COMMAND = typer.main.get_command(app)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Give what the headings of a page are called in links, as git hosts and MyST do."""
    headings = re.findall(r"^#{1,4} (.+)$", without_blocks(page.read_text(encoding="utf-8")), flags=re.MULTILINE)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in plain}


def navigation() -> list[str]:
    """Give the entries of the site's navigation in order, patterns among them."""
    found = []

    def look(part: object) -> None:
        if isinstance(part, dict):
            found.extend(part[key] for key in ("root", "file", "glob") if key in part)
        for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            look(inner)

    look(yaml.safe_load((DOCS / "_toc.yml").read_text(encoding="utf-8")))
    return found


def pages_of(entry: str) -> list[Path]:
    return [page for ending in (".md", ".rst", ".ipynb") for page in ROOT.glob(entry + ending)]


def test_every_page_of_the_docs_is_in_the_navigation_once():
    shown = [page for entry in navigation() for page in pages_of(entry)]
    there = {page for page in PAGES if DOCS in page.parents}
    there |= {*DOCS.glob("api/*.rst"), *DOCS.glob("notebooks/*.ipynb")}
    assert sorted(map(named, there - set(shown))) == []
    assert len(shown) == len(set(shown))


@pytest.mark.parametrize("entry", navigation())
def test_the_navigation_names_pages_that_are_there(entry):
    assert pages_of(entry)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_to_parts_of_pages_lead_to_a_heading(page):
    links = re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", without_blocks(page.read_text(encoding="utf-8")))
    here = [((page.parent / link if link else page).resolve(), anchor) for link, anchor in links if "://" not in link]
    assert [(named(target), anchor) for target, anchor in here if anchor not in anchors(target)] == []


def test_a_heading_is_called_as_git_hosts_call_it(tmp_path):
    (tmp_path / "page.md").write_text(
        "# Who's `in` it?\n\n```bash\n# no heading\n```\n\n## [A, b](c.md): d_e\n", encoding="utf-8"
    )
    assert anchors(tmp_path / "page.md") == {"whos-in-it", "a-b-d_e"}


def commands(text: str) -> list[str]:
    """Give the command lines of ``spoticell`` in blocks of shell, without comments and what follows a pipe."""
    indented = re.findall(r"^ {4}(\S.*)$", without_blocks(text), flags=re.MULTILINE)
    lines = [line for block in blocks(text, "bash") for line in block.replace("\\\n", " ").splitlines()] + indented
    found = [re.split(r"\s\|\s|\s#", line)[0] for line in lines]
    shown = [re.sub(r"^\.venv/bin/", "", line) for line in found]
    return [line for line in shown if line.startswith("spoticell ") and not re.match(r"spoticell \S+ {2,}", line)]


def parse(line: str) -> None:
    """Read a command line as the program does, without running it."""
    words = shlex.split(line)[1:]
    if words[0].startswith("-"):
        assert words[0] in {"--version", "--help"}, f"no such option of spoticell: {words[0]}"
        return
    group, context = COMMAND, typer.Context(COMMAND, info_name="spoticell")
    while hasattr(group, "resolve_command") and words and not words[0].startswith("-"):
        name, group, words = group.resolve_command(context, words)
        context = typer.Context(group, info_name=name, parent=context)
    if "--help" not in words:
        group.parse_args(context, words)


@pytest.mark.parametrize(("page", "line"), [(named(p), line) for p in PAGES for line in commands(p.read_text("utf-8"))])
def test_every_command_that_is_shown_can_be_put(page, line):
    parse(line)


@pytest.mark.parametrize("line", ["spoticell anotate a -o b.csv", "spoticell annotate a -o b.csv --by", "spoticell -x"])
def test_commands_that_can_not_be_put_are_found(line):
    with pytest.raises((typer.BadParameter.__base__, AssertionError)):
        parse(line)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_within_sentences_have_the_options_that_are_named(page):
    text = without_blocks(page.read_text(encoding="utf-8"))
    # the architecture makes up a command to show how one is added
    for words in set(re.findall(r"(?<!`)`spoticell ([a-z][^`]*)`", text)) - {"terms"}:
        group, rest, context = COMMAND, shlex.split(words), typer.Context(COMMAND)
        while hasattr(group, "resolve_command") and rest and not rest[0].startswith("-"):
            _, group, rest = group.resolve_command(context, rest)
        known = {option for parameter in group.params for option in parameter.opts} | {"--help"}
        assert {word for word in rest if re.match(r"--?[a-z]", word)} <= known, words


def calls(text: str) -> list[ast.Call]:
    trees = [ast.parse(block) for block in blocks(text, "python")]
    found = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in found if re.fullmatch(r"spoticell(\.pl)?\.\w+", ast.unparse(call.func))]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_calls_of_the_package_that_are_shown_have_arguments_that_it_takes(page):
    for call in calls(page.read_text(encoding="utf-8")):
        function = spoticell
        for name in ast.unparse(call.func).split(".")[1:]:
            function = getattr(function, name)
        inspect.signature(function).bind(*call.args, **{word.arg: word.value for word in call.keywords})


REFERENCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("api/*.rst")))


@pytest.mark.parametrize("name", [*spoticell.__all__, *(f"pl.{name}" for name in spoticell.pl.__all__)])
def test_every_public_name_is_in_the_reference(name):
    assert re.search(rf"spoticell\.(report\.plots)?{re.escape(name)}\b", REFERENCE) or name == "pl"


def test_all_figures_are_listed():
    text = (DOCS / "figures.md").read_text(encoding="utf-8")
    assert [page.name for page in ROOT.glob("benchmarks/results/*.md") if f"results/{page.name})" not in text] == []


def test_what_a_page_of_the_site_loads_from_elsewhere_is_found():
    near = "<script src='_static/a.js'></script><img src='data:image/png;base64,'><link rel='icon' href='a.png'>"
    links = "<a href='https://example.org'>read</a><link rel='canonical' href='https://example.org/page'>"
    assert loads(near + links) == []
    far = ["https://example.org/a.js", "//example.org/b.css", "http://example.org/c.png"]
    page = f"<script src='{far[0]}'></script><link rel='preload stylesheet' href='{far[1]}'><img src='{far[2]}'/>"
    assert loads(page) == far


def test_what_a_style_of_the_site_loads_from_elsewhere_is_found():
    assert loads_of_style("a { background: url('b.png') } @import 'c.css'; /* https://example.org */") == []
    style = "@import 'https://example.org/a.css'; b { src: url(//example.org/c.woff2) }"
    assert loads_of_style(style) == ["https://example.org/a.css", "//example.org/c.woff2"]
