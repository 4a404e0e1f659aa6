"""Files of other tools -> people: joints by name, film frames, missing joints, identity."""

import json
import os
import tarfile
from contextlib import suppress

import numpy as np
import pytest
import samples

from paperlib.detection.layouts import LAYOUTS
from paperlib.detection.people import chosen, read_people
from paperlib.errors import UnsafeFileError
from paperlib.paths import data_dir
from paperlib.skeletons import COCO_17

CASES = data_dir().parent / "cases"
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not on this machine")


def person(joints: int = 17, at: float = 100.0, score: float = 0.9) -> np.ndarray:
    """(joints, 3): x, y, score; somebody about 200 pixels high, no two joints alike."""
    steps = np.arange(float(joints))
    return np.stack([at + 40 * np.sin(steps), 50 + steps * 200 / joints, steps * 0 + score], axis=1)


def write(path, content):
    path.write_text(json.dumps(content))
    return path


def entry(image, joints: np.ndarray, **more) -> dict:
    return {"image_id": image, "category_id": 1, "keypoints": joints.reshape(-1).tolist(), **more}


def instance(joints: np.ndarray) -> dict:
    return {"keypoints": joints[:, :2].tolist(), "keypoint_scores": joints[:, 2].tolist()}


def openpose(folder, frames: dict):
    folder.mkdir()
    for name, people in frames.items():
        listed = [{"person_id": [-1], "pose_keypoints_2d": p.reshape(-1).tolist()} for p in people]
        write(folder / f"{name}.json", {"version": 1.3, "people": listed})
    return folder


def assert_joints(read, made, layout: str):
    """Every named joint is at its own place in what was written."""
    names = LAYOUTS[layout].joints
    assert read.joints == names
    np.testing.assert_allclose(read.keypoints[0], made[: len(names), :2], rtol=1e-5)


# -- formats: the joints, by tables that are written out again here


@pytest.mark.parametrize(
    ("joints", "named"),
    [
        (17, {"left_ankle": 15}),
        (26, {"neck": 18, "mid_hip": 19, "right_big_toe": 21, "left_heel": 24}),
        (133, {"left_heel": 19, "right_big_toe": 20}),
        (136, {"head": 17, "left_small_toe": 22, "right_heel": 25}),
    ],
)
def test_lists_of_alphapose_and_coco(tmp_path, joints, named):
    made = person(joints)
    people = [entry(f"{t}.jpg", made, score=2.0, idx=4) for t in range(3)]
    (read,) = read_people(write(tmp_path / "anything.txt", people))  # told by content
    for joint, at in named.items():
        place = read.keypoints[0, read.joints.index(joint)]
        np.testing.assert_allclose(place, made[at, :2], rtol=1e-5)
    np.testing.assert_allclose(read.coco().keypoints[0], made[:17, :2], rtol=1e-5)
    assert read.coco().skeleton is COCO_17 and set(named) <= set(read.joints)


def test_mmpose_demo_counts_from_one_and_the_inferencer_from_zero(tmp_path):
    for first in (0, 1):
        frames = [
            {"frame_id": first + t, "instances": [instance(person(at=100 + t))]} for t in range(3)
        ]
        demo = {"meta_info": {"dataset_name": "coco"}, "instance_info": frames}
        (read,) = read_people(write(tmp_path / "a.json", demo if first else frames))
        assert read.frames.tolist() == [0, 1, 2]
        assert_joints(read, person(), "COCO")
        assert (read.confidence > 0.89).all()


def test_mmpose_names_its_joints(tmp_path):
    names = {str(j): f"joint_{j}" for j in range(12)}
    frames = [{"frame_id": 1, "instances": [instance(person(12))]}]
    demo = {"meta_info": {"keypoint_id2name": names}, "instance_info": frames}
    (read,) = read_people(write(tmp_path / "a.json", demo))
    assert read.joints == tuple(f"joint_{j}" for j in range(12))
    with pytest.raises(ValueError, match="no left_ankle"):
        read.coco()


def test_coco_annotations_and_their_image_size(tmp_path):
    made = person()
    made[:, 2] = 2
    made[3, 2], made[4] = 1, 0
    images = [{"id": 90 - t, "file_name": f"f/{t}.jpg", "width": 64, "height": 48} for t in (5, 6)]
    listed = [entry(85, made), entry(84, made)]
    path = write(tmp_path / "a.json", {"images": images, "annotations": listed})
    (read,) = read_people(path)
    assert (read.width, read.height, read.frames.tolist()) == (64, 48, [5, 6])
    assert read.confidence[0, [0, 3, 4]].tolist() == [1, 0.5, 0]


