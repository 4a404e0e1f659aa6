"""The occlusion-aware temporal network (wang2020, 4.3): it looks at guesses of which keypoints are
hidden, decides which really are, and lifts the others."""

import torch
from torch import Tensor, nn

from paperlib.errors import one_of
from paperlib.models.temporal import TemporalConv, TemporalModel

VECTORS = ("one", "many")
GATES = ("hard", "straight_through", "soft")
_WIDTH = 3  # frames: the kernel that looks at the guesses, as those of the lifting network
_AT_ONCE = 1024  # windows
_BELIEF = 2.0  # of a logit: guesses are believed to 88 % at first


class OcclusionAware(nn.Module):
    """Keypoints and guesses over time to 3D poses: ``(B, T, J_in, 3)`` -> ``(B, T - R + 1, J_out,
    3)``. A keypoint is x, y in screen coordinates, and 1 where it is taken to be seen, else 0
    (:func:`paperlib.occlusion.with_labels`); ``R`` is :attr:`receptive_field`.

    Convolutions over the guesses and a sigmoid give an occlusion from 0 to 1 for each keypoint;
    where it is above ``threshold``, x and y become 0. The rest is a :class:`TemporalModel` of
    ``filter_widths``, called :attr:`lifting`. The paper's two variants:

    * ``vectors="one"``: convolutions as wide as those of the lifting network lead to one vector of
      occlusions a window, of the frame whose pose is asked for, and only that frame's keypoints
      are zeroed. R is that of the lifting network.
    * ``vectors="many"``: one convolution of three frames, a vector for each frame, and all frames'
      keypoints are zeroed. Each end of the window takes a frame more.

    A threshold has no gradient. With ``gate="hard"``, the text, only the loss of the occlusions
    trains what decides about them; ``"straight_through"`` zeroes likewise, and passes gradients as
    if the keypoints had been scaled by 1 - occlusion; ``"soft"`` does scale them by that.

    The text leaves open the threshold, the sizes of the branch and what stands between its layers
    (nothing here), and which frames the one vector zeroes. ``believing`` is ours: the branch starts
    by taking the guesses as they are. From random weights the absolute difference of the paper's
    loss easily leads to the commoner answer, that all is seen, where a sigmoid has no slope left.
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
        believing: bool = False,
        dropout: float = 0.25,
        channels: int = 1024,
    ):
        super().__init__()
        one_of("vectors", vectors, VECTORS)
        one_of("gate", gate, GATES)
        if in_features != 3 or not 0 < threshold < 1:
            raise ValueError(
                "the occlusion-aware network takes x, y and a guess for each keypoint, and a "
                f"threshold between 0 and 1, got {in_features=} {threshold=}"
            )
        self.lifting = TemporalModel(
            num_joints_in, 2, num_joints_out, filter_widths, dropout=dropout, channels=channels
        )
        self.vectors, self.gate, self.threshold = vectors, gate, threshold
        widths = self.lifting.config["filter_widths"]
        kernels = widths if vectors == "one" else (_WIDTH,)
        self.looking = nn.ModuleList(TemporalConv(num_joints_in, num_joints_in, k) for k in kernels)
        for layer in self.looking:
            layer.bias = nn.Parameter(torch.zeros(num_joints_in))
        if believing:
            self._believe()
        # what builds this model again: kept in checkpoints
        self.config = {
            "num_joints_in": num_joints_in,
            "in_features": in_features,
            "num_joints_out": num_joints_out,
            "filter_widths": widths,
            "vectors": vectors,
            "gate": gate,
            "threshold": threshold,
            "believing": believing,
            "dropout": dropout,
            "channels": channels,
        }
        self.receptive_field = self.lifting.receptive_field
        if vectors == "many":
            self.receptive_field += _WIDTH - 1

    @torch.no_grad()
    def _believe(self) -> None:
        for layer in self.looking:
            layer.weight *= 0.1
            layer.weight[:, layer.width // 2] += torch.eye(len(layer.weight))
        self.looking[-1].weight *= 2 * _BELIEF
        self.looking[-1].bias -= _BELIEF

    def forward(self, keypoints: Tensor) -> Tensor:
        return self.poses_and_occlusion(keypoints)[0]

    def occlusion(self, keypoints: Tensor) -> Tensor:
        """How hidden each keypoint is taken to be, 0 to 1: ``(B, T - R + 1, J_in)`` with one vector
        a window, ``(B, T - 2, J_in)``, without the first and the last frame, with many."""
        self._check(keypoints)
        x, dilation = 1 - keypoints[..., 2], 1
        for layer in self.looking:
            x = layer(x, dilation)
            dilation *= layer.width
        return torch.sigmoid(x.float())

    def poses_and_occlusion(self, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """Poses, and the :meth:`occlusion` that they were found with."""
        occlusion = self.occlusion(keypoints)
        kept, places = self._kept(occlusion)[..., None], keypoints[..., :2]
        if self.vectors == "many":
            return self.lifting(places[:, 1:-1] * kept), occlusion
        # each window zeroes its own middle frame, so that none shares its work with the next
        windows = places.unfold(1, self.receptive_field, 1).permute(0, 1, 4, 2, 3).flatten(0, 1)
        middle = self.receptive_field // 2
        poses = [
            self.lifting(_with_middle(part, part[:, middle] * factor))
            for part, factor in zip(
                windows.split(_AT_ONCE), kept.flatten(0, 1).split(_AT_ONCE), strict=True
            )
        ]
        return torch.cat(poses).view(*occlusion.shape[:2], -1, 3), occlusion

    def _kept(self, occlusion: Tensor) -> Tensor:
        """The factor on a keypoint."""
        if self.gate == "soft":
            return 1 - occlusion
        kept = (occlusion <= self.threshold).to(occlusion.dtype)
        if self.gate == "straight_through":
            kept = kept - (occlusion - occlusion.detach())
        return kept

    def _check(self, keypoints: Tensor) -> None:
        joints = self.config["num_joints_in"]
        if keypoints.ndim != 4 or tuple(keypoints.shape[2:]) != (joints, 3):
            raise ValueError(
                f"expected keypoints and guesses (B, T, {joints}, 3), got {tuple(keypoints.shape)}"
            )
        if keypoints.shape[1] < self.receptive_field:
            raise ValueError(
                f"{keypoints.shape[1]} frames are fewer than the receptive field of "
                f"{self.receptive_field}: pad the sequence (windows.pad_sequence does)"
            )


def _with_middle(windows: Tensor, middle: Tensor) -> Tensor:
    """Windows ``(N, R, J, 2)`` with another middle frame ``(N, J, 2)``."""
    half = windows.shape[1] // 2
    return torch.cat([windows[:, :half], middle[:, None], windows[:, half + 1 :]], dim=1)
