"""Pictures to learn from."""

from dataclasses import replace

import pytest
import torch
from samples import recording

from paperlib.cameras import Camera
from paperlib.datasets import synthetic
from paperlib.datasets.random_cameras import Ranges, filmed_by
from paperlib.rendering import (
    Augmentation,
    Crops,
    TrainingImages,
    joint_visibility,
    people_visibility,
    render,
)
from paperlib.rendering import surfaces as module
from paperlib.rendering.crops import pixel_intrinsics
from paperlib.rendering.looks import draw_looks
from paperlib.rendering.surfaces import box_met, joints_seen, scenes, surfaces
from paperlib.rendering.training_images import picture
from paperlib.skeletons import H36M_17, Skeleton

BALL = Skeleton("ball", ("pelvis", "head_top"), (-1, 0))  # a radius of 9 cm
NOBODY = torch.zeros(1, 5, 3)


@pytest.fixture(scope="module")
def recordings():
    """Cameras of every kind, with lenses that bend more than any of the data's."""
    source = synthetic.load(seconds=2.0, subjects=("S1", "S2"), families=("walking", "boxing"))
    return filmed_by(source, "random", Ranges(radial=(-0.3, 0.2))).train


def take(recordings, count: int = 48, seed: int = 0, size: int = 64, **changes):
    images = TrainingImages(recordings, size, replace(Augmentation(), **changes))
    generator = torch.Generator().manual_seed(seed)
    frames = torch.randint(len(images), (count,), generator=generator)
    return images.draw(frames, generator)


def seen_alone(people, skeleton=H36M_17, boxes=None):
    there = torch.ones(people.shape[:2], dtype=torch.bool)
    boxes = NOBODY.expand(people.shape[1], -1, -1) if boxes is None else boxes
    return scenes(people, skeleton, there, boxes)


def test_what_is_drawn_and_how(recordings):
    found = take(recordings, noise=0.1)
    assert found.images.shape == (48, 3, 64, 64) and found.images.dtype == torch.float32
    assert found.images.min() >= 0 and found.images.max() <= 1
    assert found.images.std() > 0.1
    assert torch.equal(found.depths, found.positions[..., 2] - found.positions[:, :1, 2])
    assert torch.allclose(found.crops.project(found.positions), found.points)
    assert 0.4 < found.visible.float().mean() < 0.95
    assert 10 <= found.flipped.sum() <= 38


@pytest.mark.parametrize("size", [64, 128])
def test_a_joint_lies_where_its_ball_is_drawn_to_half_a_pixel(recordings, size):
    """Every joint of every body as a ball of its own: the middle of the pixels that show it."""
    found = take(recordings, 32, size=size)
    off = []
    for joint in range(0, 17, 3):
        at = found.positions[:, joint, None].expand(-1, 2, -1)[None]
        number = surfaces(seen_alone(at, BALL), found.crops).number
        for one, point in enumerate(found.points[:, joint]):
            rows, columns = (number[one] == 0).nonzero().float().add(0.5).unbind(-1)
            if len(rows) >= 9 and ((point > 8) & (point < size - 8)).all():
                off.append(torch.stack([columns.mean(), rows.mean()]) - point)
    off = torch.stack(off)
    assert len(off) > 100
    assert off.norm(dim=-1).max() < 0.5
    assert off.mean(dim=0).abs().max() < 0.05  # and not to one side


def test_the_picture_shows_the_body_where_its_joints_are(recordings):
    """The person alone, from the picture itself: what lies on a bone differs from what the same
    picture shows with another body, by much more than the rest does."""
    found = take(recordings, 24, occluder=0.0, noise=0.0)
    look = draw_looks(24, 1, 0.0, torch.device("cpu"), torch.Generator().manual_seed(1))
    look = look._replace(background=torch.zeros_like(look.background), clothes=look.clothes + 1)
    look = look._replace(offset=torch.zeros_like(look.offset))
    there = torch.ones(1, 24, dtype=torch.bool)
    nobody = NOBODY.expand(24, -1, -1)
    seen = picture(found.positions[None], there, H36M_17, nobody, found.crops, look)
    inside = found.crops.inside(found.points)
    column, row = found.points.long().clamp(0, 63).unbind(-1)
    at = seen.images[torch.arange(24)[:, None], :, row, column].amax(dim=-1)
    assert (at[inside] > 0.1).all()
    shown = seen.images.amax(dim=1) > 0
    assert 0.02 < shown.float().mean() < 0.5


