"""Pictures of bodies of capsules."""

from dataclasses import replace

import pytest
import torch

from paperlib.cameras import Camera, project
from paperlib.datasets import muco_temp, synthetic
from paperlib.rendering import people_visibility, render, resized, shade
from paperlib.skeletons import H36M_17, Skeleton

# one bone alone
STICK = Skeleton("stick", ("pelvis", "wrist"), (-1, 0))  # a radius of 3.5 cm
PINHOLE = Camera("c", 200, 100, focal=(150.0, 150.0), centre=(100.0, 50.0))


@pytest.fixture(scope="module")
def scene():
    source = synthetic.load(seconds=2.0, subjects=("S1", "S2"), families=("walking", "boxing"))
    made = muco_temp.video(source.train, "train", 3, 40, 4)
    return torch.stack([r.positions for r in made]), made[0].camera


@pytest.fixture(scope="module")
def rendered(scene):
    people, camera = scene
    return render(people, H36M_17, camera, width=160)


def stick(*ends) -> torch.Tensor:
    return torch.tensor(ends)[None]  # (1, 2, 3): one person in one frame


def test_a_stick_by_hand(device):
    """A metre across, two metres away: 75 pixels long, 5.25 wide, its surface 3.5 cm nearer."""
    picture = render(stick([-0.5, 0.0, 2.0], [0.5, 0.0, 2.0]).to(device), STICK, PINHOLE, width=200)
    seen = picture.person[0] == 0
    columns, rows = seen.any(dim=0).sum().item(), seen.any(dim=1).sum().item()
    assert abs(columns - (75 + 5.25)) <= 1 and abs(rows - 5.25) <= 1
    assert picture.depth[0][seen].min().item() == pytest.approx(2 - 0.035, abs=1e-3)
    assert (picture.depth[0][~seen] == torch.inf).all() and (picture.person[0][~seen] == -1).all()
    assert (picture.bone[0][seen] == 0).all()


def test_depth_is_exact_on_the_middle_ray(device):
    """A stick along the axis, seen from its round end."""
    camera = replace(PINHOLE, centre=(100.5, 50.5))  # the middle of a pixel
    picture = render(stick([0.0, 0.0, 3.0], [0.0, 0.0, 5.0]).to(device), STICK, camera, width=200)
    assert picture.depth[0, 50, 100].item() == pytest.approx(3 - 0.035, abs=1e-4)


def test_the_nearer_stick_is_in_front():
    near, far = [[-0.5, 0.0, 2.0], [0.5, 0.0, 2.0]], [[0.0, -0.5, 3.0], [0.0, 0.5, 3.0]]
    picture = render(torch.tensor([far, near])[:, None], STICK, PINHOLE, width=200)
    assert picture.person[0, 50, 100] == 1
    assert picture.silhouettes[0, 0, 50, 100] and picture.silhouettes[1, 0, 50, 100]
    assert picture.hidden_share[1, 0] == 0
    share = 5.25 / (0.5 * 150 / 1.5 + 3.5)  # of the far stick's length
    assert picture.hidden_share[0, 0].item() == pytest.approx(share, abs=0.03)


def test_who_is_seen_is_the_nearest_of_those_at_the_pixel(rendered):
    anybody = rendered.silhouettes.any(dim=0)
    assert torch.equal(rendered.person >= 0, anybody)
    for p, silhouette in enumerate(rendered.silhouettes):
        assert silhouette[rendered.person == p].all()
    assert ((rendered.hidden_share >= 0) & (rendered.hidden_share <= 1)).all()
    assert rendered.hidden_share.max() > 0.1


def test_pictures_agree_with_the_visibility_of_joints(scene, rendered):
    """At a joint's pixel (lens included) its own person is seen if the joint is, and if another
    body is seen that lies well before it, the joint is not."""
    people, _ = scene
    pixels = project(people, rendered.camera)
    column, row = pixels.long().unbind(-1)
    frame = torch.arange(people.shape[1])[None, :, None].expand_as(row)
    inside = (column >= 1) & (column < 159) & (row >= 1) & (row < rendered.depth.shape[1] - 1)
    column, row = column.clamp(0, 159), row.clamp(0, rendered.depth.shape[1] - 1)
    there = rendered.person[frame, row, column]
    owner = torch.arange(len(people))[:, None, None].expand_as(there)
    visible = people_visibility(people, H36M_17).visible
    other = inside & (there >= 0) & (there != owner)
    before = other & (rendered.depth[frame, row, column] < people[..., 2] - 0.3)
    assert before.sum() > 50
    assert (visible & before).sum() <= 0.04 * before.sum()  # a pixel's breadth at the edges
    assert ((there == owner) | ~inside)[visible].float().mean() > 0.97


def test_one_frame_is_a_picture_and_frames_do_not_mix(scene, rendered):
    people, camera = scene
    single = render(people[:, 7], H36M_17, camera, width=160)
    assert torch.equal(single.person[0], rendered.person[7])
    assert torch.equal(single.depth[0], rendered.depth[7])


def test_who_is_not_there_is_not_in_the_picture(scene):
    people, camera = scene
    present = torch.ones(people.shape[:2], dtype=torch.bool)
    present[0] = False
    picture = render(people, H36M_17, camera, 80, present)
    assert not (picture.person == 0).any() and not picture.silhouettes[0].any()
    others = render(people[1:], H36M_17, camera, 80)
    assert torch.equal(others.depth, picture.depth)


def test_the_small_camera_sees_the_same():
    small = resized(PINHOLE, 50)
    assert (small.width, small.height) == (50, 25)
    point = torch.tensor([[0.3, -0.2, 2.0]])
    assert torch.allclose(project(point, small), project(point, PINHOLE) / 4)
    with pytest.raises(ValueError, match="both sides must have a pixel"):
        resized(PINHOLE, 1)


def test_shading_gives_everybody_a_colour_lit_from_the_camera(rendered):
    picture = shade(rendered, ("#ff0000", "#00ff00", "#0000ff", "#ff00ff"))
    assert picture.shape == (*rendered.person.shape, 3)
    assert (picture[rendered.person == -1] == 1).all()
    for person, channel in ((0, 0), (1, 1), (2, 2)):
        own = picture[rendered.person == person]
        assert (own[:, channel] > 0.29).all()
        assert (own[:, [c for c in range(3) if c != channel]] == 0).all()
    lengths = rendered.normals().norm(dim=-1)
    assert torch.allclose(lengths, (rendered.person >= 0).float(), atol=1e-4)
