"""The occlusion-aware temporal network (wang2020, 4.3): from guesses of which keypoints are hidden
it decides which really are, and lifts the others."""

import torch
from torch import Tensor, nn

from paperlib.errors import one_of
from paperlib.models.arguments import check_keypoints, checked
from paperlib.models.temporal import TemporalModel, side_by_side

VECTORS = ("one", "many")
GATES = ("hard", "straight_through", "soft")
CODINGS = ("zero", "zero_and_mask", "mask", "root", "interpolated")
_MASK = 0.05  # of a hidden keypoint in a mask: as loud as keypoints are, which move by hundredths
_REACH = 13  # frames to either side in which a hidden keypoint's line looks for where it was seen
_WIDTH = 3  # frames: the kernel over the guesses, as those of the lifting network
_AT_ONCE = 1024  # windows
_START_LOGIT = 2.0  # a guess is an occlusion of 0.88 or 0.12 where the branch starts from guesses


class OcclusionAware(nn.Module):
    """Keypoints and guesses over time to 3D poses: ``(B, T, J_in, 3)`` -> ``(B, T - R + 1, J_out,
    3)``. A keypoint is x, y in screen coordinates, and 1 where it is taken to be visible, else 0
    (:func:`paperlib.occlusion.with_labels`); ``R`` is :attr:`receptive_field`.

    Convolutions over the guesses and a sigmoid give an occlusion from 0 to 1 for each keypoint;
    where it is above ``threshold``, x and y become 0. The rest is a :class:`TemporalModel` of
    ``filter_widths``, called :attr:`lifting`. The paper's two variants:

    * ``vectors="one"``: convolutions as wide as those of the lifting network lead to one vector of
      occlusions a window, of the frame whose pose is asked for, and only that frame's keypoints
      are zeroed. R is that of the lifting network.
    * ``vectors="many"``: one convolution of three frames, a vector for each frame, and all frames'
      keypoints are zeroed. Each end of the window takes a frame more.

    What stands in the place of a hidden keypoint is ``coding``; all but the first are ours:

    * ``"zero"``: zero, as in the paper, which is the middle of the image;
    * ``"zero_and_mask"``: zero, and a third number for each keypoint says that it was hidden;
    * ``"mask"``: that number alone, beside the keypoint as it was found;
    * ``"root"``: the ``root``'s keypoint of the same frame, as it was found;
    * ``"interpolated"``: a straight line over time between the nearest frames in which it was taken
      to be visible, 13 at most to either side, or the one of them that there is; where there is
      none, the keypoint as it was found. With many vectors R is wider by as many frames; with one,
      the frames beside the middle one are all taken to be visible.

    A threshold has no gradient. With ``gate="hard"``, the text, only the loss of the occlusions
    trains what decides about them; ``"straight_through"`` zeroes likewise, and passes gradients as
    if the keypoints had been scaled by 1 - occlusion; ``"soft"`` does scale them by that.

    The text leaves open the threshold, the sizes of the branch and what stands between its layers
    (nothing here), and which frames the one vector zeroes. ``start_from_guesses`` is ours: at first
    the branch gives the guesses as they are. From random weights the absolute difference of the
    paper's loss easily leads to the commoner answer, that all is visible, where a sigmoid has no
    slope left.
    """

    causal = False

    def __init__(
        self,
        num_joints_in: int,
        in_features: int,
        num_joints_out: int,
        filter_widths: tuple[int, ...],
        vectors: str = "many",
        gate: str = "hard",
        threshold: float = 0.5,
        start_from_guesses: bool = False,
        dropout: float = 0.25,
        channels: int = 1024,
        coding: str = "zero",
        root: int = 0,
    ):
        super().__init__()
        one_of("vectors", vectors, VECTORS)
        one_of("gate", gate, GATES)
        one_of("coding", coding, CODINGS)
        self.config = checked(locals())
        if in_features != 3:
            raise ValueError(
                "the occlusion-aware network takes three features of each keypoint: x, y and a "
                f"guess, got {in_features=}"
            )
        if root >= num_joints_in:
            raise ValueError(f"the root must be one of {num_joints_in} keypoints, got {root}")
        features, size = 2 + coding.endswith("mask"), {"dropout": dropout, "channels": channels}
        self.lifting = TemporalModel(num_joints_in, features, num_joints_out, filter_widths, **size)
        self.vectors, self.gate, self.threshold = vectors, gate, threshold
        self.coding, self.root = coding, root
        self.widths = self.config["filter_widths"] if vectors == "one" else (_WIDTH,)
        self.branch = nn.ModuleList(
            nn.Linear(width * num_joints_in, num_joints_in, bias=False) for width in self.widths
        )
        for layer in self.branch:
            layer.bias = nn.Parameter(torch.zeros(num_joints_in))
        if start_from_guesses:
            self._start_from_guesses()
        self.receptive_field = self.lifting.receptive_field
        if vectors == "many":
            self.receptive_field += _WIDTH - 1 + 2 * self._reach

    @property
    def _reach(self) -> int:
        return _REACH if self.coding == "interpolated" else 0

    @torch.no_grad()
    def _start_from_guesses(self) -> None:
        for layer, width in zip(self.branch, self.widths, strict=True):
            layer.weight *= 0.1
            layer.weight.unflatten(1, (width, -1))[:, width // 2] += torch.eye(len(layer.weight))
        self.branch[-1].weight *= 2 * _START_LOGIT
        self.branch[-1].bias -= _START_LOGIT

    def forward(self, keypoints: Tensor) -> Tensor:
        return self.poses_and_occlusion(keypoints)[0]

    def occlusion(self, keypoints: Tensor) -> Tensor:
        """How hidden each keypoint is taken to be, 0 to 1: ``(B, T - R + 1, J_in)`` with one vector
        a window, ``(B, T - 2, J_in)``, without the first and the last frame, with many."""
        joints, what = self.config["num_joints_in"], "keypoints and guesses"
        check_keypoints(keypoints, joints, 3, self.receptive_field, what)
        x, dilation = 1 - keypoints[..., 2].to(self.lifting.shrink.weight.dtype), 1
        for layer, width in zip(self.branch, self.widths, strict=True):
            x = layer(side_by_side(x, width, dilation))
            dilation *= width
        return torch.sigmoid(x.float())

    def poses_and_occlusion(self, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """Poses, and the :meth:`occlusion` that they were found with."""
        occlusion = self.occlusion(keypoints)
        kept, places = self._kept(occlusion)[..., None], keypoints[..., :2]
        if self.vectors == "many":
            coded = self.coded(places[:, 1:-1], kept)
            return self.lifting(coded[:, self._reach : coded.shape[1] - self._reach]), occlusion
        # each window zeroes its own middle frame, so that none shares its work with the next
        windows = places.unfold(1, self.receptive_field, 1).permute(0, 1, 4, 2, 3).flatten(0, 1)
        middle = self.receptive_field // 2
        parts = zip(windows.split(_AT_ONCE), kept.flatten(0, 1).split(_AT_ONCE), strict=True)
        poses = [self.lifting(self.coded(w, _in_middle(factor, w, middle))) for w, factor in parts]
        return torch.cat(poses).view(*occlusion.shape[:2], -1, 3), occlusion

    def coded(self, places: Tensor, kept: Tensor) -> Tensor:
        """What is lifted, ``(B, T, J_in, 2 or 3)``: keypoints ``(B, T, J_in, 2)``, and something
        else in their place as far as they are not ``kept``, ``(B, T, J_in, 1)``, 1 to 0."""
        if self.coding == "root":
            return kept * places + (1 - kept) * places[:, :, self.root : self.root + 1]
        if self.coding == "interpolated":
            return kept * places + (1 - kept) * _interpolated(places, kept > 0.5, _REACH)
        coded = places if self.coding == "mask" else kept * places
        return torch.cat([coded, _MASK * (1 - kept)], -1) if self.coding != "zero" else coded

    def _kept(self, occlusion: Tensor) -> Tensor:
        """The factor on a keypoint."""
        if self.gate == "soft":
            return 1 - occlusion
        kept = (occlusion <= self.threshold).to(occlusion.dtype)
        if self.gate == "straight_through":
            kept = kept - (occlusion - occlusion.detach())
        return kept


def _in_middle(kept: Tensor, windows: Tensor, middle: int) -> Tensor:
    """``(N, R, J, 1)``: how far keypoints of windows ``(N, R, J, 2)`` are kept, those of the middle
    frame by ``kept`` ``(N, J, 1)``, all others as they are."""
    others = torch.arange(windows.shape[1], device=windows.device)[:, None, None] != middle
    return torch.where(others, torch.ones_like(kept)[:, None], kept[:, None])


def _interpolated(places: Tensor, seen: Tensor, reach: int) -> Tensor:
    """``(B, T, J, 2)``: each place on the straight line between the nearest ones before and after
    it, or at it, that are ``seen`` ``(B, T, J, 1)``, ``reach`` frames off at most; at the only one
    of them that there is; or where there is none, as it was."""
    frames = places.shape[1]
    time = torch.arange(frames, device=places.device)[:, None, None]
    before = torch.where(seen, time, -frames - reach).cummax(dim=1).values
    after = torch.where(seen, time, 2 * frames + reach).flip(1).cummin(dim=1).values.flip(1)
    early, late = time - before, after - time  # frames off, of either
    far = torch.stack([early, late]) > reach
    weight = (late / (early + late).clamp_min(1)).masked_fill(seen, 1.0)
    weight = torch.where(far[0], 0.0, torch.where(far[1], 1.0, weight)).to(places.dtype)
    first, last = (
        places.gather(1, at.clamp(0, frames - 1).expand_as(places)) for at in (before, after)
    )
    return torch.where(far.all(dim=0), places, weight * first + (1 - weight) * last)
