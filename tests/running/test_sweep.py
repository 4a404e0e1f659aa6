"""Sweeps over a real cluster: what is run, what is kept, what is said, and that nothing stays."""

import gc
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import nbformat
import pandas as pd
import psutil
import pytest
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster

from paperlib.__main__ import main
from paperlib.results import COLUMNS, read
from paperlib.running import remote
from paperlib.running import sweep as sweeping
from paperlib.running.notebook import run
from paperlib.running.sweep import Sweep, _cluster, _finished, averages, sweep

PARAMETERS = "width = 3\nseed = 0"


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def no_preset(monkeypatch):
    monkeypatch.delenv("PAPERLIB_PRESET", raising=False)


@pytest.fixture
def tally(tmp_path):
    """A file in which a notebook's cell leaves a line, and how many there are of each."""

    class Tally:
        path = tmp_path / "tally"
        cell = f"with open({str(path)!r}, 'a') as file:\n    print(seed, file=file)"

        def __call__(self) -> list[int]:
            return sorted(map(int, self.path.read_text().split())) if self.path.exists() else []

    return Tally()


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def command(notebook, *words, values="0,1") -> list[str]:
    return ["sweep", str(notebook), "-p", "seed", values, *map(str, words)]


RECORD = f"""
import csv
from paperlib.paths import OUT
columns = {list(COLUMNS)}
about = {{"dataset": "synthetic", "detector": "none", "preset": "laptop", "seed": seed,
         "receptive_field": 27, "metric": "mpjpe", "unit": "mm", "system": "temporal"}}
values = {{"Walk": 0.1 + width, "average": 40.0 + width + 2 * seed}}
(OUT / "results").mkdir(parents=True)
with open(OUT / "results" / "mine.csv", "w") as file:
    table = csv.DictWriter(file, columns)
    table.writeheader()
    for action, value in values.items():
        table.writerow(about | {{"action": action, "value": value, "commit": "0123"}})
print("measured", values)
"""


@pytest.mark.slow
def test_a_sweep_gives_what_the_notebook_gives_alone(
    write_notebook, cluster, tmp_path, monkeypatch, capsys, printed
):
    notebook, folder = write_notebook(PARAMETERS, RECORD), tmp_path / "swept"
    words = command(notebook, "-p", "width", "9", "--output", folder)
    assert main([*words, "--scheduler", cluster.scheduler_address]) == 0
    runs = ["width=9_seed=0", "width=9_seed=1"]
    assert names(folder) == ["results.csv", *(f"{name}.ipynb" for name in runs)]

    monkeypatch.setenv("PAPERLIB_OUT", str(tmp_path / "alone"))
    alone = run(notebook, tmp_path / "alone.ipynb", {"width": 9, "seed": 1}, progress=False)
    assert "measured" in printed(alone)
    assert printed(folder / "width=9_seed=1.ipynb") == printed(alone)

    rows = read(folder / "results.csv")
    assert list(rows) == ["run", "notebook", "width", *COLUMNS]
    assert list(rows["run"]) == [runs[0], runs[0], runs[1], runs[1]]
    assert set(rows["notebook"]) == {"mine"} and set(rows["width"]) == {9}
    expected = read(tmp_path / "alone" / "results" / "mine.csv")
    ours = rows[rows["run"] == runs[1]].drop(columns=["run", "notebook", "width"])
    pd.testing.assert_frame_equal(ours.reset_index(drop=True), expected)

    # 49 and 51: mean 50, and Student's t of one degree of freedom times a standard error of 1
    said = capsys.readouterr().out
    assert "50.0 ± 12.7" in said and "temporal" in said and "MPJPE" in said
    assert f"2 of 2 runs finished; they and results.csv are in {folder}" in said
    assert "different code" not in said

    # as if one had been measured before the code changed: it stays, and that is said
    file = folder / f"{runs[0]}.ipynb"
    file.write_text(file.read_text().replace("0123", "4567"))
    assert main([*words, "--scheduler", cluster.scheduler_address]) == 0
    said = capsys.readouterr().out
    assert "different code: 1 by commit 4567, 1 by commit 0123; --again repeats all" in said

    # a further value joins them in the file, while the result is of what was asked
    done = sweep(notebook, [("seed", "2")], folder, cluster.scheduler_address)
    assert set(done.rows["run"]) == {"seed=2"}
    assert set(read(folder / "results.csv")["run"]) == {*runs, "seed=2"}


