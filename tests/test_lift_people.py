from dataclasses import replace

import numpy as np
import pytest
import torch
from samples import CAMERA

from paperlib import datasets
from paperlib.cameras import Camera, project, world_to_camera
from paperlib.detection.coco import coco_points
from paperlib.detection.resampling import sampled
from paperlib.detection.sequences import Keypoints2D
from paperlib.kinematics import rotation_about, rotation_apply
from paperlib.lifting import lift_people, placed
from paperlib.recordings import Recording
from paperlib.skeletons import COCO_17, H36M_17
from paperlib.windows.keypoints import mirror

RATE = 50


@pytest.fixture(scope="module")
def walker() -> Recording:
    """Somebody of the embedded data, which the shipped model has not learnt from."""
    return datasets.load("synthetic", small=True).test[0]


def found(positions, camera, name="film", every=1, score=0.9, **about) -> Keypoints2D:
    """What an exact detector says of positions ``(T, 17, 3)`` at every so-many-th frame."""
    points = project(coco_points(positions[::every]), camera).numpy()
    scores = np.full(points.shape[:2], score)
    frames = np.arange(len(points))
    return Keypoints2D(points, scores, COCO_17, camera.width, camera.height, name, frames, **about)


def error(lifted, positions) -> float:
    """MPJPE, mm."""
    pose = positions - positions[:, :1]
    return 1000 * (lifted.pose - pose).norm(dim=-1).mean().item()


def test_a_pose_is_put_where_it_is_seen(walker):
    coco = project(coco_points(walker.positions), walker.camera)
    film = walker.with_keypoints(coco, torch.ones(coco.shape[:2]), COCO_17)
    torch.testing.assert_close(placed(walker.pose, film), walker.trajectory, atol=2e-3, rtol=0)


def test_a_person_is_lifted(walker):
    (one,) = lift_people([found(walker.positions, walker.camera)], RATE)
    focal = walker.camera.focal[0]
    (told,) = lift_people([found(walker.positions, walker.camera)], RATE, focal=focal)
    assert one.positions.shape == walker.positions.shape
    assert error(one, walker.positions) < 75
    flat = walker.pose * torch.tensor([1.0, 1.0, 0.0])
    assert error(told, walker.positions) < 0.6 * 1000 * (flat - walker.pose).norm(dim=-1).mean()
    # as far away as they are, as well as somebody of another height can be placed
    away = (told.positions[:, 0, 2] / walker.trajectory[:, 2]).median().item()
    assert 0.8 < away < 1.25


def test_a_guessed_focal_length_hardly_matters(walker):
    camera = walker.camera
    people = [found(walker.positions, camera)]
    longer = max(camera.width, camera.height)
    errors = [
        error(lift_people(people, RATE, focal=share * longer)[0], walker.positions)
        for share in (0.85, 1.0, 1.2)
    ]
    assert max(errors) - min(errors) < 3


def test_a_portrait_film_of_a_rolled_camera(walker):
    camera = Camera("phone", 1080, 1920, (1700.0, 1700.0), (540.0, 960.0))
    roll = rotation_about("z", torch.tensor(0.12))  # 7 degrees
    rolled = rotation_apply(roll, walker.positions)
    (one,) = lift_people([found(rolled, camera)], RATE, focal=1700.0)
    assert error(one, rolled) < 85
    # told where down is, nothing else than the roll is gone
    down = rotation_apply(roll, torch.tensor([0.0, 1.0, 0.0])).tolist()
    told = {"fps": RATE, "focal": 1700.0}
    (level,) = lift_people([found(walker.positions, camera)], **told, down=(0.0, 1.0, 0.0))
    (tilted,) = lift_people([found(rolled, camera)], **told, down=down)
    torch.testing.assert_close(tilted.upright, level.upright, atol=0.02, rtol=0)


@pytest.mark.parametrize("fps", [25, 30, 120])
def test_the_rate_of_the_film(walker, fps):
    """The same motion at another rate: as many poses as frames, and as good ones."""
    times = np.arange(0, (len(walker) - 1) / RATE, 1 / fps)
    positions = sampled(walker.positions.numpy(), np.arange(len(walker)) / RATE, times)
    positions = torch.from_numpy(positions).float()
    (one,) = lift_people([found(positions, walker.camera)], fps)
    assert len(one.frames) == len(times)
    (right,) = lift_people([found(walker.positions, walker.camera)], RATE)
    assert abs(error(one, positions) - error(right, walker.positions)) < 6


