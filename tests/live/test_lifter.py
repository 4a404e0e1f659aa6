"""Frame by frame the poses are those of the whole film, as early as they can be known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from detection.figures import figure
from live.filmed import DOWN, RATE, at_rate, joints_of, positions_of, walker
from networks import lifting

from paperlib.detection.files.joint_sets import MEDIAPIPE_33
from paperlib.detection.sequences import Keypoints2D
from paperlib.kinematics import rotation_about, rotation_apply
from paperlib.lifting import lift_people
from paperlib.live import LiveLifter
from paperlib.skeletons import COCO_17, H36M_17

SAME = 1e-5  # metres
WALKER = walker()
SIZE = WALKER.camera.width, WALKER.camera.height
JOINTS = joints_of(WALKER.positions[:60], WALKER.camera)


def streamed(lifter: LiveLifter, times, joints) -> list:
    """All poses of one person."""
    poses = [one for t, j in zip(times, joints, strict=True) for one in lifter.add(t, [j])]
    return poses + lifter.finish()


def whole(times, joints, **told):
    seen = Keypoints2D(
        joints[..., :2], joints[..., 2], COCO_17, *SIZE, "film", np.arange(len(times)), None, times
    )
    (one,) = lift_people([seen], smooth=False, **told)
    return one


# ---- the poses of the whole film -----------------------------------------------------------------


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60, 120])
def test_the_poses_are_those_of_the_whole_film(fps):
    times, joints = at_rate(JOINTS, fps)
    told = {"down": DOWN, "focal": 1200.0}
    poses = streamed(LiveLifter(SIZE, **told), times, joints)
    assert [one.time for one in poses] == times.tolist()
    expected = whole(times, joints, **told)
    assert expected.positions.std(dim=0).max() > 0.05  # it moves
    torch.testing.assert_close(positions_of(poses), expected.positions, atol=SAME, rtol=0)
    assert [one.score for one in poses] == pytest.approx(expected.scores.tolist())
    assert poses[3].pose[H36M_17.root].abs().max() == 0


def test_times_that_are_not_even():
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.05, 35))
    joints = joints_of(WALKER.positions[: len(times)], WALKER.camera)
    poses = streamed(LiveLifter(SIZE, down=DOWN), times, joints)
    expected = whole(times, joints, down=DOWN).positions
    torch.testing.assert_close(positions_of(poses), expected, atol=SAME, rtol=0)


@pytest.mark.parametrize("length", [1, 2, 13, 14])
def test_very_short_films_end_with_all_their_poses(length):
    times, joints = np.arange(length) / RATE, JOINTS[:length]
    poses = streamed(LiveLifter(SIZE, down=DOWN), times, joints)
    expected = whole(times, joints, down=DOWN).positions
    torch.testing.assert_close(positions_of(poses), expected, atol=SAME, rtol=0)


@pytest.mark.parametrize("wait", [0, 5, 12])
def test_with_less_to_wait_for_the_newest_frame_stands_for_what_comes(wait):
    """A pose is the one of a film that ends with the frame that it waited for."""
    lifter = LiveLifter(SIZE, down=DOWN, wait=wait)
    for t in range(40):
        poses = lifter.add(t / RATE, [JOINTS[t]])
        assert [round(one.time * RATE) for one in poses] == ([t - wait] if t >= wait else [])
    expected = whole(np.arange(40) / RATE, JOINTS[:40], down=DOWN).positions[39 - wait]
    torch.testing.assert_close(poses[0].positions, expected, atol=SAME, rtol=0)
    assert len(lifter.finish()) == wait


def test_a_height_that_is_told():
    tall, small = (
        streamed(LiveLifter(SIZE, down=DOWN, person_height=h), np.arange(20) / RATE, JOINTS[:20])
        for h in (2.0, 1.0)
    )
    for one, other in zip(tall, small, strict=True):
        torch.testing.assert_close(one.pose, 2 * other.pose, atol=1e-4, rtol=0)


def test_where_down_is_is_found_while_filming():
    """Of a camera that is rolled by 11 degrees; the whole film tells no more."""
    roll = rotation_about("z", torch.tensor(0.2))
    joints = joints_of(rotation_apply(roll, WALKER.positions), WALKER.camera)
    times, lifter = np.arange(len(joints)) / RATE, LiveLifter(SIZE)
    assert lifter.down == DOWN
    poses = streamed(lifter, times, joints)
    expected = whole(times, joints)
    assert np.dot(lifter.down, expected.down) > np.cos(np.radians(2))
    apart = (positions_of(poses[-30:]) - expected.positions[-30:]).norm(dim=-1)
    assert apart.mean() < 0.01


def test_a_causal_model_and_one_that_is_told():
    model = lifting(9, causal=True).eval()
    lifter = LiveLifter(SIZE, model=model, down=DOWN)
    (pose,) = lifter.add(0.0, [JOINTS[0]])
    assert pose.waited == 0 and torch.isfinite(pose.positions).all()
    with pytest.raises(ValueError, match="wait=1: expected 0 to 0"):
        LiveLifter(SIZE, model=model, wait=1)


# ---- when a pose comes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fps", "wait", "frames"), [(50, None, 13), (25, None, 7), (50, 4, 4), (25, 4, 2), (60, 0, 0)]
)
def test_a_pose_waits_for_just_the_frames_that_it_needs(fps, wait, frames):
    """0.26 s are 13 frames at 50 Hz, and the seventh is the first after them at 25."""
    lifter = LiveLifter(SIZE, down=DOWN, wait=wait)
    for t in range(20):
        poses = lifter.add(t / fps, [JOINTS[t]])
        assert len(poses) == (t >= frames)
        for one in poses:
            assert one.time == pytest.approx((t - frames) / fps)
            assert one.waited == pytest.approx(frames / fps)


# ---- people, and what is not seen ----------------------------------------------------------------


def two(t: int) -> list[np.ndarray]:
    """Two who stand side by side."""
    return [JOINTS[t] + np.array([side, 0, 0]) for side in (-150, 150)]


def test_people_do_not_mix_and_keep_their_numbers_whatever_their_order():
    lifter, rng, found = LiveLifter(SIZE, down=DOWN), np.random.default_rng(1), {0: [], 1: []}
    poses = []
    for t in range(40):
        people = two(t)
        poses += lifter.add(t / RATE, people if t == 0 or rng.random() < 0.5 else people[::-1])
    for one in poses + lifter.finish():
        found[one.person].append(one)
    for number, side in enumerate((-150, 150)):
        joints = JOINTS[:40] + np.array([side, 0, 0])
        alone = streamed(LiveLifter(SIZE, down=DOWN), np.arange(40) / RATE, joints)
        torch.testing.assert_close(
            positions_of(found[number]), positions_of(alone), atol=SAME, rtol=0
        )


def test_numbers_that_are_told():
    lifter = LiveLifter(SIZE, down=DOWN, wait=0)
    poses = lifter.add(0.0, two(0), [7, 3])
    assert [one.person for one in poses] == [3, 7]
    assert poses[0].positions[0, 0] > poses[1].positions[0, 0]


def test_a_frame_that_was_lost_is_bridged():
    """As of the whole film, of whose frames one is missing; and where it is there without them,
    their pose is one that nobody saw."""
    kept = [t for t in range(40) if t not in (20, 21)]
    times = np.array(kept) / RATE
    poses = streamed(LiveLifter(SIZE, down=DOWN), times, JOINTS[kept])
    expected = whole(times, JOINTS[kept], down=DOWN).positions
    torch.testing.assert_close(positions_of(poses), expected, atol=SAME, rtol=0)
    lifter, unseen = LiveLifter(SIZE, down=DOWN), []
    for t in range(40):
        unseen += lifter.add(t / RATE, [JOINTS[t]] if t in kept else [])
    unseen += lifter.finish()
    assert [one.time * RATE for one in unseen if one.score == 0] == pytest.approx([20, 21])
    seen = positions_of([one for one in unseen if one.score > 0])
    torch.testing.assert_close(seen, expected, atol=SAME, rtol=0)


def gone(frames: int) -> list:
    """Seen for 20 frames, not for so many, and for 5 again."""
    lifter, poses = LiveLifter(SIZE, down=DOWN), []
    for t in range(25 + frames):
        here = [JOINTS[min(t, 19)]] if t < 20 or t >= 20 + frames else []
        poses += lifter.add(t / RATE, here)
    return poses + lifter.finish()


def test_whoever_is_lost_ends_and_comes_back_as_the_same_or_as_another():
    soon, late = gone(40), gone(140)
    assert [one.person for one in soon] == [0] * 25
    assert [one.person for one in late] == [0] * 20 + [1] * 5
    # the poses that lacked came once it was clear that nobody would go on
    assert max(one.waited for one in late) == pytest.approx(0.52 + 12 / RATE, abs=0.02)
    assert all(one.score > 0 for one in late)
    ended = whole(np.arange(20) / RATE, JOINTS[:20], down=DOWN).positions
    torch.testing.assert_close(positions_of(late[:20]), ended, atol=SAME, rtol=0)


def test_a_long_pause_of_the_camera_is_no_motion():
    """Nothing is invented between two frames that are ten seconds apart."""
    lifter = LiveLifter(SIZE, down=DOWN)
    assert lifter.add(0.0, [JOINTS[0]], [5]) == []
    (first,) = lifter.add(10.0, [JOINTS[30]], [5])
    (second,) = lifter.finish()
    assert (first.time, second.time, first.person, second.person) == (0.0, 10.0, 5, 5)


def test_joints_below_the_picture_are_as_of_the_whole_film():
    cut = JOINTS[:40].copy()
    cut[:, [COCO_17.index(f"{side}_ankle") for side in ("left", "right")]] = 0
    times = np.arange(40) / RATE
    seen = Keypoints2D(cut[..., :2], cut[..., 2], COCO_17, *SIZE, "film", np.arange(40))
    seen = replace(seen.over(np.arange(40)), times=times)
    (expected,) = lift_people([seen], smooth=False, down=DOWN)
    poses = streamed(LiveLifter(SIZE, down=DOWN), times, cut)
    torch.testing.assert_close(positions_of(poses), expected.positions, atol=SAME, rtol=0)


def test_a_joint_that_is_lost_for_a_moment_hardly_changes_a_pose():
    lost = JOINTS[:50].copy()
    lost[25:35, [COCO_17.index("left_wrist"), COCO_17.index("right_knee")]] = 0
    times = np.arange(50) / RATE
    apart = (
        positions_of(streamed(LiveLifter(SIZE, down=DOWN), times, lost))
        - positions_of(streamed(LiveLifter(SIZE, down=DOWN), times, JOINTS[:50]))
    ).norm(dim=-1)
    assert 0 < apart.mean() < 0.03


def test_people_of_no_joints_and_other_joint_sets():
    lifter = LiveLifter(SIZE, wait=0, skeleton=MEDIAPIPE_33)
    assert lifter.add(0.0, [np.zeros((33, 3))]) == []
    own, coco = (figure(" ".join(s.joints)) for s in (MEDIAPIPE_33, COCO_17))
    own[:, 2] = coco[:, 2] = 0.7
    (one,) = lifter.add(0.1, [own])
    (same,) = LiveLifter(SIZE, wait=0).add(0.1, [coco])
    torch.testing.assert_close(one.positions, same.positions, atol=SAME, rtol=0)


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time", "people", "numbers", "message"),
    [
        (0.0, [JOINTS[0]], None, "time 0"),
        (float("nan"), [JOINTS[0]], None, "time nan"),
        (1.0, [JOINTS[0][:16]], None, r"\(16, 3\), expected \(17, 3\)"),
        (1.0, [JOINTS[0] * np.nan], None, "NaN"),
        (1.0, [-JOINTS[0]], None, "below 0"),
        (1.0, two(0), [4, 4], r"\[4, 4\]"),
        (1.0, two(0), [4], r"\[4\]"),
    ],
)
def test_a_frame_that_is_refused_leaves_no_trace(time, people, numbers, message):
    lifter = LiveLifter(SIZE, down=DOWN, wait=0)
    lifter.add(0.0, [JOINTS[0]])
    with pytest.raises(ValueError, match=message):
        lifter.add(time, people, numbers)
    (one,) = lifter.add(1 / RATE, [JOINTS[1]])
    other = LiveLifter(SIZE, down=DOWN, wait=0)
    other.add(0.0, [JOINTS[0]])
    (same,) = other.add(1 / RATE, [JOINTS[1]])
    assert torch.equal(one.positions, same.positions)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"wait": 14}, "wait=14: expected 0 to 13"),
        ({"wait": -1}, "wait=-1"),
        ({"wait": 2.5}, "wait=2.5"),
        ({"focal": 0.0}, "focal=0"),
        ({"person_height": float("nan")}, "person_height=nan"),
        ({"down": (0, 0, 0)}, "three numbers"),
        ({"size": (0, 10)}, "size="),
    ],
)
def test_numbers_that_no_film_has_are_refused(told, message):
    with pytest.raises(ValueError, match=message):
        LiveLifter(**({"size": SIZE} | told))