def test_it_is_what_one_camera_sees_of_one_frame():
    """A square film as a crop of all of it: the same depth and capsules as ``render``."""
    camera = Camera("c", 960, 960, (900.0, 900.0), (480.0, 480.0), (-0.2, 0.05, 0.0))
    people = torch.randn(2, 3, 17, 3) * 0.3 + torch.tensor([0.0, 0.0, 4.0])
    film = torch.tensor([[960.0, 960.0]] * 3)
    all_of_it = Crops(
        film / 2, film[:, 0], torch.zeros(3), pixel_intrinsics([camera] * 3), film, 96
    )
    shown = surfaces(seen_alone(people), all_of_it)
    picture = render(people, H36M_17, camera, 96)
    number = torch.where(picture.person < 0, -1, picture.person * 21 + picture.bone)
    assert (shown.number == number).float().mean() > 0.998  # the lens between its nodes
    same = (shown.number == number) & (number >= 0)
    assert (shown.depth - picture.depth)[same].abs().median() < 1e-4
    normals = picture.normals().permute(3, 0, 1, 2).flatten(1)[:, shown.places]
    assert ((shown.out * normals).sum(dim=0) > 0.99).float().mean() > 0.97


def test_boxes_about_capsules_lose_nothing(recordings):
    """All pixels with all capsules, as a GPU does it, give the same."""
    found = take(recordings, 24)
    other = take(recordings, 24, seed=5).positions
    near = other * 0.3  # so near that some reach past the camera
    seen = seen_alone(torch.stack([found.positions, other, near]))
    x, y = found.crops.rays()
    depth, number = module._everywhere(seen.capsules, x, y)
    few_depth, few_number = module._in_boxes(seen.capsules, found.crops, x, y)
    assert (number >= 0).float().mean() > 0.1
    assert torch.equal(few_depth, depth)
    assert (few_number == number).float().mean() > 0.9999  # equally near ones


