"""Runs whose cells are read by workers: threads of this process, so that tests may meddle with what they do."""

import gzip
import json
import logging
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from tests.conftest import tiny_adata
from typer.testing import CliRunner

import spoticell
from spoticell.annotation.cluster import crew as crew_module
from spoticell.annotation.cluster import task, waiting
from spoticell.annotation.cluster.crew import Crew, crew_of
from spoticell.annotation.cluster.desk import Desk, desk
from spoticell.annotation.options import Options
from spoticell.cli.app import app
from spoticell.errors import BundleError, ConfigError, FileFormatError, GeneMatchError, SpoticellWarning

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, silence_logs=logging.CRITICAL
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def crew(client):
    crew = Crew(client, "the cluster", threads=1)
    yield crew
    crew.close()


@pytest.fixture(autouse=True)
def small_tasks(monkeypatch):
    """A few tasks for few cells."""
    monkeypatch.setattr("spoticell.annotation.first_blocks.STEP", 16)
    monkeypatch.setattr(task, "STRETCH", 32)
    monkeypatch.setattr(task, "LONG_STRETCH", 48)


@pytest.fixture
def cells(tmp_path):
    path = tmp_path / "cells.h5ad"
    tiny_adata(per_type=20).write_h5ad(path)
    return path


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="spoticell")


def contents(path):
    """Give all that an h5ad file holds but the time of the run."""
    found = {}

    def keep(name, node):
        found[name] = dict(node.attrs.items())
        if isinstance(node, h5py.Dataset) and not name.endswith("date"):
            found[name]["values"] = node[()]

    with h5py.File(path) as file:
        file.visititems(keep)
    return found


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, parts in one.items():
        for part, values in parts.items():
            np.testing.assert_array_equal(values, other[name][part], err_msg=f"{name} {part}")


def both(cells, crew, folder, ending, **asked):
    """Name cells in this process and by workers."""
    places = folder / f"here.{ending}", folder / f"there.{ending}"
    for place, dask in zip(places, (None, crew), strict=True):
        spoticell.annotate(cells, place, dask=dask, on_progress=False, **asked)
    return places


ASKED = {
    "nothing": {},
    "each cell alone": {"each_cell_alone": True},
    "groups": {"groups": "batch"},
    "found groups": {"groups": "auto", "by": "batch"},
    "allowed types": {"allow": ["T cell"], "threshold": 0.4},
    "a tissue": {"tissue": "lung", "deny": ["B cell"]},
}


@pytest.mark.parametrize("asked", ASKED)
def test_a_csv_file_is_the_same_to_the_byte(cells, crew, tiny_bundle, tmp_path, asked):
    here, there = both(cells, crew, tmp_path, "csv", model=tiny_bundle, **ASKED[asked])
    assert here.read_bytes() == there.read_bytes()


@pytest.mark.parametrize("asked", ["nothing", "each cell alone", "groups"])
def test_an_h5ad_file_holds_the_same(cells, crew, tiny_bundle, tmp_path, asked):
    here, there = both(cells, crew, tmp_path, "h5ad", model=tiny_bundle, **ASKED[asked])
    assert_same(contents(here), contents(there))


@pytest.mark.parametrize("kind", ["csc", "dense", "csv", "gz", "genes and more"])
def test_files_that_are_stored_otherwise_give_the_same(crew, tiny_bundle, tmp_path, kind):
    adata = tiny_adata(per_type=20)
    path = tmp_path / "cells.h5ad"
    if kind == "csc":
        adata.X = sparse.csc_matrix(adata.X)
    elif kind == "dense":
        adata.X = adata.X.toarray()
    elif kind == "genes and more":
        adata.var["feature_types"] = ["Gene Expression"] * 195 + ["Antibody Capture"] * 5
    adata.write_h5ad(path)
    if kind == "csv":
        path = tmp_path / "cells.csv"
        pd.DataFrame(adata.X.toarray(), index=adata.obs_names, columns=adata.var_names).to_csv(path)
    elif kind == "gz":
        packed = tmp_path / "cells.h5ad.gz"
        packed.write_bytes(gzip.compress(path.read_bytes(), 1))
        path = packed
    here, there = both(path, crew, tmp_path, "csv", model=tiny_bundle)
    assert here.read_bytes() == there.read_bytes()


