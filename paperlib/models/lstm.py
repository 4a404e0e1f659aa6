"""An LSTM that lifts keypoints over time: what pavllo2019 sets its convolutions against (section
6.1, tables 3 and 5)."""

import torch
from torch import Tensor, nn

from paperlib.models.arguments import check_keypoints, checked

LAYERS = 2


class LSTMModel(nn.Module):
    """2D keypoints over time to 3D poses: ``(B, length, J_in, F)`` -> ``(B, length, J_out, 3)``.

    Two layers of LSTM cells with ``channels`` numbers of memory; each layer is read
    forwards and, by other weights, backwards, so that a pose knows of frames before and after it,
    as the temporal model's does. A linear map makes a pose, metres, relative to the root, of what
    both directions say of a frame.

    All frames of a window are answered (``chunk`` of the recipe is ``length``), and what a cell has
    learnt to hold for ``length`` frames it does not hold for more: longer sequences go through in
    windows that overlap (:func:`~paperlib.prediction.lift_windows`). So ``length`` is how many
    frames a pose can know of, and :attr:`receptive_field` is 1: a window needs no others about it.
    With ``channels`` of its own (:func:`~paperlib.models.channels_for`) the network costs as much
    as a temporal model.

    The paper's two LSTMs are others' work, of which its text has the totals alone: Hossain and
    Little encode five frames and decode five poses, Lee et al. go from joint to joint. What is
    theirs alone is left out here; what is asked is whether a memory or a window of convolutions
    does more with the same number of operations. ``ValueError`` for keypoints of other shapes.
    """

    receptive_field, causal = 1, False

    def __init__(
        self,
        num_joints_in: int,
        in_features: int,
        num_joints_out: int,
        length: int = 27,
        channels: int = 1024,
        dropout: float = 0.25,
        normalisation: str = "screen",
    ):
        super().__init__()
        self.config = checked(locals())
        self.length = length
        self.cells = nn.LSTM(
            num_joints_in * in_features,
            channels,
            LAYERS,
            batch_first=True,
            dropout=dropout,  # between the layers
            bidirectional=True,
        )
        self.dropout = nn.Dropout(dropout)
        self.shrink = nn.Linear(2 * channels, num_joints_out * 3)
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
        if keypoints.shape[1] != self.length:
            raise ValueError(
                f"windows of {keypoints.shape[1]} frames, this network reads {self.length}: give "
                f"its recipe chunk={self.length}; paperlib.prediction.predict takes any recording"
            )
        x, _ = self.cells(keypoints.flatten(2).to(self.shrink.weight.dtype))
        x = self.dropout(x)
        # poses are metres: half precision would round them by millimetres
        with torch.autocast(x.device.type, enabled=False):
            return self.shrink(x.float()).unflatten(-1, (-1, 3))
