"""Training from the command line is that of the notebooks, and finds their runs."""

import numpy as np
import pytest
import samples

from paperlib import __main__ as command_line
from paperlib import datasets
from paperlib.datasets import human36m
from paperlib.detection import detect
from paperlib.experiment import Experiment, known_and_unknown
from paperlib.experiment.training import train_temporal
from paperlib.models import PoseAndTrajectory, TemporalModel
from paperlib.recordings import Dataset, count_frames
from paperlib.training import Recipe, SemiSupervised, Supervised, split_labels, train

COMMON = {"dataset": "synthetic", "preset": "smoke", "device": "cpu", "receptive_field": 3}


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_RUNS", str(tmp_path / "runs"))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return detect(datasets.load("synthetic", small=True), "simulated", 0)


def semi_supervised(labelled: Dataset, unlabelled: Dataset, **terms) -> str:
    """The key of the run, which is trained unless it is found."""
    recipe = Recipe.semi_supervised("smoke", 2 * count_frames(labelled.train))
    size = {"filter_widths": (3,), "channels": recipe.channels, "dropout": recipe.dropout}
    objective = SemiSupervised(
        lambda: PoseAndTrajectory(17, 2, 17, **size), labelled, unlabelled, 1, **terms
    )
    return train(objective, recipe, device="cpu", progress=False)


def test_without_unlabelled_video_it_is_supervised(data):
    found = train_temporal(COMMON)
    recipe = Recipe.pavllo2019("smoke")
    size = {"channels": recipe.channels, "dropout": recipe.dropout}
    objective = Supervised(lambda: TemporalModel(17, 2, 17, (3,), **size), data)
    again = train(objective, recipe, device="cpu", progress=False)
    assert again.reused and again.key == found.key


def test_the_rest_as_unlabelled_video_is_the_notebooks_training(data):
    found = train_temporal(COMMON | {"unlabelled": "rest", "percent": 10})
    again = semi_supervised(*split_labels(data, ["S1"], 0.1, least=9))  # three windows
    assert again.reused and again.key == found.key
    assert [row["projection"] > 0 for row in found.history] == [False, True]


def test_words_leave_terms_of_the_loss_out(data):
    words = [w for name, value in COMMON.items() for w in ("-p", name, str(value))]
    words += ["-p", "unlabelled", "rest", "-p", "percent", "10"]
    parts = split_labels(data, ["S1"], 0.1, least=9)
    for options, terms in (
        (["--no-proj"], {"projection": False}),
        (["--no-bone-length", "--linear-projection"], {"bones": False, "distortion": False}),
    ):
        assert command_line.main(["train", *words, *options]) == 0
        run = semi_supervised(*parts, **terms)
        assert run.reused
        last = run.history[-1]
        assert (last["projection"] > 0) == ("projection" not in terms)
        assert (last["bones"] > 0) == ("bones" not in terms)


def test_subjects_are_labelled_and_unlabelled_by_name(data):
    assert {r.subject for r in data.train} == {"S1", "S2"}
    found = train_temporal(COMMON | {"labelled": "S2", "unlabelled": "S1"})
    labelled, rest = split_labels(data, ["S2"])
    assert {r.subject for r in rest.train} == {"S1"}
    ours = semi_supervised(labelled, rest)
    assert samples.same(samples.weights(found), samples.weights(ours))
    # of its own frames those without labels, and no other person's
    found = train_temporal(COMMON | {"labelled": "S2", "unlabelled": "S2", "percent": 20})
    labelled, rest = split_labels(data, ["S2"], 0.2)
    ours = semi_supervised(labelled, rest.select(lambda r: r.subject == "S2"))
    assert samples.same(samples.weights(found), samples.weights(ours))


def test_pieces_are_three_windows_but_of_the_papers_own_data(data):
    frames = {len(r) for r in data.train}
    assert max(frames) * 0.1 < 27
    ours, papers = (
        Experiment("x", name, "smoke", 0, "cpu", False, {}) for name in ("synthetic", "human36m")
    )
    short, _ = known_and_unknown(papers, data, ["S1"], 0.1, 9)
    assert {len(r) for r in short.train} == {round(n * 0.1) for n in frames}
    long, _ = known_and_unknown(ours, data, ["S1"], 0.1, 9)
    assert {len(r) for r in long.train} == {27} and len(long.train) < len(short.train)


@pytest.fixture
def licensed(tmp_path, monkeypatch):
    """Human3.6M, tiny, with keypoints of a detector, also of S3, whose poses are not there."""
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path))
    rng = np.random.default_rng(5)
    everybody = human36m.TRAIN + human36m.TEST
    low, high = [-0.7, -0.7, 0], [0.7, 0.7, 1.8]
    motion = {
        s: {c: rng.uniform(low, high, (6, 17, 3)).astype("f4") for c in ("Walking", "Greeting")}
        for s in everybody
    }
    np.savez(tmp_path / "data_3d_h36m.npz", positions_3d=motion)
    seen = {s: {} for s in (*everybody, "S3")}
    exact = human36m.load()
    for r in (*exact.train, *exact.test):
        seen[r.subject].setdefault(r.clip, []).append(r.keypoints.numpy())
    seen["S3"]["Walking"] = [rng.uniform(100, 900, (8, 17, 2)).astype("f4") for _ in range(4)]
    archive = tmp_path / "data_2d_h36m_cpn_ft_h36m_dbb.npz"
    np.savez(archive, positions_2d=seen, metadata=samples.metadata("h36m", False))


@pytest.mark.usefixtures("licensed")
def test_subjects_without_published_poses_are_unlabelled_video():
    detector = "cpn_ft_h36m_dbb"
    words = {
        "dataset": "human36m",
        "detector": detector,
        "labelled": "S1,S5",
        "unlabelled": "S3,S7",
    }
    found = train_temporal(COMMON | words)
    labelled, rest = split_labels(human36m.load(detector), ["S1", "S5"])
    films = human36m.load_unlabelled(detector)
    theirs = tuple(r for r in rest.train if r.subject == "S7") + films.train
    unlabelled = Dataset("others", "of them", theirs, rest.test)
    ours = semi_supervised(labelled, unlabelled)
    assert samples.same(samples.weights(found), samples.weights(ours))
    other = semi_supervised(labelled, rest)
    assert not samples.same(samples.weights(found), samples.weights(other))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"percent": 5}, "percent: of semi-supervised training, which needs unlabelled video"),
        ({"projection": False}, "projection: of semi-supervised training"),
        ({"unlabelled": "S7"}, "unknown unlabelled subject 'S7'.*'rest', 'S1', 'S2'"),
        ({"unlabelled": "S3"}, "unknown unlabelled subject 'S3'"),  # of another data set
        ({"unlabelled": "rest", "labelled": "S9"}, "unknown subject 'S9'"),
        ({"unlabelled": "rest", "percent": 0}, "percent=0"),
        ({"unlabelled": "rest", "percent": "half"}, "percent='half'"),
        ({"unlabelled": "rest", "percent": 1000}, "percent=1000"),
        ({"unlabelled": "rest", "bones": "no"}, "unknown bones 'no'"),
    ],
)
def test_what_cannot_be_trained_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        train_temporal(COMMON | given)
