"""OpenPose's folders: joint sets, names of files, frames, people."""

import io
import json
import tarfile

import numpy as np
import pytest
from detection.figures import COCO, expected, figure, named, write_json

from paperlib.datasets import real_video
from paperlib.detection.files import read_keypoints, read_people
from paperlib.detection.files.joint_sets import BODY_25, JOINT_SETS
from paperlib.errors import MissingDataError
from paperlib.skeletons import COCO_17, COCO_19, convert

# in the order and spelling of OpenPose's documentation
BODY_25_NAMES = named(
    "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist MidHip RHip RKnee RAnkle LHip LKnee"
    " LAnkle REye LEye REar LEar LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel"
)
BODY_25B_NAMES = named(
    "Nose LEye REye LEar REar LShoulder RShoulder LElbow RElbow LWrist RWrist LHip RHip LKnee RKnee"
    " LAnkle RAnkle UpperNeck HeadTop LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel"
)
COCO_18_NAMES = named(
    "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist RHip RKnee RAnkle LHip LKnee LAnkle"
    " REye LEye REar LEar"
)
SETS = {"body_25": BODY_25_NAMES, "body_25b": BODY_25B_NAMES, "coco_18": COCO_18_NAMES}


def write_openpose(folder, frames: dict, ending: str = "_keypoints.json", **more):
    for name, people in frames.items():
        listed = [{"person_id": [-1], "pose_keypoints_2d": p.reshape(-1).tolist()} for p in people]
        listed = [one | {key: values[name] for key, values in more.items()} for one in listed]
        write_json(folder / f"{name}{ending}", {"version": 1.3, "people": listed})
    return folder


def walk(names: str = BODY_25_NAMES, frames=range(5), step: float = 3.0, **more) -> dict:
    return {f"clip_{t:012d}": [figure(names, 300 + step * t, **more)] for t in frames}


@pytest.mark.parametrize("name", SETS)
def test_every_joint_set_is_recognised_and_each_joint_is_the_one_of_its_name(tmp_path, name):
    made = figure(SETS[name])
    folder = write_openpose(tmp_path / "walk", walk(SETS[name]))
    (one,) = read_people(folder)
    assert one.skeleton.name == name and one.name == "walk"
    assert one.skeleton.joints == tuple(SETS[name].split())
    np.testing.assert_allclose(one.keypoints[0], made[:, :2], rtol=1e-6)
    (coco,) = read_keypoints(folder)
    wanted = expected(made, SETS[name], COCO_17.joints)
    np.testing.assert_allclose(coco.keypoints[0], wanted[:, :2], rtol=1e-6)
    np.testing.assert_allclose(coco.confidence[0], wanted[:, 2], rtol=1e-6)


@pytest.mark.parametrize("name", ["body_25", "body_25b"])
def test_the_two_sets_of_25_are_told_apart_by_half_a_body_too(tmp_path, name):
    frames = walk(SETS[name])
    for (one,) in frames.values():
        low = [j for j, joint in enumerate(SETS[name].split()) if one[j, 1] > 290]
        one[low] = 0  # cut off above the knees
    (one,) = read_people(write_openpose(tmp_path / "walk", frames))
    assert one.skeleton.name == name


def test_25_joints_that_do_not_tell_are_asked_for(tmp_path):
    frames = walk(frames=range(2))
    for (one,) in frames.values():
        one[5:] = 0  # too little was found
    folder = write_openpose(tmp_path / "few", frames)
    with pytest.raises(ValueError, match=r"does not tell .* layout= .*'body_25', 'body_25b'"):
        read_people(folder)
    (one,) = read_people(folder, layout="body_25")
    assert one.skeleton is BODY_25
    with pytest.raises(ValueError, match=r"25 joints a person, halpe_26 has others"):
        read_people(folder, layout="halpe_26")
    with pytest.raises(ValueError, match=r"unknown layout 'body25'.*Did you mean 'body_25'"):
        read_people(folder, layout="body25")


