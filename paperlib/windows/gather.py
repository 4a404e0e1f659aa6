"""Windows over sequences, held on the device: one gather by index.

All sequences lie end to end. An example is a frame of one of them; its window is the frames around
it, and beyond the ends of its sequence the first and the last frame stand in. A batch is then one
gather with no loop over examples. What is gathered is the sequence's to say: keypoints, features of
a track, poses, or heatmaps and images that are computed when they are needed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from paperlib.recordings import PerFrame
from paperlib.windows.padding import padding


@dataclass(frozen=True)
class Track:
    """One sequence of ``T`` frames to take examples from.

    ``inputs`` is what a network sees, ``targets`` what it should answer, each ``(T, …)`` or a
    :class:`~paperlib.recordings.PerFrame`; ``constants`` are values of the whole sequence.
    ``chosen`` ``(N,)`` are its target frames, or the first of each chunk of them, which may lie
    before the sequence begins.
    """

    length: int
    chosen: Tensor
    inputs: Tensor | PerFrame
    targets: Mapping[str, Tensor | PerFrame]
    constants: Mapping[str, Tensor] = field(default_factory=dict)


class Windows:
    """Training examples of a model with a receptive field of R frames: windows of what it sees, and
    what it should answer for ``chunk`` adjacent target frames (L) each.

    With ``versions`` > 1 the tracks are that many versions of the same (as they are, mirrored), one
    version after the other: ``len`` counts the examples of one, and an epoch takes each example in
    a version drawn by chance.
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        receptive_field: int,
        causal: bool = False,
        chunk: int = 1,
        versions: int = 1,
        device: torch.device | str = "cpu",
    ):
        if not tracks:
            raise ValueError("no recordings to take windows from")
        self.receptive_field, self.versions = receptive_field, versions
        lengths = torch.tensor([track.length for track in tracks])
        counts = torch.tensor([len(track.chosen) for track in tracks])
        if not counts.sum():
            raise ValueError("no frame is a target: there is nothing to learn from")
        first = lengths.cumsum(0) - lengths
        starts = [track.chosen + begin for track, begin in zip(tracks, first.tolist(), strict=True)]
        self.first, self.last = first.to(device), (first + lengths - 1).to(device)
        self.starts = torch.cat(starts).to(device)  # of each example: its first target frame …
        self.track = torch.arange(len(tracks)).repeat_interleave(counts).to(device)  # … and track
        self.inputs = _end_to_end([t.inputs for t in tracks], first, device)
        self.targets = {
            name: _end_to_end([t.targets[name] for t in tracks], first, device)
            for name in tracks[0].targets
        }
        self.constants = {
            name: torch.stack([t.constants[name] for t in tracks]).to(device)
            for name in tracks[0].constants
        }
        before, after = padding(receptive_field, causal)
        self._window = torch.arange(-before, after + chunk, device=device)
        self._chunk = torch.arange(chunk, device=device)

    def __len__(self) -> int:
        return len(self.starts) // self.versions

    def order(self, generator: torch.Generator, epoch: int = 0) -> Tensor:
        """All examples once, shuffled over everything."""
        chosen = torch.randperm(len(self), generator=generator)
        if self.versions > 1:
            drawn = torch.randint(0, self.versions, (len(self),), generator=generator)
            chosen += len(self) * drawn
        return chosen.to(self.starts.device)

    def batch(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs ``(B, R + L - 1, …)`` and the first of the targets ``(B, L, …)``."""
        return self.input(examples), self.target(next(iter(self.targets)), examples)

    def input(self, examples: Tensor) -> Tensor:
        """``(B, R + L - 1, …)``: what the network sees of the examples ``(B,)``."""
        return self.inputs[self._frames(examples, self._window)]

    def target(self, name: str, examples: Tensor) -> Tensor:
        """``(B, L, …)``: what it should answer."""
        return self.targets[name][self._frames(examples, self._chunk)]

    def constant(self, name: str, examples: Tensor) -> Tensor:
        """``(B, …)``: a value of each example's whole sequence."""
        return self.constants[name][self.track[examples]]

    def _frames(self, examples: Tensor, steps: Tensor) -> Tensor:
        track = self.track[examples, None]
        frames = self.starts[examples, None] + steps
        return frames.clamp(self.first[track], self.last[track])


def _end_to_end(parts: Sequence[Tensor | PerFrame], first: Tensor, device) -> "Tensor | _Computed":
    if isinstance(parts[0], PerFrame):
        return _Computed(parts, first, device)
    return torch.cat(list(parts)).to(device)


class _Computed:
    """Frames of all sequences by their number, each computed by its own sequence's function: one
    call for each sequence that a batch meets."""

    def __init__(self, parts: Sequence[Callable[[Tensor], Tensor]], first: Tensor, device):
        self.parts, self.first, self.device = parts, first, device

    def __getitem__(self, frames: Tensor) -> Tensor:
        wanted = frames.flatten().cpu()
        owner = torch.searchsorted(self.first, wanted, right=True) - 1
        values = None
        for part in owner.unique().tolist():
            own = (owner == part).nonzero().flatten()
            found = self.parts[part](wanted[own] - self.first[part])
            if values is None:
                values = found.new_empty(len(wanted), *found.shape[1:])
            values[own.to(found.device)] = found
        return values.unflatten(0, frames.shape).to(self.device)
