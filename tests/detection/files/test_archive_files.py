"""VideoPose3D's archives: custom data sets, and people that Detectron found."""

import os

import numpy as np
import pytest
import samples
from detection.figures import COCO, figure

from paperlib.detection.files import read_keypoints, read_people
from paperlib.errors import UnsafeFileError
from paperlib.skeletons import COCO_17, H36M_17

# -- custom data sets


def walk(frames: int = 20, step: float = 2.0) -> np.ndarray:
    return np.stack([figure(COCO, 300 + step * t)[:, :2] for t in range(frames)])


def write_custom(path, videos: dict, sizes: dict | None = None, layout="coco", **changed):
    metadata = samples.metadata(layout) | {"video_metadata": sizes or {}} | changed
    stored = {name: {"custom": [points]} for name, points in videos.items()}
    np.savez_compressed(path, positions_2d=stored, metadata=metadata)
    return path


def test_custom_data_set(tmp_path):
    videos = {"a.mp4": walk(5).astype("f4"), "b.mp4": walk(3) + 50}
    sizes = {"a.mp4": {"w": 1920, "h": 1080}}
    path = write_custom(tmp_path / "data_2d_custom_x.npz", videos, sizes)
    for read in (read_keypoints(path), read_people(path)):
        known = [(k.name, k.width, k.height) for k in read]
        assert known == [("a.mp4", 1920, 1080), ("b.mp4", None, None)]
        for k in read:
            np.testing.assert_allclose(k.keypoints, videos[k.name], rtol=1e-6)
            assert k.keypoints.dtype == k.confidence.dtype == np.float32
            assert k.skeleton is COCO_17 and (k.confidence == 1).all()
            assert k.frames.tolist() == list(range(len(videos[k.name])))


@pytest.mark.parametrize("mark", [0, -1, np.nan])
def test_frames_of_nobody_in_a_custom_data_set_were_not_detected(tmp_path, mark):
    points = walk()
    points[5:10] = mark
    points[12, 9] = mark
    points[:2] = mark
    path = write_custom(tmp_path / "x.npz", {"v.mp4": points})
    (k,) = read_keypoints(path)
    assert len(k) == 20 and (k.keypoints > 50).all()
    gone = np.zeros((20, 17), dtype=bool)
    gone[5:10], gone[12, 9], gone[:2] = True, True, True
    np.testing.assert_array_equal(k.confidence, ~gone)
    np.testing.assert_allclose(k.keypoints[2:], walk()[2:], rtol=1e-5)  # who walks evenly
    (one,) = read_people(path)
    assert one.frames.tolist() == list(range(2, 20))


def test_an_array_of_objects_is_an_array(tmp_path):
    path = write_custom(tmp_path / "x.npz", {"v.mp4": walk().astype(object)})
    np.testing.assert_allclose(read_keypoints(path)[0].keypoints, walk(), rtol=1e-6)


def test_a_custom_data_set_says_which_joints_it_has(tmp_path):
    film = samples.swinging("clip", 6, 0.3)
    path = write_custom(tmp_path / "x.npz", {"v": film.keypoints.numpy()}, layout="h36m")
    for (one,) in (read_keypoints(path), read_people(path)):
        assert one.skeleton is H36M_17
        np.testing.assert_allclose(one.keypoints, film.keypoints, rtol=1e-6)


def test_spoilt_custom_data_sets(tmp_path):
    path, points = tmp_path / "x.npz", walk(4)
    for videos, changed, said in (
        ({"a": points[:, :16]}, {}, r"'a' of \(4, 16, 2\), expected \(T, 17, 2\) of coco_17"),
        ({"a": points[:0]}, {}, "'a' has no frames"),
        ({}, {}, "no videos"),
        ({"a": points}, {"num_joints": 16}, "16 joints, layout 'coco'"),
        ({"a": points * 0}, {}, "nobody was detected"),
        ({"a": points / 500}, {}, r"normalised\?"),
        ({"a": points * 1e6}, {}, "numbers that no image has"),
    ):
        with pytest.raises(ValueError, match=said):
            read_keypoints(write_custom(path, videos, **changed))


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (np.array([None, "x"], dtype=object), "no arrays of numbers"),
        (np.zeros((3, 17)), r"\(3, 17\), expected \(T, 17, 2\)"),
    ],
    ids=["objects", "no points"],
)
def test_a_custom_data_set_of_other_things_than_keypoints_is_refused(tmp_path, view, said):
    with pytest.raises(ValueError, match=said):
        read_keypoints(write_custom(tmp_path / "c.npz", {"v": view}))


