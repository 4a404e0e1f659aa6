"""Labelled subsets: what is labelled and what is not are, together, everything once."""

from collections import Counter
from dataclasses import replace
from itertools import product

import pytest
import samples
import torch

from paperlib.recordings import TENSORS, Dataset, Recording
from paperlib.training import (
    FRACTIONS,
    downsampled,
    split_labels,
    whole_windows,
    withhold_positions,
)

SIDE = replace(samples.CAMERA, name="side")
LENGTHS = {"Walking 1": 40, "Walking 2": 9, "Eating": 57, "Sitting": 3}
# gaps.md, 1.6: the first four bytes of the SHA-256 of "40", "9", "57" and "3", little endian,
# divided by 2^32 - 1
PLACES = {40: 0.8195590, 9: 0.1528068, 57: 0.6109042, 3: 0.5205082}


def recording(subject: str, clip: str, frames: int, camera=samples.CAMERA, fps=50.0) -> Recording:
    """Its frames are numbered: x of every keypoint."""
    number = torch.arange(frames, dtype=torch.float32)[:, None, None]
    seen = {"keypoints": number.expand(frames, 17, 2), "visible": torch.rand(frames, 17) > 0.5}
    seen |= {"positions": number.expand(frames, 17, 3) + 1, "camera": camera, "fps": fps}
    return samples.recording(frames, clip, subject=subject, action=clip, **seen)


def everyone(subjects=("S1", "S5", "S6")) -> tuple[Recording, ...]:
    views = product(subjects, LENGTHS.items(), (samples.CAMERA, SIDE))
    return tuple(recording(subject, *clip, camera) for subject, clip, camera in views)


DATA = Dataset("people", "Made here.", everyone(), everyone(("S9",)))


def numbers(one: Recording) -> list[int]:
    return one.keypoints[:, 0, 0].int().tolist()


def frames_of(recordings) -> Counter:
    """How often each frame of each subject, action and camera is there."""
    return Counter((r.subject, r.action, r.camera.name, n) for r in recordings for n in numbers(r))


@pytest.mark.parametrize("subjects", [["S1"], ["S6", "S1"], ["S1", "S5", "S6"]], ids=str)
@pytest.mark.parametrize("fraction", FRACTIONS)
def test_nothing_is_lost_and_nothing_is_there_twice(fraction, subjects):
    labelled, unlabelled = split_labels(DATA, subjects, fraction)
    assert frames_of([*labelled.train, *unlabelled.train]) == frames_of(DATA.train)
    assert set(frames_of(DATA.train).values()) == {1}
    assert {r.subject for r in labelled.train} == set(subjects)
    assert labelled.test == unlabelled.test == DATA.test


@pytest.mark.parametrize("fraction", FRACTIONS)
def test_of_each_recording_one_piece_in_a_row_is_labelled(fraction):
    labelled, _ = split_labels(DATA, ["S1"], fraction)
    assert len(labelled.train) == 2 * len(LENGTHS)
    of_s1 = [r for r in DATA.train if r.subject == "S1"]
    for whole, piece in zip(of_s1, labelled.train, strict=True):
        assert (piece.action, piece.camera) == (whole.action, whole.camera)
        assert len(piece) == max(1, round(len(whole) * fraction))
        first = numbers(piece)[0]
        assert numbers(piece) == list(range(first, first + len(piece)))
        for field in set(TENSORS) - {"frames"}:
            value = getattr(whole, field)
            if value is not None:
                assert torch.equal(getattr(piece, field), value[first : first + len(piece)])


@pytest.mark.parametrize(
    ("frames", "fraction", "first", "length"),
    [
        (40, 0.25, 25, 10),  # 0.81956 x 31 places a piece of 10 fits in
        (40, 0.5, 17, 20),  # 0.81956 x 21
        (9, 0.3, 1, 3),  # 2.7 frames; 0.15281 x 7
        (9, 0.05, 1, 1),  # 0.45 frames, but one at least; 0.15281 x 9
        (57, 0.5, 18, 28),  # 28.5 frames, to the even number; 0.61090 x 30
        (57, 0.1, 31, 6),  # 5.7 frames; 0.61090 x 52
        (3, 0.001, 1, 1),  # 0.52051 x 3
    ],
)
def test_where_a_piece_begins_by_hand(frames, fraction, first, length):
    assert int(PLACES[frames] * (frames - length + 1)) == first
    one = Dataset("one", "Made here.", (recording("S1", "Walking", frames),), ())
    labelled, unlabelled = split_labels(one, ["S1"], fraction)
    (piece,) = labelled.train
    assert numbers(piece) == list(range(first, first + length))
    rest = [numbers(r) for r in unlabelled.train]
    assert rest == [list(range(first)), list(range(first + length, frames))]