def test_the_same_generator_draws_the_same_and_another_does_not(recordings):
    one, same, other = (take(recordings, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(one.images, same.images) and torch.equal(one.points, same.points)
    assert not torch.equal(one.images, other.images)
    images = TrainingImages(recordings, 32)
    pair = []
    for _ in range(2):
        torch.manual_seed(1)
        pair.append(images.draw(torch.arange(8)).images)
    assert torch.equal(*pair)


def test_everything_random_stays_within_what_was_asked_for(recordings):
    plain = take(recordings, 400, 0, 32, occluder=0.0, shift=0.0, scale=(1.0, 1.0), rotation=0.0)
    found = take(recordings, 400, 0, 32, rotation=20.0)
    ratio = plain.crops.side / found.crops.side
    assert 0.75 <= ratio.min() < 0.8 and 1.2 < ratio.max() <= 1.2501
    degrees = found.crops.angle.rad2deg()
    assert -20 <= degrees.min() < -18 and 18 < degrees.max() <= 20
    assert (plain.crops.angle == 0).all()
    off = (found.crops.middle - plain.crops.middle).abs().amax(dim=-1) / plain.crops.side
    assert 0.03 < off.max() <= 0.0401
    assert 160 < found.flipped.sum() < 240


def test_occluders_stand_before_half_of_the_people(recordings):
    """Of the same people: a third of the joints that were seen are hidden where something is."""
    alone = take(recordings, 300, 2, 32, occluder=0.0, shift=0.0)
    found = take(recordings, 300, 2, 32, shift=0.0)
    assert torch.equal(alone.positions, found.positions)
    assert not (found.visible & ~alone.visible).any()
    fewer = (found.visible != alone.visible).any(dim=1).float().mean()
    assert 0.25 < fewer < 0.5  # some hide nothing: they stand behind, or beside
    assert (alone.images != found.images).flatten(1).any(dim=1).float().mean() == pytest.approx(
        0.5, abs=0.09
    )


def test_a_mirrored_scene_is_the_mirror_image(recordings):
    still = {"occluder": 0.0, "noise": 0.0, "rotation": 0.0, "shift": 0.0}
    one, other = (take(recordings, flip=flip, **still) for flip in (0.0, 1.0))
    assert other.flipped.all() and not one.flipped.any()
    points = other.points[:, H36M_17.mirrored]
    points = torch.cat([64 - points[..., :1], points[..., 1:]], dim=-1)
    assert torch.allclose(points, one.points, atol=1e-2)
    assert torch.allclose(other.depths[:, H36M_17.mirrored], one.depths)
    assert (other.visible[:, H36M_17.mirrored] == one.visible).float().mean() > 0.995
    silhouettes = [
        surfaces(seen_alone(d.positions[None]), d.crops).number >= 0 for d in (one, other)
    ]
    assert (silhouettes[0] == silhouettes[1].flip(-1)).float().mean() > 0.995


def test_visibility_is_that_of_bodies_and_of_the_own_trunk(recordings):
    found, other = take(recordings, 150), take(recordings, 150, seed=9).positions
    people = torch.stack([found.positions, other - torch.tensor([0.0, 0.0, 0.8])])
    seen = joints_seen(people, H36M_17, seen_alone(people))
    bodies = people_visibility(people, H36M_17).visible[0]
    assert not (seen & ~bodies).any()
    # the rest is hidden by the own trunk alone: no joint of the trunk is
    lost = (bodies & ~seen).any(dim=0)
    of_trunk = [H36M_17.joints[j] for j in lost.nonzero().flatten().tolist()]
    assert {"right_wrist", "left_wrist"} & set(of_trunk)
    assert not set(of_trunk) & {"pelvis", "spine", "thorax", "left_hip", "right_shoulder"}
    alone = joints_seen(people[:1], H36M_17, seen_alone(people[:1]))
    assert (alone & ~joint_visibility(people[0], H36M_17)).sum() == 0


def test_what_is_visible_is_what_the_picture_shows(recordings):
    """At a joint's pixel the surface is the joint's own body, not far before the joint; where the
    joint is hidden within the picture, something else is met before it."""
    found = take(recordings, 100, size=128, occluder=0.0)
    shown = surfaces(seen_alone(found.positions[None]), found.crops)
    inside = found.crops.inside(found.points)
    column, row = found.points.long().clamp(0, 127).unbind(-1)
    before = found.positions[..., 2] - shown.depth[torch.arange(100)[:, None], row, column]
    assert torch.isfinite(before[inside]).all()
    assert (before[found.visible] < 0.3).float().mean() > 0.99
    hidden = inside & ~found.visible
    assert hidden.sum() > 40 and (before[hidden] > 0.08).float().mean() > 0.97


def test_a_box_is_met_and_hides_as_by_small_steps():
    count = 200
    axes = torch.linalg.qr(torch.randn(count, 3, 3))[0]
    middle = torch.randn(count, 1, 3) * 0.2 + torch.tensor([0.0, 0.0, 2.0])
    half = torch.rand(count, 1, 3) * 0.3 + 0.05
    boxes = torch.cat([middle, axes, half], dim=1)
    x, y = torch.randn(2, count, 20) * 0.15
    depth, side = box_met(x, y, boxes)
    steps = torch.linspace(0.5, 3.5, 3001)
    points = torch.stack([x, y, torch.ones_like(x)], dim=-1)[:, :, None] * steps[:, None]
    within = ((points - middle[:, None]) @ axes.mT[:, None]).abs() <= half[:, None]
    met = within.all(dim=-1)
    first = torch.where(met.any(dim=-1), steps[met.int().argmax(dim=-1)], torch.inf)
    clear = met.sum(dim=-1).ne(1) & ((depth < torch.inf) == met.any(dim=-1))
    assert clear.float().mean() > 0.98 and met.any(dim=-1).float().mean() > 0.2
    hit = met.any(dim=-1) & clear
    assert (depth[hit] - first[hit]).abs().max() < 2e-3
    out = torch.cat([axes, -axes], dim=1)[torch.arange(count)[:, None], side]
    toward = (out * torch.stack([x, y, torch.ones_like(x)], dim=-1)).sum(dim=-1)
    assert (toward[hit] < 0).all()  # the side that is seen looks at the camera


def test_a_box_hides_the_joints_behind_it():
    people = torch.zeros(1, 1, 17, 3)
    people[..., 2] = 3.0
    people[0, 0, :, 1] = torch.arange(17) * 0.5 - 4  # one below the other, all seen but by the box
    box = torch.tensor([[[0.0, 0.0, 2.0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.2, 0.4, 0.1]]])
    free = joints_seen(people, H36M_17, seen_alone(people))
    seen = joints_seen(people, H36M_17, seen_alone(people, boxes=box))
    # its front, at 1.9 m, reaches 0.4 m up and down, which is 0.63 m at 3 m
    expected = free & (people[0, ..., 1].abs() > 0.4 * 3 / 1.9)
    assert torch.equal(seen, expected) and (free & ~seen).sum() >= 1
    behind = box.clone()
    behind[:, 0, 2] = 4.0
    assert torch.equal(joints_seen(people, H36M_17, seen_alone(people, boxes=behind)), free)


def test_no_augmentation_leaves_the_person_in_the_middle(recordings):
    images = TrainingImages(recordings, 32, Augmentation.none())
    found = images.draw(torch.arange(20))
    low, high = found.points.amin(dim=1), found.points.amax(dim=1)
    assert torch.allclose((low + high) / 2, torch.tensor(16.0), atol=1e-3)
    assert torch.allclose((high - low).amax(dim=1), torch.tensor(32 / 1.4), atol=1e-3)
    assert torch.equal(found.positions, images.positions[:20])


def test_everything_stays_on_the_device_and_nothing_waits(recordings, device, request):
    images = TrainingImages(recordings[:2], 32, device=device)
    frames = torch.arange(4, device=device)
    images.draw(frames)  # tables are made
    gpu = None
    if device.type == "cuda" and not torch.cuda.is_available():
        gpu = request.getfixturevalue("pretended")
        before = gpu.waits, gpu.brought
    found = images.draw(frames)
    if gpu is not None:
        assert (gpu.waits, gpu.brought) == before
    for value in (found.images, found.points, found.depths, found.visible, found.crops.side):
        assert value.device.type == device.type


def test_mixed_precision_does_not_reach_the_pictures(recordings):
    images = TrainingImages(recordings[:2], 32)
    expected = images.draw(torch.arange(4), torch.Generator().manual_seed(1))
    with torch.autocast("cpu", torch.bfloat16):
        found = images.draw(torch.arange(4), torch.Generator().manual_seed(1))
    assert torch.equal(found.images, expected.images)
    assert torch.equal(found.points, expected.points)


def test_what_cannot_be_drawn_is_refused(recordings):
    with pytest.raises(ValueError, match="no recordings"):
        TrainingImages([])
    with pytest.raises(ValueError, match=r"16, 32, 48.*size=20"):
        TrainingImages(recordings, 20)
    with pytest.raises(ValueError, match="no 3D positions"):
        TrainingImages([recording(positions=None)])
    behind = torch.randn(6, 17, 3) * 0.3
    with pytest.raises(ValueError, match=r"a joint is at -.* m along the camera's axis"):
        TrainingImages([recording(positions=behind)])
    images = TrainingImages(recordings[:1], 32)
    with pytest.raises(ValueError, match=r"\(N,\), at least one, got \(0,\)"):
        images.draw(torch.zeros(0, dtype=torch.long))
    with pytest.raises(ValueError, match="numbers of frames"):
        images.draw(torch.zeros(3))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rotation": -1.0}, "rotation is a number from 0 to 180"),
        ({"occluder": 1.5}, "occluder is a number from 0 to 1"),
        ({"noise": float("nan")}, "noise is a number from 0 to 1"),
        ({"flip": "often"}, "flip is a number"),
        ({"scale": (1.2, 0.8)}, "scale is two factors above 0"),
        ({"scale": 1.0}, "scale is two factors above 0"),
    ],
)
def test_other_augmentation_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        Augmentation(**changes)
