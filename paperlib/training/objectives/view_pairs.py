"""Examples of several views and of films without poses (cheng2020, eq. 2 and 3)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from paperlib.kinematics import quaternion_to_matrix
from paperlib.recordings import Recording
from paperlib.training.objectives.base import as_many
from paperlib.windows import Windows, network_input


class ViewPairs:
    """Examples ``(N, 2)``: two windows each, or ``(N, 3)``: those and one of a film without poses.

    With ``paired`` the two show the same moments from two cameras, drawn anew in each epoch: of an
    odd number of views one is left out then. Otherwise they are any two, so that a batch holds as
    many windows either way. :attr:`fooling` is 1 from the epoch ``warm_up`` on, and 0 before; it
    lies on the device, since what is recorded there reads it in each step.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        labelled: Windows,
        films: Windows | None,
        seen: Windows | None,
        paired: bool,
        warm_up: int,
    ):
        self.labelled, self.films, self.seen, self.warm_up = labelled, films, seen, warm_up
        self.device, self.epoch = labelled.starts.device, 0
        self.fooling = torch.zeros((), device=self.device)
        # the mirrored versions of all recordings come after them
        versions = len(labelled.first) // len(recordings)
        turns = torch.stack([world_to_camera_rotation(r) for r in recordings])
        mirror = torch.diag(turns.new_tensor([-1.0, 1.0, 1.0]))
        self.rotations = torch.cat([turns, mirror @ turns][:versions]).to(self.device)
        self.moments = _moments(recordings, labelled, versions) if paired else []

    def __len__(self) -> int:
        if self.moments:
            return sum(len(views) * (views.shape[1] // 2) for views in self.moments)
        return len(self.labelled) // 2

    def order(self, generator: torch.Generator, epoch: int = 0) -> Tensor:
        self.epoch = epoch
        self.fooling.fill_(float(epoch >= self.warm_up))
        if self.moments:
            pairs = torch.cat([_drawn(views, generator) for views in self.moments])
            pairs = pairs[torch.randperm(len(pairs), generator=generator)].to(self.device)
        else:
            pairs = self.labelled.order(generator)[: 2 * len(self)].view(-1, 2)
        if self.films is None:
            return pairs
        films = as_many(self.films, len(pairs), generator)
        return torch.cat([pairs, films[:, None]], dim=1)

    def rotation(self, pairs: Tensor) -> Tensor:
        """``(B, 3, 3)``: from the axes of the first camera to those of the second, R_2 R_1^T, of
        examples ``(B, 2 or 3)``."""
        first, second = (self.rotations[self.labelled.track[pairs[:, view]]] for view in (0, 1))
        # not a matrix product, which mixed precision would round
        return (second[:, :, None] * first[:, None]).sum(dim=-1)


def world_to_camera_rotation(recording: Recording) -> Tensor:
    """``(3, 3)``: what turns directions in the world into the axes of the recording's camera."""
    orientation = torch.tensor(recording.camera.orientation, dtype=torch.float64)
    return quaternion_to_matrix(orientation).T.float()


def partners(recordings: Iterable[Recording]) -> list[list[int]]:
    """Which recordings show the same person in the same clip, by their numbers: two or more each.

    ``ValueError`` for one that has no other view, or whose views are not of the same frames.
    """
    recordings, groups = list(recordings), defaultdict(list)
    for number, r in enumerate(recordings):
        groups[r.subject, r.action, r.clip, r.person].append(number)
    for views in groups.values():
        first, *others = (recordings[number] for number in views)
        if not others:
            raise ValueError(
                f"{first.name} has no view from another camera: the multi-view loss needs pairs; "
                "take clips of several cameras, or set its weight, views, to 0"
            )
        for other in others:
            if len(first) != len(other) or not _same_frames(first, other):
                raise ValueError(
                    f"{first.name} ({len(first)} frames) and {other.name} ({len(other)}) are not "
                    "of the same frames: views can only be compared at the same moments"
                )
    return list(groups.values())


def seen_keypoints(recording: Recording) -> Tensor:
    """``(T, K, 3)``: keypoints in screen coordinates, and 1 where one was found and is not known to
    be hidden, else 0."""
    visible = recording.confidence > 0
    if recording.visible is not None and recording.skeleton == recording.keypoint_skeleton:
        visible = visible & recording.visible
    keypoints = network_input(recording)
    return torch.cat([keypoints, visible[..., None].to(keypoints)], dim=-1)


def _same_frames(one: Recording, other: Recording) -> bool:
    return one.frames is None or other.frames is None or torch.equal(one.frames, other.frames)


def _moments(recordings: Sequence[Recording], windows: Windows, versions: int) -> list[Tensor]:
    """The examples that show the same moments: ``(M, V)`` for each number V of views."""
    counts = windows.track.bincount(minlength=len(windows.first)).cpu()
    starts = counts.cumsum(0) - counts
    by_views = defaultdict(list)
    for views in partners(recordings):
        for version in range(versions):
            tracks = torch.tensor(views) + version * len(recordings)
            windows_each = torch.arange(int(counts[tracks[0]]))
            by_views[len(views)].append(starts[tracks] + windows_each[:, None])
    return [torch.cat(parts) for _, parts in sorted(by_views.items())]


def _drawn(views: Tensor, generator: torch.Generator) -> Tensor:
    """``(M, V)`` -> ``(M * (V // 2), 2)``: the views of each moment in pairs, by chance."""
    order = torch.rand(views.shape, generator=generator).argsort(dim=1)
    return views.gather(1, order)[:, : views.shape[1] // 2 * 2].reshape(-1, 2)
