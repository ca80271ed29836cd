from collections import Counter

from benchmarks.speed.flame import draw, placed, told

MAIN = "main (spoticell/cli/app.py:56)"


def test_only_our_functions_and_the_library_above_them_are_told():
    frames = ["_run (<frozen runpy>)", MAIN, "__call__ (typer/main.py)", "read (spoticell/io/open.py)"]
    assert told([*frames, "get (h5py/_hl/files.py)", "one (numpy/core.py)"]) == (
        ("main", "cli"),
        ("read", "io"),
        ("h5py", "library"),
    )


def test_loading_modules_is_one_frame():
    frames = [MAIN, "_find_and_load (<frozen importlib._bootstrap>)", "<module> (spoticell/io/open.py)"]
    assert told(frames) == (("main", "cli"), ("loading modules", "loading modules"))


def test_stacks_without_our_functions_and_lost_frames_are_left_out():
    assert told(["_bootstrap (threading.py)", "run (concurrent/futures/thread.py)"]) == ()
    assert told([""]) == ()


def test_frames_are_as_wide_as_what_was_seen_and_the_widest_come_first():
    seen = Counter({(("a", "io"),): 1, (("b", "io"), ("c", "model")): 3})
    assert list(placed(seen)) == [(0, 3, 0, "b", "io"), (0, 3, 1, "c", "model"), (3, 1, 0, "a", "io")]


def test_frames_too_narrow_to_see_are_not_drawn():
    seen = Counter({(("wide", "io"),): 999, (("narrow", "model"),): 1})
    (axes,) = draw(seen).axes
    assert [text.get_text() for text in axes.texts] == ["wide"]