def test_all_views_of_a_clip_are_cut_at_the_same_place():
    for part in split_labels(DATA, ["S1", "S5"], 0.1):
        views = {}
        for r in part.train:
            views.setdefault((r.subject, r.clip), {})[r.camera.name] = numbers(r)
        for seen in views.values():
            assert set(seen) == {"front", "side"}
            assert seen["front"] == seen["side"]


def test_whole_subjects_are_left_as_they_are():
    labelled, unlabelled = split_labels(DATA, ["S5"])
    assert labelled.train == tuple(r for r in DATA.train if r.subject == "S5")
    assert unlabelled.train == tuple(r for r in DATA.train if r.subject != "S5")


def test_a_piece_says_which_frames_it_holds():
    labelled, unlabelled = split_labels(DATA, ["S1"], 0.25)
    clips = {r.clip for p in (labelled, unlabelled) for r in p.train if r.subject == "S1"}
    assert {"Walking 1#0-25", "Walking 1#25-35", "Walking 1#35-40"} <= clips
    everywhere = [r.name for r in (*labelled.train, *unlabelled.train)]
    assert len(set(everywhere)) == len(everywhere)


def test_the_parts_say_what_they_are():
    labelled, unlabelled = split_labels(DATA, ["S1", "S6"], 0.001)
    assert labelled.name == "people-labelled"
    assert unlabelled.name == "people-unlabelled"
    assert labelled.source == "Made here. Labelled: 0.1 % of S1, S6."
    assert unlabelled.source == "Made here. Without labels: all but 0.1 % of S1, S6."
    assert labelled.fingerprint != unlabelled.fingerprint


def test_everything_labelled_leaves_nothing():
    labelled, unlabelled = split_labels(DATA, ["S1", "S5", "S6"])
    assert labelled.train == DATA.train
    assert unlabelled.train == ()


@pytest.mark.parametrize("fraction", [0, -0.1, 1.01, float("nan")])
def test_fractions_that_are_none_are_refused(fraction):
    with pytest.raises(ValueError, match=r"a fraction in \(0, 1\]"):
        split_labels(DATA, ["S1"], fraction)


def test_subjects_that_are_not_there_to_learn_from_are_refused():
    with pytest.raises(ValueError, match="name some of S1, S5, S6"):
        split_labels(DATA, [])
    for stranger in ("S9", "S7"):  # the first is there, but to be judged by
        with pytest.raises(ValueError, match=f"unknown subject '{stranger}'.*'S1', 'S5', 'S6'"):
            split_labels(DATA, ["S1", stranger])


def test_pieces_are_long_enough_and_keep_the_share():
    lengths = [100, 60, 140, 80, 90, 20] * 20  # frames: 9,800 in all
    clips = [(f"{number:03d}", frames) for number, frames in enumerate(lengths)]
    views = [recording("S1", *clip, view) for clip in clips for view in (samples.CAMERA, SIDE)]
    long = Dataset("many", "Made here.", (*views, recording("S5", "Eating", 50)), ())
    for fraction, least in ((0.05, 81), (0.01, 27), (0.1, 40), (0.001, 3)):
        labelled, rest = split_labels(long, ["S1"], fraction, least=least)
        pieces = [len(r) for r in labelled.train]
        whole = {name: frames for name, frames in clips}
        for piece in labelled.train:
            assert len(piece) == min(least, whole[piece.action])
        assert sum(pieces) == pytest.approx(2 * 9800 * fraction, abs=least + 1)
        assert frames_of([*labelled.train, *rest.train]) == frames_of(long.train)
        seen = Counter(r.clip for r in labelled.train)
        assert set(seen.values()) == {2}  # both views, cut alike
        where = [int(r.action) for r in labelled.train]
        gaps = [b - a for a, b in zip(where[::2], where[2::2], strict=False)]
        assert max(gaps) <= 2 * sum(gaps) / len(gaps) + 2  # spread evenly


