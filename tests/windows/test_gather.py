"""One gather by index, whatever is gathered."""

import pytest
import torch
from samples import recording

from paperlib.recordings import PerFrame
from paperlib.windows import Track, Windows


def track(length: int, first: int = 0, **changes) -> Track:
    """Frames numbered from ``first``, every one of them a target."""
    numbers = torch.arange(first, first + length)
    fields = {"length": length, "chosen": torch.arange(length), "inputs": numbers}
    return Track(**(fields | {"targets": {"number": -numbers}} | changes))


def test_a_window_by_hand():
    """Ends are repeated, and no window goes beyond its own track."""
    windows = Windows([track(3), track(2, 10)], receptive_field=5)
    inputs, targets = windows.batch(torch.tensor([0, 2, 3, 4]))
    seen = [[0, 0, 0, 1, 2], [0, 1, 2, 2, 2], [10, 10, 10, 11, 11], [10, 10, 11, 11, 11]]
    assert inputs.tolist() == seen
    assert targets.tolist() == [[0], [-2], [-10], [-11]]
    causal = Windows([track(3), track(2, 10)], receptive_field=3, causal=True)
    assert causal.input(torch.tensor([0, 2, 4])).tolist() == [[0, 0, 0], [0, 1, 2], [10, 10, 11]]


def test_whole_sequences_are_windows_too():
    """As a discriminator sees them: chunks of adjacent frames, several targets each."""
    tracks = [track(7, chosen=torch.tensor([0, 4])), track(4, 20, chosen=torch.tensor([0]))]
    windows = Windows(tracks, receptive_field=1, chunk=4)
    inputs, targets = windows.batch(torch.arange(3))
    assert inputs.tolist() == [[0, 1, 2, 3], [4, 5, 6, 6], [20, 21, 22, 23]]
    assert torch.equal(targets, -inputs)


def test_constants_belong_to_the_track():
    tracks = [track(3, constants={"fps": torch.tensor(50.0)})]
    tracks += [track(2, constants={"fps": torch.tensor(25.0)})]
    assert Windows(tracks, 3).constant("fps", torch.tensor([4, 0, 3])).tolist() == [25, 50, 25]


def test_what_is_computed_when_needed_is_gathered_as_if_it_lay_there(device):
    """Heatmaps of two films: one call for each film that a batch meets, of the frames it needs."""
    asked = []

    def film(name: str, length: int) -> tuple[Track, torch.Tensor]:
        maps = torch.rand(length, 17, 4, 4)

        def compute(frames):
            asked.append((name, frames.tolist()))
            return maps[frames]

        one = recording(length, heatmaps=PerFrame(name, compute)).cut(0, length)
        return track(length, inputs=one.heatmaps), maps

    films = [film("a", 4), film("b", 3)]
    lazy = Windows([one for one, _ in films], 3, device=device)
    stored = Windows([track(len(maps), inputs=maps) for _, maps in films], 3, device=device)
    examples = torch.tensor([6, 0, 1], device=device)
    assert torch.equal(lazy.input(examples), stored.input(examples))
    assert lazy.input(examples).device.type == device.type
    assert asked[:2] == [("a", [0, 0, 1, 0, 1, 2]), ("b", [1, 2, 2])]


def test_an_epoch_takes_each_example_in_a_version_drawn_by_chance():
    windows = Windows([track(50), track(50, 1000)], 1, versions=2)
    assert len(windows) == 50
    order = windows.order(torch.Generator().manual_seed(2))
    values = windows.input(order)[:, 0]
    assert sorted((values % 1000).tolist()) == list(range(50))
    assert 10 < (values >= 1000).sum() < 40


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(ValueError, match="no recordings"):
        Windows([], 3)
    with pytest.raises(ValueError, match="no frame is a target"):
        Windows([track(3, chosen=torch.arange(0))], 3)
