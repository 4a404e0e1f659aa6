"""From a film to maps, and from maps to poses in space."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from networks import randomised

from paperlib.cameras import normalize_screen_coordinates
from paperlib.datasets import muco_temp, synthetic
from paperlib.models import HighResolutionNet, MultiStrideTCN
from paperlib.occlusion import SimulatedMaps, peaks
from paperlib.prediction import (
    NetworkMaps,
    lift_windows,
    maps_of,
    predict,
    predict_maps,
    with_network_maps,
    with_peaks,
)
from paperlib.prediction import maps as module
from paperlib.recordings import PerFrame
from paperlib.rendering import FilmImages
from paperlib.skeletons import COCO_17, H36M_17
from paperlib.training import withhold_positions
from paperlib.windows import map_input, mirror, mirrored_maps


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
    own = with_network_maps(recording, model)
    maps, crops = own.heatmaps(torch.arange(24)), own.crops
    assert maps.shape == (24, 17, 16, 16) and maps.min() >= 0 and maps.max() <= 1
    assert torch.allclose(own.cut(10, 20).heatmaps(torch.tensor([2])), maps[12:13], atol=1e-5)
    lifting = MultiStrideTCN(17, 3, 17, (1, 3), 24, {"size": 16}, 16, 16, 1).eval()
    poses = lifting(maps[None], crops[None])
    assert poses.shape == (1, 24, 17, 3) and torch.isfinite(poses).all()
    other = randomised(HighResolutionNet(17, 4, 1, 1)).eval()
    with torch.no_grad():
        other.last.bias += 1
    assert with_network_maps(recording, other).heatmaps.key != own.heatmaps.key
    assert with_network_maps(recording, model).heatmaps.key == own.heatmaps.key


def test_the_maps_of_a_mirrored_picture_are_the_mirrored_maps(model):
    images = torch.rand(3, 3, 64, 64)
    one = maps_of(model, images, H36M_17, flip=True)
    other = maps_of(model, images.flip(-1), H36M_17, flip=True)
    assert torch.allclose(other.flip(-1)[:, H36M_17.mirrored], one, atol=1e-5)
    assert not torch.allclose(one, maps_of(model, images, H36M_17), atol=1e-5)


def test_in_bfloat16_maps_are_rounded_and_no_more(model):
    images = torch.rand(3, 3, 64, 64)
    exact, rounded = (maps_of(model, images, H36M_17, True, p) for p in ("float32", "bfloat16"))
    assert rounded.dtype == torch.float32 and 0 < (exact - rounded).abs().max() < 0.05


# ---- a whole data set ----------------------------------------------------------------------------

SHORT = synthetic.load(seconds=1.0, subjects=("S1", "S6"), families=("walking", "boxing"))
TWO_VIEWS = (*SHORT.train[:2], *SHORT.train[4:6])  # of each of two takes
SHORT = replace(SHORT, train=TWO_VIEWS, test=SHORT.test[:2]).map(lambda r: r.cut(0, 10))
ALL = torch.arange(10)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A folder of its own for what is kept."""
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_maps_are_kept_by_weights_data_and_options(model, cache, monkeypatch):
    made, kind = [], module.NetworkMaps

    class Counted(kind):
        def __call__(self, frames):
            made.append(len(frames))
            return super().__call__(frames)

    monkeypatch.setattr(module, "NetworkMaps", Counted)
    get = partial(predict_maps, dataset=SHORT, size=32, progress=False)
    first = get(model)
    assert made == [10] * 6
    again = get(model)
    assert len(made) == 6 and again.fingerprint == first.fingerprint != SHORT.fingerprint
    assert torch.equal(again.train[1].heatmaps(ALL), first.train[1].heatmaps(ALL))
    torch.manual_seed(5)
    other = randomised(HighResolutionNet(17, 4, 1, 1))
    changes = [{"seed": 1}, {"flip": True}, {"size": 48}, {"margin": 0.4}]
    several = [get(other), *(get(model, **change) for change in changes)]
    assert len(made) == 6 * 6
    prints = {first.fingerprint, *(data.fingerprint for data in several)}
    assert len(prints) == 6 and len(list(cache.iterdir())) == 2 * 6


def test_kept_maps_are_those_of_the_film_to_a_step(model, cache):
    kept = predict_maps(model, SHORT, size=32, progress=False)
    for one, other in zip((*SHORT.train, *SHORT.test), (*kept.train, *kept.test), strict=True):
        live = with_network_maps(one, model, 32)
        off = (live.heatmaps(ALL) - other.heatmaps(ALL)).abs().max()
        assert off <= 0.5 / 255 + 1e-4
        assert torch.equal(live.crops, other.crops)
        assert live.heatmaps.key != other.heatmaps.key
    some = torch.tensor([7, 2])
    assert torch.equal(kept.test[0].heatmaps(some), kept.test[0].heatmaps(ALL)[some])
    assert torch.equal(kept.test[0].cut(2, 9).heatmaps(torch.tensor([5])), other_frame(kept, 7))


