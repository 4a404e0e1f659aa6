"""The parts of BlazePose that take neither its networks nor LiteRT, on cases worked out by hand."""

import math

import numpy as np
import pytest

from paperlib.detection.blazepose import (
    detector,
    faults,
    landmarks,
    others,
    regions,
    smoothing,
    tracks,
)
from paperlib.detection.blazepose.regions import Region
from paperlib.detection.files.joint_sets import MEDIAPIPE_33


def logit(share):
    return np.log(share / (1 - np.asarray(share, dtype=float)))


# --- the detector --------------------------------------------------------------------------------


def test_anchors_are_the_middles_of_the_grids():
    places = detector.anchors()
    assert places.shape == (2254, 2)
    # 28 x 28 places of two anchors each, then 14 x 14, then 7 x 7 of six
    assert places[0].tolist() == places[1].tolist() == [4 / 224, 4 / 224]
    assert places[2].tolist() == [12 / 224, 4 / 224]
    assert places[2 * 28].tolist() == [4 / 224, 12 / 224]
    assert places[2 * 28**2].tolist() == [8 / 224, 8 / 224]
    assert places[-1].tolist() == places[-6].tolist() == [208 / 224, 208 / 224]


def answer(*people):
    """The network's answer of (score, middle, size) at anchors of their own; the four points of a
    person lie at its middle."""
    places = np.array([[0.5, 0.5]] * len(people))
    raw = np.array(
        [[*(m := np.array(middle) - 0.5), *size, *m, *m, *m, *m] for _, middle, size in people]
    )
    return 224 * raw, logit([score for score, *_ in people]), places


def test_a_person_is_read_about_its_anchor():
    raw, scores, places = answer((0.9, (0.25, 0.75), (0.2, 0.4)), (0.4, (0.8, 0.8), (0.1, 0.1)))
    raw[0, 6:8] += (0, -22.4)
    (one,) = detector.people(raw, scores, places)
    assert one.score == pytest.approx(0.9)
    assert one.box == pytest.approx([0.15, 0.55, 0.35, 0.95])
    assert one.points[:2] == pytest.approx(np.array([[0.25, 0.75], [0.25, 0.65]]))


def test_answers_of_one_person_are_averaged_by_their_scores():
    raw, scores, places = answer(
        (0.6, (0.32, 0.5), (0.2, 0.2)),
        (0.9, (0.30, 0.5), (0.2, 0.2)),
        (0.7, (0.7, 0.5), (0.2, 0.2)),
    )
    first, second = detector.people(raw, scores, places)
    assert (first.score, second.score) == pytest.approx((0.9, 0.7))
    assert first.points[0] == pytest.approx([(0.6 * 0.32 + 0.9 * 0.30) / 1.5, 0.5])
    assert second.points[0] == pytest.approx([0.7, 0.5])


def test_what_cannot_be_is_nobody():
    raw, scores, places = answer((0.9, (0.5, 0.5), (-0.1, 0.2)))
    assert detector.people(raw, scores, places) == []
    raw, scores, places = answer((0.9, (0.5, 0.5), (0, 0)))
    assert len(detector.people(raw, scores, places)) == 1
    # far beyond what an exponential can hold
    assert detector.people(raw, np.array([-1e9], "f4"), places) == []


def test_overlap_by_hand():
    box = np.array([0, 0, 2, 2.0])
    others = np.array([[1, 0, 3, 2], [0, 0, 2, 2], [2, 2, 3, 3], [0, 0, 0, 0.0]])
    assert detector.overlap(box, others).tolist() == pytest.approx([1 / 3, 1, 0, 0])


# --- regions -------------------------------------------------------------------------------------


def test_the_region_of_somebody_upright_and_of_somebody_lying():
    upright = regions.around(np.array([100.0, 200]), np.array([100.0, 120]))
    assert upright == pytest.approx((100, 200, 2 * 80 * 1.25, 0))
    # the head to the right: turned clockwise by a quarter
    lying = regions.around(np.array([100.0, 200]), np.array([180.0, 200]), wider=1.0)
    assert lying == pytest.approx((100, 200, 160, math.pi / 2))
    upside_down = regions.around(np.array([0.0, 0]), np.array([0.0, 10]))
    assert abs(upside_down.angle) == pytest.approx(math.pi)