@pytest.mark.slow
def test_only_what_is_not_there_is_run(write_notebook, cluster, tally, tmp_path):
    notebook, folder = write_notebook(PARAMETERS, tally.cell), tmp_path / "swept"

    def swept(values, **other):
        there = cluster.scheduler_address
        done = sweep(notebook, [("seed", values)], folder, scheduler=there, **other)
        assert list(done.runs) == [f"seed={value}" for value in values.split(",")]
        assert not done.failed
        return tally()

    assert swept("0") == [0]
    before = (folder / "seed=0.ipynb").stat().st_mtime_ns
    assert swept("0") == [0]
    assert swept("1,0") == [0, 1]
    assert (folder / "seed=0.ipynb").stat().st_mtime_ns == before
    assert swept("0", again=True) == [0, 0, 1]
    write_notebook(PARAMETERS, tally.cell + "\n# changed")
    assert swept("0") == [0, 0, 0, 1]


def test_a_run_counts_as_finished_for_what_it_was_made_from_alone(tmp_path):
    file = tmp_path / "seed=1.ipynb"
    origin = {"cells": "0123", "preset": None, "parameters": {"seed": 1}}

    def written(**changed):
        about = {"origin": origin, "finished": True, "rows": {}} | changed
        file.write_text(json.dumps({"metadata": {"sweep": about}}))
        return about

    about = written()
    assert _finished(file, origin) == about
    for name, other in (("cells", "4567"), ("preset", "smoke"), ("parameters", {"seed": True})):
        assert _finished(file, origin | {name: other}) is None
    assert _finished(file, origin | {"parameters": {"seed": 1.0}}) is None
    written(finished=False)
    assert _finished(file, origin) is None
    for text in ("", "[]", "{}", '{"metadata": {}}', '{"metadata": {"sweep": 1}}'):
        file.write_text(text)
        assert _finished(file, origin) is None
    assert _finished(tmp_path / "seed=2.ipynb", origin) is None


def test_a_notebooks_outputs_do_not_matter_its_cells_do(write_notebook):
    notebook = write_notebook(PARAMETERS, "print(seed)")
    first = nbformat.read(notebook, as_version=4)
    digest = remote.digest(nbformat.writes(first))
    first.cells[1].outputs = [nbformat.v4.new_output("stream", text="0")]
    first.cells[1].execution_count = 7
    assert remote.digest(nbformat.writes(first)) == digest
    first.cells[0].metadata["tags"] = []
    untagged = remote.digest(nbformat.writes(first))
    first.cells[1].source = "print( seed)"
    assert len({digest, untagged, remote.digest(nbformat.writes(first))}) == 3


@pytest.mark.slow
def test_a_run_that_fails_is_tried_again_then_named_and_the_others_go_on(
    write_notebook, cluster, tally, tmp_path, capsys, printed
):
    notebook = write_notebook(
        PARAMETERS,
        tally.cell,
        f"tries = open({str(tally.path)!r}).read().split().count(str(seed))\n"
        "assert seed != 1, 'one is\\nnever good'\n"
        "assert seed != 2 or tries > 1, 'not at once'\n"
        "import os\nos.system('echo aloud')  # past the kernel's own print",
        "print('to the end')",
    )
    folder = tmp_path / "swept"
    words = ("--output", folder, "--scheduler", cluster.scheduler_address)
    assert main(command(notebook, *words, values="1,2")) == 1
    assert tally() == [1, 1, 2, 2]
    said = capsys.readouterr()
    assert "1 of 2 runs finished" in said.out
    assert "paperlib: 1 of 2 runs failed:\n" in said.err
    assert "\n  seed=1: AssertionError: one is never good\n" in said.err
    assert printed(folder / "seed=2.ipynb").endswith("to the end\n")
    # as far as it got, with the error in it
    cells = nbformat.read(folder / "seed=1.ipynb", as_version=4).cells
    assert any(o.output_type == "error" for c in cells for o in c.get("outputs", ()))


