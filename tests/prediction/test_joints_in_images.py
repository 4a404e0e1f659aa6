"""From images to joints of the whole film: crops undone, mirror images averaged, all of it kept."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from networks import randomised

from paperlib import prediction, training
from paperlib.cameras import normalize_screen_coordinates
from paperlib.datasets import synthetic
from paperlib.datasets.other_bodies import other_bodies
from paperlib.evaluation import compare, evaluate
from paperlib.models import IntegralRegression
from paperlib.prediction import (
    bone_lengths,
    first_stage_poses,
    joints_in,
    predict_dataset,
    predict_joints,
)
from paperlib.prediction import images as module
from paperlib.rendering import FilmImages
from paperlib.skeletons import H36M_17
from paperlib.training import FIRST_STAGE, ImageJoints, JointDepths, Recipe
from paperlib.windows import as_inputs

TINY = {"backbone": "resnet18", "channels": 4, "deconvolution": 8, "bins": 8, "size": 32}


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Caches and runs of a test lie in folders of its own."""
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PAPERLIB_RUNS", str(tmp_path / "runs"))
    return tmp_path


@pytest.fixture(scope="module")
def data():
    whole = synthetic.load(seconds=1.0, subjects=("S1", "S6"), families=("walking", "boxing"))
    short = whole.map(lambda r: r.cut(0, 10))
    return replace(short, train=short.train[:4], test=short.test[:2])


def network(**changes) -> IntegralRegression:
    torch.manual_seed(2)
    return randomised(IntegralRegression(17, **(TINY | changes)))


def test_answers_are_pixels_of_the_image_and_metres():
    model, images = network(extent=1.2), torch.rand(3, 3, 64, 64)
    points, depths = joints_in(model, images, H36M_17, flip=False)
    joints = model(images)
    assert torch.allclose(points, 64 * (joints[..., :2] + 0.5), atol=1e-4)
    assert torch.allclose(depths, 1.2 * joints[..., 2], atol=1e-5)


def test_the_mirror_image_gets_the_mirrored_answer():
    """Left where right was, 64 - x pixels, and as deep: exactly, since both are averaged."""
    model, images = network(), torch.rand(3, 3, 64, 64)
    one, other = (joints_in(model, i, H36M_17) for i in (images, images.flip(-1)))
    order = list(H36M_17.mirrored)
    assert torch.allclose(other[0][:, order, 0], 64 - one[0][..., 0], atol=1e-3)
    assert torch.allclose(other[0][:, order, 1], one[0][..., 1], atol=1e-3)
    assert torch.allclose(other[1][:, order], one[1], atol=1e-5)
    plain = joints_in(model, images, H36M_17, flip=False)[0]
    assert not torch.allclose(plain, one[0], atol=1e-3)


def test_crops_are_undone(data):
    """What the network says of the crop, at its place in the whole film, frame by frame."""
    model, recording = network(), data.test[0]
    found = predict_joints(model, recording, seed=3)
    drawn = FilmImages(recording, size=32, seed=3).draw(torch.arange(10))
    points, depths = joints_in(model, drawn.images, H36M_17)
    assert torch.allclose(drawn.crops.from_film(found.keypoints), points, atol=1e-3)
    assert torch.allclose(found.depths, depths, atol=1e-5)
    screen = normalize_screen_coordinates(found.keypoints, 1000, 1000)
    assert torch.allclose(drawn.crops.screen(points), screen, atol=1e-5)
    assert found.confidence.min() == 1 and found.positions is recording.positions


def test_exact_answers_in_crops_are_exact_poses(data):
    """The way of a perfect network: from crop to film to camera space, through the lens."""
    recording = data.test[0]
    drawn = FilmImages(recording, size=32).draw(torch.arange(10))
    found = recording.with_keypoints(drawn.crops.to_film(drawn.points), recording.confidence)
    found = replace(found, depths=drawn.depths)
    assert torch.allclose(first_stage_poses(found), recording.pose, atol=5e-4)


def test_predictions_are_kept_by_weights_data_and_seed(data, monkeypatch):
    model, calls, predict = network(), [], module.predict_joints

    def counted(*given):
        calls.append(given[1].name)
        return predict(*given)

    monkeypatch.setattr(module, "predict_joints", counted)
    get = partial(predict_dataset, dataset=data, progress=False)
    first = get(model)
    assert len(calls) == len(data.train) + len(data.test) == 6
    again = get(model)
    assert len(calls) == 6 and again.fingerprint == first.fingerprint
    assert [r.name for r in again.train] == [r.name for r in data.train]
    assert not torch.equal(first.train[0].keypoints, data.train[0].keypoints)
    get(model, seed=1)
    assert len(calls) == 12
    with torch.no_grad():
        model.last.bias[0] += 0.1
    assert get(model).name != first.name
    assert len(calls) == 18
    get(model, dataset=data.map(lambda r: r.cut(0, 5)))
    assert len(calls) == 24


def test_a_damaged_cache_is_made_anew(data, places, capsys):
    model = network()
    first = predict_dataset(model, data, progress=False)
    for file in (places / "cache").glob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:100])
    again = predict_dataset(model, data, progress=False)
    assert again.fingerprint == first.fingerprint
    assert "made anew" in capsys.readouterr().err


def test_what_does_not_fit_is_refused(data):
    with pytest.raises(ValueError, match="a network of 16 joints, and 17 of h36m_17"):
        model = IntegralRegression(16, **TINY)
        joints_in(model, torch.rand(1, 3, 32, 32), H36M_17)
    with pytest.raises(ValueError, match="square images are expected, got 32 x 64"):
        joints_in(network(), torch.rand(1, 3, 32, 64), H36M_17)
    with pytest.raises(ValueError, match="must be RGB from 0 to 1"):
        joints_in(network(), 255 * torch.rand(1, 3, 32, 32), H36M_17)
    with pytest.raises(ValueError, match="has no 3D positions"):
        predict_joints(network(), replace(data.test[0], positions=None))
    with pytest.raises(ValueError, match="seed must be a whole number"):
        predict_dataset(network(), data, seed=-1)


def test_the_whole_system_end_to_end(data):
    """Rendered bodies to the first stage, to depths, to the second stage, to millimetres."""
    build = partial(IntegralRegression, 17, **FIRST_STAGE["smoke"])
    recipe = Recipe.kato2020_images("smoke").but(epochs=1, epoch_examples=16)
    first = training.train(
        ImageJoints(build, data, other_bodies(data, 2)), recipe, device="cpu", progress=False
    )
    seen = predict_dataset(first.model, data, progress=False)
    lengths = bone_lengths(data.train)
    for root_depth in prediction.ROOT_DEPTHS:
        alone = compare([first_stage_poses(r, root_depth, lengths) for r in seen.test], seen.test)
        assert 0.02 < alone.average("mpjpe") < 2.0
    recipe = Recipe.kato2020("smoke").but(epochs=1)
    second = training.train(JointDepths(seen, widths=(3, 3)), recipe, device="cpu", progress=False)
    test = [as_inputs(r, "2d_depth_noise") for r in seen.test]
    refined = evaluate(second.model, test, device="cpu")
    assert 0.02 < refined.average("mpjpe") < 2.0
    # what it is given decides what it answers
    changed = [replace(r, depths=r.depths + 0.3 * torch.randn_like(r.depths)) for r in test]
    assert evaluate(second.model, changed, device="cpu").values != refined.values