def test_mediapipe_needs_the_size_of_the_image(tmp_path):
    made = person(33)
    rows = [{"x": x / 640, "y": y / 480, "z": 0.1, "visibility": v} for x, y, v in made]
    for frames in ([None, rows, rows], [[], [rows], [rows]], [{"landmarks": None}] + 2 * [rows]):
        path = write(tmp_path / "a.json", frames)
        with pytest.raises(ValueError, match=r"size=\(width, height\)"):
            read_people(path)
        (read,) = read_people(path, size=(640, 480))
        assert_joints(read, made, "MEDIAPIPE")
        assert read.frames.tolist() == [1, 2] and (read.width, read.height) == (640, 480)
    tables = {"left_shoulder": 11, "right_wrist": 16, "left_hip": 23, "right_ankle": 28}
    for joint, at in tables.items():
        place = read.keypoints[0, read.joints.index(joint)]
        np.testing.assert_allclose(place, made[at, :2], rtol=1e-5)


def test_25_joints_of_openpose_are_asked_for(tmp_path):
    made = person(25)
    folder = openpose(tmp_path / "cam01", {f"cam01.{t:04d}": [made] for t in range(3)})
    with pytest.raises(ValueError, match='joints="BODY_25" or joints="BODY_25B"'):
        read_people(folder)
    for layout, ear, ankle in (("BODY_25", 18, 14), ("BODY_25B", 3, 15)):
        (read,) = read_people(folder, joints=layout)
        for joint, at in (("left_ear", ear), ("left_ankle", ankle)):
            place = read.keypoints[0, read.joints.index(joint)]
            np.testing.assert_allclose(place, made[at, :2], rtol=1e-5)
    with pytest.raises(ValueError, match="25 joints per person, but COCO has 17"):
        read_people(folder, joints="COCO")
    with pytest.raises(ValueError, match=r"unknown layout of joints 'BODY_26'.*Did you mean"):
        read_people(folder, joints="BODY_26")


@pytest.mark.parametrize(("joints", "ankle"), [(18, 13), (15, 13), (135, 15)])
def test_the_number_tells_other_joints_of_openpose(tmp_path, joints, ankle):
    made = person(joints)
    (read,) = read_people(openpose(tmp_path / "v", {"v_0_keypoints": [made]}))
    place = read.keypoints[0, read.joints.index("left_ankle")]
    np.testing.assert_allclose(place, made[ankle, :2], rtol=1e-5)


def archive(path, **members):
    held = {}
    for name, value in members.items():
        held[name] = np.empty((), object)
        held[name][()] = value
    np.savez(path, **held)
    return path


def test_frames_of_zeros_in_a_custom_data_set_are_gaps(tmp_path):
    view = np.stack([person(at=100 + 10 * t)[:, :2] for t in range(6)])
    expected = view.copy()
    view[2:4] = 0
    about = samples.metadata("coco") | {"video_metadata": {"v": {"w": 640, "h": 480}}}
    path = archive(tmp_path / "x", positions_2d={"v": {"custom": [view]}}, metadata=about)
    (read,) = read_people(tmp_path / "x.npz")
    assert path and (read.name, read.width, read.height) == ("v", 640, 480)
    assert (read.confidence > 0).all(axis=1).tolist() == [True] * 2 + [False] * 2 + [True] * 2
    np.testing.assert_allclose(read.keypoints, expected, rtol=1e-5)


def test_detectron_archive(tmp_path):
    rows = person()[:, [0, 1, 2, 2]].T[None]
    boxes = [[[], np.ones((n, 5))] for n in (0, 1, 1)]
    poses = [[[], []], [[], rows], [[], rows]]
    archive(tmp_path / "x", boxes=boxes, keypoints=poses, metadata={"w": 64, "h": 48})
    (read,) = read_people(tmp_path / "x.npz")
    assert_joints(read, person(), "COCO")
    assert read.frames.tolist() == [1, 2] and read.width == 64


# -- missing joints, frame numbers


@pytest.mark.parametrize(
    "mark",
    [(-1, -1, 0), (0, 0, 0), (0, 0, 0.9), (-1, -1, 0.9), (np.nan, 9, 1), (9, 9, np.nan), (9, 9, 0)],
    ids=str,
)
def test_a_joint_that_was_not_found_is_filled_and_has_no_confidence(tmp_path, mark):
    frames = [person(at=100 + 10 * t) for t in range(5)]
    expected = frames[2][9, :2].copy()
    frames[2][9] = mark
    (read,) = read_people(write(tmp_path / "a.json", [entry(t, f) for t, f in enumerate(frames)]))
    assert read.confidence[2, 9] == 0 and (read.confidence > 0).sum() == 5 * 17 - 1
    np.testing.assert_allclose(read.keypoints[2, 9], expected, rtol=1e-5)