@pytest.mark.parametrize(
    ("values", "options", "said"),
    [
        ("0,x", [], "seed is 0 in the notebook, and 'x' is a text"),
        ("0", ["-p", "sede", "1"], "Did you mean 'seed'?"),
        ("0", ["--retries", "-1"], "retries must be 0 or more"),
        ("0", ["--workers", "0"], "workers 1 or more"),
        ("0", ["--workers", "2", "--scheduler", "tcp://h:1"], "leave out --workers or --scheduler"),
        ("0", ["--scheduler", "h"], "no Dask scheduler answers at h: start one with `dask sched"),
        ("0", ["--scheduler", "tcp://127.0.0.1:1"], "no Dask scheduler answers at tcp://127.0.0.1"),
    ],
)
def test_what_is_wrong_is_refused_before_anything_starts(
    write_notebook, tally, tmp_path, capsys, monkeypatch, values, options, said
):
    monkeypatch.setattr(sweeping, "_CONNECT_SECONDS", 0.5)  # seconds
    notebook, folder = write_notebook(PARAMETERS, tally.cell), tmp_path / "swept"
    assert main(command(notebook, "--output", folder, *options, values=values)) == 1
    problem = capsys.readouterr().err
    assert problem.startswith("paperlib: ") and said in problem and problem.count("\n") == 1
    assert tally() == [] and not list(folder.glob("*"))
    # one that is left half open holds the program up at its end
    clients = [known for known in gc.get_objects() if type(known) is Client]
    assert [client for client in clients if client.status != "closed"] == []


@pytest.mark.slow
def test_a_cluster_is_started_here_without_a_scheduler(
    write_notebook, tally, tmp_path, monkeypatch, printed
):
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    monkeypatch.setenv("PAPERLIB_RECORD", "1")
    monkeypatch.setenv("PAPERLIB_PRESET", "smoke")
    (tmp_path / "beside.txt").write_text("what lies beside it")
    notebook = write_notebook(
        PARAMETERS,
        tally.cell,
        "import os\nprint(open('beside.txt').read())\n"
        "for name in 'OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS':\n    print(os.environ[name])\n"
        "print(os.environ['PAPERLIB_PRESET'], os.environ.get('PAPERLIB_RECORD'))",
        "assert False",
    )
    done = sweep(notebook, [("seed", "3")], tmp_path / "swept", workers=1, retries=0)
    file = tmp_path / "swept" / "seed=3.ipynb"
    found = printed(file).splitlines()
    assert found == ["what lies beside it", str(CPU_COUNT), "7", "smoke None"]
    assert done.runs == {"seed=3": {"seed": 3}} and list(done.failed) == ["seed=3"]
    assert tally() == [3]
    assert done.rows.empty and averages(done).empty
    # no place on this machine but the notebook's own is told
    metadata = nbformat.read(file, as_version=4).metadata
    assert metadata.papermill.input_path == notebook.as_posix()
    assert metadata.papermill.output_path == "seed=3.ipynb"
    # another preset would be another run
    cells = remote.digest(notebook.read_text())
    assert metadata.sweep.origin == {"cells": cells, "preset": "smoke", "parameters": {"seed": 3}}


