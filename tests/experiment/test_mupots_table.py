"""Table 2 of veges2020, rerun on small files of its authors' formats, against a count by hand."""

import numpy as np
import pytest
import torch
from veges2020_files import (
    scene,
    state,
    statistics,
    tracks_of,
    write_model,
    write_scene,
    write_tracks,
)

from paperlib.datasets import mupots
from paperlib.errors import MissingDataError
from paperlib.experiment import mupots_table2
from paperlib.models import load_pose_refinement_checkpoint
from paperlib.prediction import locate
from paperlib.refinement import refine

HIP = 14
# MuPoTS-3D's own order of scaling, from the hip outwards, and parents, joints counted from 1
ORDER = [15, 16, 2, 1, 17, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
PARENTS = [2, 16, 2, 3, 4, 2, 6, 7, 15, 9, 10, 15, 12, 13, 15, 15, 2]
FRAMES = 30


def place(monkeypatch, tmp_path):
    """Two sequences of people who stand about one pose, and models that answer about that pose."""
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path))
    rng = np.random.default_rng(2)
    pose = rng.uniform([-400, -400, 3600], [400, 400, 4400], (17, 3))
    for name in ("TS2", "TS9"):
        points = pose + rng.normal(0, 60, (FRAMES, 2, 17, 3))
        one = scene(name, points=points)
        stored = tracks_of(one)
        stored["pose"][10:16, 1] = 0  # lost for a while
        write_scene(tmp_path / "mupots", name, one)
        write_tracks(tmp_path / "mupots", stored, name)
    for seed, folder in enumerate(("normal", "universal")):
        steps = statistics()
        mean, std = (steps[1]["state"][part] for part in ("mean", "std"))
        mean[:-3] = np.delete(pose - pose[HIP], HIP, axis=0).flatten()
        mean[-3:] = [*pose[HIP, :2], np.log(pose[HIP, 2])]
        std[:] = 40
        std[-1] = 0.02
        (tmp_path / folder).mkdir()
        write_model(tmp_path / folder, state(seed=seed), steps)
    return tmp_path


def rescaled(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    made = found.copy()
    for joint in ORDER[1:]:
        j, parent = joint - 1, PARENTS[joint - 1] - 1
        bone = found[:, j] - found[:, parent]
        length = np.linalg.norm(truth[:, j] - truth[:, parent], axis=1)
        made[:, j] = made[:, parent] + bone * (length / np.linalg.norm(bone, axis=1))[:, None]
    return made


def by_hand(folder, system: str, coordinates: str) -> dict[str, float]:
    """Millimetres and per cent, sequences averaged alike."""
    model, rows = load_pose_refinement_checkpoint(folder / coordinates), []
    for name in ("TS2", "TS9"):
        annotated = mupots.load(name, coordinates).test
        found, truth = [], []
        for track, person in zip(mupots.load(name, keypoints="hrnet").test, annotated, strict=True):
            positions = locate(model, track)
            if system == "interpolation":
                numbers, seen = positions.double().numpy(), track.confidence.mean(1).numpy() >= 0.1
                frames = np.arange(FRAMES)
                line = [
                    np.interp(frames, frames[seen], column[seen])
                    for column in numbers.reshape(FRAMES, -1).T
                ]
                positions = torch.from_numpy(np.stack(line, axis=1).reshape(FRAMES, 17, 3))
            if system == "refinement":
                positions = refine(positions, track.confidence.mean(dim=1), root=HIP)
            valid = mupots.valid_frames(person)
            found.append(1000 * positions.double().numpy()[valid])
            truth.append(1000 * person.positions.double().numpy()[valid])
        found, truth = np.concatenate(found), np.concatenate(truth)
        scaled = found * (found * truth).sum() / (found * found).sum()
        row = {}
        for prefix, p in (("", found), ("N-", scaled)):
            root, true_root = p[:, [HIP]], truth[:, [HIP]]
            row[f"{prefix}MRPE, mm"] = np.linalg.norm(root - true_root, axis=-1).mean()
            off = np.linalg.norm((p - root) - (truth - true_root), axis=-1)
            row[f"{prefix}MPJPE, mm"] = off.mean()
        near = []
        for p, t in ((found - found[:, [HIP]], truth - truth[:, [HIP]]), (found, truth)):
            near.append(np.linalg.norm(rescaled(p, t) - t, axis=-1)[:, :14])
        row["3D-PCK, %"] = 100 * (near[0] < 150).mean()
        row["AUC, %"] = 100 * np.mean([(near[0] < limit).mean() for limit in range(0, 151, 5)])
        row["3D-PCK, absolute, %"] = 100 * (near[1] < 150).mean()
        rows.append(row)
    return {name: np.mean([row[name] for row in rows]) for name in rows[0]}


def test_the_table_by_hand(tmp_path, monkeypatch):
    folder = place(monkeypatch, tmp_path)
    table = mupots_table2(folder, ["TS2", "TS9"], device="cpu")
    assert list(table.index) == ["without refinement", "interpolation", "refinement"]
    for system in table.index:
        normal, universal = (by_hand(folder, system, c) for c in ("normal", "universal"))
        for column, value in table.loc[system].items():
            expected = (universal if "%" in column else normal)[column]
            assert value == pytest.approx(expected, rel=1e-4, abs=1e-3), (system, column)
    assert 0 < table["3D-PCK, %"].min() and table["3D-PCK, %"].max() < 100
    assert table["MRPE, mm"].nunique() == 3


def test_what_is_not_there_is_said(tmp_path, monkeypatch):
    folder = place(monkeypatch, tmp_path)
    with pytest.raises(MissingDataError, match=r"TS1/annot\.mat"):
        mupots_table2(folder, device="cpu")
    (folder / "mupots" / "hrnet_pose2d" / "TS9.pkl").unlink()
    with pytest.raises(MissingDataError, match=r"hrnet_pose2d/TS9\.pkl"):
        mupots_table2(folder, ["TS9"], device="cpu")
    with pytest.raises(FileNotFoundError, match=r"normal/model_params\.pkl|model_params"):
        mupots_table2(folder / "nowhere", ["TS2"], device="cpu")
