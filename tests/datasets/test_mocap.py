"""CMU and Bandai Namco together, in folds: on small files made here, and the real ones."""

from collections import defaultdict

import numpy as np
import pytest
import test_bandai_namco as bandai
import test_cmu
import torch

from paperlib import datasets
from paperlib.datasets import bandai_namco, cmu, mocap, takes
from paperlib.errors import MissingDataError

CMU = {f"train/walking/walking_{n}": test_cmu.text_of(25 + n) for n in range(1, 4)}
CMU |= {
    "test/walking/walking_1": test_cmu.text_of(13),
    "test/washwindow/washwindow_1": test_cmu.text_of(9),
}


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Both sources, with a few files each."""
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path))
    monkeypatch.setenv("PAPERLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("paperlib.paths.ROOT", tmp_path / "elsewhere")
    test_cmu.write(tmp_path, CMU)
    (tmp_path / bandai_namco.FOLDER).mkdir()
    bandai.pack(tmp_path / bandai_namco.FOLDER)
    return tmp_path


def load(**options):
    return datasets.load("mocap", as_found=True, **options)


def parts(data) -> dict[str, set[tuple[str, str]]]:
    return {p: {(r.action, r.take) for r in data.split(p)} for p in ("train", "test", "unseen")}


def test_both_sources_are_there_with_the_actions_of_a_single_take_apart(small):
    data = load()
    assert data.name == "mocap-as_found" and load(fold=2).name == "mocap-as_found-fold2"
    assert "CC BY-NC" in data.source and "mocap.cs.cmu.edu" in data.source
    assert {r.action for r in (*data.train, *data.test)} == {"walking", "walk", "bow"}
    assert {r.action for r in data.unseen} == {"washwindow", "kick"}
    assert {r.take for r in data.unseen} == {"washwindow_1.test", "1_kick_normal_001"}
    everyone = {r.subject for r in data.train}
    assert everyone.isdisjoint({r.subject for r in (*data.test, *data.unseen)})


def test_every_take_is_tested_once_and_learnt_from_in_the_other_folds(small):
    found = [parts(load(fold=fold)) for fold in takes.FOLDS]
    whole = found[0]["train"] | found[0]["test"]
    assert len(whole) == 4 + 5  # CMU's published train and test, and Bandai Namco's
    for one in found:
        assert one["train"] | one["test"] == whole and not one["train"] & one["test"]
        assert one["unseen"] == found[0]["unseen"]
    tested = [take for one in found for take in one["test"]]
    assert len(tested) == len(set(tested)) == len(whole)


def test_loading_again_gives_the_same(small):
    first, second = load(fold=1), load(fold=1)
    assert first.fingerprint == second.fingerprint != load(fold=0).fingerprint
    (small / "cache").rename(small / "moved")
    assert load(fold=1).fingerprint == first.fingerprint


def test_a_part_of_the_actions_has_the_same_folds(small):
    whole, part = load(), load(actions=["walking"])
    kept = whole.select(lambda r: r.action == "walking")
    assert parts(part) == parts(kept)
    for one, other in zip(part.test, kept.test, strict=True):
        assert torch.equal(one.positions, other.positions)


def test_an_action_of_a_single_take_cannot_be_split(small):
    with pytest.raises(ValueError, match=r"fold 0: of washwindow, nothing is left to learn from"):
        load(actions=["washwindow"])
    found = {}
    for fold in takes.FOLDS:  # bow has two takes: the last fold tests none
        try:
            found[fold] = {r.take for r in load(actions=["bow"], fold=fold).test}
        except ValueError as problem:
            assert "nothing is left to test on" in str(problem)
    assert len(found) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fold": 3}, r"unknown fold 3: choose one of 0, 1, 2"),
        ({"fold": "0"}, r"unknown fold '0'"),
        ({"actions": ["Walking"]}, r"unknown action 'Walking'.*Did you mean 'walking'"),
        ({"actions": []}, "no action chosen"),
        ({"root_correction": False}, "unknown option of mocap data 'root_correction'"),
    ],
)
def test_wrong_arguments(small, options, said):
    with pytest.raises(ValueError, match=said):
        datasets.load("mocap", **options)


def test_without_one_of_the_sources_it_is_missing_and_it_is_never_chosen(small):
    assert mocap.find() == small / bandai_namco.FOLDER
    assert datasets.resolve("auto") == "cmu"
    (small / bandai_namco.FOLDER / bandai_namco.ARCHIVE).unlink()
    with pytest.raises(MissingDataError, match=r"Bandai Namco.*BandaiNamcoResearchInc.*CC BY-NC"):
        datasets.load("mocap", actions=["walking"])


def test_files_as_found_have_to_be_asked_for(small):
    with pytest.raises(MissingDataError, match="of 96 files, 91 are missing"):
        datasets.load("mocap")


# --- the real set ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    try:
        mocap.find()
    except MissingDataError:
        pytest.skip("CMU and Bandai Namco motion capture are not on this computer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERLIB_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield [*cmu.all_takes(), *bandai_namco.all_takes()]


@pytest.mark.data
def test_the_folds_of_the_whole(real):
    assert len(real) == 96 + 924
    fold_of = takes.folds(real)
    seconds: dict[str, dict] = defaultdict(lambda: defaultdict(float))
    groups = defaultdict(set)
    for take in real:
        fold = fold_of[take.action, take.name]
        seconds[take.action][fold] += len(take.test.world) / takes.FPS
        groups[take.action, take.group].add(fold)
    unseen = {action for action, found in seconds.items() if None in found}
    assert unseen == {"washwindow", "kick", "respond", "dance-short"}
    assert all(list(found) == [None] for a, found in seconds.items() if a in unseen)
    counts = {action: len(found) for action, found in seconds.items() if action not in unseen}
    # of two takes: tested in two folds, and learnt from in all three
    assert {a for a, n in counts.items() if n == 2} == {
        "directing_traffic",
        "call",
        "punch",
        "slash",
    }
    assert set(counts.values()) == {2, 3} and len(counts) == 29
    assert all(0 in seconds[action] for action in counts)  # the default fold tests all of them
    # what is alike stays together: all takes of one content and style, but of a single style
    split = {action for (action, _), found in groups.items() if len(found) > 1}
    assert split == {"call", "punch", "slash"}
    whole = np.array([sum(found[fold] for found in seconds.values()) for fold in takes.FOLDS])
    assert (whole / whole.sum()).tolist() == pytest.approx([1 / 3] * 3, abs=0.03)
    for action, count in counts.items():
        if count == 3:
            shares = np.array([seconds[action][fold] for fold in takes.FOLDS])
            assert 0.15 < (shares / shares.sum()).min(), action


@pytest.mark.data
def test_the_small_piece_of_the_real_set(real):
    data = datasets.load("mocap", small=True)
    assert {r.action for r in data.train} == {r.action for r in data.test} == {"running", "bow"}
    assert not data.unseen and max(len(r) / r.fps for r in data.test) >= 2
