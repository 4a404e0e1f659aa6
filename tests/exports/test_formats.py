"""Poses to files in one call; what is given, and what is refused."""

import sys

import numpy as np
import pytest
import torch
from samples import assert_close
from test_house import GRAPH, room
from walks import walk, y_up

from paperlib.datasets.bvh import read_bvh
from paperlib.exports import FORMATS, Motion, export, write
from paperlib.skeletons import COCO_17, H36M_17

POSES = walk(8)


def test_one_call_writes_all_formats(tmp_path):
    pytest.importorskip("ezc3d"), pytest.importorskip("pygltflib")
    paths = [tmp_path / "new" / f"walk{suffix}" for suffix in FORMATS]
    exported = export(torch.from_numpy(POSES).float(), paths, 50, H36M_17)
    assert list(exported.files) == paths and all(path.stat().st_size for path in paths)
    assert list(exported.residuals) == [1] and 0 < exported.residuals[1] < 0.01
    assert {path.name for path in (tmp_path / "new").iterdir()} == {path.name for path in paths}


def test_points_have_no_residual_and_a_fit_is_made_once(tmp_path):
    motion = Motion.of({"a": POSES, "b": POSES}, 50, H36M_17)
    assert write(motion, tmp_path / "walk.csv").residuals == {}
    exported = write(motion, str(tmp_path / "walk.BVH"))
    assert [path.name for path in exported.files] == ["walk_a.BVH", "walk_b.BVH"]
    assert exported.residuals == {name: motion.fitted(name).residual for name in "ab"}
    assert motion.fitted("a") is motion.fitted("a")


@pytest.mark.parametrize(
    ("poses_up", "given"),
    [("z", POSES), ("y", y_up(POSES)), ("-y", POSES[..., [0, 2, 1]] * [1, -1, 1])],
)
def test_the_poses_own_up_is_turned_to_the_files(tmp_path, poses_up, given):
    paths = [tmp_path / "walk.npz", tmp_path / "walk.bvh"]
    export(given, paths, 50, H36M_17, poses_up=poses_up)
    assert_close(np.load(paths[0])["positions"][0], POSES, 1e-4)  # z by default
    bvh = read_bvh(paths[1])  # y by default
    places = bvh.positions()[:, [bvh.index(j) for j in H36M_17.joints]] / 100
    assert_close(places, y_up(POSES), 1e-4)
    export(given, paths[0], 50, H36M_17, poses_up=poses_up, up="y")
    assert_close(np.load(paths[0])["positions"][0], y_up(POSES), 1e-4)


def test_a_joint_lacks_all_of_its_place_where_it_lacks_a_part():
    poses = POSES.copy()
    poses[2, 5, 1] = np.nan
    assert np.isnan(Motion.of(poses, 50, H36M_17).positions(1, "z")[2, 5]).all()


NAN = np.full((4, 17, 3), np.nan)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fps": 0}, r"fps 0: expected frames a second, more than 0"),
        ({"fps": float("nan")}, r"fps nan"),
        ({"fps": "50"}, r"fps '50'"),
        ({"skeleton": "h36m_17"}, r"skeleton is a str, expected a Skeleton"),
        ({"skeleton": COCO_17, "poses": POSES[:, :16]}, r"\(8, 16, 3\), expected \(T, 17, 3\)"),
        ({"poses": POSES[None]}, r"\(1, 8, 17, 3\).*several people are a dictionary"),
        ({"poses": POSES[:0]}, r"at least one frame"),
        ({"poses": POSES.tolist()}, r"positions are list"),
        ({"poses": NAN}, r"person 1: all poses are missing"),
        ({"poses": {"a": POSES, "b": NAN}}, r"person b: all poses are missing"),
        ({"poses": {}}, r"no people"),
        ({"poses": {"../a": POSES}}, r"person '\.\./a': an id becomes part of names"),
        ({"poses": {1: POSES, "1": POSES}}, r"ids that are written alike"),
        ({"poses": 1000 * POSES}, r"metres are expected, are these millimetres"),
        ({"poses": np.where(POSES > 1, np.inf, POSES)}, r"infinity"),
        ({"frames": range(7)}, r"frames have shape \(7,\), expected \(8,\)"),
        ({"frames": [0, 1, 2, 3, 4, 5, 6, 6]}, r"each larger than the one before"),
        ({"frames": np.arange(8) - 1}, r"whole numbers from 0"),
        ({"frames": np.arange(8) + 0.5}, r"whole numbers from 0"),
        ({"frames": [0, 1, 2, 3, 4, 5, 6, 2**40]}, r"at most 1048576 are written"),
        ({"frames": {1: range(8)}}, r"frames and scores are given as poses are"),
        ({"poses": {1: POSES, 2: POSES}, "scores": {1: np.ones((8, 17))}}, r"same ids, \[1, 2\]"),
        ({"scores": np.ones((8, 16))}, r"scores have shape \(8, 16\), expected \(8, 17\)"),
        ({"poses_up": "x"}, r"up axis of poses 'x': choose one of 'z', 'y', '-y'"),
        ({"up": "-y"}, r"up axis of a file '-y': choose one of 'y', 'z'"),
        ({"paths": ["walk.csv", "walk.fbx"]}, r"suffix of an export '\.fbx': choose one of"),
        ({"paths": "walk"}, r"suffix of an export ''"),
    ],
)
def test_refusals(tmp_path, monkeypatch, changes, said):
    monkeypatch.chdir(tmp_path)
    fields = {"poses": POSES, "paths": "walk.csv", "fps": 50, "skeleton": H36M_17} | changes
    with pytest.raises(ValueError, match=said):
        export(**fields)
    assert not list(tmp_path.iterdir())


def test_what_one_format_refuses_leaves_none_of_the_others(tmp_path, monkeypatch):
    hidden = POSES.copy()
    hidden[:, 3] = np.nan
    paths = [tmp_path / f"walk.{kind}" for kind in ("npz", "bvh", "c3d")]
    with pytest.raises(ValueError, match="never seen: right_ankle"):
        export(hidden, paths, 50, H36M_17)
    with pytest.raises(ValueError, match="C3D counts frames"):
        export(POSES, paths, 50, H36M_17, frames=np.arange(8) + 70_000)
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    with pytest.raises(ValueError, match="writing C3D takes the package ezc3d"):
        export(POSES, paths, 50, H36M_17)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".bvh", ".glb"])
def test_what_is_refused_leaves_the_file_that_was_there(tmp_path, suffix):
    pytest.importorskip("pygltflib")
    path = tmp_path / f"walk{suffix}"
    path.write_text("the one before")
    poses = POSES.copy()
    poses[:, 3] = np.nan
    with pytest.raises(ValueError, match="person 1: never seen: right_ankle"):
        export(poses, path, 50, H36M_17)
    assert path.read_text() == "the one before" and list(tmp_path.iterdir()) == [path]


def test_exports_rest_on_kinematics_and_skeletons_only():
    below = {"errors", "paths", "arrays", "skeletons", "kinematics", "inverse_kinematics"}
    targets = {room(t) for m, found in GRAPH.items() if room(m) == "exports" for t in found}
    assert targets - {None} == {*below, "exports"}
