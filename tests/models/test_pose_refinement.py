"""The models of the reference implementation of veges2020 give its numbers."""

import os
import pickle

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from veges2020_files import state, statistics, write_model

from paperlib.cameras import Camera
from paperlib.errors import CheckpointError, UnsafeFileError
from paperlib.models import TemporalPoseNet, load_pose_refinement_checkpoint
from paperlib.prediction import locate
from paperlib.recordings import Recording
from paperlib.skeletons import COCO_19, MUPOTS_17

# their joints by number, as their source lists them
COMMON = [17, 12, 14, 16, 11, 13, 15, 18, 5, 7, 9, 6, 8, 10]  # of the 19 keypoints; the hip first
LEFT_RIGHT = [(5, 2), (6, 3), (7, 4), (11, 8), (12, 9), (13, 10)]  # of the 17 joints
KEYPOINTS_LEFT_RIGHT = [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)]
HIP = 14  # of the 17 joints


def theirs(weights: dict[str, Tensor], x: Tensor) -> Tensor:
    """Their network, by hand: (T, 42) -> (T - R + 1, 51)."""

    def layer(x, conv, norm, dilation=1):
        x = F.conv1d(x, weights[f"{conv}.weight"], dilation=dilation)
        mean, var = weights[f"{norm}.running_mean"], weights[f"{norm}.running_var"]
        x = (x - mean[:, None]) / (var[:, None] + 1e-5).sqrt()
        return F.relu(weights[f"{norm}.weight"][:, None] * x + weights[f"{norm}.bias"][:, None])

    reach = weights["expand_conv.weight"].shape[2]
    x = layer(x.T[None], "expand_conv", "expand_bn")
    for i in range(0, sum(name.startswith("layers_conv") for name in weights), 2):
        width = weights[f"layers_conv.{i}.weight"].shape[2]
        y = layer(x, f"layers_conv.{i}", f"layers_bn.{i}", reach)
        y = layer(y, f"layers_conv.{i + 1}", f"layers_bn.{i + 1}")
        cut = (width - 1) * reach // 2
        x, reach = x[:, :, cut : x.shape[2] - cut] + y, reach * width
    return F.conv1d(x, weights["shrink.weight"], weights["shrink.bias"])[0].T


def prepared(pixels: np.ndarray, score: np.ndarray, camera: Camera, centre: float) -> np.ndarray:
    """Their numbers (T, 42) for keypoints (T, 19, 2): 13 joints relative to the hip, then it."""
    rows = []
    for points, sure in zip(pixels[:, COMMON], score[:, COMMON], strict=True):
        x = (points[:, 0] - centre) / camera.focal[0]
        y = (points[:, 1] - camera.centre[1]) / camera.focal[1]
        row = []
        for j in range(1, 14):
            place = (x[j] - x[0], y[j] - y[0])
            if sure[j] < 0.1:
                place = (-1700 / camera.focal[0], -1700 / camera.focal[1])
            row += [*place, sure[j]]
        rows.append([*row, x[0], y[0], sure[0]])
    return np.array(rows)


def posed(answers: np.ndarray, steps: list[dict]) -> np.ndarray:
    """Millimetres (T, 17, 3) of their network's answers (T, 51)."""
    answers = answers * steps[1]["state"]["std"] + steps[1]["state"]["mean"]
    found = np.zeros((len(answers), 17, 3))
    for pose, row in zip(found, answers, strict=True):
        root = np.array([row[-3], row[-2], np.exp(row[-1])])
        others = iter(row[:-3].reshape(16, 3))
        pose[:] = [root if j == HIP else next(others) + root for j in range(17)]
    return found


def swapped(values: np.ndarray, pairs: list[tuple[int, int]]) -> np.ndarray:
    values = values.copy()
    for left, right in pairs:
        values[:, [left, right]] = values[:, [right, left]]
    return values


def tracked(frames=23) -> Recording:
    rng = np.random.default_rng(8)
    pixels = torch.from_numpy(rng.uniform(200, 900, (frames, 19, 2)).astype("f4"))
    score = torch.from_numpy(rng.uniform(0, 1, (frames, 19)).astype("f4"))
    score[3], pixels[3] = 0, 0  # nobody was found
    camera = Camera("TS1", 2048, 2048, focal=(1500.0, 1490.0), centre=(1030.0, 1010.0))
    about = {"skeleton": MUPOTS_17, "keypoint_skeleton": COCO_19}
    return Recording("TS1-0", "indoors", "TS1", 30.0, camera, pixels, score, **about)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(("widths", "zipped"), [((3, 3, 3), False), ((3, 5), True), ((1, 1), True)])
