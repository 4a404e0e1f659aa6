"""Occlusion labels and guesses of recordings: those of the functions on what they say they see."""

from dataclasses import replace

import pytest
import torch

from paperlib.cameras import project
from paperlib.datasets import humaneva_like, synthetic
from paperlib.datasets.filming import STUDIO, film
from paperlib.occlusion import (
    GUESSES,
    LABELLINGS,
    boxed_man,
    clustered,
    cylinder_man,
    guesses,
    labels,
    scores,
    with_labels,
)
from paperlib.recordings import TENSORS
from paperlib.rendering import joint_visibility
from paperlib.skeletons import H36M_17, HUMANEVA_15, convert

EVERY_LABELLING = pytest.mark.parametrize("method", LABELLINGS)
EVERY_GUESS = pytest.mark.parametrize("guess", GUESSES)


@pytest.fixture(scope="module")
def boxing():
    """One second of boxing in a view of 640 x 480 pixels, 15 joints."""
    data = humaneva_like.load(seconds=1, actions=("Box",))
    return max((r for r in data.train if r.camera.name == "C2"), key=len)


@pytest.fixture(scope="module")
def walking():
    """Half a second of walking in a square view, 17 joints."""
    world = torch.from_numpy(synthetic.world_motion("S1", "walking", seconds=0.5, fps=50))
    about = {"subject": "S1", "action": "walking", "clip": "c1", "fps": 50.0}
    return film(world, cameras=STUDIO[:1], **about)[0]


@pytest.fixture(params=["boxing", "walking"])
def recording(request):
    return request.getfixturevalue(request.param)


def detected(recording, noise=8.0):
    """As a detector with so many pixels of error sees it."""
    keypoints = recording.keypoints + torch.randn_like(recording.keypoints) * noise
    return recording.with_keypoints(keypoints, torch.rand_like(recording.confidence))


def on_screen(pixels, camera):
    """Half an image's width is 1."""
    return (pixels - torch.tensor([camera.width / 2, camera.height / 2])) / (camera.width / 2)


def expected_labels(recording):
    positions, skeleton = recording.positions, recording.skeleton
    screen = on_screen(project(positions, recording.camera), recording.camera)
    depths = positions[..., 2]
    chains, wide = {"tolerance": 0.2, "rule": "chains"}, {"limb": 0.15, "trunk": 0.3}
    return [
        ("rendered", {}, ~joint_visibility(positions, skeleton)),
        ("clustered", {}, clustered(positions[..., :2], depths)),
        ("clustered", chains, clustered(positions[..., :2], depths, **chains)),
        ("clustered", {"unit": "image"}, clustered(screen, depths)),
        ("clustered", {"unit": "image", "tolerance": 0.1}, clustered(screen, depths, 0.1)),
        ("boxed_man", {}, boxed_man(screen, skeleton)),
        ("boxed_man", {"width": 0.06}, boxed_man(screen, skeleton, 0.06)),
        ("cylinder_man", {}, cylinder_man(positions, skeleton) < 0.5),
        ("cylinder_man", wide, cylinder_man(positions, skeleton, **wide) < 0.5),
    ]


def test_labels_are_those_of_the_functions(recording):
    seen, before = detected(recording), []
    for method, options, expected in expected_labels(recording):
        found = labels(recording, method, **options)
        assert found.dtype == torch.bool and found.shape == recording.visible.shape
        # rounding of pixels may decide about a joint on an edge, and about no more
        assert (found != expected).sum() <= 1, (method, options)
        assert 0 < found.double().mean() < 0.9, (method, options)
        # what a detector saw does not matter
        assert torch.equal(labels(seen, method, **options), found)
        assert not any(torch.equal(found, other) for other in before), (method, options)
        before.append(found)


def test_rendered_labels_are_the_recordings_own(recording):
    assert torch.equal(labels(recording, "rendered"), ~recording.visible)
    turned = replace(recording, visible=~recording.visible)
    assert torch.equal(labels(turned, "rendered"), recording.visible)


@EVERY_LABELLING
def test_no_labelling_needs_to_be_told_what_is_visible(recording, method):
    """Licensed data do not say it: then it is found anew."""
    unknown = replace(recording, visible=None)
    assert torch.equal(labels(unknown, method), labels(recording, method))


