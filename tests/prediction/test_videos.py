"""From a film to refined poses in one call."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from networks import randomised
from PIL import Image

from paperlib.cameras import Camera, project
from paperlib.datasets import synthetic
from paperlib.models import IntegralRegression, TemporalModel
from paperlib.prediction import joints_in, joints_in_video, predict, predict_joints, predict_video
from paperlib.rendering import FilmImages
from paperlib.skeletons import H36M_17

TINY = {"backbone": "resnet18", "channels": 4, "deconvolution": 8, "bins": 8, "size": 32}
# whose square, wider by an eighth on each side, is 32 pixels wide about the middle of 64 x 48
BOX = [32 - 16 / 1.25, 24 - 16 / 1.25, 32 / 1.25, 32 / 1.25]


@pytest.fixture(scope="module")
def first():
    torch.manual_seed(2)
    return randomised(IntegralRegression(17, **TINY))


@pytest.fixture(scope="module")
def second():
    return randomised(TemporalModel(17, 3, 17, (3, 3), channels=8, third="depth"))


@pytest.fixture(scope="module")
def film():
    return torch.rand(70, 3, 48, 64, generator=torch.Generator().manual_seed(1))


def boxes(count=70, missing=()) -> torch.Tensor:
    every = torch.tensor(BOX).repeat(count, 1)
    every[list(missing)] = torch.nan
    return every


def test_the_square_about_a_box_is_what_the_network_sees(first, film):
    """Here it is a piece of the picture, pixel by pixel."""
    seen = joints_in_video(first, film, boxes(), fps=25.0)
    points, depths = joints_in(first, film[:, :, 8:40, 16:48], H36M_17)
    assert torch.allclose(seen.keypoints, points + torch.tensor([16.0, 8.0]), atol=1e-3)
    assert torch.allclose(seen.depths, depths, atol=1e-5)
    assert (seen.camera.width, seen.camera.height, seen.fps) == (64, 48, 25.0)
    assert seen.confidence.min() == 1 and seen.positions is None


def test_nobody_found_is_a_straight_line(first, film):
    """From the frame before to the frame after, and constant beyond the ends."""
    whole = joints_in_video(first, film, boxes())
    seen = joints_in_video(first, film, boxes(missing=(0, 1, 30, 31, 32)))
    there = seen.confidence[:, 0] == 1
    assert (~there).nonzero().flatten().tolist() == [0, 1, 30, 31, 32]
    for values, exact in ((seen.keypoints, whole.keypoints), (seen.depths, whole.depths)):
        assert torch.allclose(values[there], exact[there], atol=1e-4)
        assert torch.allclose(values[31], (exact[29] + exact[33]) / 2, atol=1e-3)
        assert torch.allclose(values[30], exact[29] * 0.75 + exact[33] * 0.25, atol=1e-3)
        assert torch.allclose(values[0], exact[2], atol=1e-4)


def test_one_call_is_both_stages(first, second, film):
    poses = predict_video(first, second, film, boxes().numpy())
    assert poses.shape == (70, 17, 3)
    assert torch.equal(poses, predict(second, joints_in_video(first, film, boxes())))
    assert not torch.allclose(poses, predict_video(first, second, film, boxes(), flip=False))


def test_a_folder_of_images_is_the_same_film(first, second, film, tmp_path):
    exact = (255 * film[:5]).round() / 255
    for number, picture in enumerate(exact):
        pixels = (255 * picture).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    found, expected = (predict_video(first, second, f, boxes(5)) for f in (tmp_path, exact))
    assert torch.allclose(found, expected, atol=1e-5)
    assert joints_in_video(first, tmp_path, boxes(5)).clip == tmp_path.name


def test_a_rendered_film_is_seen_as_by_predict_joints(first):
    """The same joints, whether crops are cut out of whole pictures or drawn at once. The pictures
    differ by their pixels, so that answers are near, not equal."""
    data = synthetic.load(seconds=1.0, subjects=("S1", "S6"), families=("walking",))
    walker = data.test[0].cut(0, 6)
    drawn = FilmImages(walker, size=512, noise=0.0)
    middle, side = torch.full((6, 2), 500.0), torch.full((6,), 1000.0)
    pictures = drawn.draw(torch.arange(6), drawn.crops(middle, side)).images
    points = project(walker.truth, walker.camera) * 0.512
    low, high = points.amin(dim=1), points.amax(dim=1)
    seen = joints_in_video(first, pictures, torch.cat([low, high - low], dim=1))
    other = predict_joints(first, walker)
    far = (seen.keypoints / 0.512 - other.keypoints).norm(dim=-1)
    assert far.mean() < 4  # of some 500 pixels of a crop
    moved = joints_in_video(first, pictures, torch.cat([low + 20, high - low], dim=1))
    assert (moved.keypoints / 0.512 - other.keypoints).norm(dim=-1).mean() > 10


def test_a_camera_may_be_known(first, film):
    camera = Camera("known", 64, 48, (70.0, 70.0), (31.0, 25.0))
    assert joints_in_video(first, film, boxes(), camera=camera).camera is camera
    with pytest.raises(ValueError, match="pictures of 64 x 48 pixels, and a camera of 48 x 64"):
        joints_in_video(first, film, boxes(), camera=replace(camera, width=48, height=64))


def box(frame, *values) -> torch.Tensor:
    changed = boxes()
    changed[frame] = torch.tensor(values)
    return changed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (boxes(69), "a film of 70 pictures, and 69 boxes"),
        (boxes()[:, :2], r"boxes \(T, 4\), left, top, width and height, got \(70, 2\)"),
        (torch.full((70, 4), torch.nan), "nobody was found in the film"),
        (box(3, 5.0, 5.0, 0.0, 9.0), "the box of frame 3 has no area"),
        (box(4, 5.0, torch.nan, 3.0, 9.0), "the box of frame 4 is .*: numbers, or all NaN"),
        (box(5, 5.0, 5.0, torch.inf, 9.0), "the box of frame 5 is .*: numbers, or all NaN"),
        (box(6, 64.0, 5.0, 9.0, 9.0), "the box of frame 6, .* lies outside of its picture"),
        (box(7, 5.0, -9.0, 9.0, 9.0), "the box of frame 7, .* lies outside of its picture"),
    ],
)
def test_boxes_that_do_not_fit_are_refused(first, film, given, message):
    with pytest.raises(ValueError, match=message):
        joints_in_video(first, film, given)


def test_films_that_do_not_fit_are_refused(first, film, tmp_path):
    with pytest.raises(ValueError, match="must be RGB from 0 to 1"):
        joints_in_video(first, 255 * film, boxes())
    broken = film.clone()
    broken[3, 0, 20, 30] = torch.nan
    with pytest.raises(ValueError, match="leave out frames with NaN"):
        joints_in_video(first, broken, boxes())
    for number, width in enumerate((64, 60)):
        Image.fromarray(np.zeros((48, width, 3), dtype="u1")).save(tmp_path / f"{number}.png")
    with pytest.raises(ValueError, match=r"frame 1 of the film has 60 x 48 .* 64 x 48"):
        joints_in_video(first, tmp_path, boxes(2))
    with pytest.raises(ValueError, match="a film of 2 pictures, and 3 boxes"):
        joints_in_video(first, tmp_path, boxes(3))