@pytest.mark.parametrize(
    ("fraction", "least", "labelled"),
    [
        (0.5, 0, [20, 4, 28, 2]),
        (0.5, 1, [20, 4, 28, 2]),  # each is as long already
        (0.5, 20, [20, 9, 28]),  # 4.5 frames of 9 are enough for all 9, and leave none for the 3
        (0.01, 20, [20]),  # one at least
        (1.0, 1000, [40, 9, 57, 3]),
    ],
)
def test_which_clips_have_a_piece_by_hand(fraction, least, labelled):
    part, _ = split_labels(DATA, ["S1"], fraction, least=least)
    assert [len(r) for r in part.train if r.camera.name == "front"] == labelled


def test_pieces_of_fewer_frames_are_as_long_in_those():
    one = Dataset("two", "Made here.", tuple(recording("S1", f"{n}", 200) for n in range(20)), ())
    labelled, _ = split_labels(one, ["S1"], 0.05, 10.0, least=9)
    assert {len(r) for r in labelled.train} == {9}
    assert len(labelled.train) == pytest.approx(0.05 * 20 * 40 / 9, abs=1)


# ---- fewer frames --------------------------------------------------------------------------------


def test_every_fifth_frame_of_everything():
    fewer = downsampled(DATA)
    assert fewer.name == "people-10hz"
    assert fewer.source == "Made here. Every 5th frame, 10 Hz."
    assert downsampled(fewer) is fewer
    assert downsampled(DATA, 25).source == "Made here. Every second frame, 25 Hz."
    for part in ("train", "test"):
        for one, whole in zip(fewer.split(part), DATA.split(part), strict=True):
            assert (one.name, one.fps) == (whole.name, 10.0)
            assert numbers(one) == list(range(0, len(whole), 5))
            assert torch.equal(one.positions, whole.positions[::5])
            assert torch.equal(one.visible, whole.visible[::5])


@pytest.mark.parametrize(
    ("frames", "fraction", "labelled"),
    [
        (40, 0.25, range(25, 35, 5)),  # 2 of 8 steps; 0.81956 x 31 places for 10 frames
        (57, 0.5, range(17, 47, 5)),  # 5.5 of 11 steps, to the even number; 0.61090 x 28
        (57, 0.01, range(32, 37, 5)),  # one step at least; 0.61090 x 53
        (57, 1.0, range(0, 57, 5)),
        (3, 0.5, range(0, 3, 5)),  # shorter than a step
    ],
)
def test_pieces_of_fewer_frames_are_cut_before_by_hand(frames, fraction, labelled):
    one = Dataset("one", "Made here.", (recording("S1", "Walking", frames),), ())
    part, rest = split_labels(one, ["S1"], fraction, 10.0)
    assert [numbers(r) for r in part.train] == [list(labelled)]
    assert {r.fps for r in (*part.train, *rest.train)} <= {10.0}
    assert not set(labelled) & {n for r in rest.train for n in numbers(r)}


def test_a_frame_rate_that_cannot_be_had_is_refused_in_splitting():
    with pytest.raises(ValueError, match="cannot bring"):
        split_labels(DATA, ["S1"], 0.5, 20.0)


def test_recordings_of_other_frame_rates_come_to_the_same():
    faster = recording("S7", "Running", 13, fps=60.0)
    both = downsampled(replace(DATA, train=(*DATA.train, faster)), 10.0)
    assert numbers(both.train[-1]) == [0, 6, 12]
    assert {r.fps for r in both.train} == {10.0}
    alone = recording("S7", "Jumping", 13, fps=60.0)
    both = downsampled(replace(DATA, unseen=(alone,)), 10.0)
    assert (both.unseen[0].fps, numbers(both.unseen[0])) == (10.0, [0, 6, 12])
    with pytest.raises(ValueError, match=r"cannot bring \[50.0, 60.0\] Hz to 25"):
        downsampled(replace(DATA, unseen=(alone,)), 25.0)
    with pytest.raises(ValueError, match="no recordings"):
        downsampled(Dataset("none", "Made here.", (), ()), 10.0)


def test_the_frame_rate_it_has_already_changes_no_frame():
    same = downsampled(DATA, 50.0)
    assert [numbers(r) for r in same.train] == [numbers(r) for r in DATA.train]