def test_places_of_a_turned_region():
    """Of the one above: its upper left corner is the upper right one of the screen."""
    region = Region(100, 200, 160, math.pi / 2)
    corners = region.to_picture(np.array([[0, 0], [1, 0], [0.5, 0.5], [0.5, 0]]))
    expected = np.array([[180, 120], [180, 280], [100, 200], [180, 200]])
    assert corners == pytest.approx(expected)


def test_how_much_of_a_region_is_in_the_picture():
    assert Region(50, 50, 40, 0.3).inside(100, 100) == 1
    assert Region(0, 50, 40, 0.0).inside(100, 100) == pytest.approx(0.5)
    assert Region(0, 0, 40, 0.0).inside(100, 100) == pytest.approx(0.25)
    assert Region(-50, 50, 40, 0.0).inside(100, 100) == 0


def test_a_region_of_whole_pixels_is_cut_as_it_is():
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), "u1")
    cut = regions.cut(picture, Region(12, 9, 8, 0.0), 8, edges=True)
    assert np.array_equal(cut, picture[5:13, 8:16])
    turned = regions.cut(picture, Region(12, 9, 8, math.pi), 8, edges=True)
    assert np.array_equal(turned, picture[6:14, 9:17][::-1, ::-1])


def test_between_pixels_is_their_mean_and_outside_black_or_the_edge():
    picture = np.zeros((4, 4, 3), "u1")
    picture[:, 1] = 100
    half = regions.cut(picture, Region(2.5, 2, 4, 0.0), 4, edges=False)
    assert half[0, :, 0].tolist() == [50, 50, 0, 0]
    # rounded to 1/32 of a pixel: 0.51 is 16/32
    assert regions.cut(picture, Region(2.51, 2, 4, 0.0), 4, edges=False)[0, 0, 0] == 50
    picture[:] = 200
    assert regions.cut(picture, Region(0, 2, 4, 0.0), 4, edges=True).min() == 200
    black = regions.cut(picture, Region(0, 2, 4, 0.0), 4, edges=False)[1, :, 0]
    assert black.tolist() == [0, 0, 200, 200]
    far = regions.cut(picture, Region(1e7, -1e7, 4, 1.0), 4, edges=False)
    assert not far.any()


def test_a_letterbox_has_all_of_a_picture():
    picture = np.full((64, 128, 3), 50, "u1")
    small = regions.cut(picture, regions.letterbox(128, 64), 32, edges=False)
    assert (small[8:24] == 50).all() and not small[:8].any() and not small[24:].any()


# --- landmarks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "count"), [((1080, 1920), 3), ((1920, 1080), 3), ((500, 500), 9)])
def test_parts_of_a_picture_hold_all_of_it_and_overlap_by_half(size, count):
    squares = regions.parts(*size)
    assert len(squares) == count
    boxes = np.array([square.box() for square in squares])
    assert boxes[:, :2].min(axis=0) == pytest.approx(0)
    assert boxes[:, 2:].max(axis=0) == pytest.approx(np.array(size))
    assert {square.angle for square in squares} == {0.0}
    for axis in (0, 1):
        steps = np.diff(np.unique(boxes[:, axis].round(6)))
        assert (steps <= squares[0].side / 2 + 1e-6).all()
    assert max(square.side for square in squares) <= min(0.6 * max(size), *size)


def test_a_point_moves_to_where_its_heatmap_is():
    heatmaps = np.full((64, 64, 4), -50.0)
    heatmaps[30, 20, 0] = heatmaps[30, 22, 0] = 50  # in the window of 9 about (21, 30)
    heatmaps[30, 20, 1] = 50  # five places away: outside of it
    heatmaps[30, 20, 2] = logit(0.45)  # not sure
    heatmaps[0, 0, 3], heatmaps[1, 0, 3] = logit(0.8), logit(0.2)  # at the corner the window ends
    points = np.array([[21.5, 30.9], [25.0, 30.0], [20.0, 30.0], [-0.5, 2.0]]) / 64
    found = landmarks.refined(points, heatmaps) * 64
    assert found[0] == pytest.approx([21, 30])
    assert found[1] == pytest.approx([25, 30])
    assert found[2] == pytest.approx([20, 30])
    assert found[3] == pytest.approx([0, 0.2], abs=1e-6)
    outside = np.array([[1.2, 0.5]])
    assert np.array_equal(landmarks.refined(outside, heatmaps[..., :1]), outside)


