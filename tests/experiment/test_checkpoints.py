"""A checkpoint's errors are those of the papers' protocol, to a thousandth of a millimetre.

The reference here is plain NumPy in float64 from the files' content on, and shares nothing with
the package but the cameras' constants.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import samples
import torch
from scipy.spatial.transform import Rotation

import paperlib
from paperlib import __main__ as command_line
from paperlib import datasets
from paperlib.detection import detect
from paperlib.errors import CheckpointError, MissingDataError
from paperlib.evaluation import evaluate
from paperlib.experiment.checkpoints import evaluate_checkpoint
from paperlib.models import LinearModel, OcclusionAware, PoseAndTrajectory, TemporalModel
from paperlib.occlusion import GUESSES, with_labels
from paperlib.prediction import locate
from paperlib.skeletons import COCO_17, H36M_17
from paperlib.training import AbsolutePose, PoseAndOcclusion, Recipe, Supervised, train

EXACT = 1e-3  # millimetres
COLUMNS = ["MPJPE, mm", "P-MPJPE, mm", "N-MPJPE, mm", "MPJVE, mm/frame"]
CPN = "cpn_ft_h36m_dbb"
KEPT = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
SYMMETRY = {
    "h36m": [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]],
    "coco": [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]],
    "humaneva": [[2, 3, 4, 8, 9, 10], [5, 6, 7, 11, 12, 13]],
}
CALIBRATION = json.loads(
    Path(paperlib.__file__).with_name("datasets").joinpath("human36m_cameras.json").read_text()
)
# clips of different lengths, some shorter than the receptive field, not in the paper's order
CLIPS = {"Walking": 31, "Walking 1": 12, "Directions": 7, "Directions 1": 22}
CLIPS |= {"SittingDown 2": 3, "Photo": 15, "Eating 2": 9}
ORDER = ["Directions", "Eating", "Photo", "SittingDown", "Walking"]


# ---- the same, computed independently ------------------------------------------------------------


def convolved(x, weight, dilation):
    """(T, C_in) with a kernel (C_out, C_in, width)."""
    frames = len(x) - dilation * (weight.shape[2] - 1)
    taps = range(weight.shape[2])
    return sum(x[k * dilation : k * dilation + frames] @ weight[:, :, k].T for k in taps)


def layer(x, weights, conv, norm, dilation):
    x = convolved(x, weights[f"{conv}.weight"], dilation)
    x = (x - weights[f"{norm}.running_mean"]) / np.sqrt(weights[f"{norm}.running_var"] + 1e-5)
    return np.maximum(x * weights[f"{norm}.weight"] + weights[f"{norm}.bias"], 0)


def network(weights, x, causal):
    """The model of gaps.md 1.2: (T + 2 p, K, 2) -> (T, J, 3)."""
    x = layer(x.reshape(len(x), -1), weights, "expand_conv", "expand_bn", 1)
    dilation = 3
    for block in range(2):
        one, two = 2 * block, 2 * block + 1
        y = layer(x, weights, f"layers_conv.{one}", f"layers_bn.{one}", dilation)
        y = layer(y, weights, f"layers_conv.{two}", f"layers_bn.{two}", 1)
        start = 2 * dilation if causal else dilation
        x = x[start : start + len(y)] + y
        dilation *= 3
    x = convolved(x, weights["shrink.weight"], 1) + weights["shrink.bias"]
    return x.reshape(len(x), -1, 3)


def mirrored(points, sides):
    left, right = SYMMETRY[sides]
    turned = points.copy()
    turned[:, left + right] = turned[:, right + left]
    turned[..., 0] *= -1
    return turned


def predicted(weights, pixels, size, causal, flip, kinds):
    """Poses (T, J, 3) of 27 frames' model, padded at the edges: gaps.md 1.3 and 1.4."""
    width, height = size
    screen = pixels.astype("f8") * 2 / width - [1, height / width]

    def poses(keypoints):
        before, after = (26, 0) if causal else (13, 13)
        padded = np.pad(keypoints, ((before, after), (0, 0), (0, 0)), mode="edge")
        return network(weights, padded, causal)

    plain = poses(screen)
    if not flip:
        return plain
    return (plain + mirrored(poses(mirrored(screen, kinds[0])), kinds[1])) / 2


