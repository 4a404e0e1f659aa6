"""The real film, on a file of its format: somebody seen exactly by four cameras."""

import numpy as np
import pytest
import torch

from paperlib import datasets
from paperlib.cameras import camera_to_world, project
from paperlib.datasets import real_video
from paperlib.datasets.filming import look_at
from paperlib.errors import MissingDataError
from paperlib.kinematics import quaternion_apply

FRAMES = 6


def eye(view):
    angle = 0.4 + view * np.pi / 2
    return (3.5 * np.cos(angle), 3.5 * np.sin(angle), 1.4)


def rotation(view):
    """World to camera."""
    turn = torch.tensor(look_at(eye(view), (0.0, 0.0, 1.0)), dtype=torch.float64)
    return quaternion_apply(turn, torch.eye(3, dtype=torch.float64)).numpy()


def motion():
    rng = np.random.default_rng(0)
    rest = rng.uniform(-0.5, 0.5, (17, 3)) + np.array([0, 0, 1.0])
    return np.stack([rest] * FRAMES)


def contents():
    matrix = np.array([[1670.0, 0, 530], [0, 1671.0, 950], [0, 0, 1]])
    turns = np.stack([rotation(view) for view in range(4)])
    file = {
        "K": np.stack([matrix] * 4),
        "D": np.tile([-0.05, 0.14, 0.0006, 0.0004], (4, 1)),
        "R": turns,
        "t": np.stack([-turn @ np.array(eye(view)) for view, turn in enumerate(turns)]),
    }
    world = torch.from_numpy(motion())
    file["world"] = np.stack([motion() - motion()[:, 11:13].mean(axis=1, keepdims=True)] * 4)
    seen = []
    for view in range(4):
        camera = real_video._camera(file, view)
        in_camera = world @ torch.from_numpy(turns[view]).T + torch.from_numpy(file["t"][view])
        seen.append(project(in_camera, camera).numpy())
    for name in ("op", "bp"):
        file |= {name: np.stack(seen), f"{name}c": np.full((4, FRAMES, 17), 0.8)}
        file[f"ref_{name}"] = motion() + (0.02 if name == "op" else 0.01)
    return file


def write(folder, changes=None):
    np.savez(folder / "blazepose_openpose_reference.npz", **(contents() | (changes or {})))


def test_four_views_of_one_person_to_test_on(folder):
    write(folder)
    data = datasets.load("real_video")
    assert data.train == () and [r.camera.name for r in data.test] == [*real_video.CAMERAS]
    for one in data.test:
        assert one.fps == 60 and one.frames.tolist() == [*range(FRAMES)] and one.visible is None
        # the joint reference of exact keypoints is where they are
        world = camera_to_world(one.positions.double(), one.camera)
        np.testing.assert_allclose(world, motion(), atol=1e-5)
        torch.testing.assert_close(
            project(one.positions, one.camera), one.keypoints, atol=0.1, rtol=0
        )
    assert [(r.camera.width, r.camera.height) for r in data.test] == [(1080, 1920)] * 2 + [
        (1088, 1920)
    ] * 2


def test_the_cameras_that_moved_see_everything_displaced(folder):
    write(folder)
    centres = [r.camera.centre for r in datasets.load("real_video").test]
    assert centres[0] == pytest.approx((530 + 28.5, 950 + 7.7))
    assert centres[2] == pytest.approx((530 + 1.0, 950 + 18.4))


def test_one_wrong_keypoint_hardly_moves_the_joint_reference(folder):
    wrong = contents()["op"]
    wrong[2, 3, 9] += 400
    write(folder, {"op": wrong})
    one = datasets.load("real_video", views=["cam01"]).test[0]
    world = camera_to_world(one.positions.double(), one.camera)
    assert np.abs(world.numpy() - motion()).max() < 0.003


def test_references_of_one_detector(folder):
    write(folder)
    for chosen, reference, off in (
        ("openpose", "other", 0.01),
        ("blazepose", "other", 0.02),
        ("openpose", "openpose", 0.02),
        ("openpose", "blazepose", 0.01),
    ):
        one = datasets.load("real_video", keypoints=chosen, reference=reference).test[0]
        world = camera_to_world(one.positions.double(), one.camera)
        np.testing.assert_allclose(world, motion() + off, atol=1e-5)


def test_what_was_not_detected_is_interpolated(folder):
    file = contents()
    pixels, scores = file["op"], file["opc"]
    pixels[0, 2, 5], scores[0, 2, 5] = 0, 0
    write(folder, {"op": pixels, "opc": scores})
    one = datasets.load("real_video").test[0]
    assert (one.confidence == 0).sum() == 1 and one.confidence[2, 5] == 0
    torch.testing.assert_close(one.keypoints[2, 5], one.keypoints[1, 5])
    blaze = datasets.load("real_video", keypoints="blazepose").test[0]
    assert (blaze.confidence > 0).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"op": np.zeros((4, 5, 17, 2))}, r"op is \(4, 5, 17, 2\), expected \(4, 6, 17, 2\)"),
        ({"K": np.zeros((3, 3, 3))}, r"K is \(3, 3, 3\)"),
        ({"ref_op": np.zeros((0, 17, 3))}, "ref_op is missing or of no frames"),
        ({"t": np.full((4, 3), np.nan)}, "t holds other than finite numbers"),
        ({"bpc": np.zeros((4, 6, 17), int)}, "bpc holds other than finite numbers"),
    ],
)
def test_a_file_of_something_else_is_refused(folder, changes, said):
    write(folder, changes)
    with pytest.raises(ValueError, match=rf"blazepose_openpose_reference\.npz: {said}"):
        datasets.load("real_video")


def test_a_file_without_an_array_is_refused(folder):
    file = contents()
    del file["R"]
    np.savez(folder / "blazepose_openpose_reference.npz", **file)
    with pytest.raises(ValueError, match="R is missing"):
        datasets.load("real_video")


@pytest.mark.data
def test_bones_of_the_joint_reference_hardly_vary():
    """To about 1 cm. Keypoints are 7.8 pixels off (median) before the reference is averaged over
    frames, and 8.6 after it."""
    try:
        data = datasets.load("real_video")
    except MissingDataError:
        pytest.skip("the real film is not on this computer")
    one = data.test[0]
    bones = [(5, 7), (7, 9), (6, 8), (8, 10), (11, 13), (13, 15), (12, 14), (14, 16)]
    for a, b in bones:
        length = (one.positions[:, a] - one.positions[:, b]).norm(dim=-1)
        assert 0.2 < length.mean() < 0.45 and length.std() < 0.02
    off = [
        (project(r.positions, r.camera) - r.keypoints).norm(dim=-1)[:, 5:]
        for keypoints in real_video.KEYPOINTS
        for r in datasets.load("real_video", keypoints=keypoints).test
    ]
    assert torch.cat(off).median().item() == pytest.approx(8.6, abs=0.2)