def test_a_report_shows_the_same_cells(cells, crew, tiny_bundle):
    here, there = (spoticell.annotate(cells, model=tiny_bundle, dask=dask) for dask in (None, crew))
    assert len(here.examples) > 3
    for one, other in zip(here.examples, there.examples, strict=True):
        for what in ("position", "name", "answer", "score"):
            assert getattr(one, what) == getattr(other, what)
        np.testing.assert_array_equal(one.counts_g, other.counts_g)
    np.testing.assert_array_equal(here.programs_np, there.programs_np)
    assert here.findings.sample_nv.nnz == there.findings.sample_nv.nnz > 0


def test_several_files_are_read_side_by_side_and_none_stops_another(client, tiny_bundle_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(crew_module, "LEAST", 1)
    monkeypatch.setattr(crew_module, "AHEAD", 1)
    files = [tmp_path / f"{number}.h5ad" for number in range(4)]
    for number, path in enumerate(files):
        tiny_adata(per_type=20, seed=number).write_h5ad(path)
    files[1].write_text("no cells")
    address = client.scheduler.address
    told = {}
    for name, words in (("here", []), ("there", ["--dask", address])):
        out = tmp_path / name
        done = run("annotate", *files, tmp_path / "gone.h5ad", "-o", out, "-b", tiny_bundle_folder, "--json", *words)
        assert done.exit_code == 1
        told[name] = json.loads(done.stdout.replace(f"/{name}/", "/out/")), done.stderr.replace(f"/{name}/", "/out/")
        assert sorted(path.name for path in out.iterdir()) == ["0.h5ad", "2.h5ad", "3.h5ad", "composition.csv"]
    assert told["there"] == told["here"]
    assert_same(contents(tmp_path / "here" / "3.h5ad"), contents(tmp_path / "there" / "3.h5ad"))


def test_only_a_few_tasks_are_under_way(client, tiny_bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(crew_module, "LEAST", 3)
    monkeypatch.setattr(crew_module, "AHEAD", 0)
    crew, most = Crew(client, "the cluster"), []
    files = [tmp_path / f"{number}.h5ad" for number in range(3)]
    for path in files:
        tiny_adata(per_type=40).write_h5ad(path)
    crew.expect(files, Options(tiny_bundle))
    submit = crew._submit

    def counted(*given):
        most.append(sum(len(file.coming) + (file.look is not None) for file in crew._files))
        return submit(*given)

    crew._submit = counted
    for path in files:
        spoticell.annotate(path, model=tiny_bundle, dask=crew)
    crew.close()
    assert 2 <= max(most) <= 2 * 3


def test_a_task_that_fails_now_and_then_is_tried_again(cells, crew, tiny_bundle, tmp_path, monkeypatch):
    read, failed = task.first_blocks, []

    def sometimes(*given, start, **more):
        if failed.count(start) < 2:
            failed.append(start)
            raise OSError("the disk hiccups")
        return read(*given, start=start, **more)

    monkeypatch.setattr(task, "first_blocks", sometimes)
    here, there = both(cells, crew, tmp_path, "csv", model=tiny_bundle)
    assert here.read_bytes() == there.read_bytes()
    assert sorted(failed) == sorted([*range(0, 121, 32)] * 2)


def test_a_task_that_always_fails_ends_the_run_with_what_went_wrong_and_leaves_nothing(
    cells, client, tiny_bundle_folder, tmp_path, monkeypatch
):
    def broken(*given, **more):
        raise FileFormatError("cells.h5ad: too few numbers in 'X'. The file is damaged: write it again.")

    monkeypatch.setattr(task, "first_blocks", broken)
    out = tmp_path / "out.h5ad"
    done = run("annotate", cells, "-o", out, "-b", tiny_bundle_folder, "--dask", client.scheduler.address)
    assert (done.exit_code, done.stdout) == (1, "")
    last = done.stderr.splitlines(keepends=True)[-1]
    assert last == "spoticell: cells.h5ad: too few numbers in 'X'. The file is damaged: write it again.\n"
    assert not out.exists()


def test_what_a_look_refuses_is_refused_in_the_same_words_and_once(crew, tiny_bundle, tmp_path):
    path = tmp_path / "strange.h5ad"
    adata = tiny_adata()
    adata.var_names = [f"locus-{number}" for number in range(adata.n_vars)]
    adata.var = adata.var[[]]
    adata.write_h5ad(path)
    said = []
    for dask in (None, crew):
        with pytest.raises(GeneMatchError) as error:
            spoticell.annotate(path, model=tiny_bundle, dask=dask)
        said.append(str(error.value))
    assert said[0] == said[1]


def test_a_worker_that_cannot_see_the_file_says_so(cells, crew, tiny_bundle, monkeypatch):
    monkeypatch.setattr(task, "is_readable", lambda cells: False)
    with pytest.raises(FileFormatError, match=r"^cells.h5ad: the worker inproc\S+ can't read /.*. Each"):
        spoticell.annotate(cells, model=tiny_bundle, dask=crew)


def test_a_worker_of_another_version_or_with_another_model_is_refused(cells, crew, tiny_bundle, monkeypatch):
    order = crew_module.order_of(cells, Options(tiny_bundle))
    monkeypatch.setattr(crew_module, "order_of", lambda *_, **__: replace(order, version="0.0.1"))
    with pytest.raises(ConfigError, match=r"the worker \S+ has Spoticell .*, and 0.0.1 asks"):
        crew.take(cells, Options(tiny_bundle))
    monkeypatch.setattr(crew_module, "order_of", lambda *_, **__: replace(order, sha256="0" * 64))
    with pytest.raises(BundleError, match="another model under the name"):
        crew.take(cells, Options(tiny_bundle))
    monkeypatch.setattr(crew_module, "order_of", lambda *_, **__: replace(order, model="/nowhere"))
    with pytest.raises(BundleError, match=r"the worker \S+ can't load the model: there is no bundle '/nowhere'"):
        crew.take(cells, Options(tiny_bundle))


def test_a_worker_that_joins_late_is_checked_too(cells, tiny_bundle):
    order = replace(crew_module.order_of(cells, Options(tiny_bundle)), version="0.0.1")
    refused = task.look(order)
    assert "a worker has Spoticell" in str(refused.error)
    assert task.light(refused) is refused
    assert task.read(order, refused, 0, 32) is refused
    assert task.stretches_of(refused) == ()


def test_progress_goes_from_the_look_to_the_end(cells, crew, tiny_bundle, monkeypatch):
    monkeypatch.setattr(task, "EVERY", 0)
    monkeypatch.setattr(waiting, "HEARD", 0.01)
    inspect, heard = task.inspect, []

    def slow(*given, on_progress, **more):
        on_progress(1, 10)
        for _ in range(200):
            if heard:
                break
            task.time.sleep(0.05)
        return inspect(*given, on_progress=on_progress, **more)

    monkeypatch.setattr(task, "inspect", slow)
    spoticell.annotate(cells, model=tiny_bundle, dask=crew, on_progress=lambda done, total: heard.append(done / total))
    assert heard[0] == pytest.approx(0.02)
    assert heard == sorted(heard)
    assert heard[-1] == 1


def test_an_interrupted_run_drops_its_tasks_and_lets_go_of_files(cells, client, tiny_bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(spoticell.api.H5adSink, "begin", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with crew_of(client.scheduler.address) as crew:
        with pytest.raises(KeyboardInterrupt):
            spoticell.annotate(cells, tmp_path / "out.h5ad", model=tiny_bundle, dask=crew)
        crew.close()
        assert crew._files == []
        assert [run for _, run, _ in desk()._held if run == crew._run] == []
    assert not (tmp_path / "out.h5ad").exists()


def test_a_cluster_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(crew_module, "PATIENCE", 0.2)
    (tmp_path / "no.json").write_text("junk")
    for address in ("tcp://127.0.0.1:9", "nonsense://x", "no words", "", str(tmp_path / "no.json")):
        with pytest.raises(ConfigError, match="no Dask scheduler answers at"), crew_of(address):
            pytest.fail("there is none")


def test_a_schedulers_file_is_understood(client, tmp_path):
    path = tmp_path / "scheduler.json"
    path.write_text(json.dumps({"address": client.scheduler.address}))
    with crew_of(str(path), threads=3) as crew:
        assert crew.threads == 3
        assert crew._client.scheduler.address == client.scheduler.address


def test_an_object_in_memory_is_no_work_for_others(tiny_cells, crew, tiny_bundle):
    with pytest.raises(ConfigError, match="write a file"):
        spoticell.annotate(tiny_cells, model=tiny_bundle, dask=crew)


def test_where_dask_is_missing_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"needs distributed. Install the extra 'cluster'"), crew_of("local"):
        pytest.fail("there is none")


def test_a_cluster_without_workers_is_waited_for_and_that_is_said(cells, tiny_bundle, monkeypatch):
    class Empty:
        status = "running"

        def run(self, *_, **__):
            return {}

        def submit(self, *_, **__):
            return Waiting()

        def cancel(self, futures):
            self.cancelled = len(futures)

    class Waiting:
        def add_done_callback(self, _):
            pass

    crew = Crew(Empty(), "the cluster at tcp://x")
    with pytest.warns(SpoticellWarning, match="no worker has joined the cluster at tcp://x yet; waiting for one until"):
        crew.take(cells, Options(tiny_bundle))
    crew.close()
    assert crew._client.cancelled == 3


def test_what_dask_says_is_put_into_words(crew):
    killed = distributed.KilledWorker("task", None, 3)
    lost = distributed.client.FutureCancelledError("key", "lost")
    assert "4 workers of the cluster ended" in str(crew._in_words(killed))
    assert "the cluster is gone" in str(crew._in_words(lost))
    assert "has no Spoticell" in str(crew._in_words(ModuleNotFoundError("No module named 'spoticell'")))
    odd = RuntimeError("odd")
    assert crew._in_words(odd) is odd


def test_a_desk_holds_some_files_open_and_none_of_a_run_that_is_over(cells, tmp_path):
    desk, closed = Desk(most=1), []
    for name, run in (("a", "1"), ("a", "1"), ("a", "2")):
        with desk.opened(str(cells), run=run, check=lambda name=name: closed.append(name)) as source:
            assert source.n_cells == 121
    assert closed == ["a", "a"]
    assert [run for _, run, _ in desk._held] == ["2"]
    desk.clear("2")
    with desk.opened(str(cells), run="2", check=lambda: None):
        pass
    assert desk._held == []
    with pytest.raises(KeyError), desk.opened(str(cells), run="3", check=lambda: None):
        raise KeyError
    assert desk._held == []


def test_places_mean_the_same_everywhere(tiny_bundle, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    order = crew_module.order_of("cells.h5ad", Options(tiny_bundle, threads=7, markers="x.csv", groups="auto"))
    assert order.cells == str(tmp_path / "cells.h5ad")
    assert Path(order.model).is_absolute()
    assert (order.options.threads, order.options.markers, order.options.groups) == (1, None, None)
    assert crew_module.order_of("s3://bucket/cells.h5ad", Options(tiny_bundle)).cells == "s3://bucket/cells.h5ad"
    assert crew_module.order_of("x", Options()).model == "human-v1"