def test_what_the_network_says_in_the_picture():
    raw = np.zeros((39, 5))
    raw[:, :2] = 128
    raw[33], raw[34] = (128, 192, 0, 0, 0), (128, 64, 0, 0, 0)
    raw[5, 3] = logit(0.9)
    found = landmarks.landmarks(raw, 0.7, np.full((64, 64, 39), -9.0), Region(300, 400, 256, 0.0))
    assert found.presence == 0.7 and found.points.shape == (35, 2)
    assert found.points[0] == pytest.approx([300, 400])
    assert found.visibility[5] == pytest.approx(0.9) and found.visibility[0] == 0.5
    assert found.region() == pytest.approx((300, 464, 2 * 128 * 1.25, 0))


# --- over time -----------------------------------------------------------------------------------


def test_the_one_euro_filter_by_hand():
    smoother, step = smoothing.Smoother(cutoff=0.05, beta=80.0), 0.04
    assert smoother.points(np.array([10.0]), 1.0, 100).tolist() == [10]
    speed = 5 / (step * 100)  # sizes a second
    share = 1 / (1 + 1 / (2 * math.pi * step))
    cutoff = 0.05 + 80 * share * speed
    expected = 10 + 5 / (1 + 1 / (2 * math.pi * cutoff * step))
    assert smoother.points(np.array([15.0]), 1.0 + step, 100) == pytest.approx([expected])
    still = smoothing.Smoother(cutoff=0.05, beta=0.0)
    still.points(np.array([0.0]), 0, 1)
    assert still.points(np.array([1.0]), 1 / 30, 1)[0] == pytest.approx(0.0104, abs=1e-4)


def test_visibility_is_a_running_mean():
    assert smoothing.steadier(None, np.array([0.5])).tolist() == [0.5]
    assert smoothing.steadier(np.array([0.5]), np.array([1.0])).tolist() == pytest.approx([0.55])


# --- faults --------------------------------------------------------------------------------------


def walking(frames=60, rate=60):
    """Somebody 400 pixels tall, hips and shoulders 60 wide, whose legs swing past each other twice
    a second."""
    rng = np.random.default_rng(2)
    joints = np.zeros((frames, 33, 2))
    for number, name in enumerate(MEDIAPIPE_33.joints):
        side = 30 if name.startswith("left") else -30 if name.startswith("right") else 0
        joints[:, number] = (side, 12.5 * number)
        if "knee" in name or "ankle" in name:
            joints[:, number, 0] = np.sign(side) * 60 * np.cos(2 * np.pi * np.arange(frames) / rate)
    return joints + rng.normal(0, 1, joints.shape)


@pytest.mark.parametrize("rate", [24, 25, 30, 60, 240])
def test_legs_that_swing_past_each_other_are_no_fault(rate):
    assert not faults.swapped(walking(4 * rate, rate)).any()


def test_sides_that_change_places_are_found():
    joints, mirrored = walking(), list(MEDIAPIPE_33.mirrored)
    assert not faults.swapped(joints).any()
    turned = joints.copy()
    turned[20:30] = turned[20:30][:, mirrored]
    wrong = faults.swapped(turned)
    shoulders = [MEDIAPIPE_33.index(f"{side}_shoulder") for side in ("left", "right")]
    assert np.flatnonzero(wrong[:, shoulders].all(axis=1)).tolist() == list(range(20, 30))
    assert np.array_equal(wrong[:, 0], wrong[:, shoulders[0]])


def test_one_pair_that_changes_places_is_marked_alone():
    joints = walking()
    elbows = [MEDIAPIPE_33.index(f"{side}_elbow") for side in ("left", "right")]
    joints[5:, elbows] = joints[5:, elbows[::-1]]
    wrong = faults.swapped(joints)
    # the shorter time is taken for the wrong one
    assert np.flatnonzero(wrong.any(axis=1)).tolist() == [0, 1, 2, 3, 4]
    assert np.flatnonzero(wrong.any(axis=0)).tolist() == sorted(elbows)
    assert not faults.swapped(joints[:1]).any()


def test_one_frame_of_both_on_one_place_changes_nothing():
    joints = walking()
    joints[30, :] = joints[30, :] * (0.1, 1)
    joints[31:40] = joints[31:40][:, list(MEDIAPIPE_33.mirrored)]
    wrong = faults.swapped(joints)[:, MEDIAPIPE_33.index("left_shoulder")]
    assert np.flatnonzero(wrong).tolist() == list(range(31, 40))


