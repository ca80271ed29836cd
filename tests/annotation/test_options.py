import ast
import shlex
import shutil
import subprocess

import pytest

from spoticell.annotation.options import Options
from spoticell.errors import ConfigError


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_thresholds_that_are_no_probabilities_are_refused(threshold):
    with pytest.raises(ConfigError, match="from 0 to 1"):
        Options(threshold=threshold)


def test_the_threshold_is_the_models_unless_given(tiny_bundle):
    assert Options(tiny_bundle).lowest == 0.5
    assert Options(tiny_bundle, threshold=0.0).lowest == 0.0


@pytest.mark.parametrize("key", ["", "a/b", "_hidden"])
def test_words_that_can_not_begin_a_key_are_refused(key):
    with pytest.raises(ConfigError, match="key_added"):
        Options(key_added=key)


@pytest.mark.parametrize("threads", [0, 100_000])
def test_no_thread_and_more_than_a_machine_can_start_are_refused(threads):
    with pytest.raises(ConfigError, match=f"threads is {threads}; it must be from 1 to 1,024"):
        Options(threads=threads)


def test_one_type_stands_for_a_list_of_one():
    assert Options(allow="T cell") == Options(allow=["T cell"])


def test_settled_options_speak_the_words_of_the_ontology_and_leave_out_what_is_the_models_own(tiny_bundle):
    asked = Options(tiny_bundle, threshold=0.5, allow=["T cell"], tissue="PBMC", threads=1)
    assert asked.settled() == Options(str(tiny_bundle.path), allow=["CL:0000084"], tissue="blood")


@pytest.mark.parametrize("name", ["cells.h5ad", "my 'own' cells.h5ad", "x; rm -rf ~", '"""', "a\\b", "$(id)"])
def test_commands_hold_any_name(name):
    options = Options(threshold=0.6, deny=["T cell"], layer="umi", key_added="run2")
    words = shlex.split(options.command(name, "out.csv", "page.html"))
    assert words[:7] == ["spoticell", "annotate", name, "-o", "out.csv", "--report", "page.html"]
    assert words[7:] == ["--threshold", "0.6", "--deny", "T cell", "--layer", "umi", "--key-added", "run2"]
    call = ast.parse(options.python(name, "out.csv")).body[-1].value
    assert [ast.literal_eval(word) for word in call.args] == [name, "out.csv"]
    assert {word.arg: ast.literal_eval(word.value) for word in call.keywords} == {
        "threshold": 0.6,
        "deny": ["T cell"],
        "layer": "umi",
        "key_added": "run2",
    }


NAMES = [
    "-x.h5ad", "--report=evil.html", "-", "=ls", "~", "~root", "!!", "a'b", 'a"b', "two\nlines; touch evil", "\rx",
    "\x03\x15id", "\x1b[2J", "`id`", "$HOME", "${IFS}", "a\\", "\u202ecsv", "*", "{a,b}", "é ü",
    "\n", "#a", "a;b", "<(id)", "%1", "\t-x",
]  # fmt: skip


@pytest.mark.skipif(shutil.which("bash") is None, reason="the commands are tried with bash")
@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_pasted_command_runs_with_the_names_as_they_are_and_does_nothing_else(name, tmp_path):
    command = Options(groups=name, allow=[name]).command(name, name, name)
    assert command.isprintable(), "no character acts on the terminal"
    script = 'spoticell() { printf "%s\\0" "$@"; }\n' + command
    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, check=True)
    words = ran.stdout.decode("utf-8").split("\0")[:-1]
    path = f"./{name}" if name[0] in "-=" else name
    assert words[:6] == ["annotate", path, "-o", path, "--report", path]
    after = [word.split("=", 1) for word in words[6:]] if name.startswith("-") else [words[6:8], words[8:]]
    assert sorted(after) == [["--allow", name], ["--groups", name]]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_pasted_python_holds_the_names_as_they_are(name):
    code = Options(groups=name).python(name, name)
    assert code.replace("\n", "").isprintable()
    call = ast.parse(code).body[-1].value
    assert [ast.literal_eval(word) for word in [*call.args, call.keywords[0].value]] == [name] * 3


def test_python_for_an_object_names_it_adata():
    assert Options().python(None) == "import spoticell\n\nspoticell.annotate(adata)\n"
