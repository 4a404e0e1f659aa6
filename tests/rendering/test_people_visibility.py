"""Who hides whom."""

import pytest
import torch

from benchmarks import plain
from paperlib.datasets import muco_temp, synthetic
from paperlib.rendering import body_capsules, joint_visibility, people_visibility
from paperlib.skeletons import H36M_17, HUMANEVA_15


@pytest.fixture(scope="module")
def pose() -> torch.Tensor:
    """(17, 3): somebody standing, relative to the pelvis."""
    data = synthetic.load(seconds=0.2, subjects=("S1",), families=("waving",))
    return data.train[0].pose[0]


@pytest.fixture(scope="module")
def crowd() -> torch.Tensor:
    """(4, 60, 17, 3): four people who cross each other's ways."""
    source = synthetic.load(seconds=2.0, subjects=("S1", "S2"), families=("walking", "boxing"))
    made = muco_temp.video(source.train, "train", 3, 60, 4)
    return torch.stack([r.positions for r in made])


def at(pose, x: float, z: float) -> torch.Tensor:
    """(1, 17, 3): the pose at a place on the floor, seen at the height of its pelvis."""
    return (pose + torch.tensor([x, 0.0, z]))[None]


def test_the_nearer_one_hides_the_farther_and_never_the_reverse(pose, device):
    seen = people_visibility(torch.stack([at(pose, 0, 3), at(pose, 0, 6)]).to(device), H36M_17)
    alone = joint_visibility(at(pose, 0, 3).to(device), H36M_17)
    assert torch.equal(seen.visible[0], alone)
    assert (seen.by_other[0] == -1).all()
    hidden = ~seen.visible[1, 0]
    assert hidden.sum() > 10  # the same pose straight behind: nearly all of it
    spine = H36M_17.index("spine")
    assert hidden[spine] and seen.by_other[1, 0, spine] == 0


def test_people_side_by_side_do_not_hide_each_other(pose):
    people = torch.stack([at(pose, -0.8, 4), at(pose, 0.8, 4)])
    seen = people_visibility(people, H36M_17)
    assert (seen.by_other == -1).all()
    assert torch.equal(seen.visible, joint_visibility(people, H36M_17))
    assert torch.equal(seen.by_self, ~seen.visible)


def test_the_one_nearest_to_the_camera_is_named(pose):
    far, near, middle = at(pose, 0, 8), at(pose, 0, 3), at(pose, 0, 5)
    seen = people_visibility(torch.stack([far, near, middle]), H36M_17)
    spine = H36M_17.index("spine")
    assert seen.by_other[:, 0, spine].tolist() == [1, -1, 1]
    gone = torch.tensor([[True], [False], [True]])
    seen = people_visibility(torch.stack([far, near, middle]), H36M_17, gone)
    assert seen.by_other[:, 0, spine].tolist() == [2, -1, -1]
    assert not seen.visible[1].any()  # who is not there is not seen


def test_the_order_of_people_and_frames_plays_no_part(crowd):
    seen = people_visibility(crowd, H36M_17)
    order = [2, 0, 3, 1]
    swapped = people_visibility(crowd[order], H36M_17)
    assert torch.equal(swapped.visible, seen.visible[order])
    names = torch.tensor([*[order.index(p) for p in range(4)], -1])  # the last for nobody
    assert torch.equal(swapped.by_other, names[seen.by_other[order]])
    single = people_visibility(crowd[:, 30:31], H36M_17)
    assert torch.equal(single.visible[:, 0], seen.visible[:, 30])


def test_it_is_what_every_joint_against_every_capsule_gives(crowd, device):
    seen = people_visibility(crowd.to(device), H36M_17).visible.cpu()
    expected = plain.people_visibility(crowd, H36M_17)
    assert (~expected).float().mean() > 0.05  # some are hidden
    assert (seen != expected).float().mean() < 1e-3  # on the very edge rounding decides


def test_who_stands_alone_is_seen_as_by_the_own_body_alone(crowd):
    for person in crowd:
        seen = people_visibility(person[None], H36M_17).visible[0]
        assert torch.equal(seen, joint_visibility(person, H36M_17))


def test_joints_behind_the_camera_are_not_seen(pose):
    seen = people_visibility(torch.stack([at(pose, 0, -3), at(pose, 0, 4)]), H36M_17)
    assert not seen.visible[0].any() and (seen.by_other == -1).all()


def test_bodies_have_a_trunk_where_there_are_shoulders_and_hips(pose):
    bodies = body_capsules(at(pose, 0, 4), H36M_17)
    assert bodies.start.shape == (1, 16 + 5, 3) and bodies.radii.shape == (21,)
    hips = [H36M_17.index(f"{side}_hip") for side in ("left", "right")]
    line = bodies.start[0, 18], bodies.start[0, 18] + bodies.along[0, 18]
    assert torch.allclose(torch.stack(line), at(pose, 0, 4)[0, hips])
    assert body_capsules(torch.randn(2, 15, 3), HUMANEVA_15).radii.shape == (14 + 5,)


@pytest.mark.parametrize(
    ("shape", "message"),
    [((2, 17, 3), "expected positions"), ((2, 4, 16, 3), "17 joints"), ((0, 4, 17, 3), "nobody")],
)
def test_wrong_shapes_are_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        people_visibility(torch.zeros(shape), H36M_17)


def test_nan_is_refused_where_somebody_is_there(pose):
    people = torch.stack([at(pose, 0, 3), at(pose, 0, 6)])
    people[1, 0, 4] = float("nan")
    with pytest.raises(ValueError, match="person 1 in frame 0"):
        people_visibility(people, H36M_17)
    present = torch.tensor([[True], [False]])
    assert people_visibility(people, H36M_17, present).visible[0].any()
    with pytest.raises(ValueError, match="expected present"):
        people_visibility(people, H36M_17, present[:, 0])