def test_a_custom_data_set_of_nobody_is_refused(tmp_path):
    path = write_custom(tmp_path / "c.npz", {})
    with np.load(path, allow_pickle=True) as archive:
        metadata = archive["metadata"]
    np.savez(path, positions_2d={"v": {"custom": []}}, metadata=metadata)
    with pytest.raises(ValueError, match="video 'v' must hold"):
        read_keypoints(path)


def test_hostile_custom_data_set(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'ran'}",)

    np.savez_compressed(tmp_path / "x.npz", positions_2d={"a": Hostile()}, metadata={})
    with pytest.raises(UnsafeFileError, match="system"):
        read_keypoints(tmp_path / "x.npz")
    assert not (tmp_path / "ran").exists()


# -- Detectron's people


def write_detectron(path, frames: list, size=(640, 480)):
    """As ``infer_video_d2.py`` does. ``frames``: per frame the people as (box score, (17, 3) x, y,
    probability)."""
    boxes, keypoints = [], []
    for people in frames:
        found = np.array([[0, 0, 9, 9, score] for score, _ in people], "f4").reshape(-1, 5)
        rows = [[j[:, 0], j[:, 1], 0 * j[:, 2], j[:, 2]] for _, j in people]
        boxes.append([[], found if people else []])
        keypoints.append([[], np.array(rows, "f4") if rows else []])
    ragged = np.empty((2, len(frames), 2), dtype=object)
    for kind, listed in enumerate((boxes, keypoints)):
        for t, pair in enumerate(listed):
            ragged[kind, t, 0], ragged[kind, t, 1] = pair
    more = {"segments": np.array(None, dtype=object), "metadata": {"w": size[0], "h": size[1]}}
    np.savez_compressed(path, boxes=ragged[0], keypoints=ragged[1], **more)
    return path


def test_detectron_s_people_are_followed_whoever_has_the_best_box(tmp_path):
    man, child = (
        [figure(COCO, at + 5 * t, height) for t in range(6)]
        for at, height in ((200, 400), (500, 200))
    )
    frames = [
        [],
        [(0.4, child[1]), (0.9, man[1])],
        [(0.8, man[2]), (0.99, child[2])],
        [(0.98, child[3])],
        [(0.97, child[4]), (0.7, man[4])],
        [],
    ]
    path = write_detectron(tmp_path / "walk.mp4.npz", frames)
    one, other = read_people(path)
    assert one.frames.tolist() == other.frames.tolist() == [1, 2, 3, 4]
    (k,) = read_keypoints(path)
    assert (k.name, k.width, k.height, len(k)) == ("walk.mp4", 640, 480, 6)
    # interpolated where he was not found, and held at the ends
    places = np.stack([man[t] for t in (1, 1, 2, 3, 4, 4)])[..., :2]
    np.testing.assert_allclose(k.keypoints, places, rtol=1e-6)
    assert k.detected.any(axis=1).tolist() == [False, True, True, False, True, False]
    np.testing.assert_allclose(k.confidence[1], man[1][:, 2], rtol=1e-6)


def test_detectron_without_anybody_or_with_other_joints(tmp_path):
    path = tmp_path / "x.npz"
    with pytest.raises(ValueError, match=r"x\.npz: nobody was detected"):
        read_keypoints(write_detectron(path, [[], [], []]))
    with pytest.raises(ValueError, match=r"frame 1 .* \(4, 14\), expected \(4, 17\)"):
        read_keypoints(write_detectron(path, [[], [(0.9, figure(COCO)[:14])]]))
