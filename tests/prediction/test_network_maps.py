"""From a film to maps, and from maps to poses in space."""

import pytest
import torch
from networks import randomised

from paperlib.cameras import normalize_screen_coordinates
from paperlib.datasets import muco_temp, synthetic
from paperlib.models import HighResolutionNet, MultiStrideTCN
from paperlib.occlusion.simulated_maps import SimulatedMaps, peaks
from paperlib.prediction import NetworkMaps, maps_of, with_network_maps
from paperlib.rendering import FilmImages
from paperlib.skeletons import H36M_17


@pytest.fixture(scope="module")
def recording():
    made = synthetic.load(seconds=2.0, subjects=("S1",), families=("walking",))
    return made.train[0].cut(0, 24)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return randomised(HighResolutionNet(17, 4, 1, 1)).eval()


def test_a_frame_of_a_film_looks_the_same_whenever_it_is_asked_for(recording):
    film = FilmImages(recording, 32)
    all_of_it = film.draw(torch.arange(24))
    some = FilmImages(recording, 32).draw(torch.tensor([20, 3]))
    assert torch.allclose(some.images, all_of_it.images[[20, 3]], atol=1e-5)
    assert not torch.allclose(
        FilmImages(recording, 32, seed=1).draw(torch.arange(1)).images,
        all_of_it.images[:1],
        atol=0.1,
    )
    assert torch.equal(all_of_it.positions, recording.positions)
    film_pixels = all_of_it.crops.to_film(all_of_it.points)
    assert torch.allclose(film_pixels, recording.keypoints, atol=0.05)


def test_others_in_the_film_hide_the_person():
    source = synthetic.load(seconds=2.0, subjects=("S1", "S2"), families=("walking", "boxing"))
    people = muco_temp.video(source.train, "train", 3, 40, 4)
    hidden = []
    for number, person in enumerate(people):
        others = tuple(p for p in people if p is not person)
        frames = torch.arange(40)
        alone = FilmImages(person, 32).draw(frames)
        together = FilmImages(person, 32, others=others).draw(frames)
        assert not (together.visible & ~alone.visible).any()
        inside = together.crops.inside(together.points)
        differs = (together.visible != (person.visible & inside)) & alone.visible
        assert differs.float().mean() < 0.02, number
        hidden.append((alone.visible & ~together.visible).float().mean())
    assert max(hidden) > 0.05


def test_maps_lie_where_the_crops_say(recording, model):
    """Maps of exact keypoints in these crops have their peaks at the keypoints: the crops are in
    the coordinates of the network that lifts, and rows and columns are not exchanged."""
    seen = NetworkMaps(model, FilmImages(recording, 64))
    assert seen.squares.shape == (24, 3)
    screen = normalize_screen_coordinates(
        recording.keypoints, recording.camera.width, recording.camera.height
    )[None]
    drawn = SimulatedMaps(size=16).draw(screen, torch.ones(1, 24, 17), seen.squares[None])
    found = peaks(drawn, seen.squares[None])
    assert torch.allclose(found[..., :2], screen, atol=2e-3)
    points = seen.film.draw(torch.arange(24), seen.crops).points / 4 - 0.5
    cell = drawn[0].flatten(-2).argmax(dim=-1)
    cells = torch.stack([cell % 16, cell // 16], dim=-1)
    assert ((cells - points).abs() <= 0.51).all()


def test_an_approach_changes_the_crops_slowly_and_a_bent_knee_does_not(recording, model):
    seen = NetworkMaps(model, FilmImages(recording, 32))
    side = seen.squares[:, 2]
    assert ((side[1:] / side[:-1] - 1).abs() < 0.02).all()


def test_frames_in_which_nobody_is_found_show_all_of_the_film(recording, model):
    confidence = recording.confidence.clone()
    confidence[5] = 0
    lost = recording.with_keypoints(recording.keypoints, confidence)
    seen = NetworkMaps(model, FilmImages(lost, 32))
    assert torch.equal(seen.crops.middle[5], torch.tensor([500.0, 500.0]))
    assert torch.isfinite(seen(torch.arange(24))).all()


def test_a_film_becomes_poses(recording, model):
    """Rendered clip, maps, multi-stride network, 3D: frame by frame when they are asked for."""
    own, crops = with_network_maps(recording, model)
    maps = own.heatmaps(torch.arange(24))
    assert maps.shape == (24, 17, 16, 16) and maps.min() >= 0 and maps.max() <= 1
    assert torch.allclose(own.cut(10, 20).heatmaps(torch.tensor([2])), maps[12:13], atol=1e-5)
    lifting = MultiStrideTCN(17, 3, 17, (1, 3), 24, {"size": 16}, 16, 16, 1).eval()
    poses = lifting(maps[None], crops[None])
    assert poses.shape == (1, 24, 17, 3) and torch.isfinite(poses).all()
    other = randomised(HighResolutionNet(17, 4, 1, 1)).eval()
    with torch.no_grad():
        other.last.bias += 1
    assert with_network_maps(recording, other)[0].heatmaps.key != own.heatmaps.key
    assert with_network_maps(recording, model)[0].heatmaps.key == own.heatmaps.key


def test_the_maps_of_a_mirrored_picture_are_the_mirrored_maps(model):
    images = torch.rand(3, 3, 64, 64)
    one = maps_of(model, images, H36M_17, flip=True)
    other = maps_of(model, images.flip(-1), H36M_17, flip=True)
    assert torch.allclose(other.flip(-1)[:, H36M_17.mirrored], one, atol=1e-5)
    assert not torch.allclose(one, maps_of(model, images, H36M_17), atol=1e-5)


def test_what_does_not_fit_is_refused(recording, model):
    with pytest.raises(ValueError, match="RGB from 0 to 1"):
        maps_of(model, torch.rand(1, 3, 32, 32) * 255, H36M_17)
    with pytest.raises(ValueError, match="maps of 14 joints"):
        NetworkMaps(HighResolutionNet(14, 4, 1, 1), FilmImages(recording, 32))
    with pytest.raises(ValueError, match="not of the camera and the moments"):
        FilmImages(recording, 32, others=(recording.cut(0, 5),))
    with pytest.raises(ValueError, match="2 frames, but 24 crops"):
        film = FilmImages(recording, 32)
        film.draw(torch.arange(2), film.about_the_person(torch.arange(24)))