@pytest.mark.parametrize("sides", ["left", "right"])
def test_sides_stay_sides(tmp_path, sides):
    """Of somebody of whom one side alone was found."""
    frames = walk()
    other = {"left": "right", "right": "left"}[sides]
    for (one,) in frames.values():
        for j, joint in enumerate(BODY_25_NAMES.split()):
            one[j] *= not joint.startswith(other)
    (one,) = read_keypoints(write_openpose(tmp_path / "walk", frames))
    found = [j for j, seen in zip(COCO_17.joints, one.detected.all(axis=0), strict=True) if seen]
    assert found == ["nose", *(j for j in COCO_17.joints if j.startswith(sides))]


def test_the_middles_of_body_25_are_those_of_the_package():
    points = figure(BODY_25_NAMES)
    import torch

    both = convert(torch.from_numpy(points), BODY_25, COCO_19)
    np.testing.assert_allclose(both[-2:], expected(points, BODY_25_NAMES, ("hip", "neck")))


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("clip_{:012d}", "_keypoints.json"),
        ("cam01_{:06d}", ".json"),
        ("cam01.{:04d}", ".json"),
        ("{}", ".json"),
    ],
)
def test_names_of_files_as_the_tools_make_them(tmp_path, name, ending):
    frames = {name.format(t): [figure(BODY_25_NAMES, 300 + t)] for t in range(8, 12)}
    (one,) = read_people(write_openpose(tmp_path / "v", frames, ending))
    assert one.frames.tolist() == [8, 9, 10, 11]
    np.testing.assert_allclose(np.diff(one.keypoints[:, 0, 0]), 1, atol=1e-4)


def test_who_comes_late_keeps_the_film_s_frame_numbers(tmp_path):
    frames = {f"v_{t}": [] for t in range(40)} | {
        f"v_{t}": [figure(BODY_25_NAMES, 300 + t)] for t in range(30, 36)
    }
    folder = write_openpose(tmp_path / "late", frames)
    (one,) = read_people(folder)
    assert one.frames.tolist() == list(range(30, 36)) and one.detected.all()
    (whole,) = read_keypoints(folder)
    assert whole.frames.tolist() == list(range(40))
    assert whole.detected.any(axis=1).nonzero()[0].tolist() == list(range(30, 36))


def test_joints_that_were_not_found(tmp_path):
    frames = walk(frames=range(3), step=10)
    for t, (one,) in enumerate(frames.values()):
        one[11] = 0  # the right ankle, never
        if t == 1:
            one[0] = 0  # the nose, in the frame between
    (k,) = read_keypoints(write_openpose(tmp_path / "out", frames))
    np.testing.assert_allclose(np.diff(k.keypoints[:, 0, 0]), 10, atol=1e-4)
    assert (k.confidence[:, 0] > 0).tolist() == [True, False, True]
    others = [j for j in range(17) if j != 16]
    # the middle of the others, of the 25 that the file has
    assert (k.confidence[:, 16] == 0).all() and np.ptp(k.keypoints[0, others], axis=0).min() > 0
    low, high = k.keypoints[0, others].min(axis=0), k.keypoints[0, others].max(axis=0)
    assert (low < k.keypoints[0, 16]).all() and (k.keypoints[0, 16] < high).all()


def test_the_person_who_was_found_and_not_the_one_of_nan(tmp_path):
    lost = np.full((25, 3), np.nan)
    frames = {name: [lost, *people] for name, people in walk().items()}
    people = read_people(write_openpose(tmp_path / "video", frames))
    assert len(people) == 1 and people[0].detected.all() and (people[0].keypoints > 50).all()