@pytest.mark.parametrize("fps", [100.0, 20.0, 49.0, -10.0, 0.0, float("nan")])
def test_frame_rates_that_frames_would_have_to_be_invented_for_are_refused(fps):
    with pytest.raises(ValueError, match=rf"cannot bring \[50.0\] Hz to {fps:g}"):
        downsampled(DATA, fps)


def test_withheld_takes_have_no_3d_and_are_in_no_other_part():
    with_3d, flat = withhold_positions(DATA)
    assert frames_of([*with_3d.train, *flat.train]) == frames_of(DATA.train)
    takes = [{(r.action, r.take) for r in part.train} for part in (with_3d, flat)]
    # of Eating, Sitting, Walking 1 and Walking 2
    assert {action for action, _ in takes[1]} == {"Sitting", "Walking 2"}
    assert takes[0].isdisjoint(takes[1])
    assert all(r.positions is None and r.depths is None for r in flat.train)
    assert all(r.visible is not None for r in flat.train)
    assert all(r.positions is not None for r in with_3d.train)
    assert with_3d.test == flat.test == DATA.test
    assert "2 of 4 training takes without their 3D" in flat.source
    assert len({DATA.fingerprint, with_3d.fingerprint, flat.fingerprint}) == 3


def test_pieces_of_a_take_and_bodies_that_replay_it_are_withheld_together():
    made = [
        replace(recording(body, f"{clip}#{piece}", 5), action="walk")
        for body, clip, piece in product(("S1", "S5"), ("a", "b", "c"), (0, 1))
    ]
    with_3d, flat = withhold_positions(replace(DATA, train=tuple(made)), every=3)
    assert {r.take for r in flat.train} == {"c"} and len(flat.train) == 4
    assert {r.take for r in with_3d.train} == {"a", "b"} and len(with_3d.train) == 8


@pytest.mark.parametrize("every", [0, 1, 5, 2.0])
def test_neither_part_may_be_empty(every):
    with pytest.raises(ValueError, match=r"people: every .*th of 4 training takes"):
        withhold_positions(DATA, every)


# ---- whole windows -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "starts"),
    [
        (40, {"Walking 1": [0], "Eating": [0, 17]}),
        (20, {"Walking 1": [0, 20], "Eating": [0, 18, 37]}),  # 37 frames of room, in two steps
        (9, {"Walking 1": [0, 7, 15, 23, 31], "Walking 2": [0], "Eating": range(0, 49, 8)}),
    ],
)
def test_windows_lie_within_recordings_and_hold_every_frame(length, starts):
    cut = whole_windows(DATA, length)
    assert cut.test == DATA.test and len({r.name for r in cut.train}) == len(cut.train)
    found = {}
    for piece in cut.train:
        first = numbers(piece)[0]
        assert numbers(piece) == list(range(first, first + length))
        found.setdefault((piece.subject, piece.action, piece.camera.name), []).append(first)
    there = {key: list(starts[key[1]]) for key in found}
    assert found == there and len(found) == 3 * 2 * len(starts)
    long = [r for r in DATA.train if len(r) >= length]
    assert frames_of(cut.train).keys() == frames_of(long).keys()
    assert f"{len(DATA.train) - len(long)} of 24 training recordings are shorter" in cut.source


@pytest.mark.parametrize(
    "cut", [lambda d: whole_windows(d, 20), lambda d: split_labels(d, ["S1", "S5", "S6"], 0.3)[1]]
)
def test_pieces_of_one_take_stay_together_whatever_is_held_out(cut):
    """They overlap, or are a frame apart: a model would be judged on what it has learnt."""
    pieces = cut(DATA)
    validation, (with_3d, flat) = pieces.validation(3), withhold_positions(pieces)
    for one, other in ((validation.train, validation.test), (with_3d.train, flat.train)):
        takes = [{(r.subject, r.action) for r in part} for part in (one, other)]  # one of each
        assert takes[0] and takes[1] and takes[0].isdisjoint(takes[1])


@pytest.mark.parametrize("length", [0, -3, 2.0, None])
def test_windows_of_no_frames_are_refused(length):
    with pytest.raises(ValueError, match="whole number of frames from 1, got length="):
        whole_windows(DATA, length)


def test_windows_longer_than_all_recordings_are_refused():
    with pytest.raises(ValueError, match=r"no training recording has the 58 frames .* has 57"):
        whole_windows(DATA, 58)
