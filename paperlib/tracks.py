"""A person's track as the Temporal PoseNet sees it, and as it answers (veges2020, 3.1 and 4.3).

Seen are 14 joints: image coordinates times the inverse calibration matrix, so that they mean angles
in any camera, and a score. The hip stands where it is, the others relative to it. Answered are the
root's place, with the logarithm of its depth, and the joints relative to it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from paperlib.cameras import inverse_calibration
from paperlib.detection.people import was_found
from paperlib.randomness import generator_of
from paperlib.recordings import Recording
from paperlib.skeletons import COMMON_14, convert, convert_confidence
from paperlib.windows import mirror, pad_sequence

DOUBTFUL = 0.1  # score below which a joint is taken for not seen (reference)
_UNSEEN = -1700.0  # pixels from the principal point, both ways, where such a joint is put
_ZOOM = (0.6, 1.5)  # limits of the zoom, whose mean is 1 and whose standard deviation is …
_ZOOM_SPREAD = 0.2
_IN_FRONT = 0.1  # metres before the camera that zooming leaves any joint


def features(recording: Recording, zoom: float = 1.0, mirrored: bool = False) -> Tensor:
    """``(T, 14, 3)``: x, y and score of the joints of :data:`~paperlib.skeletons.COMMON_14`.

    The hip is at its own place, the others relative to it and divided by ``zoom``; a joint whose
    score is below :data:`DOUBTFUL` gets a constant far outside any picture instead.
    """
    focal = torch.tensor(recording.camera.focal)
    skeleton, hip = recording.keypoint_skeleton, COMMON_14.root
    image = inverse_calibration(recording.keypoints, recording.camera)
    points = convert(image, skeleton, COMMON_14)
    score = convert_confidence(recording.confidence, skeleton, COMMON_14)
    if mirrored:
        points, score = mirror(points, COMMON_14), score[:, list(COMMON_14.mirrored)]
    seen = (points - points[:, hip : hip + 1]) / zoom
    seen = torch.where((score < DOUBTFUL)[..., None], _UNSEEN / focal, seen)
    seen[:, hip] = points[:, hip]
    return torch.cat([seen, score[..., None]], dim=-1)


def targets(recording: Recording, zoom: float = 1.0, mirrored: bool = False) -> Tensor:
    """``(T, J, 3)``: the pose relative to its root, in metres; in the root's row its X, Y and log Z
    in camera space, after a ``zoom`` that moves the person away by that factor. The inverse is
    :func:`paperlib.models.temporal_posenet.absolute`."""
    root = recording.skeleton.root
    if not (recording.trajectory[:, 2] > 0).all():
        frame = int((recording.trajectory[:, 2] <= 0).nonzero()[0])
        raise ValueError(
            f"{recording.name}: the root is not in front of the camera in frame {frame}, so that "
            "its depth has no logarithm; cut such frames out"
        )
    place, pose = zoom * recording.trajectory, recording.pose
    answer = pose.clone()
    answer[:, root] = torch.cat([place[:, :2], place[:, 2:].log()], dim=-1)
    return mirror(answer, recording.skeleton) if mirrored else answer


def draw_zoom(recording: Recording, seed: int = 0) -> float:
    """A track's random zoom (veges2020, 4.3; its law is the reference's): normal about 1 with a
    deviation of 0.2, within 0.6 and 1.5, and such that no joint gets behind the camera."""
    rng = generator_of(f"zoom|{seed}|{recording.name}")
    drawn = float(np.clip(1 + _ZOOM_SPREAD * rng.standard_normal(), *_ZOOM))
    depth, ahead = recording.trajectory[:, 2], recording.pose[..., 2].amin(dim=1)
    return max(drawn, float(((_IN_FRONT - ahead) / depth).max()))


class Statistics(NamedTuple):
    """Means and standard deviations that inputs ``(14, 3)`` and answers ``(J, 3)`` are
    standardised by."""

    input_mean: Tensor
    input_std: Tensor
    output_mean: Tensor
    output_std: Tensor


class Tracks:
    """Training examples for the Temporal PoseNet: windows of features, and the answer for each
    one's middle frame.

    With ``zoom`` every track is there twice, as it is and zoomed, and ``len`` counts both. With
    ``flip`` an epoch takes each example either as it is or mirrored, by chance. Frames in which the
    person was not found are no targets; ``stride`` takes every so-manieth of the others.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        receptive_field: int,
        zoom: bool = True,
        flip: bool = True,
        stride: int = 1,
        seed: int = 0,
    ):
        if not recordings:
            raise ValueError("no recordings to take windows from")
        kinds = {r.skeleton.name for r in recordings}
        if len(kinds) > 1:
            raise ValueError(f"recordings of different skeletons cannot be mixed: {sorted(kinds)}")
        if stride < 1 or receptive_field < 1 or receptive_field % 2 == 0:
            raise ValueError(
                f"stride must be at least 1 and a window have a middle, got {stride=} and "
                f"{receptive_field=}"
            )
        self.receptive_field, self.flip = receptive_field, flip
        zooms = [(1.0, draw_zoom(r, seed)) if zoom else (1.0,) for r in recordings]
        inputs, answers, starts, middles, real = [], [], [], [], []
        half = receptive_field // 2
        padded_so_far = frames_so_far = 0
        # all as it is first, then all mirrored: an example's mirror image is so many further on
        for mirrored in (False, True) if flip else (False,):
            for recording, factors in zip(recordings, zooms, strict=True):
                found = was_found(recording).nonzero().flatten()[::stride]
                for factor in factors:
                    seen = features(recording, factor, mirrored)
                    inputs.append(pad_sequence(seen, receptive_field))
                    real.append(torch.arange(len(seen)) + padded_so_far + half)
                    answers.append(targets(recording, factor, mirrored))
                    starts.append(found + padded_so_far)
                    middles.append(found + frames_so_far)
                    padded_so_far += len(inputs[-1])
                    frames_so_far += len(recording)
        self.inputs, self.answers = torch.cat(inputs), torch.cat(answers)
        self.starts, self.middles = torch.cat(starts), torch.cat(middles)
        self._real = torch.cat(real)  # frames of the inputs that are no padding
        self._steps = torch.arange(receptive_field)
        if not len(self.starts):
            raise ValueError("nobody was found in any frame: there is nothing to learn from")

    def __len__(self) -> int:
        return len(self.starts) // (1 + self.flip)

    def to(self, device: torch.device | str) -> "Tracks":
        """These tracks, moved to a device."""
        for name in ("inputs", "answers", "starts", "middles", "_steps", "_real"):
            setattr(self, name, getattr(self, name).to(device))
        return self

    def statistics(self) -> Statistics:
        """Over all frames of all versions of the tracks, those in which nobody was found too: what
        these contain is seen in the windows of others."""
        seen = torch.std_mean(self.inputs[self._real].double(), dim=0)
        told = torch.std_mean(self.answers.double(), dim=0)
        # what never changes (a score that is always 1) is left as it is
        values = (seen[1], _or_one(seen[0]), told[1], _or_one(told[0]))
        return Statistics(*(value.float() for value in values))

    def batch(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        """Features ``(B, R, 14, 3)`` and answers ``(B, 1, J, 3)`` of examples ``(B,)``."""
        frames = self.starts[examples, None] + self._steps
        return self.inputs[frames], self.answers[self.middles[examples], None]

    def order(self, generator: torch.Generator) -> Tensor:
        """All examples once, shuffled, each as it is or mirrored."""
        chosen = torch.randperm(len(self), generator=generator)
        if self.flip:
            chosen += len(self) * torch.randint(0, 2, (len(self),), generator=generator)
        return chosen.to(self.starts.device)


def _or_one(deviation: Tensor) -> Tensor:
    return torch.where(deviation > 1e-4, deviation, 1.0)
