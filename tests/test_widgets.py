"""The demos react to their sliders."""

import numpy as np
import pytest

from paperlib import datasets
from paperlib.occlusion import labels
from paperlib.refinement import Settings, refine
from paperlib.widgets import occlusion_demo, smoothing_demo


@pytest.fixture(scope="module")
def recording():
    return datasets.load("synthetic", subjects="S6", families="waving", seconds=0.5).test[0]


@pytest.fixture
def hidden(recording):
    """A track with noise, and its middle not seen."""
    rng = np.random.default_rng(0)
    positions = recording.positions.numpy() + 0.05 * rng.standard_normal((len(recording), 17, 3))
    score = np.full(len(recording), 0.9)
    score[8:16] = 0
    return positions, score


def test_a_knob_solves_for_the_track_anew(recording, hidden):
    demo = smoothing_demo(*hidden, recording.positions.numpy(), recording.fps)
    figure, sliders = demo.children[0], demo.children[1:]
    names = [trace.name for trace in figure.data]
    assert names == 3 * ["truth", "without refinement", "refinement"]
    plain = refine(*hidden)
    for axis in range(3):
        np.testing.assert_allclose(figure.data[3 * axis + 2].y, plain[:, 0, axis])
    steps = {s.description: s for s in sliders}
    steps["long step, frames"].value = 5
    steps["weight, long step"].value = 10.0
    other = refine(*hidden, Settings(long_step=5, root_long=10.0))
    assert np.abs(other - plain).max() > 1e-3
    np.testing.assert_allclose(figure.data[8].y, other[:, 0, 2])


def test_hidden_frames_are_grey(recording, hidden):
    figure = smoothing_demo(*hidden, fps=25.0).children[0]
    spans = {(shape.x0, shape.x1) for shape in figure.layout.shapes}
    assert spans == {(8 / 25, 16 / 25)}


def test_a_truth_of_another_length_is_refused(recording, hidden):
    with pytest.raises(ValueError, match="of one shape"):
        smoothing_demo(*hidden, recording.positions.numpy()[1:])


def marks_of(demo) -> dict[str, set[str]]:
    """The joints that are marked, by verdict."""
    return {trace.name: set(trace.text) for trace in demo.children[0].data[1:]}


def knob_of(demo, description):
    return next(k for k in demo.children[1:] if description in k.description)


@pytest.mark.parametrize("method", ["clustered", "boxed_man", "cylinder_man"])
def test_the_occlusion_demo_marks_what_a_labelling_says(recording, method):
    demo = occlusion_demo(recording, frame=3)
    knob_of(demo, "labelling").value = method
    marks = marks_of(demo)
    joints = np.array(recording.skeleton.joints)
    assert marks["hidden"] | marks["false alarm"] == set(joints[labels(recording, method)[3]])
    assert marks["hidden"] | marks["missed"] == set(joints[~recording.visible[3].numpy()])
    assert set.union(*marks.values()) == set(joints)
    missed = len(marks["hidden"]), len(marks["hidden"] | marks["missed"])
    assert "{} of {} hidden joints found".format(*missed) in demo.children[0].layout.title.text


def test_the_knobs_of_the_occlusion_demo(recording):
    demo = occlusion_demo(recording)
    knob_of(demo, "tolerance").value = 30
    wide = marks_of(demo)
    knob_of(demo, "tolerance").value = 0
    none = marks_of(demo)
    assert not none["hidden"] and not none["false alarm"]
    assert len(wide["hidden"] | wide["false alarm"]) > 8
    before = np.array(demo.children[0].data[0].z)
    knob_of(demo, "turned").value = 90
    after = np.array(demo.children[0].data[0].z)
    assert before.shape != after.shape or np.abs(before - after).max() > 0.2
    knob_of(demo, "labelling").value = "boxed_man"
    knob_of(demo, "half width").value = 0.1
    many = marks_of(demo)
    knob_of(demo, "half width").value = 0.0
    few = marks_of(demo)
    assert len(few["hidden"] | few["false alarm"]) < len(many["hidden"] | many["false alarm"])


def test_a_body_turned_once_around_is_what_it_was(recording):
    demo = occlusion_demo(recording)
    before = np.array(demo.children[0].data[0].z)
    knob_of(demo, "turned").value = 180
    assert knob_of(demo, "turned").min == -180
    knob_of(demo, "turned").value = 0
    np.testing.assert_allclose(np.array(demo.children[0].data[0].z), before)