@pytest.mark.slow
def test_only_this_process_can_use_a_cluster_started_here():
    """Who can send it work can run any code: it listens on the loopback, to those with a key."""
    me = psutil.Process()
    before = {c.laddr for c in me.net_connections() if c.status == psutil.CONN_LISTEN}
    with _cluster(1) as cluster, _cluster(1):  # no port is asked for twice
        processes = [me, *me.children(recursive=True)]
        listening = {
            c.laddr
            for process in processes
            for c in process.net_connections()
            if c.status == psutil.CONN_LISTEN
        }
        assert cluster.scheduler_address.startswith("tls://127.0.0.1:")
        assert {address.ip for address in listening - before} == {"127.0.0.1"}
        plain = cluster.scheduler_address.replace("tls", "tcp")
        with pytest.raises(OSError):
            Client(plain, timeout=2)


def rows(**columns) -> pd.DataFrame:
    about = {"notebook": "n", "dataset": "d", "detector": "s", "preset": "p", "seed": 0}
    about |= {"receptive_field": 27, "system": "temporal", "metric": "mpjpe", "action": "average"}
    return pd.DataFrame(about | columns)


def test_averages_are_over_the_seeds_of_a_combination():
    runs = {f"width={w}_seed={s}": {"width": w, "seed": s} for w in (3, 9) for s in (0, 1)}
    measured = rows(run=list(runs), seed=[0, 1, 0, 1], value=[40.0, 42.0, 50.0, 50.0])
    table = averages(Sweep(runs, {}, measured, None))
    assert table["MPJPE"].to_dict() == {
        ("width=3", "temporal"): "41.0 ± 12.7",
        ("width=9", "temporal"): "50.0 ± 0.0",
    }
    one_action = measured.assign(action="Walk")
    assert averages(Sweep(runs, {}, one_action, None)).empty


def test_averages_tell_apart_what_one_run_measured_on_two_data_sets():
    runs = {"seed=0": {"seed": 0}}
    measured = rows(run="seed=0", dataset=["a", "b"], value=[1.0, 2.0])
    table = averages(Sweep(runs, {}, measured, None))
    assert table["MPJPE"].to_dict() == {("a", "temporal"): "1.0", ("b", "temporal"): "2.0"}


def test_a_notebook_that_ignores_its_seed_still_counts_each_run():
    runs = {f"seed={s}": {"seed": s} for s in (0, 1)}
    table = averages(Sweep(runs, {}, rows(run=list(runs), value=[3.0, 3.0]), None))
    assert table["MPJPE"].to_dict() == {"temporal": "3.0 ± 0.0"}


def wait_for(condition, what: str, seconds: float = 60):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.1)
    return found


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def endless(write_notebook, tmp_path):
    """A notebook that never ends but for seed 0, and its kernel, as soon as there is one."""
    place = tmp_path / "pid"
    notebook = write_notebook(
        PARAMETERS,
        f"import os, time\nplace = {str(place)!r}\n"
        "if seed:\n"
        "    with open(place + '-', 'w') as file:\n        print(os.getpid(), file=file)\n"
        "    os.rename(place + '-', place)\n"
        "    try:\n        time.sleep(300)\n"
        "    except KeyboardInterrupt:\n        open(place + '-interrupted', 'w').close()\n"
        "        raise",
    )

    def kernel() -> psutil.Process:
        wait_for(place.is_file, "the kernel")
        return psutil.Process(int(place.read_text()))

    return notebook, kernel


