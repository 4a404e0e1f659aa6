"""Small files of exactly the formats of MuPoTS-3D and of pose_refinement, the reference
implementation of veges2020, which brings models and keypoints for it."""

import pickle
from pathlib import Path

import numpy as np
import torch
from scipy.io import savemat
from torch import Tensor

# ---- MuPoTS-3D -----------------------------------------------------------------------------------

FRAMES, PEOPLE = 5, 2
# fx, fy, cx, cy of the two cameras
STUDIO, OUTSIDE = (1500.0, 1490.0, 1030.0, 1010.0), (1100.0, 1105.0, 950.0, 545.0)


def lens(name):
    return STUDIO if int(name[2:]) <= 5 else OUTSIDE


def scene(name, frames=FRAMES, people=PEOPLE, points=None) -> dict:
    """Millimetres (T, P, 17, 3), pixels (T, P, 17, 2), flags (T, P) and (T, P, 17)."""
    rng = np.random.default_rng(int(name[2:]))
    if points is None:
        points = rng.uniform([-900, -900, 3000], [900, 900, 5000], (frames, people, 17, 3))
    frames, people = points.shape[:2]
    fx, fy, cx, cy = lens(name)
    u = fx * points[..., 0] / points[..., 2] + cx
    v = fy * points[..., 1] / points[..., 2] + cy
    valid = np.ones((frames, people), dtype=bool)
    valid[1, 0] = valid[0, 1] = False
    occluded = rng.random((frames, people, 17)) < 0.3
    made = {"annot2": np.stack([u, v], axis=-1), "annot3": points, "univ_annot3": points * 1.1 + 7}
    return made | {"isValidFrame": valid, "occluded": occluded}


def cells(made) -> np.ndarray:
    """(T, P) cells, a structure in each, joints as columns."""
    found = np.empty(made["annot3"].shape[:2], dtype=object)
    for place in np.ndindex(found.shape):
        found[place] = {f: made[f][place].T for f in ("annot2", "annot3", "univ_annot3")}
        found[place]["isValidFrame"] = made["isValidFrame"][place].reshape(1, 1).astype("u1")
    return found


def flags(made) -> np.ndarray:
    found = np.empty(made["occluded"].shape[:2], dtype=object)
    for place in np.ndindex(found.shape):
        found[place] = made["occluded"][place][None].astype("u1")
    return found


def write_scene(folder, name, made, annotations=None):
    (folder / name).mkdir(parents=True, exist_ok=True)
    annotations = cells(made) if annotations is None else annotations
    savemat(folder / name / "annot.mat", {"annotations": annotations})
    labels = {"occlusion_labels": flags(made)}
    savemat(folder / name / "occlusion.mat", labels, do_compression=True)


# ---- HRNet's keypoints of it ---------------------------------------------------------------------


def tracks_of(one, **changes) -> dict:
    """As pickled for pose_refinement: keypoints and scores (T, P, 19, 3), who was found (T, P)."""
    rng = np.random.default_rng(4)
    shape = (*one["annot3"].shape[:2], 19)
    pose = rng.uniform([0, 0, 0.2], [1900, 1000, 1.05], (*shape, 3)).astype("f4")
    found = np.ones(shape[:2], dtype=bool)
    found[2, 0], pose[2, 0] = False, np.nan
    found[3, 1], pose[3, 1] = False, 0
    return {"pose": pose, "valid_pose": found} | changes


def write_tracks(folder, stored, name="TS1", protocol=2):
    path = folder / "hrnet_pose2d" / f"{name}.pkl"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(stored if isinstance(stored, bytes) else pickle.dumps(stored, protocol))


# ---- models --------------------------------------------------------------------------------------

CHANNELS = 6


def state(widths=(3, 3, 3), inputs=42, outputs=51, seed=5) -> dict[str, Tensor]:
    """A state dictionary with their names and shapes."""
    rng = torch.Generator().manual_seed(seed)

    def numbers(*shape, least=-0.5):
        return torch.rand(shape, generator=rng) + least

    made = {}
    shapes = [("expand_conv", "expand_bn", inputs, widths[0])]
    for block, width in enumerate(widths[1:]):
        for i, size in ((2 * block, width), (2 * block + 1, 1)):
            shapes.append((f"layers_conv.{i}", f"layers_bn.{i}", CHANNELS, size))
    for conv, norm, into, size in shapes:
        made[f"{conv}.weight"] = numbers(CHANNELS, into, size)
        made[f"{norm}.weight"] = numbers(CHANNELS, least=0.5)
        made[f"{norm}.bias"] = numbers(CHANNELS)
        made[f"{norm}.running_mean"] = numbers(CHANNELS)
        made[f"{norm}.running_var"] = numbers(CHANNELS, least=0.5)
        made[f"{norm}.num_batches_tracked"] = torch.tensor(7)
    return made | {"shrink.weight": numbers(outputs, CHANNELS, 1), "shrink.bias": numbers(outputs)}


def statistics(joint_set="MuPoTSJoints", seed=6) -> list[dict]:
    """The steps before the network: means and deviations as they came from training data."""
    rng = np.random.default_rng(seed)
    # millimetres; in the end the hip with the logarithm of its depth
    mean, std = rng.normal(0, 300, 51), rng.uniform(50, 400, 51)
    mean[-1], std[-1] = np.log(4000), 0.3
    twod = {
        "mean": rng.normal(0, 0.2, 42),
        "std": rng.uniform(0.1, 0.4, 42),
        "field_name": "pose2d",
    }
    threed = {"mean": mean.astype("f4"), "std": std.astype("f4"), "field_name": "pose3d"}
    return [
        {"name": "DepthposeNormalize2D", "state": twod},
        {
            "name": "SplitToRelativeAbsAndMeanNormalize3D",
            "state": threed | {"joint_set": joint_set},
        },
        {"name": "RemoveIndex", "state": None},
    ]


def write_model(folder: Path, weights=None, steps=None, zipped=False) -> Path:
    """As PyTorch 1.5 wrote the one and pickle the other."""
    weights = state() if weights is None else weights
    torch.save(weights, folder / "model_params.pkl", _use_new_zipfile_serialization=zipped)
    steps = statistics() if steps is None else steps
    (folder / "preprocess_params.pkl").write_bytes(pickle.dumps(steps, 2))
    return folder
