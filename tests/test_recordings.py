"""Recordings refuse what is wrong where it enters, never change, and are split by clip."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch
from samples import CAMERA, recording

from paperlib.recordings import TENSORS, Dataset, PerFrame, Recording, count_frames
from paperlib.skeletons import COCO_17, HUMANEVA_15

SIDE = replace(CAMERA, name="side")


# ---- one recording -------------------------------------------------------------------------------


def test_a_recording_knows_its_name_and_length():
    one = recording(camera=SIDE, person=2)
    assert one.name == "S1/walking/take1/side/2"
    assert len(one) == 6
    assert repr(one) == "Recording('S1/walking/take1/side/2', 6 frames at 50 Hz)"
    assert count_frames([one, recording(4)]) == 10


def test_pose_and_trajectory_add_up_to_the_positions():
    one = recording()
    assert torch.equal(one.trajectory, one.positions[:, 0])
    assert torch.equal(one.pose[:, 0], torch.zeros(6, 3))
    torch.testing.assert_close(one.pose + one.trajectory[:, None], one.positions)


def test_the_root_is_the_skeletons():
    shifted = replace(HUMANEVA_15, name="other", parents=(1, -1, *HUMANEVA_15.parents[2:]))
    one = recording(skeleton=shifted, positions=torch.randn(6, 15, 3))
    assert torch.equal(one.trajectory, one.positions[:, 1])
    assert torch.equal(one.pose[:, 1], torch.zeros(6, 3))


OTHER_SHAPES = {"positions": (6, 16, 3), "keypoints": (6, 17, 3), "confidence": (5, 17)}
OTHER_SHAPES |= {"visible": (6, 15), "depths": (6, 17, 1), "frames": (5,)}


@pytest.mark.parametrize(("field", "shape"), OTHER_SHAPES.items())
def test_wrong_shapes_are_refused(field, shape):
    with pytest.raises(ValueError) as error:
        recording(**{field: torch.zeros(shape)})
    message = str(error.value)
    assert "S1/walking/take1/front/0" in message
    assert f"{field} has shape {shape}, expected (6," in message
    assert "17 joints of h36m_17" in message


def test_keypoints_may_be_of_another_joint_set_than_positions():
    positions = torch.randn(6, 15, 3)
    one = recording(positions=positions, skeleton=HUMANEVA_15, keypoint_skeleton=COCO_17)
    assert one.pose.shape == (6, 15, 3)
    with pytest.raises(ValueError, match=r"\(6, 17, 3\), expected \(6, 15, 3\)"):
        recording(skeleton=HUMANEVA_15)


def test_numbers_of_any_kind_are_kept_in_one():
    pixels = torch.randint(0, 1000, (6, 17, 2))
    given = {"keypoints": pixels, "confidence": np.ones((6, 17)), "frames": np.arange(6)}
    given |= {"positions": recording().positions.double(), "visible": torch.ones(6, 17).byte()}
    one = recording(**given)
    for field in ("keypoints", "confidence", "positions"):
        assert getattr(one, field).dtype == torch.float32
    assert (one.visible.dtype, one.frames.dtype) == (torch.bool, torch.int64)
    assert torch.equal(one.keypoints, pixels.float()) and not (~one.visible).any()
    with pytest.raises(ValueError, match="expected a tensor or an array of numbers, got str"):
        recording(keypoints="no")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("field", ["positions", "keypoints", "confidence", "depths"])
def test_numbers_that_are_none_are_refused(field, value):
    numbers = getattr(recording(depths=torch.rand(6, 17)), field).clone()
    numbers[4].view(-1)[-1] = value
    with pytest.raises(ValueError) as error:
        recording(**{field: numbers})
    message = str(error.value)
    assert message.startswith(f"S1/walking/take1/front/0: {field} has NaN or infinite values")
    assert "in 1 of 6 frames, the first is frame 4" in message


NAMED = "S1/walking/take1/front/0"


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (lambda: recording(0), f"{NAMED}: a sequence of no frames"),
        (lambda: recording().cut(6, 9), "no frames"),
        (lambda: recording().cut(2, 2), "no frames"),
        (lambda: recording(fps=0.0), f"{NAMED}: .* frames per second"),
        (lambda: recording(fps=-50.0), f"{NAMED}: .* frames per second"),
        (lambda: recording(fps=float("nan")), f"{NAMED}: .* frames per second"),
        (lambda: recording(fps=float("inf")), f"{NAMED}: .* frames per second"),
        (lambda: recording(heatmaps=torch.zeros(6, 17, 4, 4)), "heatmaps must be a PerFrame"),
        (lambda: dataset().split("val"), r"unknown split 'val'.*'train', 'test'"),
        (lambda: dataset(train=clips(1) + clips(1)), "tiny: two train recordings share a name"),
        (lambda: dataset(test=clips(1) + clips(1)), "tiny: two test recordings share a name"),
        (lambda: dataset(test=clips(2)[2:]), rf"in train and in test: \['{NAMED}'"),
        (lambda: dataset().validation(0), "every"),
        (lambda: dataset().validation(1), "every"),
        (lambda: dataset().validation(5), "every"),  # of four clips
    ],
)
def test_what_makes_no_recording_or_data_set_is_refused(attempt, said):
    with pytest.raises(ValueError, match=said):
        attempt()


@pytest.mark.parametrize(
    ("field", "value"), [("confidence", 5.0), ("confidence", -0.1), ("positions", 1e30)]
)
def test_values_without_sense_are_refused(field, value):
    numbers = getattr(recording(), field).clone()
    numbers.view(-1)[7] = value
    with pytest.raises(ValueError, match=f"front/0: {field} goes from .*, expected "):
        recording(**{field: numbers})


def test_a_recording_cannot_be_changed():
    one = recording()
    with pytest.raises(FrozenInstanceError):
        one.fps = 25.0
    with pytest.raises(FrozenInstanceError):
        one.positions = torch.zeros(6, 17, 3)


def numbered() -> PerFrame:
    """Heatmaps of 4 x 4 pixels that hold the number of their frame."""
    return PerFrame("numbers", lambda chosen: chosen[:, None, None, None].expand(-1, 17, 4, 4))


def test_a_cut_is_of_everything_alike():
    more = {"visible": torch.rand(12, 17) < 0.5, "depths": torch.rand(12, 17)}
    more |= {"crops": torch.rand(12, 3)}
    one = recording(12, frames=torch.arange(100, 112), heatmaps=numbered(), **more)
    cut = one.cut(2, 11, 3)
    assert (len(cut), cut.fps) == (3, 50 / 3)
    assert (len(one), one.fps) == (12, 50.0)
    for field in TENSORS:
        assert torch.equal(getattr(cut, field), getattr(one, field)[[2, 5, 8]])
    assert cut.heatmaps(torch.arange(3))[:, 0, 0, 0].tolist() == [2, 5, 8]
    assert cut.cut(1, 3).heatmaps(torch.tensor([1, 0]))[:, 3, 1, 2].tolist() == [8, 5]
    assert recording().cut(1, 3).visible is None


def test_heatmaps_are_computed_for_the_frames_that_are_asked_for_alone():
    asked = []

    def compute(frames):
        asked.extend(frames.tolist())
        return torch.zeros(len(frames), 17, 4, 4)

    one = recording(1000, heatmaps=PerFrame("zeros", compute))
    assert one.cut(500, 600).heatmaps(torch.tensor([3, 7])).shape == (2, 17, 4, 4)
    assert dataset(train=(one,)).fingerprint
    assert asked == [503, 507]


def test_a_recording_without_positions_is_one_that_nobody_can_be_judged_by():
    film = recording(7, positions=None, frames=torch.arange(30, 37))
    assert len(film) == 7 and film.cut(2, 7, 2).frames.tolist() == [32, 34, 36]
    assert film.with_keypoints(film.keypoints, film.confidence).positions is None
    assert dataset(train=(film,)).fingerprint != dataset(train=(recording(7),)).fingerprint
    for wanted in ("truth", "pose", "trajectory"):
        with pytest.raises(ValueError, match="S1/walking/take1/front/0 has no 3D positions"):
            getattr(film, wanted)


def test_found_and_score_are_the_detectors():
    confidence = torch.zeros(6, 17)
    confidence[2, 4], confidence[3] = 0.34, 0.5
    one = recording(confidence=confidence)
    assert one.found.tolist() == [False, False, True, True, False, False]
    torch.testing.assert_close(one.score, torch.tensor([0, 0, 0.02, 0.5, 0, 0]))


def test_another_detectors_keypoints_replace_the_old_ones():
    one = recording()
    points, score = torch.rand(6, 15, 2), torch.rand(6, 15)
    other = one.with_keypoints(points, score, HUMANEVA_15)
    assert other.keypoint_skeleton == HUMANEVA_15
    assert torch.equal(other.keypoints, points)
    assert torch.equal(other.confidence, score)
    assert other.positions is one.positions
    assert one.keypoints.shape == (6, 17, 2)
    with pytest.raises(ValueError, match=r"has shape \(6, 15, 2\), expected \(6, 17, 2\)"):
        one.with_keypoints(points, score)


def test_another_detectors_keypoints_come_without_the_olds_heatmaps_and_depths():
    one = recording(heatmaps=numbered(), crops=torch.rand(6, 3), depths=torch.rand(6, 17))
    other = one.with_keypoints(torch.rand(6, 15, 2), torch.rand(6, 15), HUMANEVA_15)
    assert other.heatmaps is None and other.crops is None
    assert other.depths is None


# ---- a data set ----------------------------------------------------------------------------------


def clips(count: int, subject: str = "S1", cameras=(CAMERA, SIDE)) -> tuple[Recording, ...]:
    return tuple(
        recording(subject=subject, clip=f"take{i}", camera=camera)
        for i in range(count)
        for camera in cameras
    )


def dataset(**changes) -> Dataset:
    fields = {"name": "tiny", "source": "Made up.", "train": clips(4), "test": clips(2, "S9")}
    return Dataset(**(fields | changes))


def test_a_dataset_has_two_parts():
    data = dataset()
    assert data.split("train") is data.train
    assert data.split("test") is data.test
    assert data.skeleton.name == data.keypoint_skeleton.name == "h36m_17"
    assert repr(data) == "Dataset('tiny', 8 train, 4 test recordings)"
    assert dataset(train=()).skeleton.name == "h36m_17"


def test_a_step_is_done_to_every_recording():
    data = dataset()
    shorter = data.map(lambda r: r.cut(0, 2))
    assert [len(r) for r in shorter.train + shorter.test] == [2] * 12
    assert [r.name for r in shorter.train] == [r.name for r in data.train]
    assert [len(r) for r in data.train] == [6] * 8


def test_recordings_are_selected_in_both_parts():
    front = dataset().select(lambda r: r.camera.name == "front")
    assert [r.name for r in front.train] == [f"S1/walking/take{i}/front/0" for i in range(4)]
    assert len(front.test) == 2


def test_actions_nobody_learnt_from_are_a_part_of_their_own():
    walk, run, kick = (recording(action=action) for action in ("walking", "running", "kicking"))
    data = Dataset("d", "made up", (walk,), (run,), unseen=(kick,))
    assert data.split("unseen") == (kick,)
    shorter = data.map(lambda r: r.cut(0, 3))
    assert [len(r) for r in shorter.unseen] == [3]
    assert data.select(lambda r: r.action != "kicking").unseen == ()
    without = replace(data, unseen=())
    assert without.fingerprint != data.fingerprint != shorter.fingerprint
    assert Dataset("d", "made up", (walk,), (run,)).fingerprint == without.fingerprint
    two = replace(data, train=(walk, recording(clip="take2")))
    assert two.validation(2).unseen == ()  # choices are not made on what nobody learnt from
    with pytest.raises(ValueError, match=r"not unseen, since in train or test: \['walking'\]"):
        replace(data, unseen=(recording(clip="take2"),))
    with pytest.raises(ValueError, match="two unseen recordings share a name"):
        replace(data, unseen=(kick, kick))
    with pytest.raises(ValueError, match="in test and in unseen"):
        replace(data, unseen=(run,))


def test_a_take_is_what_pieces_were_cut_from():
    assert recording(clip="walk_1#2").take == recording(clip="walk_1").take == "walk_1"


def test_validation_keeps_the_pieces_of_a_take_together():
    pieces = [recording(clip=f"walk_{take}#{piece}") for take in range(4) for piece in (1, 2)]
    held = dataset(train=tuple(pieces)).validation(2)
    assert {r.take for r in held.test} == {"walk_1", "walk_3"}
    assert len(held.test) == len(held.train) == 4


@pytest.mark.parametrize("every", [2, 3, 5])
def test_validation_holds_out_whole_clips_of_the_training_part(every):
    data = dataset(train=clips(10))
    held = data.validation(every)

    def clips_of(part):
        return {(r.subject, r.action, r.clip) for r in part}

    assert clips_of(held.train).isdisjoint(clips_of(held.test))
    assert len(clips_of(held.test)) == 10 // every
    for part in (held.train, held.test):  # each clip with both its cameras
        assert len(part) == 2 * len(clips_of(part))
    assert sorted(r.name for r in held.train + held.test) == sorted(r.name for r in data.train)
    assert {r.subject for r in held.train + held.test} == {"S1"}
    assert held.name == "tiny-validation"
    assert held.source.startswith(data.source)
    assert f"every {every}" in held.source


def test_validation_does_not_depend_on_the_order_of_recordings():
    data = dataset(train=clips(10))
    turned = replace(data, train=data.train[::-1])
    assert {r.name for r in data.validation().test} == {r.name for r in turned.validation().test}


# ---- the fingerprint -----------------------------------------------------------------------------


def test_fingerprint_follows_the_order_as_batches_do():
    data = dataset()
    turned = replace(data, train=data.train[::-1])
    assert turned.fingerprint != data.fingerprint == replace(data).fingerprint
    assert len(data.fingerprint) == 16


def touched(numbers: torch.Tensor) -> torch.Tensor:
    numbers = numbers.clone()
    numbers.view(-1)[-1] += 0.25
    return numbers


CHANGES = {  # the other value of a recording's field
    "positions": lambda r: touched(r.positions),
    "keypoints": lambda r: touched(r.keypoints),
    "confidence": lambda r: touched(r.confidence),
    "fps": lambda r: 25.0,
    "camera": lambda r: replace(r.camera, focal=(1100.5, 1100.0)),
    "action": lambda r: "Sitting",
    "keypoint_skeleton": lambda r: COCO_17,
    "visible": lambda r: torch.ones(len(r), 17, dtype=torch.bool),
    "depths": lambda r: torch.ones(len(r), 17),
    "heatmaps": lambda r: numbered(),
    "crops": lambda r: torch.ones(len(r), 3),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("part", ["train", "test"])
def test_fingerprint_changes_with_the_data(part, change):
    data = dataset()
    first, *others = data.split(part)
    other = replace(first, **{change: CHANGES[change](first)})
    changed = replace(data, **{part: (other, *others)})
    assert changed.fingerprint != data.fingerprint


def test_fingerprint_changes_when_a_recording_changes_sides():
    everything = clips(3)
    one = dataset(train=everything[:4], test=everything[4:])
    other = dataset(train=everything[:2], test=everything[2:])
    assert one.fingerprint != other.fingerprint
    assert dataset().fingerprint != dataset(name="other").fingerprint
