"""Where things lie, and that nothing half-written is left there."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from paperlib import paths
from paperlib.errors import MissingDataError

PLACES = {
    "PAPERLIB_DATA": (paths.data_dir, "data"),
    "PAPERLIB_CACHE": (paths.cache_dir, "data/cache"),
    "PAPERLIB_RUNS": (paths.runs_dir, "runs"),
}


@pytest.mark.parametrize("variable", PLACES)
def test_each_place_has_a_default_and_a_variable(variable, tmp_path, monkeypatch):
    place, default = PLACES[variable]
    monkeypatch.delenv(variable, raising=False)
    assert place() == paths.ROOT / default
    monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    assert place() == tmp_path / "elsewhere"
    monkeypatch.setenv(variable, "")
    assert place() == paths.ROOT / default


def test_a_place_may_be_named_from_home_or_from_the_project(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PAPERLIB_DATA", "~/mocap")
    assert paths.data_dir() == tmp_path / "mocap"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERLIB_DATA", "mocap/here")
    # whoever starts a notebook in a folder of its own means the same place
    assert paths.data_dir() == paths.ROOT / "mocap" / "here"


def test_data_are_looked_for_in_the_named_place_first_then_in_the_project(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path))
    assert paths.data_dirs() == (tmp_path, paths.ROOT / "data")
    monkeypatch.delenv("PAPERLIB_DATA")
    assert paths.data_dirs() == (paths.ROOT / "data",)


def test_the_root_is_the_checkout():
    assert (paths.ROOT / "pyproject.toml").is_file() and (paths.ROOT / "paperlib").is_dir()


def test_paths_of_the_project_are_shown_from_its_root(tmp_path, monkeypatch):
    assert paths.shown(paths.ROOT / "data" / "results" / "table1.csv") == "data/results/table1.csv"
    monkeypatch.chdir(paths.ROOT)
    assert paths.shown("data/../figures/a.png") == "figures/a.png"


def test_the_root_of_an_installed_copy_is_the_checkout_one_works_in(tmp_path, monkeypatch):
    monkeypatch.setattr(
        paths, "__file__", str(tmp_path / "site-packages" / "paperlib" / "paths.py")
    )
    monkeypatch.chdir(paths.ROOT / "notebooks" / "pavllo2019")
    assert paths._root() == paths.ROOT
    monkeypatch.chdir(tmp_path)
    assert paths._root() == tmp_path


def test_places_that_were_named_are_shown_by_that_name(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / "data"))
    assert paths.shown(tmp_path / "data" / "cmu_mocap") == "$PAPERLIB_DATA/cmu_mocap"
    assert paths.shown(tmp_path / "data") == "$PAPERLIB_DATA"
    (tmp_path / "data").mkdir()
    with pytest.raises(
        MissingDataError, match=r"not found in \$PAPERLIB_DATA/people or data/people"
    ):
        paths.find_data("people", Path.is_dir, "People", "")


def test_paths_elsewhere_are_shown_by_their_name(tmp_path):
    assert paths.shown(tmp_path / "deep" / "mocap") == "mocap"


def test_a_file_appears_in_one_move(tmp_path):
    target = tmp_path / "new" / "folder" / "result.csv"
    with paths.replacing(target) as temporary:
        temporary.write_text("half")
        assert not target.exists()
        assert temporary.parent == target.parent and temporary.suffix == ".csv"
        temporary.write_text("whole")
    assert target.read_text() == "whole"
    with paths.replacing(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "whole"  # the former content stays until the new is there
    assert target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("problem", [OSError, ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_where_writing_fails(tmp_path, problem):
    target = tmp_path / "result.csv"
    target.write_text("old")
    with pytest.raises(problem), paths.replacing(target) as temporary:
        temporary.write_text("half")
        raise problem("stopped")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_what_is_cached_is_computed_once_and_anew_where_it_cannot_be_read(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path / "cache"))
    made = []

    def make() -> int:
        made.append(len(made))
        return made[-1]

    def get() -> int:
        return paths.cached(
            "number.txt",
            make,
            lambda path, number: path.write_text(f"number {number}"),
            lambda path: int(path.read_text().removeprefix("number ")),
        )

    assert [get(), get()] == [0, 0] and capsys.readouterr().err == ""
    (tmp_path / "cache" / "number.txt").write_text("number a\nb")
    assert [get(), get()] == [1, 1]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "$PAPERLIB_CACHE/number.txt cannot be read and is made anew: invalid literal for int()"
    )


def test_nothing_is_computed_for_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ValueError, match=r"cannot be written .*set PAPERLIB_CACHE"):
        paths.cached("a.txt", lambda: pytest.fail("computed"), Path.write_text, Path.read_text)


def test_a_target_that_cannot_be_replaced_leaves_nothing_beside_it(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    with pytest.raises(OSError), paths.replacing(target) as temporary:
        temporary.write_text("x")
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_written_files_can_be_read_by_others(tmp_path):
    target = tmp_path / "file"
    with paths.replacing(target) as temporary:
        temporary.write_text("x")
    assert stat.S_IMODE(Path(target).stat().st_mode) == 0o644


def test_two_writers_do_not_share_a_temporary_file(tmp_path):
    target = tmp_path / "a.npz"
    with paths.replacing(target) as one, paths.replacing(target) as two:
        assert one != two
        one.write_text("1")
        two.write_text("2")
    assert target.read_text() == "1"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="processes of POSIX")
def test_what_a_killed_process_left_is_removed_by_the_next_save(tmp_path):
    """Of the same file alone, and never what a living process is writing."""
    program = (
        "import os, sys; from pathlib import Path; from paperlib.paths import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half'); os.kill(os.getpid(), 9)"
    )
    targets = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for target in targets:
        subprocess.run([sys.executable, "-c", program, str(target)], check=False)
    left = sorted(tmp_path.iterdir())
    assert len(left) == 2 and left[0].name.startswith(".a-")
    with paths.replacing(targets[0]) as one:
        assert sorted(tmp_path.iterdir()) == sorted([one, left[1]])
        with paths.replacing(targets[0]) as other:
            other.write_text("whole")
        assert one.exists()
    assert sorted(tmp_path.iterdir()) == sorted([targets[0], left[1]])


def test_whoever_changes_a_file_is_alone_with_it(tmp_path):
    """Processes that read, change and replace: no change is lost."""
    program = (
        "import sys; from pathlib import Path; from paperlib.paths import locked, replacing\n"
        "path = Path(sys.argv[1])\n"
        "for _ in range(20):\n"
        "    with locked(path):\n"
        "        count = int(path.read_text()) if path.exists() else 0\n"
        "        with replacing(path) as temporary: temporary.write_text(str(count + 1))"
    )
    target = tmp_path / "count"
    command = [sys.executable, "-c", program, str(target)]
    for process in [subprocess.Popen(command) for _ in range(4)]:
        assert process.wait(60) == 0
    assert target.read_text() == "80"


def test_only_files_are_read(tmp_path):
    path = tmp_path / "here"
    path.write_bytes(bytes(100))
    link = tmp_path / "link"
    link.symlink_to(path)
    assert paths.regular_file(str(path)) == path and paths.regular_file(link, 100) == link
    with pytest.raises(ValueError, match=r"here has .* GiB; files of its kind are read up to"):
        paths.regular_file(path, 99)
    with pytest.raises(ValueError, match="is a folder, not a file"):
        paths.regular_file(tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        paths.regular_file(tmp_path / "nowhere")


@pytest.mark.skipif(os.name != "posix", reason="kinds of POSIX")
def test_what_is_no_file_is_named(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="pipe is a named pipe, not a file"):
        paths.regular_file(tmp_path / "pipe")
    with pytest.raises(ValueError, match="/dev/zero is a device, not a file"):
        paths.regular_file("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        with pytest.raises(ValueError, match="s is a socket, not a file"):
            paths.regular_file(tmp_path / "s")