def test_positions_are_those_of_their_network(tmp_path, flip, widths, zipped):
    weights, steps, recording = state(widths), statistics(), tracked()
    model = load_pose_refinement_checkpoint(write_model(tmp_path, weights, steps, zipped))
    assert isinstance(model, TemporalPoseNet) and not model.training
    assert model.config["filter_widths"] == widths and model.receptive_field == np.prod(widths)
    pixels, score = recording.keypoints.double().numpy(), recording.confidence.double().numpy()
    camera, pad = recording.camera, model.receptive_field // 2
    views = [(pixels, score, camera.centre[0])]
    if flip:
        mirrored = pixels.copy()
        mirrored[..., 0] = camera.width - mirrored[..., 0]
        pairs = KEYPOINTS_LEFT_RIGHT
        centre = camera.width - camera.centre[0]
        views.append((swapped(mirrored, pairs), swapped(score, pairs), centre))
    answers = []
    for seen, sure, centre in views:
        numbers = prepared(seen, sure, camera, centre)
        numbers = (numbers - steps[0]["state"]["mean"]) / steps[0]["state"]["std"]
        numbers = np.pad(numbers, ((pad, pad), (0, 0)), "edge")
        double = {name: value.double() for name, value in weights.items()}
        answers.append(posed(theirs(double, torch.from_numpy(numbers)).numpy(), steps))
    if flip:
        back = answers[1] * [-1, 1, 1]
        answers[1] = swapped(back, LEFT_RIGHT)
    expected = np.mean(answers, axis=0)
    found = 1000 * locate(model, recording, flip).double().numpy()
    assert np.abs(expected).max() > 1000
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=0.1)  # a tenth of a millimetre


def test_an_old_name_of_the_joint_set_is_understood(tmp_path):
    old = statistics("<class 'databases.joint_sets.MuPoTSJoints'>")
    one = load_pose_refinement_checkpoint(write_model(tmp_path, steps=old))
    other = load_pose_refinement_checkpoint(write_model(tmp_path))
    assert all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))


def without(made: dict, name: str) -> dict:
    return {key: value for key, value in made.items() if key != name}


def changed(step: int, **state) -> list[dict]:
    steps = statistics()
    steps[step]["state"] |= state
    return steps


WRONG_WEIGHTS = {
    "another number of inputs": (state(inputs=34), "34 numbers in and 51 out"),
    "of VideoPose3D": ({"model_pos": state()}, "something else than tensors by name"),
    "a layer is missing": (without(state(), "layers_bn.1.weight"), r"point.norm.weight is missing"),
    "instance norm": (
        without(state(), "expand_bn.running_mean"),
        r"expand.norm.running_mean is missing",
    ),
    "NaN": (state() | {"shrink.bias": torch.full((51,), float("nan"))}, "NaN or infinite"),
    "a list": ([1.0], "the file is no dictionary of tensors"),
}
WRONG_STEPS = {
    "no list": ({"mean": 1}, "expected a list of steps"),
    "other steps": ([{"name": "RemoveIndex", "state": None}], "expected a list of steps"),
    "another joint set": (statistics("PanopticJoints"), "of PanopticJoints, expected MuPoTSJoints"),
    "too short": (changed(0, mean=np.zeros(39)), r"'mean' of DepthposeNormalize2D must be 42"),
    "no deviation": (changed(1, std=np.zeros(51)), r"'std' of SplitTo.* deviations above 0"),
    "text": (changed(1, mean=["a"] * 51), "'mean' of SplitTo"),
}


@pytest.mark.parametrize("what", WRONG_WEIGHTS)
def test_other_weights_are_refused(tmp_path, what):
    weights, said = WRONG_WEIGHTS[what]
    with pytest.raises(CheckpointError, match=f"(?s)model_params.pkl: .*{said}"):
        load_pose_refinement_checkpoint(write_model(tmp_path, weights))


@pytest.mark.parametrize("what", WRONG_STEPS)
def test_other_steps_are_refused(tmp_path, what):
    steps, said = WRONG_STEPS[what]
    with pytest.raises(CheckpointError, match=said):
        load_pose_refinement_checkpoint(write_model(tmp_path, steps=steps))


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("run",)


@pytest.mark.parametrize("file", ["model_params.pkl", "preprocess_params.pkl"])
def test_nothing_in_the_files_is_run(tmp_path, monkeypatch, file):
    monkeypatch.chdir(tmp_path)
    write_model(tmp_path)
    (tmp_path / file).write_bytes(pickle.dumps([Hostile()]))
    with pytest.raises((UnsafeFileError, CheckpointError)):
        load_pose_refinement_checkpoint(tmp_path)
    assert not (tmp_path / "run").exists()
    (tmp_path / file).unlink()
    with pytest.raises(FileNotFoundError, match=file):
        load_pose_refinement_checkpoint(tmp_path)