def test_the_tool_s_own_numbers_of_people(tmp_path):
    """They exchange their places at once, which no one who looks would believe."""
    frames = {f"v_{t}": [figure(BODY_25_NAMES, 200 + 500 * (t > 2))] for t in range(6)}
    for t in range(6):
        frames[f"v_{t}"].append(figure(BODY_25_NAMES, 700 - 500 * (t > 2)))
    folder = write_openpose(tmp_path / "v", frames)
    assert [len(one) for one in read_people(folder)] == [6, 6]
    assert np.abs(np.diff(read_people(folder)[0].keypoints, axis=0)).max() < 1
    for file in folder.iterdir():
        content = json.loads(file.read_text())
        for number, one in enumerate(content["people"]):
            one["person_id"] = [number + 4]
        write_json(file, content)
    people = read_people(folder)
    assert [one.track for one in people] == [4, 5]
    assert np.abs(np.diff(people[0].keypoints, axis=0)).max() > 499


def test_spoilt_folders(tmp_path):
    with pytest.raises(ValueError, match="a folder without JSON files; expected 2D keypoints"):
        read_keypoints(tmp_path)
    with pytest.raises(ValueError, match="nobody was detected"):
        read_keypoints(write_openpose(tmp_path / "empty", {"v_0": [], "v_1": []}))
    with pytest.raises(ValueError, match=r"45 numbers per person, expected .* 17, 18, 23, 25, 26"):
        read_keypoints(write_openpose(tmp_path / "mpi", {"v_0": [np.ones((15, 3)) * 9]}))
    with pytest.raises(ValueError, match=r"people of 18, 25 joints; expected one joint set"):
        both = [figure(BODY_25_NAMES), figure(COCO_18_NAMES)]
        read_keypoints(write_openpose(tmp_path / "both", {"v_0": both}))
    with pytest.raises(ValueError, match=r"keypoints up to 2.5: normalised\?"):
        read_keypoints(write_openpose(tmp_path / "shares", {"v_0": [figure(COCO, 0.5, 0.3) / 300]}))
    with pytest.raises(ValueError, match="several videos"):
        people = [figure(BODY_25_NAMES)]
        read_keypoints(write_openpose(tmp_path / "two", {"v_0": people, "w_0": people}))
    write_json(tmp_path / "two" / "v_0_keypoints.json", [1])
    with pytest.raises(ValueError, match=r"v_0_keypoints\.json: no list of 'people'"):
        read_keypoints(tmp_path / "two")
    single = write_json(tmp_path / "v_0_keypoints.json", {"people": []})
    with pytest.raises(ValueError, match=r"one frame of OpenPose; give the folder"):
        read_keypoints(single)


@pytest.mark.parametrize("people", [5, {"0": []}, [7]], ids=str)
def test_people_that_are_no_list_of_people_are_refused(tmp_path, people):
    write_json(tmp_path / "a_0_keypoints.json", {"people": people})
    with pytest.raises(ValueError, match=r"no list of 'people'|numbers"):
        read_keypoints(tmp_path)


@pytest.mark.data
def test_the_real_film_s_people(tmp_path):
    """OpenPose's own files: BODY_25B, one to three people. The carried reference was made from
    them in another way, by taking whoever is tallest in a frame."""
    try:
        folder = real_video.find()
    except MissingDataError:
        pytest.skip("no real film")
    packed = (folder / "openpose_body25b.tar.xz").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(tmp_path, filter="data")
    carried = np.load(folder / real_video.FILE)
    for view, camera in enumerate(real_video.CAMERAS):
        people = read_people(tmp_path / "openpose_body25b" / f"{camera}_json")
        assert {one.skeleton.name for one in people} == {"body_25b"}
        assert [len(one) for one in people if len(one) > 1] == [100] * (2 if view < 2 else 1)
        (man,) = read_keypoints(tmp_path / "openpose_body25b" / f"{camera}_json")
        sure = man.confidence > 0
        away = np.linalg.norm(man.keypoints - carried["op"][view], axis=-1)
        assert (away[sure] < 0.01).mean() > 0.95
        # the other detector looked at the same man, and names its joints itself
        off = np.linalg.norm(man.keypoints - carried["bp"][view], axis=-1)[:, 5:]
        assert np.median(off, axis=0).max() < 60


def test_no_two_joint_sets_have_one_name():
    assert len({one.joints for one in JOINT_SETS.values()}) == len(JOINT_SETS)