def test_guesses_are_those_of_the_functions_on_the_keypoints_alone(recording):
    seen = detected(recording)
    screen = on_screen(seen.keypoints, recording.camera)
    # 6 cm at the 5 or 6 m of the studios' cameras
    focal = recording.camera.focal[0] / (recording.camera.width / 2)
    assert 0.06 * focal / recording.trajectory[:, 2].mean().item() == pytest.approx(0.024, rel=0.1)
    for method, options, expected in [
        ("clustered", {}, clustered(screen, tolerance=0.024)),
        ("clustered", {"tolerance": 0.1}, clustered(screen, tolerance=0.1)),
        ("boxed_man", {}, boxed_man(screen, recording.skeleton)),
        ("boxed_man", {"width": 0.06}, boxed_man(screen, recording.skeleton, 0.06)),
    ]:
        found = guesses(seen, method, **options)
        assert found.dtype == torch.bool and found.shape == seen.confidence.shape
        assert (found != expected).sum() <= 1 and found.any()
        # neither space nor the true visibility is looked at
        blind = replace(seen, positions=seen.positions.flip(0) + 1.0, visible=None)
        assert torch.equal(guesses(blind, method, **options), found)
        assert not torch.equal(guesses(recording, method, **options), found)


def test_exact_keypoints_are_guessed_as_they_are_labelled(recording):
    assert torch.equal(guesses(recording, "boxed_man"), labels(recording, "boxed_man"))


def test_labels_are_of_the_joints_and_guesses_of_the_keypoints(walking):
    positions = convert(walking.positions, H36M_17, HUMANEVA_15)
    mixed = replace(walking, positions=positions, skeleton=HUMANEVA_15, visible=None)
    for method in GUESSES:
        assert labels(mixed, method).shape == (len(walking), 15)
        assert torch.equal(guesses(mixed, method), guesses(walking, method))
    known = replace(mixed, visible=joint_visibility(mixed.positions, HUMANEVA_15))
    made = with_labels(known, "rendered", "boxed_man")
    assert made.visible.shape == (len(walking), 15)
    assert made.confidence.shape == (len(walking), 17)


@EVERY_GUESS
@EVERY_LABELLING
def test_a_labelled_recording_has_labels_and_guesses_in_place_of_the_truth(boxing, method, guess):
    seen = detected(boxing)
    made = with_labels(seen, method, guess)
    assert torch.equal(made.visible, ~labels(boxing, method))
    assert made.confidence.dtype == seen.keypoints.dtype
    assert torch.equal(made.confidence == 0, guesses(seen, guess))
    assert torch.equal(made.confidence == 1, ~guesses(seen, guess))
    for field in set(TENSORS) - {"visible", "confidence"}:
        assert getattr(made, field) is getattr(seen, field)
    assert (made.name, made.fps, made.camera) == (seen.name, seen.fps, seen.camera)


def test_labels_know_something_of_what_is_hidden(walking):
    """Each finds more of the hidden joints than it would by marking as many at random."""
    truth = labels(walking, "rendered")
    for method in ("boxed_man", "cylinder_man"):
        found = scores(labels(walking, method), truth)
        assert found.recall > found.marked


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda r: labels(r, "boxed"), "unknown labelling 'boxed'.*'clustered', 'boxed_man', 'cyl"),
        (lambda r: labels(r, "clustered", unit="pixels"), "unknown unit 'pixels'.*'metres', 'im"),
        (lambda r: labels(r, "clustered", rule="all"), "unknown rule 'all'"),
        (lambda r: labels(r, "cylinder_man", limb=0), "diameters are above 0"),
        (lambda r: guesses(r, "cylinder_man"), "unknown guess from keypoints 'cylinder_man'.*'clu"),
        (lambda r: guesses(r, "boxed_man", width=-1), "the width is a distance"),
        (lambda r: with_labels(r, "rendered", "rendered"), "unknown guess from keypoints 'render"),
        (lambda r: with_labels(r, "box", "boxed_man"), "unknown labelling 'box'"),
        *(
            (lambda r, m=method: labels(replace(r, positions=None, visible=None), m), "no 3D posi")
            for method in LABELLINGS
        ),
    ],
)
def test_wrong_input_is_explained(boxing, make, said):
    with pytest.raises(ValueError, match=said):
        make(boxing)


def test_all_are_named():
    assert set(GUESSES) < set(LABELLINGS)
    assert set(LABELLINGS) == {"rendered", "clustered", "boxed_man", "cylinder_man"}