def ctrl_c(words, running) -> tuple[int, str, list[psutil.Process]]:
    """What a command returns, and prints on its standard error, when Ctrl-C comes in its terminal;
    and the processes that were ``running`` then, found by its own."""
    # in a group of its own, as a terminal starts it, and with all of it a Ctrl-C reaches
    alone = {"stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    process = subprocess.Popen([sys.executable, "-m", "paperlib", *words], **alone)
    try:
        started = running(psutil.Process(process.pid))
        assert all(map(alive, started))
        os.killpg(process.pid, signal.SIGINT)
        _, problem = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, problem, started


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_leaves_no_process(endless, tmp_path):
    notebook, kernel = endless
    words = command(notebook, "--output", tmp_path / "swept", values="1")
    status, problem, started = ctrl_c(
        words, lambda own: [kernel(), kernel().parent(), *own.children(recursive=True)]
    )
    assert status == 130 and len(started) > 3
    # after the bar no word but ours
    assert problem.split("run/s]")[-1].strip() == "paperlib: stopped; what was finished is kept"
    wait_for(lambda: not any(map(alive, started)), f"the end of {started}", 20)
    # what trains in a kernel could save it
    assert (tmp_path / "pid-interrupted").is_file()


@pytest.mark.slow
def test_ctrl_c_on_one_notebook_is_one_line(endless, tmp_path):
    notebook, kernel = endless
    words = ["run", str(notebook), str(tmp_path / "out.ipynb"), "-p", "seed", "1"]
    status, problem, started = ctrl_c(words, lambda _: [kernel()])
    assert status == 130
    assert problem.splitlines()[-1] == "paperlib: stopped; what was finished is kept"
    wait_for(lambda: not any(map(alive, started)), "the end of the kernel", 20)


@pytest.mark.slow
def test_ctrl_c_stops_what_runs_on_a_scheduler_and_keeps_what_was_finished(
    endless, cluster, tmp_path
):
    notebook, kernel = endless
    finished = tmp_path / "swept" / "seed=0.ipynb"
    words = command(notebook, "--output", finished.parent)
    running = []

    def press():
        running.extend([kernel(), kernel().parent()])
        wait_for(finished.is_file, "the first run")
        os.kill(os.getpid(), signal.SIGINT)

    Thread(target=press, daemon=True).start()
    assert main([*words, "--scheduler", cluster.scheduler_address]) == 130
    wait_for(lambda: not any(map(alive, running)), f"the end of {running}", 20)
    assert json.loads(finished.read_text())["metadata"]["sweep"]["finished"]


@pytest.mark.slow
def test_a_run_ends_with_the_worker_that_asked_for_it(endless, tmp_path):
    """Also with one that was killed, and could not stop it."""
    notebook, kernel = endless
    place = tmp_path / "folders"
    place.mkdir()
    about = {"path": "gone/small.ipynb", "parameters": {"seed": 1}, "preset": None}
    order = remote.Job(text=notebook.read_text(), **about)
    words = [sys.executable, "-m", "paperlib.running.remote"]
    environment = {**os.environ, "TMPDIR": str(place)}
    process = subprocess.Popen(words, stdin=subprocess.PIPE, env=environment)
    process.stdin.write(json.dumps(order).encode() + b"\n")
    process.stdin.flush()
    running = kernel()
    assert alive(running) and names(place)
    process.stdin.close()
    assert process.wait(20) != 0
    wait_for(lambda: not alive(running), "the end of the kernel", 20)
    assert names(place) == []


@pytest.mark.slow
def test_a_worker_needs_no_disk_of_ours(write_notebook, cluster):
    notebook = write_notebook(PARAMETERS, "import os\nprint(os.getcwd(), os.listdir(), seed)")
    text = notebook.read_text()
    notebook.unlink()
    order = remote.Job(path=str(notebook), text=text, parameters={"seed": 5}, preset=None)
    with Client(cluster, set_as_default=False) as client:
        answer = client.submit(remote.work, order).result()
    assert answer["error"] is None and answer["rows"] == {} and answer["seconds"] > 0
    (_, _, cell) = nbformat.reads(answer["notebook"], as_version=4).cells
    folder, rest = cell.outputs[0].text.split(" ", 1)
    assert rest == "['small.ipynb'] 5\n" and not Path(folder).exists()


def test_to_run_a_notebook_neither_dask_nor_torch_is_imported():
    look = (
        "import sys, paperlib.__main__, paperlib.running.notebook, paperlib.running.remote\n"
        "print({'dask', 'distributed', 'torch'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
