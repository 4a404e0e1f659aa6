"""Windows over recordings, held on the device.

All sequences lie end to end in one tensor, each padded at its ends by repeating its first and last
frame; an example is a place in it. A batch is then one index gather, with no loop over examples.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from paperlib.cameras import normalize_screen_coordinates, screen_intrinsics
from paperlib.recordings import Recording
from paperlib.skeletons import Skeleton


def padding(receptive_field: int, causal: bool) -> tuple[int, int]:
    """Frames to add before and after a sequence so that each of its frames gets a pose."""
    return (receptive_field - 1, 0) if causal else ((receptive_field - 1) // 2,) * 2


def pad_sequence(values: Tensor, receptive_field: int, causal: bool = False) -> Tensor:
    """``(T, …)`` with its first and last frame repeated: pavllo2019, 5.3, replication only at the
    ends of a sequence. ``T`` poses come out of a model that is given the result."""
    before, after = padding(receptive_field, causal)
    first = values[:1].expand(before, *values.shape[1:])
    last = values[-1:].expand(after, *values.shape[1:])
    return torch.cat([first, values, last])


def network_input(recording: Recording, confidence: bool = False) -> Tensor:
    """``(T, K, 2)`` keypoints in screen coordinates, or ``(T, K, 3)`` with their confidence."""
    camera = recording.camera
    screen = normalize_screen_coordinates(recording.keypoints, camera.width, camera.height)
    return torch.cat([screen, recording.confidence[..., None]], -1) if confidence else screen


def input_of(model: nn.Module) -> Callable[[Recording], Tensor]:
    """What a model sees of a recording: keypoints, and their confidence if its ``config`` says that
    it takes three numbers for each."""
    features = getattr(model, "config", {}).get("in_features", 2)
    return partial(network_input, confidence=features == 3)


def mirror(points: Tensor, skeleton: Skeleton) -> Tensor:
    """Points ``(…, J, D)`` in the mirror: x changes sign, left and right change places.

    For poses in camera space and for keypoints in screen coordinates (x = 0 in the middle).
    """
    flipped = points[..., list(skeleton.mirrored), :].clone()
    flipped[..., 0] *= -1
    return flipped


class Windows:
    """Training examples: a window of keypoints and the pose of its target frame.

    With ``flip`` every example is there twice, as it is and mirrored. ``stride`` takes every
    so-manieth frame as a target (the windows still hold every frame). ``len`` counts examples.
    ``features`` gives a recording's ``(T, K, F)``, x first: by default its keypoints alone.

    ``chunk`` makes that many adjacent frames the targets of one window, ``receptive_field + chunk
    - 1`` frames long. The chunks of a recording lie end to end, centred on it; where the outer ones
    reach beyond, its first and last frame stand in, with their poses (pavllo2019, reference). All
    frames are targets then: a ``stride`` beside it is refused.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        receptive_field: int,
        causal: bool = False,
        flip: bool = True,
        stride: int = 1,
        features: Callable[[Recording], Tensor] = network_input,
        device: torch.device | str = "cpu",
        chunk: int = 1,
    ):
        if not recordings:
            raise ValueError("no recordings to take windows from")
        kinds = {(r.skeleton.name, r.keypoint_skeleton.name) for r in recordings}
        if len(kinds) > 1:
            raise ValueError(f"recordings of different skeletons cannot be mixed: {sorted(kinds)}")
        if stride < 1:
            raise ValueError(f"stride must be at least 1, got {stride}")
        if chunk < 1 or (chunk > 1 and stride > 1):
            raise ValueError(
                f"a chunk is of 1 or more adjacent frames, got chunk {chunk} with stride {stride}: "
                "chunks of several frames go with stride 1, a stride with chunk 1"
            )
        self.receptive_field = receptive_field
        inputs, poses, roots, starts, targets, cameras = [], [], [], [], [], []
        padded_so_far = frames_so_far = 0
        for recording in recordings:
            frames = _whole_chunks(len(recording), chunk)
            seen = features(recording)[frames]
            padded = pad_sequence(seen, receptive_field, causal)
            chosen = torch.arange(0, len(frames), max(stride, chunk))
            inputs.append(padded)
            poses.append(recording.pose)
            roots.append(recording.trajectory)
            cameras.append(recording.camera)
            starts.append(chosen + padded_so_far)
            targets.append(frames[chosen[:, None] + torch.arange(chunk)] + frames_so_far)
            padded_so_far += len(padded)
            frames_so_far += len(recording)
        self.inputs, self.poses = torch.cat(inputs).to(device), torch.cat(poses).to(device)
        self.roots = torch.cat(roots).to(device)
        self.starts, self.targets = torch.cat(starts).to(device), torch.cat(targets).to(device)
        # which camera saw each frame, and how each camera sees
        counts = torch.tensor([len(r) for r in recordings])
        self.views = torch.arange(len(recordings)).repeat_interleave(counts).to(device)
        self.intrinsics = torch.stack([screen_intrinsics(c) for c in cameras]).to(device)
        if flip:
            first = recordings[0]
            self.inputs = torch.cat([self.inputs, mirror(self.inputs, first.keypoint_skeleton)])
            self.poses = torch.cat([self.poses, mirror(self.poses, first.skeleton)])
            self.roots = torch.cat([self.roots, self.roots * self.roots.new_tensor([-1, 1, 1])])
            mirrored = torch.stack([screen_intrinsics(c.mirrored()) for c in cameras]).to(device)
            self.intrinsics = torch.cat([self.intrinsics, mirrored])
            self.views = torch.cat([self.views, self.views + len(recordings)])
            self.starts = torch.cat([self.starts, self.starts + padded_so_far])
            self.targets = torch.cat([self.targets, self.targets + frames_so_far])
        self._steps = torch.arange(receptive_field + chunk - 1, device=device)

    def __len__(self) -> int:
        return len(self.starts)

    def batch(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        """Keypoints ``(B, R + L - 1, K, F)`` and poses ``(B, L, J, 3)`` of the examples ``(B,)``,
        with chunks of L frames."""
        frames = self.starts[examples, None] + self._steps
        return self.inputs[frames], self.poses[self.targets[examples]]

    def roots_of(self, examples: Tensor) -> Tensor:
        """Where the root of the examples' target frames is: ``(B, L, 1, 3)``, camera space."""
        return self.roots[self.targets[examples], None]

    def intrinsics_of(self, examples: Tensor) -> Tensor:
        """The cameras of the examples, ``(B, 9)``: see :func:`cameras.screen_intrinsics`."""
        return self.intrinsics[self.views[self.targets[examples, 0]]]

    def order(self, generator: torch.Generator) -> Tensor:
        """All examples once, shuffled over every recording, view and mirror image."""
        return torch.randperm(len(self), generator=generator).to(self.starts.device)


def _whole_chunks(length: int, chunk: int) -> Tensor:
    """The frames of a recording as whole chunks: those beyond its ends are its first and last."""
    beyond = -length % chunk
    frames = torch.arange(length + beyond) - beyond // 2
    return frames.clamp(0, length - 1)