def other_frame(data, frame):
    return data.test[0].heatmaps(torch.tensor([frame]))


def test_films_keep_their_maps_when_their_poses_are_withheld(model, cache):
    seen = predict_maps(model, SHORT, size=32, progress=False)
    _, films = withhold_positions(seen)
    assert films.train and all(r.positions is None for r in films.train)
    assert map_input(films.train[0]).shape == (10, 17, 3 + 8 * 8)


def lifter() -> MultiStrideTCN:
    torch.manual_seed(1)
    return randomised(MultiStrideTCN(17, 67, 17, (1, 3), 8, {"size": 8}, 16, 16))


def test_poses_are_those_of_the_windows_of_maps(model, cache):
    seen = predict_maps(model, SHORT, size=32, progress=False).test[0]
    net, given = lifter(), map_input(seen)
    plain = lift_windows(net, given[None])[0]
    back = mirror(lift_windows(net, mirrored_maps(given, H36M_17)[None])[0], H36M_17)
    torch.testing.assert_close(predict(net, seen, flip=False), plain, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(predict(net, seen), (plain + back) / 2, rtol=1e-4, atol=1e-5)
    assert (plain - back).abs().max() > 1e-3
    with pytest.raises(ValueError, match="has no heat maps"):
        predict(net, SHORT.test[0])


def test_the_poses_of_the_mirrored_film_are_the_mirrored_poses(model, cache):
    """Exactly: maps flipped, sides exchanged, crops on the other side of the image."""
    seen = predict_maps(model, SHORT, size=32, progress=False).test[0]
    maps = seen.heatmaps(ALL).flip(-1)[:, list(H36M_17.mirrored)]
    other = replace(
        seen,
        positions=mirror(seen.positions, H36M_17),
        camera=seen.camera.mirrored(),
        heatmaps=PerFrame("mirrored", lambda frames: maps[frames]),
        crops=seen.crops * torch.tensor([-1.0, 1.0, 1.0]),
    )
    net = lifter()
    one, two = predict(net, seen), predict(net, other)
    torch.testing.assert_close(mirror(two, H36M_17), one, rtol=0, atol=1e-6)
    plain = predict(net, other, flip=False)
    assert (mirror(plain, H36M_17) - predict(net, seen, flip=False)).abs().max() > 1e-3


def test_peaks_of_maps_are_keypoints_of_the_film():
    """Maps that are drawn in crops: their peaks are the keypoints, as high as the confidence."""
    one = SHORT.test[0]
    screen = normalize_screen_coordinates(one.keypoints, one.camera.width, one.camera.height)
    sure = torch.linspace(0.3, 1, 17).expand(10, 17)
    drawing = SimulatedMaps(size=32, blur=0.0)
    crops = drawing.crops(screen[None], sure[None])
    maps = drawing.draw(screen[None], sure[None], crops)[0]
    given = replace(one, heatmaps=PerFrame("drawn", lambda frames: maps[frames]), crops=crops[0])
    found = with_peaks(given)
    assert found.heatmaps is None and found.positions is one.positions
    assert (found.keypoints - one.keypoints).norm(dim=-1).max() < 0.5
    assert ((found.confidence - sure) <= 1e-6).all() and (found.confidence > 0.7 * sure).all()


def test_what_does_not_fit_is_refused(recording, model):
    with pytest.raises(ValueError, match="RGB from 0 to 1"):
        maps_of(model, torch.rand(1, 3, 32, 32) * 255, H36M_17)
    with pytest.raises(ValueError, match="maps of 14 joints"):
        NetworkMaps(HighResolutionNet(14, 4, 1, 1), FilmImages(recording, 32))
    coco = recording.with_keypoints(recording.keypoints, recording.confidence, COCO_17)
    with pytest.raises(ValueError, match="keypoints of coco_17: all three must be the same"):
        with_network_maps(coco, model)
    with pytest.raises(ValueError, match="has no 3D positions"):
        with_network_maps(replace(recording, positions=None), model)
    with pytest.raises(ValueError, match="seed must be a whole number"):
        predict_maps(model, SHORT, seed=-1)
    with pytest.raises(ValueError, match="not of the camera and the moments"):
        FilmImages(recording, 32, others=(recording.cut(0, 5),))
    with pytest.raises(ValueError, match="2 frames, but 24 crops"):
        film = FilmImages(recording, 32)
        film.draw(torch.arange(2), film.about_the_person(torch.arange(24)))