def test_a_score_of_nan_never_wins(tmp_path):
    lost, seen = person(25) * np.nan, person(25, at=300)
    folder = openpose(tmp_path / "v", {t: [lost, seen] for t in range(3)})
    (read,) = read_people(folder, joints="BODY_25", who="longest")
    np.testing.assert_allclose(read.keypoints[1], seen[:, :2], rtol=1e-5)


def test_the_numbers_of_the_film_are_kept_and_gaps_are_marked(tmp_path):
    listed = [entry(f"{t}.jpg", person(at=100 + 2 * t)) for t in (30, 31, 34, 35)]
    (read,) = read_people(write(tmp_path / "a.json", listed))
    assert read.frames.tolist() == [30, 31, 32, 33, 34, 35]
    assert (read.confidence[:, 0] > 0).tolist() == [True, True, False, False, True, True]
    np.testing.assert_allclose(read.keypoints[:, 0, 0], 100 + 2 * read.frames, rtol=1e-5)


# -- identity


def crossing(frames: int = 40, shuffled: bool = True) -> tuple[list[dict], list[list[int]]]:
    """Two people who walk through each other, in another order in each frame, and who is who."""
    rng = np.random.default_rng(3)
    listed, truth = [], []
    for t in range(frames):
        both = [(0, person(at=100 + 10 * t)), (1, person(at=500 - 10 * t))]
        order = rng.permutation(2) if shuffled else [0, 1]
        truth.append([both[i][0] for i in order])
        for i in order:
            noisy = both[i][1] + np.concatenate([rng.normal(0, 2, (17, 2)), np.zeros((17, 1))], 1)
            listed.append(entry(t, noisy, score=float(rng.uniform())))
    return listed, truth


def test_two_people_who_cross_keep_their_identity(tmp_path):
    listed, _ = crossing()
    people = read_people(write(tmp_path / "a.json", listed))
    assert [len(p) for p in people] == [40, 40]
    starts = sorted(people, key=lambda p: p.keypoints[0, 0, 0])
    for read, velocity, at in zip(starts, (10, -10), (100, 500), strict=True):
        np.testing.assert_allclose(read.keypoints[:, 0, 0], at + velocity * np.arange(40), atol=9)


def test_a_tool_that_ran_without_its_tracker_gives_everybody_the_same_number(tmp_path):
    listed = [e | {"idx": 0} for e in crossing()[0]]
    assert len(read_people(write(tmp_path / "a.json", listed))) == 2


def test_the_numbers_of_the_tool_win_over_ours(tmp_path):
    listed, truth = crossing()
    numbers = [7 + i for frame in truth for i in frame]
    # they change places in the middle, by the tool: so be it
    swapped = [n if i < 40 else 15 - n for i, n in enumerate(numbers)]
    listed = [e | {"idx": n} for e, n in zip(listed, swapped, strict=True)]
    people = read_people(write(tmp_path / "a.json", listed))
    assert [p.track for p in people] == [7, 8]
    ends = [p.keypoints[-1, 0, 0] for p in people]
    assert ends[0] < ends[1]  # the first began at the left, and ends there


def test_somebody_else_in_another_place_is_another_person(tmp_path):
    listed = [entry(t, person(at=100 if t < 5 else 900)) for t in range(10)]
    people = read_people(write(tmp_path / "a.json", listed))
    assert [p.frames.tolist() for p in people] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_choice_of_person(tmp_path):
    large = person(at=600) * [1, 2, 1]
    listed = [entry(t, person(), idx=3) for t in range(6)]
    listed += [entry(t, large, idx=5) for t in (2, 3)]
    path = write(tmp_path / "a.json", listed)
    for who, track in (("longest", 3), ("largest", 5), (5, 5), (3, 3)):
        (read,) = read_people(path, who=who)
        assert read.track == track
    with pytest.raises(ValueError, match="unknown track of a 4: choose one of 3, 5"):
        read_people(path, who=4)
    with pytest.raises(ValueError, match="'longest', 'largest'"):
        read_people(path, who="tallest")
    with pytest.raises(ValueError, match="nobody"):
        chosen([])


# -- what is not understood


@pytest.mark.parametrize(
    "content", ["<html>", "nothing", "{}", '{"a": 1}', "3", '[{"a": 1}]', '[[["x"]]]'], ids=str
)
def test_what_is_not_understood_is_refused_with_the_formats(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ValueError, match=r"a\.json.*(MMPose.*AlphaPose.*OpenPose|another kind)"):
        read_people(tmp_path / "a.json")