def aligned(pose, target):
    """The similarity transform of gaps.md 1.7."""
    mean, mean_target = pose.mean(0), target.mean(0)
    x, y = pose - mean, target - mean_target
    size, size_target = np.sqrt((x**2).sum()), np.sqrt((y**2).sum())
    u, s, vt = np.linalg.svd((y / size_target).T @ (x / size))
    v = vt.T
    if np.linalg.det(v @ u.T) < 0:
        v[:, -1] *= -1
        s[-1] *= -1
    turn, scale = v @ u.T, s.sum() * size_target / size
    return scale * pose @ turn + mean_target - scale * mean @ turn


def distance(a, b):
    return 1000 * np.sqrt(((a - b) ** 2).sum(-1)).mean()


def errors(poses, target):
    """The four metrics of one sequence, millimetres."""
    scaled = [(p * t).sum() / (p * p).sum() * p for p, t in zip(poses, target, strict=True)]
    turned = [aligned(p, t) for p, t in zip(poses, target, strict=True)]
    fitted = [distance(np.array(of_each), target) for of_each in (poses, turned, scaled)]
    return [*fitted, distance(np.diff(poses, axis=0), np.diff(target, axis=0))]


def averaged(rows):
    """``(group, frames, errors)`` of sequences -> the mean of each group, and of those."""
    names = dict.fromkeys(name for name, _, _ in rows)
    means = {}
    for name in names:
        _, frames, found = zip(*(row for row in rows if row[0] == name), strict=True)
        means[name] = np.average(found, axis=0, weights=frames)
    return means | {"average": np.mean(list(means.values()), axis=0)}


# ---- small files of the field's formats ----------------------------------------------------------


def poses_of(world, subject, camera):
    """Root-relative (T, 17, 3) in a camera's axes."""
    place = CALIBRATION["extrinsics"][subject][camera]
    turn = Rotation.from_quat(place["camera_to_world_quaternion_wxyz"], scalar_first=True)
    points = world[:, KEPT].astype("f8") @ turn.as_matrix()
    return points - points[:, :1]


NORM = (("weight", 0.5, 1.5), ("bias", -0.5, 0.5))
NORM += (("running_mean", -0.5, 0.5), ("running_var", 0.5, 2.0))


def weights_of(inputs=34, outputs=51, channels=6, seed=1):
    """What a public file of a model of 27 frames holds, in float64."""
    rng = np.random.default_rng(seed)
    made = {"expand_conv.weight": rng.normal(0, 0.2, (channels, inputs, 3))}
    for block in range(2):
        made[f"layers_conv.{2 * block}.weight"] = rng.normal(0, 0.3, (channels, channels, 3))
        made[f"layers_conv.{2 * block + 1}.weight"] = rng.normal(0, 0.3, (channels, channels, 1))
    for norm in ("expand_bn", *(f"layers_bn.{i}" for i in range(4))):
        for part, low, high in NORM:
            made[f"{norm}.{part}"] = rng.uniform(low, high, channels)
    made["shrink.weight"] = rng.normal(0, 0.05, (outputs, channels, 1))
    made["shrink.bias"] = rng.normal(0, 0.2, outputs)
    return {name: value.astype("f4").astype("f8") for name, value in made.items()}


def write_checkpoint(path, weights):
    tensors = {name: torch.tensor(value, dtype=torch.float32) for name, value in weights.items()}
    held = {"epoch": 80, "lr": 1e-3, "random_state": np.random.RandomState(1234)}
    held |= {"optimizer": None, "model_pos": tensors, "model_traj": None}
    torch.save(held, path)
    return str(path)