def test_names_are_told_anew_after_a_pair_was_together():
    """Legs that meet, and part with other names: nobody knows which were wrong."""
    joints = walking()
    knees = [MEDIAPIPE_33.index(f"{side}_knee") for side in ("left", "right")]
    joints[20:30, knees] = (0, 300)
    joints[30:, knees] = joints[30:, knees[::-1]]
    assert not faults.swapped(joints).any()


# --- found twice -----------------------------------------------------------------------------


def followed(xs, side=400.0):
    """Somebody 300 pixels high, seen at each of ``xs`` in turn."""
    one, line = tracks._Followed(Region(0, 0, side, 0.0), 0), np.linspace(0, 300, 33)[:, None]
    for t, x in enumerate(xs):
        points = np.concatenate([line + np.array([x, 0]), [[x, 150], [x, 0]]])
        found = landmarks.Landmarks(points, np.ones(33), 1.0)
        seen = one.step(found, 0.1 * t, smooth=False)
    return one, seen


def test_other_people_are_painted_out_and_nothing_else():
    """Somebody 200 pixels high and as thin as a line, upright in a square of 400 that is turned by
    a quarter: there they lie."""
    line = np.stack([np.full(33, 500.0), np.linspace(400, 600, 33)], axis=-1)
    square = Region(500, 500, 400, math.pi / 2)
    small = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    painted = others.painted_out(small, square, [line])
    changed = (painted != small).any(axis=-1)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    # 0.055 of 200 pixels to every side of what bones span, 6.25 pixels to one of the square
    assert (rows.min(), rows.max()) == (31, 33)
    long = 200 + 2 * 0.055 * 200
    assert 0.8 * long < 6.25 * (columns.max() - columns.min() + 1) < long + 6.25
    assert (painted[changed] == small.mean(axis=(0, 1)).astype(np.uint8)).all()
    assert np.array_equal(small, others.painted_out(small, square, [line + 1000]))
    assert np.array_equal(small, others.painted_out(small, square, []))


def test_how_much_of_somebody_lies_on_others():
    """Two lines that cross at their middle, and one beside."""
    upright = np.stack([np.full(33, 500.0), np.linspace(400, 600, 33)], axis=-1)
    level = upright[:, ::-1]
    assert others.share_on([upright], upright) == 1 and others.share_on([], upright) == 0
    assert others.share_on([upright], upright + np.array([50, 0])) == 0
    assert 0 < others.share_on([upright], level) < 0.5
    assert others.share_on([upright + 300, level], level) == 1


def test_whoever_jumps_onto_somebody_else_is_the_one_found_twice():
    stays, slips, elsewhere = followed([0, 2, 4]), followed([300, 301, 5]), followed([600, 602])
    for order in ([stays, slips, elsewhere], [slips, stays, elsewhere]):
        assert tracks.without_doubles(order) == [stays, elsewhere]
    # nobody knows how somebody new has moved
    new = followed([4])
    assert tracks.without_doubles([new, slips]) == [slips]
    assert tracks.without_doubles([slips, new]) == [slips]
    # a jump is forgotten after a while
    settled = followed([300, *range(20)])
    assert settled[0].moved < slips[0].moved / 10
    assert tracks.without_doubles([]) == []


# --- who is who ----------------------------------------------------------------------------------


def stretch(begin, end, x):
    """Somebody 100 pixels wide and high from one frame to another."""
    joints = np.linspace(0, 100, 33)[:, None] + (x, 0)
    return [(t, tracks.Seen(0, joints, np.ones(33), joints)) for t in (begin, end)]


def test_who_is_lost_and_found_nearby_is_the_same():
    near, far = stretch(11, 20, 20), stretch(11, 20, 300)
    assert tracks.linked([stretch(0, 9, 0), near]) == [0, 0]
    assert tracks.linked([stretch(0, 9, 0), far]) == [0, 1]
    # too late; and somebody who is there still is not found a second time
    assert tracks.linked([stretch(0, 9, 0), stretch(80, 90, 0)]) == [0, 1]
    assert tracks.linked([stretch(0, 15, 0), near]) == [0, 1]
    # the nearer one goes on
    two = [stretch(0, 9, 0), stretch(0, 9, 30)]
    assert tracks.linked([*two, stretch(11, 20, 28), stretch(11, 20, 1)]) == [0, 1, 1, 0]