def test_spoilt_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_people(tmp_path / "none")
    with pytest.raises(ValueError, match=r"without \.json files"):
        read_people(tmp_path)
    for content, said in (
        ([], "nobody was detected"),
        ([entry(0, person() * 0)], "nobody was detected"),
        ([entry(0, person(16))], r"16 joints per person, expected one of COCO \(17\)"),
        ([entry(0, person()), entry(1, person(26))], "26 joints, others have 17"),
        ([entry(0, person() * 1e9)], "numbers that no image has"),
        ([entry("a/1.jpg", person()), entry("b/1.jpg", person())], "several videos"),
    ):
        with pytest.raises(ValueError, match=said):
            read_people(write(tmp_path / "a.json", content))


def test_no_pickle_is_executed(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'ran'}",)

    np.savez(tmp_path / "x.npz", positions_2d={"a": Hostile()}, metadata={})
    with pytest.raises(UnsafeFileError):
        read_people(tmp_path / "x.npz")
    assert not (tmp_path / "ran").exists()


ANYTHING = (None, True, -1, 1e300, float("nan"), 10**400, "x", [], {}, [None], {"a": 1}, [[1, 2]])


def places(value, place=()):
    yield place
    items = value.items() if isinstance(value, dict) else ()
    for key, part in enumerate(value[:2]) if isinstance(value, list) else items:
        yield from places(part, (*place, key))


def replaced(value, place, other):
    if not place:
        return other
    copied = value.copy()
    copied[place[0]] = replaced(value[place[0]], place[1:], other)
    return copied


def test_anything_anywhere_is_taken_or_refused(tmp_path):
    frames = [{"frame_id": t, "instances": [instance(person())]} for t in (1, 2)]
    mark = {"x": 0.5, "y": 0.25, "visibility": 0.5}
    for whole in (
        [entry(f"{t}.jpg", person(), score=0.5, idx=1) for t in (3, 4)],
        {"meta_info": {"dataset_name": "coco"}, "instance_info": frames},
        {"images": [{"id": 1, "file_name": "1.jpg"}], "annotations": [entry(1, person())]},
        {"width": 10, "height": 10, "frames": [{"frame": 2, "landmarks": [mark] * 33}]},
    ):
        for place in places(whole):
            for other in ANYTHING:
                path = write(tmp_path / "a.json", replaced(whole, place, other))
                with suppress(ValueError):
                    read_people(path)


# -- the files of other people


REAL = data_dir() / "real_video" / "openpose_body25b.tar.xz"


@pytest.mark.skipif(not REAL.is_file(), reason="real_video is not on this machine")
@pytest.mark.parametrize("view", range(4))
def test_real_files_of_body_25b(tmp_path, view):
    """The person whom both detectors saw in these films: a median of 14 to 18 px between them,
    of about 730 px height; read as BODY_25, other joints would be there."""
    with tarfile.open(REAL) as archive:
        named = [m for m in archive.getmembers() if f"/cam0{view + 1}" in m.name]
        archive.extractall(tmp_path, named, filter="data")
    (folder,) = {file.parent for file in tmp_path.rglob("*.json")}
    with pytest.raises(ValueError, match="BODY_25B"):
        read_people(folder)
    with np.load(REAL.with_name("blazepose_openpose_reference.npz")) as reference:
        blazepose = reference["bp"][view]
    errors = {}
    for layout in ("BODY_25", "BODY_25B"):
        (read,) = read_people(folder, layout, who="longest")
        assert read.frames.tolist() == list(range(100))
        distances = np.linalg.norm(read.coco().keypoints - blazepose, axis=2)
        errors[layout] = np.median(distances[read.coco().confidence > 0])
    assert errors["BODY_25B"] < 20 and errors["BODY_25"] > 100


@needs_cases
@pytest.mark.parametrize(
    ("case", "frames", "people"),
    [
        ("bom.json", (0, 4), 1),
        ("coco_annotations.json", (0, 19), 1),
        ("custom_object.npz", (0, 19), 1),
        ("custom_zero.npz", (0, 19), 1),
        ("halpe26.json", (0, 19), 1),
        ("late_entry.json", (30, 59), 1),
        ("mmpose_demo.json", (0, 19), 1),
        ("mmpose_inferencer.json", (0, 19), 1),
        ("openpose_late", (5, 14), 1),
        ("pose2sim_names", (0, 19), 1),
        ("pose2sim_nan", (0, 19), 1),
        ("two_tracked_people.json", (0, 19), 2),
        ("undetected_minus_one.json", (0, 19), 1),
    ],
)
def test_cases(case, frames, people):
    path = CASES / case
    read = read_people(path, joints="BODY_25" if path.is_dir() else None)
    assert len(read) == people
    for one in read:
        assert (one.frames[0], one.frames[-1]) == frames
        assert one.keypoints.min() > 50  # none is left at a mark
        assert np.abs(np.diff(one.keypoints, axis=0)).max() < 30  # nor jumps to one
