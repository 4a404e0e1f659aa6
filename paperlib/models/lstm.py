"""An LSTM that lifts keypoints over time: what pavllo2019 sets its convolutions against (section
6.1, tables 3 and 5)."""

import torch
from torch import Tensor, nn

from paperlib.models.arguments import check_keypoints, checked


class LSTMModel(nn.Module):
    """2D keypoints over time to 3D poses: ``(B, T, J_in, F)`` -> ``(B, T, J_out, 3)``.

    ``num_layers`` layers of LSTM cells with ``channels`` numbers of memory; each layer is read
    forwards and, unless ``causal``, by other weights backwards, so that a pose knows of frames
    before and after it, as the temporal model's does. A linear map makes a pose, metres, relative
    to the root, of what both directions say of a frame. Nothing is cut off and nothing padded:
    :attr:`receptive_field` is 1, as of all that gives as many poses as it takes frames, and how
    far a pose looks is for the cells to learn. They learn it from chunks of adjacent frames
    (``chunk`` of the recipe), and then read sequences of any length, each weight once a frame:
    with ``channels`` of its own (:func:`~paperlib.models.channels_for`) the network costs as much
    as a temporal model.

    The paper's two LSTMs are others' work: Hossain and Little encode five frames and decode five
    poses, Lee et al. go from joint to joint. What is theirs alone is left out here; what is asked
    is whether a memory or a window of convolutions does more with the same number of operations.
    """

    receptive_field = 1

    def __init__(
        self,
        num_joints_in: int,
        in_features: int,
        num_joints_out: int,
        channels: int = 1024,
        num_layers: int = 2,
        causal: bool = False,
        dropout: float = 0.25,
        normalisation: str = "screen",
    ):
        super().__init__()
        self.config = checked(locals())
        self.causal = causal
        between = dropout if num_layers > 1 else 0.0  # PyTorch drops between layers only
        self.cells = nn.LSTM(
            num_joints_in * in_features,
            channels,
            num_layers,
            batch_first=True,
            dropout=between,
            bidirectional=not causal,
        )
        self.dropout = nn.Dropout(dropout)
        self.shrink = nn.Linear(channels * (1 if causal else 2), num_joints_out * 3)
        self._remember()

    @torch.no_grad()
    def _remember(self) -> None:
        """Cells begin by keeping what they hold: at a forget gate of one half, as PyTorch's is,
        hardly anything is left after five frames, and no gradient says that it was worth it."""
        for name, bias in self.cells.named_parameters():
            if name.startswith("bias"):
                bias.zero_()
            if name.startswith("bias_ih"):
                bias.chunk(4)[1].fill_(1.0)  # of the input, forget, cell and output gates

    def forward(self, keypoints: Tensor) -> Tensor:
        check_keypoints(keypoints, self.config["num_joints_in"], self.config["in_features"])
        x, _ = self.cells(keypoints.flatten(2))
        x = self.dropout(x)
        # poses are metres: half precision would round them by millimetres
        with torch.autocast(x.device.type, enabled=False):
            return self.shrink(x.float()).unflatten(-1, (-1, 3))
