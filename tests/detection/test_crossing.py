"""What people in one picture do to each other's detections."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from detection.people import profile, standing

from paperlib.cameras import project
from paperlib.detection import detect, detect_people
from paperlib.detection.crossing import cross, identities, together
from paperlib.detection.profiles import Crossing, Hidden
from paperlib.recordings import Dataset

ALWAYS = profile(crossing=Crossing(chance=1.0, seconds=1e6, within=25.0))


def walker(person, way, depth, frames=101, clip="video"):
    """Somebody who walks from -1 m to 1 m across the picture, or back for ``way`` -1."""
    one = standing(frames, depth=depth, clip=clip, person=person)
    x = way * torch.linspace(-1, 1, frames)
    positions = one.positions + torch.stack([x, 0 * x, 0 * x], dim=-1)[:, None]
    visible = torch.ones(frames, 17, dtype=torch.bool)
    exact = {"positions": positions, "keypoints": project(positions, one.camera)}
    return replace(one, visible=visible, **exact)


def pair(depth=6.0):
    return [walker(0, 1, 5.0), walker(1, -1, depth)]


def test_recordings_of_one_video_belong_together():
    other = walker(0, 1, 5.0, clip="other")
    short = walker(2, 1, 5.0, frames=50)
    assert together([other, *reversed(pair()), short]) == [[2, 1]]
    # the same take of two bodies is no scene
    assert together([walker(0, 1, 5.0), replace(walker(0, 1, 5.0), subject="S2")]) == []


def test_identities_are_exchanged_from_where_two_are_closest():
    """They meet in the middle, frame 50, and are never told apart again."""
    order = identities(pair(), ALWAYS, np.random.default_rng(0))
    assert order[:, :50].tolist() == [[0] * 50, [1] * 50]
    assert order[:, 51:].tolist() == [[1] * 50, [0] * 50]
    found = cross(pair(), pair(), ALWAYS)
    assert torch.equal(found[0].keypoints[51:], pair()[1].keypoints[51:])
    assert torch.equal(found[1].keypoints[51:], pair()[0].keypoints[51:])
    assert torch.equal(found[0].keypoints[:50], pair()[0].keypoints[:50])
    assert torch.equal(found[0].positions, pair()[0].positions)


def test_identities_are_exchanged_as_often_and_as_long_as_said():
    of = profile(crossing=Crossing(chance=0.4, seconds=0.2))
    orders = [identities(pair(), of, np.random.default_rng(seed)) for seed in range(400)]
    length = torch.tensor([(order[0] == 1).sum() for order in orders]).double()
    assert (length > 0).double().mean().item() == pytest.approx(0.4, abs=0.07)
    assert length[length > 0].mean().item() == pytest.approx(10, rel=0.2)
    never = identities(pair(), profile(), np.random.default_rng(0))
    assert torch.equal(never, torch.arange(2)[:, None].expand(2, 101))


def test_who_does_not_cross_is_not_exchanged():
    apart = [walker(0, 1, 5.0), walker(1, 1, 5.0)]
    apart[1] = replace(apart[1], keypoints=apart[1].keypoints + 200)
    order = identities(apart, ALWAYS, np.random.default_rng(0))
    assert torch.equal(order, torch.arange(2)[:, None].expand(2, 101))


def test_joints_behind_somebody_lie_on_the_same_joint_of_that_person():
    of = profile(hidden=Hidden(1.0, snaps=0.5, seconds=0.2))
    near, far = pair()
    front, back = cross([near, far], [near, far], of)
    assert torch.equal(front.keypoints, near.keypoints)
    moved = (back.keypoints != far.keypoints).any(dim=-1)
    assert moved[40:60].any() and not moved[:20].any() and not moved[80:].any()
    assert torch.equal(back.keypoints[moved], near.keypoints[moved])


def test_only_detectors_of_the_second_kind_take_people_for_each_other():
    alone = walker(0, 1, 5.0, clip="alone")
    data = Dataset("x", "here", (), (*pair(), alone))
    first = detect_people(data, "simulated_v1", 1), detect(data, "simulated_v1", 1)
    for one, other in zip(*(d.test for d in first), strict=True):
        assert torch.equal(one.keypoints, other.keypoints)
    crowd, single = (f(data, "simulated_v2_swapping", 1).test for f in (detect_people, detect))
    assert torch.equal(crowd[2].keypoints, single[2].keypoints)
    again = detect_people(replace(data, test=data.test[::-1]), "simulated_v2_swapping", 1).test
    for one, other in zip(crowd, again[::-1], strict=True):
        assert torch.equal(one.keypoints, other.keypoints)
    swapped = [
        not torch.equal(
            detect_people(data, "simulated_v2_swapping", s).test[0].keypoints,
            detect(data, "simulated_v2_swapping", s).test[0].keypoints,
        )
        for s in range(8)
    ]
    assert any(swapped)