def detected(world, subject, camera, skeleton, rng):
    """Pixels (T + 2, K, 2) about where a camera sees the joints; an eye is where the pelvis is."""
    longer = np.concatenate([world, world[:2]])[:, KEPT].astype("f8")
    points = samples.into_camera(longer, CALIBRATION["extrinsics"][subject][camera])
    lens = CALIBRATION["intrinsics"][camera]
    pixels = points[..., :2] / points[..., 2:] * lens["focal_length_xy_px"]
    pixels = pixels[:, samples.places_in_h36m(skeleton)] + lens["principal_point_xy_px"]
    return (pixels + rng.normal(0, 10, pixels.shape)).astype("f4")


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Positions and keypoints (CPN's, and COCO's of Detectron) of Human3.6M, small: as written."""
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path))
    monkeypatch.setenv("PAPERLIB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr("paperlib.paths.ROOT", tmp_path / "elsewhere")
    folder = tmp_path / "human36m"
    folder.mkdir()
    rng = np.random.default_rng(3)
    positions, found = {}, {name: {} for name in (CPN, "detectron_pt_coco")}
    for subject in ("S1", "S5", "S6", "S7", "S8", "S9", "S11"):
        clips = CLIPS if subject in ("S9", "S11") else {"Walking": 30, "Photo": 20}
        if subject == "S11":
            clips = {name: frames + 4 for name, frames in clips.items() if name != "Directions"}
        low, high = [-0.7, -0.7, 0], [0.7, 0.7, 1.8]
        positions[subject] = {
            clip: rng.uniform(low, high, (frames, 32, 3)).astype("f4")
            for clip, frames in clips.items()
        }
        for name, views in found.items():
            skeleton = COCO_17 if "coco" in name else H36M_17
            views[subject] = {
                clip: [detected(world, subject, camera, skeleton, rng) for camera in range(4)]
                for clip, world in positions[subject].items()
            }
    np.savez_compressed(folder / "data_3d_h36m.npz", positions_3d=positions)
    for name, layout in ((CPN, "h36m"), ("detectron_pt_coco", "coco")):
        metadata = {"layout_name": layout, "num_joints": 17, "keypoints_symmetry": SYMMETRY[layout]}
        held = {"positions_2d": found[name], "metadata": metadata}
        np.savez_compressed(folder / f"data_2d_h36m_{name}.npz", **held)
    return positions, found


@pytest.fixture
def public(files, tmp_path):
    return write_checkpoint(tmp_path / "public.bin", weights_of())


def expected(files, weights, keypoints=CPN, by="action", subjects=("S9", "S11"), **options):
    return averaged(measured(files, weights, keypoints, by, subjects, **options))


def measured(
    files, weights, keypoints, by, subjects, causal=False, flip=True, every=1, actions=("",)
):
    """``(group, frames, errors)`` of the sequences of these actions, at every n-th frame."""
    positions, found = files
    kinds = ("coco" if "coco" in keypoints else "h36m", "h36m")
    rows = []
    for subject in subjects:
        for clip, world in positions[subject].items():
            if not clip.startswith(actions):
                continue
            for camera, lens in enumerate(CALIBRATION["intrinsics"]):
                pixels = found[keypoints][subject][clip][camera][: len(world) : every]
                size = lens["res_w_px"], lens["res_h_px"]
                poses = predicted(weights, pixels, size, causal, flip, kinds)
                action = clip.split(" ")[0]
                sequence = f"{subject}/{action}/{clip}/{lens['camera_id']}/0"
                group = {"action": action, "subject": subject, "sequence": sequence}[by]
                target = poses_of(world[::every], subject, camera)
                rows.append((group, len(poses), errors(poses, target)))
    return rows


def assert_table(table, means):
    assert list(table.columns) == COLUMNS
    assert set(table.index) == set(means) and table.index[-1] == "average"
    for name, values in means.items():
        np.testing.assert_allclose(table.loc[name], values, rtol=0, atol=EXACT, err_msg=str(name))


# ---- public checkpoints --------------------------------------------------------------------------


@pytest.mark.parametrize("flip", [True, False], ids=["flip", "no flip"])
@pytest.mark.parametrize("causal", [False, True], ids=["symmetric", "causal"])
def test_errors_by_action_are_those_of_the_protocol(files, public, causal, flip):
    done = evaluate_checkpoint(public, "human36m", CPN, flip=flip, causal=causal, device="cpu")
    assert_table(done.table, expected(files, weights_of(), causal=causal, flip=flip))
    assert list(done.table.index) == [*ORDER, "average"]
    assert ("symmetric" not in done.notes) == causal
    assert ("no test-time flip" not in done.notes) == flip


def test_errors_by_sequence(files, public):
    done = evaluate_checkpoint(public, "human36m", CPN, by="sequence", device="cpu")
    assert_table(done.table, expected(files, weights_of(), by="sequence"))
    assert len(done.table) == (7 + 6) * 4 + 1


def expected_by_subject(files, weights, subjects=("S9", "S11"), **options):
    """Of each subject its actions, these averaged alike, and its frames pooled."""
    rows, pooled = {}, expected(files, weights, by="subject", subjects=subjects, **options)
    actions = {s: expected(files, weights, subjects=(s,), **options) for s in subjects}
    for subject, means in actions.items():
        of_actions = means.pop("average")
        rows |= {(subject, action): means[action] for action in ORDER if action in means}
        rows[subject, "mean of actions"] = of_actions
        rows[subject, "mean of frames"] = pooled[subject]
    alike = [rows[subject, "mean of actions"] for subject in subjects]
    rows["average", "mean of actions"] = np.mean(alike, axis=0)
    return rows | {("average", "mean of frames"): pooled["average"]}


def test_errors_by_subject_tell_actions_alike_from_frames_pooled(files, public):
    done = evaluate_checkpoint(public, "human36m", CPN, by="subject", device="cpu")
    means = expected_by_subject(files, weights_of())
    assert list(done.table.columns) == COLUMNS and list(done.table.index) == list(means)
    assert done.table.index.names == ["subject", "action"]
    np.testing.assert_allclose(done.table, list(means.values()), rtol=0, atol=EXACT)
    for subject in ("S9", "S11"):
        of = done.table.loc[subject]["MPJPE, mm"]
        assert abs(of["mean of actions"] - of["mean of frames"]) > 100 * EXACT
    assert "mean of frames: all frames of a subject pooled" in done.notes


# ---- a part of the data --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "kept"),
    [("Walking", ["Walking"]), ("S,Phot", ["SittingDown", "Photo"]), (["Eat"], ["Eating"])],
    ids=str,
)
def test_actions_are_those_that_start_with_a_word(files, public, words, kept):
    done = evaluate_checkpoint(public, "human36m", CPN, actions=words, device="cpu")
    assert_table(done.table, expected(files, weights_of(), actions=tuple(kept)))
    assert set(done.table.index) == {*kept, "average"}
    assert (
        "Only " in done.notes
        and "Only "
        not in evaluate_checkpoint(public, "human36m", CPN, actions="*", device="cpu").notes
    )


def test_other_subjects(files, public):
    done = evaluate_checkpoint(public, "human36m", CPN, subjects="S1, S11", device="cpu")
    assert_table(done.table, expected(files, weights_of(), subjects=("S1", "S11")))
    assert "Of these, S1 (of the training part), S11." in done.notes
    one = evaluate_checkpoint(public, "human36m", CPN, subjects=["S9"], by="subject", device="cpu")
    means = expected_by_subject(files, weights_of(), ("S9",))
    np.testing.assert_allclose(one.table, list(means.values()), rtol=0, atol=EXACT)


def test_simulated_keypoints_do_not_depend_on_who_else_is_measured(files, public):
    both, one = (
        evaluate_checkpoint(
            public, "human36m", "simulated", by="sequence", subjects=s, actions=a, device="cpu"
        ).table
        for s, a in ((None, None), ("S11", "Photo"))
    )
    assert len(one) == 4 + 1
    assert one[:-1].equals(both.loc[one.index[:-1]])


def test_subjects_in_both_parts_are_measured_on_their_test_recordings(files, tmp_path):
    path = write_checkpoint(tmp_path / "humaneva.bin", weights_of(inputs=30, outputs=45))
    given = path, "humaneva_like", "ground_truth"
    whole, one = (evaluate_checkpoint(*given, subjects=s, device="cpu").table for s in (None, "S2"))
    assert list(one.index) == ["Walk S2", "Jog S2", "Box S2", "average"]
    assert one[:-1].equals(whole.loc[one.index[:-1]])


def test_a_lower_frame_rate(files, public):
    done = evaluate_checkpoint(public, "human36m", CPN, fps=25, device="cpu")
    assert_table(done.table, expected(files, weights_of(), every=2))
    assert "at 25 Hz, root-relative" in done.notes


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"actions": "Walkin,Posing"}, "unknown action 'Posing'.*'Walking'"),
        ({"subjects": "S11", "actions": "walking"}, "unknown action 'walking'.*'Walking'"),
        ({"actions": "Walking,"}, "actions='Walking,': expected names"),
        ({"actions": []}, r"actions=\[\]: expected names"),
        ({"subjects": "S9,S2"}, "unknown subject 'S2'.*'S9', 'S11', 'S1'"),
        ({"fps": 20}, r"cannot bring \[50.0\] Hz to 20"),
        ({"fps": float("nan")}, "Hz to nan"),
    ],
    ids=str,
)
def test_parts_that_are_not_there_are_refused(public, words, said):
    with pytest.raises(ValueError, match=said):
        evaluate_checkpoint(public, "human36m", CPN, device="cpu", **words)


def test_keypoints_of_other_joints_are_mirrored_as_such(files, public):
    done = evaluate_checkpoint(public, "human36m", "detectron_pt_coco", device="cpu")
    assert_table(done.table, expected(files, weights_of(), "detectron_pt_coco"))


def test_humaneva_is_averaged_over_each_action_of_each_subject(files, tmp_path):
    weights = weights_of(inputs=30, outputs=45)
    path = write_checkpoint(tmp_path / "pretrained_humaneva15_detectron.bin", weights)
    done = evaluate_checkpoint(path, "humaneva_like", "ground_truth", device="cpu")
    rows = []
    for r in datasets.load("humaneva_like").test:
        poses = predicted(weights, r.keypoints.numpy(), (640, 480), False, True, ["humaneva"] * 2)
        positions = r.positions.numpy().astype("f8")
        if len(r) > 1:
            target = positions - positions[:, :1]
            rows.append((f"{r.action} {r.subject}", len(r), errors(poses, target)))
    assert_table(done.table, averaged(rows))
    cells = [f"{action} {s}" for action in ("Walk", "Jog", "Box") for s in ("S1", "S2", "S3")]
    assert list(done.table.index) == [*cells, "average"]


def test_the_notes_say_what_was_measured(public, tmp_path):
    notes = evaluate_checkpoint(public, "human36m", CPN, device="cpu").notes
    frames = 4 * (sum(CLIPS.values()) + sum(CLIPS.values()) - CLIPS["Directions"] + 6 * 4)
    said = ["public.bin", "17 joints in and 17 out", "receptive field 27", "symmetric", CPN]
    said += [f"{frames} frames of 52 test recordings", "within each action"]
    assert [words for words in said if words not in notes] == []
    assert str(tmp_path) not in notes


# ---- runs of ours --------------------------------------------------------------------------------


MODELS = {
    "temporal": lambda: TemporalModel(17, 2, 17, (3, 3), causal=True, channels=8),
    "linear": lambda: LinearModel(17, 2, 17, channels=8),
    "pose and trajectory": lambda: PoseAndTrajectory(17, 2, 17, filter_widths=(3,), channels=8),
}


def trained(build=MODELS["temporal"], seed=0):
    data = detect(datasets.load("human36m"), "simulated", seed)
    recipe = Recipe.pavllo2019("smoke").but(epochs=1)
    return train(Supervised(build, data), recipe, seed=seed, device="cpu", progress=False), data


@pytest.mark.parametrize("build", MODELS.values(), ids=MODELS)
def test_a_run_is_found_by_key_folder_and_file(files, build):
    run, data = trained(build, seed=3)
    exact = evaluate(run.model, data.test, device="cpu")
    for name in (run.key, run.path, run.path / "checkpoint.safetensors"):
        done = evaluate_checkpoint(str(name), "human36m", "simulated", device="cpu")
        actions, average = exact.per("mpjpe")
        found = done.table["MPJPE, mm"]
        assert found["Walking"] == pytest.approx(1000 * actions["Walking"], abs=EXACT)
        assert found["average"] == pytest.approx(1000 * average, abs=EXACT)
        assert f"{run.key}: trained for 1 of 1 epochs" in done.notes


def test_an_occlusion_aware_run_goes_by_the_guesses_that_are_named(files):
    data = detect(datasets.load("human36m"), "simulated", 0)
    labelled = data.map(lambda r: with_labels(r, "boxed_man", "boxed_man"))
    build = lambda: OcclusionAware(17, 3, 17, (3,), vectors="many", channels=8)  # noqa: E731
    recipe = Recipe.wang2020("smoke").but(epochs=1, stride=8)
    run = train(PoseAndOcclusion(build, labelled), recipe, device="cpu", progress=False)
    given = (run.key, "human36m", "simulated", True, "cpu")
    found = {g: evaluate_checkpoint(*given, guess=g).table["MPJPE, mm"] for g in GUESSES}
    exact = evaluate(run.model, labelled.test, device="cpu").average("mpjpe")
    assert found["boxed_man"]["average"] == pytest.approx(1000 * exact, abs=EXACT)
    assert found["clustered"]["average"] != found["boxed_man"]["average"]
    with pytest.raises(ValueError, match=r"--guess.*one of clustered, boxed_man"):
        evaluate_checkpoint(*given)
    plain, _ = trained()
    with pytest.raises(ValueError, match="guess='clustered', but a TemporalModel of 2 features"):
        evaluate_checkpoint(plain.key, "human36m", "simulated", guess="clustered")


def test_a_run_that_answers_positions_has_their_error_too(files):
    data = detect(datasets.load("human36m"), "simulated", 0)
    recipe = Recipe.veges2020("smoke")
    run = train(AbsolutePose(data, (3,)), recipe, device="cpu", progress=False)
    done = evaluate_checkpoint(run.key, "human36m", "simulated", device="cpu")
    assert list(done.table) == [*COLUMNS, "MRPE, mm"]
    walking = [r for r in data.test if r.action == "Walking"]
    frames = torch.cat([(locate(run.model, r) - r.positions) for r in walking])
    place = frames[:, 0].norm(dim=-1).mean().item()
    assert done.table["MRPE, mm"]["Walking"] == pytest.approx(1000 * place, rel=1e-4)
    off = (frames - frames[:, :1]).norm(dim=-1).mean().item()
    assert done.table["MPJPE, mm"]["Walking"] == pytest.approx(1000 * off, rel=1e-4)


def test_a_run_may_lie_elsewhere(files, tmp_path):
    run, _ = trained()
    here = evaluate_checkpoint(run.key, "human36m", "ground_truth", device="cpu")
    moved = run.path.rename(tmp_path / "given by a friend")
    there = evaluate_checkpoint(str(moved), "human36m", "ground_truth", device="cpu")
    assert here.table.equals(there.table)


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "keypoints", "by", "said"),
    [
        ("human3.6m", CPN, "action", "unknown dataset 'human3.6m'.*'human36m'"),
        ("human36m", CPN, "frame", "unknown group 'frame'.*'sequence'"),
        ("synthetic", CPN, "action", "unknown keypoints of synthetic data.*'ground_truth'"),
        ("human36m", "../x", "action", "give the <name>"),
    ],
)
def test_wrong_words_are_answered_with_the_choices(public, dataset, keypoints, by, said):
    with pytest.raises(ValueError, match=said):
        evaluate_checkpoint(public, dataset, keypoints, by=by)


def test_missing_files_are_named(public, tmp_path):
    with pytest.raises(MissingDataError, match=r"data_2d_h36m_cpn\.npz is missing"):
        evaluate_checkpoint(public, "human36m", "cpn")
    with pytest.raises(CheckpointError, match=r"no checkpoint 'temporal-seed9-1'.*the 0 runs"):
        evaluate_checkpoint("temporal-seed9-1", "human36m", CPN)
    with pytest.raises(CheckpointError, match=r"human36m: there is no checkpoint\.safetensors"):
        evaluate_checkpoint(tmp_path / "human36m", "human36m", CPN)


@pytest.mark.parametrize(
    ("inputs", "outputs", "said"),
    [
        (32, 51, r"takes 16 keypoints, but human36m-cpn_ft_h36m_dbb data have 17 \(h36m_17\)"),
        (34, 45, r"gives 15 joints, but human36m-cpn_ft_h36m_dbb data have 17 \(h36m_17\)"),
        (51, 51, "takes 3 numbers for each keypoint, expected 2"),
    ],
)
def test_a_model_of_other_joints_is_refused(files, tmp_path, inputs, outputs, said):
    path = write_checkpoint(tmp_path / "other.bin", weights_of(inputs, outputs))
    with pytest.raises(CheckpointError, match=said):
        evaluate_checkpoint(path, "human36m", CPN)


@pytest.mark.parametrize("told", [{"causal": True}, {"widths": (3, 3)}, {"dense": False}], ids=str)
def test_a_run_is_not_told_what_it_is(files, told):
    run, _ = trained()
    with pytest.raises(ValueError, match="a run of ours says itself whether it is causal"):
        evaluate_checkpoint(run.key, "human36m", "ground_truth", **told)


def test_a_run_of_an_unknown_kind_of_model(files):
    class Other(TemporalModel):
        pass

    run, _ = trained(lambda: Other(17, 2, 17, (3,), channels=8))
    with pytest.raises(ValueError, match="unknown model 'Other'"):
        evaluate_checkpoint(run.key, "human36m", "ground_truth")


# ---- in a shell ----------------------------------------------------------------------------------


@pytest.mark.parametrize("flip", ["--no-flip", "--no-test-time-augmentation"])
def test_the_command_prints_the_table(files, public, capsys, flip):
    words = f"evaluate --dataset human36m {flip} --causal --device cpu --by subject".split()
    words += (
        "--subjects S9,S11 --actions Walk,Photo,Direc --fps 10 --widths 3,3,3 --no-dense".split()
    )
    words += ["--checkpoint", public, "--keypoints", CPN]
    assert command_line.main(words) == 0
    printed = capsys.readouterr().out
    part = {"every": 5, "actions": ("Walking", "Photo", "Directions")}
    means = expected_by_subject(files, weights_of(), causal=True, flip=False, **part)
    lines = printed.splitlines()[2 : 2 + len(means)]
    for line, (group, values) in zip(lines, means.items(), strict=True):
        found = line.removeprefix(group[0]).split(group[1])
        assert found[0].strip() == "", line
        np.testing.assert_allclose(np.array(found[1].split(), float), values, atol=0.005 + EXACT)
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == [
        "S9",
        "S11",
        "average",
    ]
    assert "receptive field 27, causal" in printed and "widths 3,3,3;" in printed


def test_the_command_says_a_wrong_width_in_one_line(files, public, capsys):
    words = ["evaluate", "--checkpoint", public, "--dataset", "human36m", "--keypoints", CPN]
    assert command_line.main([*words, "--widths", "3,3"]) == 1
    said = "the weights are of dilated layers of widths 3,3,3, not of layers of widths 3,3"
    assert capsys.readouterr().err == f"paperlib: public.bin: {said}\n"
    with pytest.raises(SystemExit):
        command_line.main([*words, "--widths", "3;3"])
    assert "argument --widths: '3;3'; expected numbers, as 3,3,3" in capsys.readouterr().err


def test_the_command_says_a_problem_in_one_line(files, capsys):
    words = ["evaluate", "--checkpoint", "none.bin", "--dataset", "cmu", "--keypoints", "simulated"]
    assert command_line.main(words) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("paperlib: no checkpoint 'none.bin'")
    assert captured.err.count("\n") == 1