def test_people_keep_frames_and_gaps(walker):
    seen = found(walker.positions, walker.camera, track=7)
    scores = seen.confidence.copy()
    scores[20:35] = 0
    keypoints = seen.keypoints.copy()
    keypoints[20:35] = keypoints[19]  # what a gap was filled with
    frames = np.arange(len(walker)) + 300
    gone = replace(seen, confidence=scores, keypoints=keypoints, frames=frames)
    (one,) = lift_people([gone], RATE)
    assert one.track == 7 and one.frames[0] == 300
    assert (one.scores[20:35] == 0).all() and one.scores[0] > 0.5
    assert torch.isfinite(one.positions).all()
    # somebody goes on behind what hides them, and does not stand still to jump at the end
    steps = one.positions[:, 0].diff(dim=0).norm(dim=-1)
    assert steps.max() < 0.15


def test_feet_below_the_rim_of_the_picture(walker):
    """The legs of somebody whose feet are never seen go on, and the rest hardly changes."""
    seen = found(walker.positions, walker.camera)
    scores = seen.confidence.copy()
    scores[:, [COCO_17.index(f"{side}_ankle") for side in ("left", "right")]] = 0
    cut = replace(seen, confidence=scores).over(seen.frames)
    told = {"fps": RATE, "down": (0.0, 1.0, 0.0)}
    (whole,), (lacking,) = lift_people([seen], **told), lift_people([cut], **told)
    apart = (whole.pose - lacking.pose).norm(dim=-1).mean(dim=0)
    feet = [H36M_17.index(f"{side}_ankle") for side in ("left", "right")]
    assert apart.mean() < 0.08 and apart[feet].max() < 0.25
    assert lacking.scores.max() < whole.scores.min()


def test_height(walker):
    people = [found(walker.positions, walker.camera)]
    (average,) = lift_people(people, RATE)
    (small,) = lift_people(people, RATE, person_height=1.0)
    torch.testing.assert_close(small.pose, average.pose / average.height, atol=2e-3, rtol=0.01)
    assert small.height == 1.0 and 1.4 < average.height < 2.1


def test_the_mirror_image_is_lifted_to_the_mirror_image(walker):
    camera = replace(CAMERA, width=1000)
    positions = walker.positions
    left, right = (
        lift_people([found(p, camera)], RATE, focal=1100.0)[0].pose
        for p in (positions, mirror(positions, H36M_17))
    )
    torch.testing.assert_close(mirror(left, H36M_17), right, atol=2e-3, rtol=0)


@pytest.mark.parametrize("length", [1, 2])
def test_very_short_films(walker, length):
    (one,) = lift_people([found(walker.positions[:length], walker.camera)], RATE)
    assert one.positions.shape == (length, 17, 3) and torch.isfinite(one.positions).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fps": 0}, "fps=0"),
        ({"fps": float("nan")}, "fps=nan"),
        ({"fps": 50, "focal": -1.0}, "focal=-1"),
        ({"fps": 50, "person_height": float("inf")}, "person_height=inf"),
    ],
)
def test_numbers_that_no_film_has(walker, options, message):
    with pytest.raises(ValueError, match=message):
        lift_people([found(walker.positions, walker.camera)], **options)


def test_the_size_of_pictures_must_be_known(walker):
    unknown = replace(found(walker.positions, walker.camera), width=None, height=None)
    with pytest.raises(ValueError, match="size="):
        lift_people([unknown], RATE)
    with pytest.raises(ValueError, match="three numbers"):
        lift_people([found(walker.positions[:2], walker.camera)], RATE, down=(0, 0, 0))


def test_people_beside_the_picture_are_refused(walker):
    """A size that is of another film, or whose sides were exchanged."""
    one = found(walker.positions, walker.camera)
    with pytest.raises(ValueError, match=r"outside of pictures of size 300 x 200: are these"):
        lift_people([one], RATE, (300, 200))
    off = replace(one, keypoints=one.keypoints.copy(), confidence=one.confidence.copy())
    off.keypoints[:, 11:] += 2000  # the legs are below the rim
    lift_people([off], RATE)


def test_where_down_is(walker):
    """Where people stand, nobody need tell."""
    up = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    high, low = world_to_camera(up, walker.camera)
    (one,) = lift_people([found(walker.positions, walker.camera)], RATE)
    assert torch.dot(torch.tensor(one.down), low - high) > np.cos(np.radians(8))
    (told,) = lift_people([found(walker.positions, walker.camera)], RATE, down=2 * (low - high))
    assert told.down == pytest.approx((low - high).tolist(), abs=1e-5)
    ahead = one.upright[:, 0, 1].median()  # of the camera, which looks along y
    assert ahead > 0.7 * walker.positions[:, 0].norm(dim=-1).median()
    head, foot = (H36M_17.index(joint) for joint in ("head_top", "left_ankle"))
    assert (one.upright[:, head, 2] - one.upright[:, foot, 2]).median() > 1.0
