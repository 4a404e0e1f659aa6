"""The networks are taken out of packages, checked, and asked for where they are lacking."""

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from paperlib import __main__ as command_line
from paperlib import paths
from paperlib.detection.blazepose import fetching
from paperlib.detection.blazepose.fetching import FILES, File, fetch, find
from paperlib.detection.blazepose.networks import Networks
from paperlib.errors import MissingDataError

CONTENT = {name: f"network {name}".encode() for name in FILES}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Where the networks go; those of this test are a few letters."""
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(paths, "ROOT", tmp_path)  # the project's own data are no part of it
    (tmp_path / "data").mkdir()
    small = {
        name: File(FILES[name].name, hashlib.sha256(content).hexdigest())
        for name, content in CONTENT.items()
    }
    monkeypatch.setattr(fetching, "FILES", small)
    return tmp_path / "data" / "blazepose"


def wheel(path: Path, names=("detector", "full"), **other) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mediapipe/__init__.py", "raise SystemExit")
        for name in names:
            archive.writestr(
                f"mediapipe/modules/{FILES[name].name}", other.get(name, CONTENT[name])
            )
    return path


def package(path: Path, names=("heavy", "full", "lite")) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(f"package/{FILES[name].name}")
            member.size = len(CONTENT[name])
            archive.addfile(member, io.BytesIO(CONTENT[name]))
    return path


def test_networks_come_out_of_the_packages_given(folder, tmp_path):
    assert fetch([wheel(tmp_path / "a.whl"), package(tmp_path / "b.tgz")]) == folder
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {
        FILES[name].name: content for name, content in CONTENT.items()
    }
    assert find("heavy") == folder / "pose_landmark_heavy.tflite"


def test_what_is_still_lacking_is_named_and_the_rest_kept(folder, tmp_path):
    with pytest.raises(MissingDataError, match=r"^heavy, lite of BlazePose's.*npm's @mediapipe"):
        fetch([wheel(tmp_path / "a.whl")])
    assert find("full").is_file()
    with pytest.raises(MissingDataError, match="`python -m paperlib data blazepose` fetches it"):
        find("heavy")
    assert fetch([package(tmp_path / "b.tgz")]) == folder


def test_other_content_is_never_kept(folder, tmp_path):
    changed = wheel(tmp_path / "a.whl", full=b"another")
    with pytest.raises(MissingDataError, match=r"^full of BlazePose's networks is not in"):
        fetch([changed, package(tmp_path / "b.tgz", ["heavy", "lite"])])
    (folder / FILES["full"].name).write_bytes(b"another")
    with pytest.raises(ValueError, match="another content than expected: delete it"):
        find("full")


def test_what_is_no_package_is_refused(folder, tmp_path):
    (tmp_path / "a.whl").write_bytes(b"PK nothing")
    cut = package(tmp_path / "b.tgz")
    cut.write_bytes(cut.read_bytes()[:-20])
    for path in (tmp_path / "a.whl", cut):
        with pytest.raises(ValueError, match=r"is no \.whl, \.zip or \.tgz, or is damaged"):
            fetch([path])
    with pytest.raises(FileNotFoundError):
        fetch([tmp_path / "c.whl"])


def test_pip_and_npm_fetch_the_packages(folder, monkeypatch):
    """Both are asked for one version; what they bring is held against the sums."""
    asked = []

    def run(command, **_):
        place = Path(
            command[command.index("--dest" if "pip" in command else "--pack-destination") + 1]
        )
        asked.append(command[-1])
        wheel(place / "a.whl") if "pip" in command else package(place / "b.tgz")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(fetching.shutil, "which", lambda name: f"/bin/{name}")
    assert fetch() == folder
    assert asked == ["mediapipe==0.10.21", "@mediapipe/pose@0.5.1675469404"]
    assert fetch() == folder and len(asked) == 2  # all is there


def test_without_npm_or_a_network_it_says_so(folder, monkeypatch, capsys):
    def run(command, **_):
        return subprocess.CompletedProcess(command, 1, "", "ERROR: a\nERROR: no such version\n")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(fetching.shutil, "which", lambda _: None)
    assert command_line.main(["data", "blazepose"]) == 1
    said = capsys.readouterr().err
    assert "pip could not fetch mediapipe==0.10.21: ERROR: no such version" in said
    assert "npm is not installed" in said and "--from FILE" in said
    assert command_line.main(["data", "cmu", "--from", "a.whl"]) == 1
    assert "--from FILE goes with blazepose" in capsys.readouterr().err


def test_each_network_has_one_sum():
    shown = {name: f"{file.sha256[:8]}…{file.sha256[-4:]}" for name, file in FILES.items()}
    assert shown == {
        "detector": "9ba9dd3d…866c",
        "heavy": "59e42d71…e1fe",
        "full": "e9a5c5cb…4b9f",
        "lite": "f17bfbec…9d61",
    }


def test_without_litert_it_says_what_to_install(folder, tmp_path, monkeypatch):
    fetch([wheel(tmp_path / "a.whl"), package(tmp_path / "b.tgz")])
    for name in ("ai_edge_litert", "ai_edge_litert.interpreter"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError, match=r'takes the package ai-edge-litert.*extra "video"'):
        Networks("heavy")
